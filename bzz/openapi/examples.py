"""An example of what a client may send: the simplest value that a schema allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from bzz.mock.text import texts
from bzz.shape.base import JsonSchema

__all__ = ["example_of"]

DEPTH = 4
_PREFIX = "#/components/schemas/"


def example_of(schema: JsonSchema, schemas: Mapping[str, JsonSchema], depth: int = 0) -> Any:
    """Return a value that a schema allows; None if null is the simplest, or nothing simple is found.

    :param schemas: what references lead to, by name.

    >>> example_of({"type": "object", "properties": {"age": {"type": "integer", "minimum": 3}}}, {})
    {'age': 3}
    """
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(_PREFIX)], schemas, depth)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas, depth)
    if "const" in schema:
        return schema["const"]
    types = schema.get("type")
    make = _BY_TYPE.get(types[0] if isinstance(types, list) else str(types))
    return None if make is None else make(schema, schemas, depth)


def _object(schema: JsonSchema, schemas: Mapping[str, JsonSchema], depth: int) -> Any:
    required = schema.get("required", ())
    names = [name for name in schema.get("properties", {}) if not name.startswith("@")]
    wanted = names if depth < DEPTH else [name for name in names if name in required]
    made = {name: example_of(schema["properties"][name], schemas, depth + 1) for name in wanted}
    return {name: value for name, value in made.items() if value is not None or name in required}


def _array(schema: JsonSchema, schemas: Mapping[str, JsonSchema], depth: int) -> Any:
    if depth >= DEPTH:
        return []
    item = example_of(schema.get("items", {}), schemas, depth + 1)
    return [] if item is None else [item] * max(1, schema.get("minItems", 1))


def _string(schema: JsonSchema, schemas: Mapping[str, JsonSchema], depth: int) -> Any:
    patterns = [schema["pattern"]] if "pattern" in schema else []
    form = {"format": "byte"} if schema.get("contentEncoding") == "base64" else {}
    return next(islice(texts({**schema, **form, "pattern": patterns}), 1), None)


def _number(schema: JsonSchema, schemas: Mapping[str, JsonSchema], depth: int) -> Any:
    lowest, highest = schema.get("minimum", 0), schema.get("maximum", 0)
    return max(lowest, 0) if highest >= 0 or "maximum" not in schema else highest


def _boolean(schema: JsonSchema, schemas: Mapping[str, JsonSchema], depth: int) -> Any:
    return True


_BY_TYPE: dict[str, Callable[[JsonSchema, Mapping[str, JsonSchema], int], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
}

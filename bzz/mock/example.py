"""An example value for a JSON Schema as OpenAPI 3.0 and 3.1 use it: what it says, else something of its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["example_of"]

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.org",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.org/",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "Ynp6",
}
_PLAIN: dict[str, Any] = {"string": "string", "integer": 0, "number": 0.0, "boolean": True, "null": None}


def example_of(schema: Any, above: tuple[int, ...] = ()) -> Any:
    """A value for ``schema``, whose references are resolved; where it contains itself, it ends with null or nothing.

    :param above: the identities of the schemas that this one is inside of.

    >>> example_of({"properties": {"id": {"type": "integer", "example": 7}, "name": {"enum": ["Rex"]}}})
    {'id': 7, 'name': 'Rex'}
    >>> example_of({"type": ["null", "array"], "items": {"type": "string", "format": "date"}})
    ['2026-01-31']
    """
    if not isinstance(schema, Mapping) or id(schema) in above:
        return None
    found, value = _stated(schema)
    return value if found else _made(schema, (*above, id(schema)))


def _stated(schema: Mapping[str, Any]) -> tuple[bool, Any]:
    for name in ("example", "const", "default"):
        if name in schema:
            return True, schema[name]
    for name in ("examples", "enum"):
        if isinstance(schema.get(name), list) and schema[name]:
            return True, schema[name][0]
    return False, None


def _made(schema: Mapping[str, Any], above: tuple[int, ...]) -> Any:
    if "allOf" in schema:
        return _merged([example_of(part, above) for part in schema["allOf"]], schema, above)
    for name in ("oneOf", "anyOf"):
        options = [each for each in schema.get(name) or [] if id(each) not in above]
        if options:
            return example_of(options[0], above)
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, above)
    if kind == "array":
        return [] if id(schema.get("items")) in above or "items" not in schema else [example_of(schema["items"], above)]
    if kind in ("integer", "number") and "minimum" in schema:
        return schema["minimum"]
    return _FORMATS.get(str(schema.get("format")), "string") if kind == "string" else _PLAIN.get(kind)


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    return str(kind or ("object" if "properties" in schema else "array" if "items" in schema else ""))


def _object(schema: Mapping[str, Any], above: tuple[int, ...]) -> dict[str, Any]:
    required = schema.get("required") or []
    properties = schema.get("properties") or {}
    return {
        str(name): example_of(each, above)
        for name, each in properties.items()
        if name in required or id(each) not in above
    }


def _merged(parts: list[Any], schema: Mapping[str, Any], above: tuple[int, ...]) -> Any:
    whole: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, Mapping):
            return part
        whole.update(part)
    return {**whole, **_object(schema, above)}

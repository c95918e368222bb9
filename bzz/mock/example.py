"""An example value for a JSON Schema as OpenAPI 3.0 and 3.1 use it: what it says, else something that satisfies it.

Values are proposed, the plainest first, and the first that ``jsonschema`` finds valid is taken.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bzz.extras import needs
from bzz.mock.number import numbers
from bzz.mock.schema import Reading, Schema, branches, of_property
from bzz.mock.text import is_known_format, texts

with needs("mock"):
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

__all__ = ["Examples", "example_of"]

logger = logging.getLogger("bzz.mock")

MOST_SCHEMAS = 300
"""How many schemas are entered for one example: with more, only what is required is made."""

MOST_DEEP = 30
"""How many schemas deep an example goes: below, only what is required is made."""

MOST_PROPOSED = 400
"""How many values are proposed for one schema before it is given up."""

_NOTHING = object()
_CHECKER = Draft202012Validator.FORMAT_CHECKER


def example_of(schema: Any, where: str = "a schema") -> Any:
    """A value for ``schema``, whose references are resolved; where it contains itself, it ends with null or nothing.

    Where none can be made, a warning is logged that names ``where``, and the value is the nearest that there is.

    >>> example_of({"properties": {"id": {"type": "integer", "example": 7}, "name": {"enum": ["Rex"]}}})
    {'id': 7, 'name': 'Rex'}
    >>> example_of({"type": ["null", "array"], "items": {"type": "string", "format": "date"}})
    ['2026-01-31']
    >>> example_of({"type": "integer", "exclusiveMinimum": 10, "multipleOf": 4})
    12
    """
    return Examples().of(schema, where)


class Examples:
    """Examples for the schemas of one document, each made once."""

    def __init__(self) -> None:
        self._reading = Reading()
        self._made: dict[int, tuple[Any, Any]] = {}  # with its schema, so that no other gets its identity

    def of(self, schema: Any, where: str) -> Any:
        """Return what :func:`example_of` says."""
        if schema is None:
            return None
        if id(schema) not in self._made:
            self._made[id(schema)] = schema, _made(self._reading.of(schema), where)
        return self._made[id(schema)][1]


def _made(schema: Schema, where: str) -> Any:
    try:
        for value in _values(schema, Path()):
            _warn_of_unknown_formats(schema, value, where)
            return value
    except RecursionError:
        logger.warning("no example can be made for %s: its schema is nested too deep", where)
        return None
    logger.warning("no example can be made for %s: nothing was found that satisfies its schema", where)
    return next(_proposed(schema, Path()), None)


@dataclass(frozen=True)
class Path:
    """Which schemas one is inside of, and how much may still be made.

    :param ids: their identities: none of them is entered again.
    :param left: how many schemas may be entered until only what is required is made; one number for all of an example.
    """

    ids: tuple[int, ...] = ()
    left: list[int] = field(default_factory=lambda: [MOST_SCHEMAS])

    def into(self, schema: Schema) -> Path:
        """Return the path of what is inside ``schema``."""
        return Path((*self.ids, id(schema)), self.left)

    @property
    def is_spent(self) -> bool:
        """Whether only what is required is still made."""
        return self.left[0] <= 0 or len(self.ids) > MOST_DEEP


def _warn_of_unknown_formats(schema: Schema, value: Any, where: str) -> None:
    """Log each text format that the example cannot be known to have."""
    for name in sorted(set(_formats(schema, value))):
        logger.warning("no example can be made for %s: its format %r is not known", where, name)


def _formats(schema: Schema, value: Any) -> Iterator[str]:
    """Yield the unknown formats of the texts in ``value``."""
    for branch in itertools.islice(branches(_mapping(schema)), 64):
        if isinstance(value, str) and value not in branch.get("stated", []) and "enum" not in branch:
            name = branch.get("format")
            if isinstance(name, str) and not is_known_format(name):
                yield name
        elif isinstance(value, dict):
            for name, each in value.items():
                yield from _formats(branch.get("properties", {}).get(name, True), each)
        elif isinstance(value, list):
            for each in value:
                yield from _formats(branch.get("items", True), each)


def _values(schema: Schema, path: Path) -> Iterator[Any]:
    """Valid values of ``schema``, each another.

    :param path: where it is.
    """
    if schema is False or id(schema) in path.ids:
        return
    path.left[0] -= 1
    validator = Draft202012Validator(schema, format_checker=_CHECKER)
    for value in itertools.islice(_proposed(schema, path), MOST_PROPOSED):
        if _is_valid(validator, value):
            yield value


def _is_valid(validator: Draft202012Validator, value: Any) -> bool:
    try:
        validator.validate(value)
    except ValidationError:
        return False
    except Exception as error:  # an expression that Python cannot read, a keyword of the wrong type
        logger.debug("a schema cannot be checked: %s", type(error).__name__)
        return False
    return True


def _proposed(schema: Schema, path: Path) -> Iterator[Any]:
    """Yield values that ``schema`` may accept: those of its branches in turns, the first of each first."""
    inner = path.into(schema)
    ways = [_of_branch(branch, inner) for branch in itertools.islice(branches(_mapping(schema), path.ids), 64)]
    while ways:
        left = []
        for way in ways:
            for value in itertools.islice(way, 1):
                yield value
                left.append(way)
        ways = left


def _of_branch(schema: Mapping[str, Any], path: Path) -> Iterator[Any]:
    for stated in schema.get("stated", []):
        yield _shown(stated, schema)
    if "enum" in schema:
        yield from schema["enum"]
        return
    for kind in _kinds(schema):
        yield from itertools.islice(_MAKERS[kind](schema, path), MOST_PROPOSED)


def _shown(stated: Any, schema: Mapping[str, Any]) -> Any:
    """Return what a document states, without the properties that are only written."""
    if not isinstance(stated, Mapping):
        return stated
    properties = schema.get("properties", {})
    return {name: value for name, value in stated.items() if properties.get(name) is not False}


_HINTS = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "patternProperties"),
    "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """The types to make a value of: null last where there are others; where none is said, what the keywords hint at."""
    said = schema.get("type")
    if said is not None:
        kinds = [said] if isinstance(said, str) else list(said)
        return sorted((each for each in kinds if each in _MAKERS), key=lambda each: each == "null")
    hinted = [kind for kind, keywords in _HINTS.items() if any(each in schema for each in keywords)]
    return [
        *hinted,
        *(kind for kind in ("null", "string", "integer", "boolean", "object", "array") if kind not in hinted),
    ]


def _objects(schema: Mapping[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    required = list(dict.fromkeys(map(str, schema.get("required", []))))
    properties = {str(name): each for name, each in schema.get("properties", {}).items()}
    names = required if path.is_spent else (*properties, *required)
    ways = {name: _Again(_values(of_property(schema, name), path)) for name in names}
    first = {name: value for name, way in ways.items() for value in itertools.islice(way, 1)}
    if any(name not in first for name in required):
        return
    whole = _filled(schema, _within(schema, first, required), path)
    yield whole
    needed = {name: first[name] for name in required}
    if needed != whole:
        yield _filled(schema, needed, path)
        for name in first.keys() - needed.keys():  # where two exclude each other
            yield _filled(schema, {key: value for key, value in first.items() if key != name}, path)
    for name in whole.keys() & ways.keys():
        for value in itertools.islice(ways[name], 1, 30):
            yield {**whole, name: value}


def _within(schema: Mapping[str, Any], first: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Return ``first`` with no more properties than may be, the required ones kept."""
    spare = max(0, schema.get("maxProperties", len(first)) - len(required))
    kept = {*required, *itertools.islice((name for name in first if name not in required), spare)}
    return {name: value for name, value in first.items() if name in kept}


def _filled(schema: Mapping[str, Any], value: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return ``value`` with further properties, until there are as many as must be."""
    least, filled = schema.get("minProperties", 0), dict(value)
    if len(filled) >= least:
        return filled
    names = itertools.chain(_names(schema, path), (f"property{number}" for number in range(1, least + 1)))
    for name in itertools.islice(names, MOST_PROPOSED):
        if name in filled or name in schema.get("properties", {}):
            continue
        found = next(_values(of_property(schema, name), path), _NOTHING)
        if found is not _NOTHING:
            filled[name] = found
        if len(filled) >= least:
            break
    return filled


def _names(schema: Mapping[str, Any], path: Path) -> Iterator[str]:
    """Yield names of properties that are not listed: such as patterns or ``propertyNames`` ask for."""
    for pattern in schema.get("patternProperties", {}):
        yield from itertools.islice(texts({"pattern": [pattern]}), 20)
    names = schema.get("propertyNames", True)
    if isinstance(names, Mapping):
        yield from itertools.islice(_values({"allOf": [names, {"type": "string"}]}, path), 20)


def _arrays(schema: Mapping[str, Any], path: Path) -> Iterator[list[Any]]:
    places = list(schema.get("prefixItems", []))
    items = schema.get("items", True)
    least, most = schema.get("minItems", 0), schema.get("maxItems", MOST_PROPOSED)
    contained = schema.get("contains")
    wanted = [contained] * schema.get("minContains", 1) if contained is not None else []
    hinted = 1 if wanted or ("items" in schema and not path.is_spent) else 0
    for length in (max(least, len(places) + hinted, len(wanted)), least, *range(least + 1, least + 4)):
        if least <= length <= most:
            schemas = [*places, *[items] * (length - len(places))][:length]
            for start in range(len(schemas) - len(wanted) + 1):
                both = [{"allOf": [one, other]} for one, other in zip(schemas[start:], wanted, strict=False)]
                yield from _filled_places([*schemas[:start], *both, *schemas[start + len(wanted) :]], schema, path)
                if not wanted:
                    break


def _filled_places(schemas: list[Schema], schema: Mapping[str, Any], path: Path) -> Iterator[list[Any]]:
    """Arrays with one value for each of ``schemas``, all different where they must be."""
    ways = [_Again(_values(each, path)) for each in schemas]
    made: list[Any] = []
    for way in ways:
        fitting = (each for each in way if not (schema.get("uniqueItems") and _is_among(each, made)))
        found = next(fitting, _NOTHING)
        if found is _NOTHING:
            return
        made.append(found)
    yield made
    for place, way in enumerate(ways):
        for value in itertools.islice(way, 1, 10):
            yield [*made[:place], value, *made[place + 1 :]]


def _is_among(value: Any, others: list[Any]) -> bool:
    """Return whether ``value`` is one of ``others``, as JSON counts: true is not 1."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in others)


class _Again:
    """Values that are made once and looked through more than once."""

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values
        self._made: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        for place in itertools.count():
            if place == len(self._made):
                made = next(self._values, _NOTHING)
                if made is _NOTHING:
                    return
                self._made.append(made)
            yield self._made[place]


def _mapping(schema: Schema) -> Mapping[str, Any]:
    return schema if isinstance(schema, Mapping) else {}


_MAKERS: dict[str, Any] = {
    "object": _objects,
    "array": _arrays,
    "string": lambda schema, path: texts(schema),
    "integer": lambda schema, path: numbers(schema, whole=True),
    "number": lambda schema, path: numbers(schema, whole=False),
    "boolean": lambda schema, path: iter((True, False)),
    "null": lambda schema, path: iter((None,)),
}

"""The values that a JSON Schema accepts, the simplest first.

Values are proposed from the keywords of the schema, and those that ``jsonschema`` finds valid are taken.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bzz.extras import needs
from bzz.mock.number import numbers
from bzz.mock.schema import Schema, branches, of_property
from bzz.mock.text import texts

with needs("mock"):
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

__all__ = ["MOST_BRANCHES", "Nesting", "proposed", "valid_values"]

logger = logging.getLogger("bzz.mock")

MOST_SCHEMAS = 300
"""How many schemas are entered for one example. After that, only what is required is made."""

MOST_DEEP = 30
"""How many schemas deep an example goes. Below that, only what is required is made."""

MOST_PROPOSED = 400
"""How many values are proposed for one schema."""

MOST_BRANCHES = 64
"""How many combinations of one schema are tried."""

_NOTHING = object()
_CHECKER = Draft202012Validator.FORMAT_CHECKER


@dataclass(frozen=True)
class Nesting:
    """The schemas around the current one, and how many more may be entered.

    :param ids: the identities of these schemas, which are not entered again.
    :param left: one number, shared by all of an example: how many more schemas may be entered.
    """

    ids: tuple[int, ...] = ()
    left: list[int] = field(default_factory=lambda: [MOST_SCHEMAS])

    def into(self, schema: Schema) -> Nesting:
        """Return the nesting inside ``schema``."""
        return Nesting((*self.ids, id(schema)), self.left)

    @property
    def is_spent(self) -> bool:
        """Whether only what is required is made from here on."""
        return self.left[0] <= 0 or len(self.ids) > MOST_DEEP


def valid_values(schema: Schema, nesting: Nesting) -> Iterator[Any]:
    """Yield different valid values of ``schema``.

    :param nesting: the schemas around it.
    """
    if schema is False or id(schema) in nesting.ids:
        return
    nesting.left[0] -= 1
    validator = Draft202012Validator(schema, format_checker=_CHECKER)
    for value in itertools.islice(proposed(schema, nesting), MOST_PROPOSED):
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


def proposed(schema: Schema, nesting: Nesting) -> Iterator[Any]:
    """Yield values that ``schema`` may accept, of each of its branches in turn."""
    inner = nesting.into(schema)
    some_branches = itertools.islice(branches(schema, nesting.ids), MOST_BRANCHES)
    sources = [_of_branch(branch, inner) for branch in some_branches]
    while sources:
        left = []
        for source in sources:
            for value in itertools.islice(source, 1):
                yield value
                left.append(source)
        sources = left


def _of_branch(schema: Mapping[str, Any], nesting: Nesting) -> Iterator[Any]:
    for stated in schema.get("stated", []):
        yield _shown(stated, schema)
    if "enum" in schema:
        yield from schema["enum"]
        return
    for kind in _kinds(schema):
        yield from itertools.islice(_MAKERS[kind](schema, nesting), MOST_PROPOSED)


def _shown(stated: Any, schema: Mapping[str, Any]) -> Any:
    """Return an example of the document, without its properties that are ``writeOnly``."""
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
    """Return the types to try, null last; without ``type``, first those that the keywords belong to."""
    stated = schema.get("type")
    if stated is not None:
        kinds = [stated] if isinstance(stated, str) else list(stated)
        return sorted((each for each in kinds if each in _MAKERS), key=lambda each: each == "null")
    hinted = [kind for kind, keywords in _HINTS.items() if any(each in schema for each in keywords)]
    return [
        *hinted,
        *(kind for kind in ("null", "string", "integer", "boolean", "object", "array") if kind not in hinted),
    ]


def _objects(schema: Mapping[str, Any], nesting: Nesting) -> Iterator[dict[str, Any]]:
    required = list(dict.fromkeys(map(str, schema.get("required", []))))
    properties = {str(name): each for name, each in schema.get("properties", {}).items()}
    names = required if nesting.is_spent else (*properties, *required)
    ways = {name: _Replayed(valid_values(of_property(schema, name), nesting)) for name in names}
    first = {name: value for name, way in ways.items() for value in itertools.islice(way, 1)}
    if any(name not in first for name in required):
        return
    whole = _filled(schema, _within(schema, first, required), nesting)
    yield whole
    needed = {name: first[name] for name in required}
    if needed != whole:
        yield _filled(schema, needed, nesting)
        for name in first.keys() - needed.keys():  # where two exclude each other
            yield _filled(schema, {key: value for key, value in first.items() if key != name}, nesting)
    for name in whole.keys() & ways.keys():
        for value in itertools.islice(ways[name], 1, 30):
            yield {**whole, name: value}


def _within(schema: Mapping[str, Any], first: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Return ``first`` with at most ``maxProperties``, the required ones among them."""
    spare = max(0, schema.get("maxProperties", len(first)) - len(required))
    kept = {*required, *itertools.islice((name for name in first if name not in required), spare)}
    return {name: value for name, value in first.items() if name in kept}


def _filled(schema: Mapping[str, Any], value: dict[str, Any], nesting: Nesting) -> dict[str, Any]:
    """Return ``value`` with further properties, until there are ``minProperties``."""
    least, filled = schema.get("minProperties", 0), dict(value)
    if len(filled) >= least:
        return filled
    names = itertools.chain(_names(schema, nesting), (f"property{number}" for number in range(1, least + 1)))
    for name in itertools.islice(names, MOST_PROPOSED):
        if name in filled or name in schema.get("properties", {}):
            continue
        found = next(valid_values(of_property(schema, name), nesting), _NOTHING)
        if found is not _NOTHING:
            filled[name] = found
        if len(filled) >= least:
            break
    return filled


def _names(schema: Mapping[str, Any], nesting: Nesting) -> Iterator[str]:
    """Yield names for properties that are not listed, by ``patternProperties`` and ``propertyNames``."""
    for pattern in schema.get("patternProperties", {}):
        yield from itertools.islice(texts({"pattern": [pattern]}), 20)
    names = schema.get("propertyNames", True)
    if isinstance(names, Mapping):
        yield from itertools.islice(valid_values({"allOf": [names, {"type": "string"}]}, nesting), 20)


def _arrays(schema: Mapping[str, Any], nesting: Nesting) -> Iterator[list[Any]]:
    places = list(schema.get("prefixItems", []))
    items = schema.get("items", True)
    least, most = schema.get("minItems", 0), schema.get("maxItems", MOST_PROPOSED)
    contained = schema.get("contains")
    wanted = [contained] * schema.get("minContains", 1) if contained is not None else []
    hinted = 1 if wanted or ("items" in schema and not nesting.is_spent) else 0
    for length in (max(least, len(places) + hinted, len(wanted)), least, *range(least + 1, least + 4)):
        if least <= length <= most:
            schemas = [*places, *[items] * (length - len(places))][:length]
            for start in range(len(schemas) - len(wanted) + 1):
                both = [{"allOf": [one, other]} for one, other in zip(schemas[start:], wanted, strict=False)]
                yield from _filled_places([*schemas[:start], *both, *schemas[start + len(wanted) :]], schema, nesting)
                if not wanted:
                    break


def _filled_places(schemas: list[Schema], schema: Mapping[str, Any], nesting: Nesting) -> Iterator[list[Any]]:
    """Yield arrays with one value for each of ``schemas``, all different if ``uniqueItems`` asks for it."""
    ways = [_Replayed(valid_values(each, nesting)) for each in schemas]
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
    """Return whether ``value`` is one of ``others``. In JSON, true is not 1."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in others)


class _Replayed:
    """An iterator that can be iterated over again, and then repeats its values."""

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


_MAKERS: dict[str, Any] = {
    "object": _objects,
    "array": _arrays,
    "string": lambda schema, nesting: texts(schema),
    "integer": lambda schema, nesting: numbers(schema, whole=True),
    "number": lambda schema, nesting: numbers(schema, whole=False),
    "boolean": lambda schema, nesting: iter((True, False)),
    "null": lambda schema, nesting: iter((None,)),
}

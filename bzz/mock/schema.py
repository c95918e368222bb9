"""Schemas of OpenAPI 3.0 and 3.1 as JSON Schema 2020-12 for answers, and without ``allOf``, ``anyOf`` and ``oneOf``."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

__all__ = ["Schema", "SchemaReader", "branches", "of_property"]

Schema = Any
"""A mapping, or True or False."""

_COMBINED = ("allOf", "anyOf", "oneOf")
_SCHEMAS = ("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames")
_LISTS = (*_COMBINED, "prefixItems")
_BY_NAME = ("properties", "patternProperties", "dependentSchemas")
_STATED = ("example", "examples", "default")


class SchemaReader:
    """Translates schemas to JSON Schema 2020-12, with ``False`` for properties that are ``writeOnly``.

    References are resolved already: a schema may contain itself, and then the result does. Each schema is read once.
    """

    def __init__(self) -> None:
        self._done: dict[tuple[int, frozenset[str]], tuple[Schema, dict[str, Any]]] = {}
        self._waiting: list[tuple[dict[str, Any], Mapping[str, Any], frozenset[str]]] = []

    def read(self, schema: Schema) -> Schema:
        """Return ``schema`` as JSON Schema 2020-12, with ``False`` for properties that are ``writeOnly``."""
        made = self._begun(schema)
        while self._waiting:  # no recursion: documents have hundreds of schemas in one another
            unfilled, source, hidden = self._waiting.pop()
            unfilled.update(self._members(source, hidden))
        return made

    def _begun(self, schema: Schema, hidden: frozenset[str] = frozenset()) -> Schema:
        """Return the result for ``schema``, which may be filled in later.

        :param hidden: properties that a combination around it hides, so that they are not required here.
        """
        if not isinstance(schema, Mapping):
            return schema is not False
        hidden |= _hidden(schema, ())
        key = (id(schema), hidden)
        if key not in self._done:
            self._done[key] = schema, {}  # with its schema, so that no other gets its identity
            self._waiting.append((self._done[key][1], schema, hidden))
        return self._done[key][1]

    def _members(self, schema: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
        made = dict(schema)
        for name in _SCHEMAS:
            if name in schema:
                made[name] = self._begun(schema[name])
        for name in _LISTS:
            if isinstance(schema.get(name), list):
                made[name] = [self._begun(each, hidden if name in _COMBINED else frozenset()) for each in schema[name]]
        for name in _BY_NAME:
            if isinstance(schema.get(name), Mapping):
                made[name] = {str(key): self._begun(each) for key, each in schema[name].items()}
        for name in hidden & set(made.get("properties", {})):
            made["properties"][name] = False
        if isinstance(made.get("required"), list):
            made["required"] = [name for name in made["required"] if name not in hidden]
        else:
            made.pop("required", None)  # in OpenAPI 2 it was a flag of a parameter
        return _as_2020(made)


def _hidden(schema: Mapping[str, Any], above: tuple[int, ...]) -> frozenset[str]:
    """Return the names of the properties that are ``writeOnly``."""
    properties = schema.get("properties")
    found = {str(name) for name, each in (properties or {}).items() if _is_write_only(each, ())}
    for name in _COMBINED:
        for each in schema.get(name) or []:
            if isinstance(each, Mapping) and id(each) not in above:
                found |= _hidden(each, (*above, id(schema)))
    return frozenset(found)


def _is_write_only(schema: Schema, above: tuple[int, ...]) -> bool:
    if not isinstance(schema, Mapping) or id(schema) in above:
        return False
    parts = schema.get("allOf") or []
    return schema.get("writeOnly") is True or any(_is_write_only(each, (*above, id(schema))) for each in parts)


def _as_2020(schema: dict[str, Any]) -> dict[str, Any]:
    """Translate what differs in OpenAPI 3.0: ``nullable``, and exclusive limits as booleans."""
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = schema.get(exclusive)
        if isinstance(flag, bool):
            del schema[exclusive]
            if flag and limit in schema:
                schema[exclusive] = schema.pop(limit)
    if schema.pop("nullable", False) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    return schema


def branches(schema: Schema, above: tuple[int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Yield ``schema`` without combinations, once for each choice among ``anyOf``, ``oneOf`` and ``if``.

    :param above: the identities of the schemas around it; a choice that leads back into one of them is left out.
    """
    schema = schema if isinstance(schema, Mapping) else {}
    plain = {name: value for name, value in schema.items() if name not in (*_COMBINED, "if", "then", "else")}
    choices: list[list[Schema]] = [[each] for each in schema.get("allOf") or []]
    choices += [list(schema[name]) for name in ("anyOf", "oneOf") if schema.get(name)]
    if "if" in schema:
        met = {"allOf": [schema["if"], schema.get("then", True)]}
        choices.append([met, schema.get("else", True)])
    if not choices:
        yield _gathered(plain)
        return
    inner = (*above, id(schema))
    choices_of_branches = [[branch for each in choice for branch in _inner_branches(each, inner)] for choice in choices]
    for chosen in itertools.product(*choices_of_branches):
        merged = _gathered(plain)
        for each in chosen:
            merged = _merged(merged, each)
        yield merged


def _inner_branches(schema: Schema, above: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    if schema is False or id(schema) in above:
        return
    yield from itertools.islice(branches(schema, above), 50)


def _gathered(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``schema`` with its examples and defaults in one list, ``pattern`` as a list, ``const`` as an ``enum``."""
    made = {name: value for name, value in schema.items() if name not in (*_STATED, "const", "pattern")}
    examples = schema.get("examples")
    stated = [schema[name] for name in ("example",) if name in schema]
    stated += [schema["default"]] if "default" in schema else []
    stated += examples if isinstance(examples, list) else []
    if stated:
        made["stated"] = stated
    if "const" in schema:
        made["enum"] = [each for each in made.get("enum", [schema["const"]]) if each == schema["const"]]
    if "pattern" in schema:
        made["pattern"] = [schema["pattern"]]
    return made


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the conjunction of two schemas, as far as it can be expressed; the validator sees to the rest."""
    made = {**other, **one}
    for name in one.keys() & other.keys() & _MERGERS.keys():
        made[name] = _MERGERS[name](one[name], other[name])
    for container, rest, parts in (
        ("properties", "additionalProperties", _by_name),
        ("prefixItems", "items", _by_place),
    ):
        if {container, rest} & (one.keys() | other.keys()):
            made.pop(container, None)
            made.update(parts(one, other))
            both = [each[rest] for each in (one, other) if rest in each]
            if both:
                made[rest] = _all_of(both)
    return made


def _by_name(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    names = {**one.get("properties", {}), **other.get("properties", {})}
    made = {}
    for name in names:
        made[name] = _all_of([of_property(each, name) for each in (one, other)])
    return {"properties": made} if made else {}


def of_property(schema: Mapping[str, Any], name: str) -> Schema:
    """Return the schema of the property ``name`` in ``schema``; True if there is none."""
    found = [each for key, each in schema.get("patternProperties", {}).items() if re.search(key, name)]
    if name in schema.get("properties", {}):
        found.append(schema["properties"][name])
    if not found:
        return schema.get("additionalProperties", True)
    return _all_of(found)


def _by_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    made = []
    for place in range(max(len(each.get("prefixItems", [])) for each in (one, other))):
        both = [each["prefixItems"][place : place + 1] or [each.get("items", True)] for each in
                ({"prefixItems": [], **one}, {"prefixItems": [], **other})]  # fmt: skip
        made.append(_all_of([each for part in both for each in part]))
    return {"prefixItems": made} if made else {}


def _all_of(schemas: list[Schema]) -> Schema:
    rest = [each for each in schemas if each is not True]
    if False in rest:
        return False
    return {"allOf": rest} if len(rest) > 1 else rest[0] if rest else True


def _types(one: Any, other: Any) -> list[str]:
    """Return the types in both; an integer is a number too."""
    left, right = ([each] if isinstance(each, str) else each for each in (one, other))
    found = [each for each in left if each in right or (each == "integer" and "number" in right)]
    return found + [each for each in right if each == "integer" and "number" in left and each not in found]


def _least_multiple(one: Any, other: Any) -> float:
    """Return the least common multiple."""
    left, right = Fraction(str(one)), Fraction(str(other))
    found = Fraction(math.lcm(left.numerator, right.numerator), math.gcd(left.denominator, right.denominator))
    return int(found) if found.denominator == 1 else float(found)


_MERGERS: dict[str, Any] = {
    "type": _types,
    "enum": lambda one, other: [each for each in one if each in other],
    "required": lambda one, other: [*one, *other],
    "stated": lambda one, other: [*one, *other],
    "pattern": lambda one, other: [*one, *other],
    "patternProperties": lambda one, other: {**one, **other},
    "uniqueItems": lambda one, other: one or other,
    "multipleOf": _least_multiple,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}

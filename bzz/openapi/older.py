"""The document for generators that read OpenAPI 3.0 only (https://spec.openapis.org/oas/v3.0.4.html)."""

from __future__ import annotations

from typing import Any

__all__ = ["as_3_0"]

_MAP_KEYS = frozenset({"properties", "schemas", "paths", "responses", "headers", "parameters", "securitySchemes"})
"""What holds names that are not words of JSON Schema."""


def as_3_0(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of version 3.1 as one of 3.0.

    ``null`` becomes ``nullable``, ``const`` an ``enum`` of one, ``examples`` the first of them, and a type of several a
    choice; ``contentEncoding`` becomes the format ``byte``; ``propertyNames`` are left out.

    >>> as_3_0({"openapi": "3.1.1", "components": {"schemas": {"A": {"type": ["string", "null"]}}}})["components"]
    {'schemas': {'A': {'type': 'string', 'nullable': True}}}
    """
    return {**_value(document), "openapi": "3.0.4"}


def _value(value: Any, *, names: bool = False) -> Any:
    if isinstance(value, list):
        return [_value(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _value(each, names=not names and key in _MAP_KEYS) for key, each in value.items()}
    return made if names else _schema(made)


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    made = {name: each for name, each in schema.items() if name != "propertyNames"}
    if made.get("contentEncoding") == "base64":
        del made["contentEncoding"]
        made["format"] = "byte"
    if "const" in made:
        made["enum"] = [made.pop("const")]
    examples = made.get("examples")
    if isinstance(examples, list):
        del made["examples"]
        made["example"] = examples[0]
    return _one_type(_without_null(made))


def _without_null(made: dict[str, Any]) -> dict[str, Any]:
    choices = made.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return made
    left = [each for each in choices if each != {"type": "null"}]
    rest = {name: each for name, each in made.items() if name != "anyOf"}
    if len(left) == 1 and "$ref" not in left[0]:
        return {**left[0], **rest, "nullable": True}
    return {**rest, ("allOf" if len(left) == 1 else "anyOf"): left, "nullable": True}


def _one_type(made: dict[str, Any]) -> dict[str, Any]:
    types = made.get("type")
    if not isinstance(types, list):
        return made
    named = [each for each in types if each != "null"]
    nullable = {"nullable": True} if "null" in types else {}
    if len(named) == 1:
        return {**made, "type": named[0], **nullable}
    rest = {name: each for name, each in made.items() if name != "type"}
    return {**rest, "anyOf": [{"type": each} for each in named], **nullable}

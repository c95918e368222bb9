"""The body of a QUERY, and the conditions in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bzz.shape.base import JsonSchema

__all__ = ["QUERIES", "query_body"]

_FILTER = {"$ref": "#/components/schemas/Filter"}
_NAMES: JsonSchema = {"anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "string"}]}
_NUMBER: JsonSchema = {"type": "integer", "minimum": 1, "maximum": 999_999_999}

QUERIES: dict[str, JsonSchema] = {
    "Filter": {
        "type": "object",
        "description": (
            "Conditions that must all hold. A name is that of a filter of the list, with a value in JSON's own type, or"
            ' with an object of operators: `{"age": {"gte": 18}}`.'
        ),
        "properties": {
            "and": {"type": "array", "items": _FILTER, "minItems": 1},
            "or": {"type": "array", "items": _FILTER, "minItems": 1},
            "not": _FILTER,
        },
        "minProperties": 1,
    },
    "Query": {
        "type": "object",
        "description": "What the query string of the list says, under the same names.",
        "properties": {
            "filter": _FILTER,
            **dict.fromkeys(("sort", "fields", "expand", "facets"), _NAMES),
            **{name: {"type": "string"} for name in ("q", "after", "before")},
            **dict.fromkeys(("page", "per_page"), _NUMBER),
        },
    },
}
"""The schemas of a QUERY, by the names of their components."""


def query_body(own: Sequence[dict[str, Any]]) -> JsonSchema:
    """Return the schema of the body of a QUERY.

    :param own: the parameters that the application has declared.
    """
    query = {"$ref": "#/components/schemas/Query"}
    if not own:
        return query
    declared = {each["name"]: {**each["schema"], "description": each["description"]} for each in own}
    return {"allOf": [query, {"type": "object", "properties": declared}]}

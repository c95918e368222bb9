"""The bodies of requests, by media type."""

from __future__ import annotations

from typing import Any

from bzz.model.body import CSV, JSON, JSON_PATCH, MERGE_PATCH
from bzz.shape.base import JsonSchema

__all__ = ["json_body", "patch_body", "rows_body"]

_CSV_SCHEMA: JsonSchema = {
    "type": "string",
    "description": "An array as CSV (RFC 4180, UTF-8). The first line names the fields: `address.city` is a field of an"
    " embedded document, and `tags[]`, which may come again, an item of a list. Empty cells are left out.",
}


def json_body(schema: JsonSchema) -> dict[str, Any]:
    """Return a body in JSON. Forms are read as well; they are left out, for no client needs both."""
    return {"required": True, "content": {JSON: {"schema": schema}}}


def rows_body(schema: JsonSchema) -> dict[str, Any]:
    """Return the body of a POST to a list of documents: one of them, or many, as an array or in CSV."""
    body = json_body({"oneOf": [schema, {"type": "array", "items": schema, "minItems": 1}]})
    body["content"][CSV] = {"schema": _CSV_SCHEMA}
    return body


def patch_body(schema: JsonSchema) -> dict[str, Any]:
    """Return the body of a PATCH: a merge patch under either of its names, or a JSON Patch."""
    body = json_body(schema)
    body["content"][MERGE_PATCH] = {"schema": schema}
    body["content"][JSON_PATCH] = {"schema": {"$ref": "#/components/schemas/JsonPatch"}}
    return body

"""The operations of the routes of histories, as an OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

__all__ = ["READ", "UNDO"]

Described = dict[str, Any]


def _in_path(name: str, words: str) -> Described:
    return {"name": name, "in": "path", "required": True, "description": words, "schema": {"type": "string"}}


_ID = _in_path("id", "Of the document.")

_FIELD: Described = {"type": "object", "properties": {"from": {}, "to": {}}, "required": ["from", "to"]}

_ENTRY: Described = {
    "type": "object",
    "properties": {
        "change": {"type": "string", "description": "Names the change."},
        "kind": {"enum": ["created", "updated", "deleted"]},
        "at": {"type": "string", "format": "date-time"},
        "who": {"type": ["string", "null"], "description": "Made it; null where that is not known."},
        "diff": {
            "type": ["object", "null"],
            "description": "What changed, by dotted names; null where it is too large to be kept.",
            "additionalProperties": _FIELD,
        },
    },
    "required": ["change", "kind", "at", "who", "diff"],
}


def _problems(*statuses: int) -> Described:
    return {str(each): {"$ref": f"#/components/responses/{each}"} for each in statuses}


READ: Described = {
    "summary": "The changes of a document, the newest first",
    "parameters": [
        _ID,
        {"name": "per_page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
        {
            "name": "after",
            "in": "query",
            "description": "The change behind which the page begins, from the header Link.",
            "schema": {"type": "string"},
        },
    ],
    "responses": {
        "200": {
            "description": "A page of the history.",
            "headers": {"Link": {"$ref": "#/components/headers/Link"}},
            "content": {"application/json": {"schema": {"type": "array", "items": _ENTRY}}},
        },
        **_problems(400, 401, 403, 404, 503),
    },
}

UNDO: Described = {
    "summary": "Undo one change of a document",
    "parameters": [_ID, _in_path("change", "Names the change.")],
    "responses": {
        "200": {
            "description": "The document as it is then.",
            "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **_problems(400, 401, 403, 404, 409, 412, 503),
    },
}

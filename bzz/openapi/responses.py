"""The answers that operations share: problems, and the headers of answers."""

from __future__ import annotations

import http
from typing import Any

from bzz.shape.base import JsonSchema

__all__ = ["HEADERS", "PROBLEM", "PROBLEMS", "answer", "header", "limited", "problems"]

Response = dict[str, Any]

PROBLEM: JsonSchema = {
    "type": "object",
    "description": "A problem by RFC 9457.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "What is wrong with each field, by its dotted name.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["type", "title", "status"],
}

_WHEN = {
    400: "The request is malformed, or the model refuses it.",
    401: "Nobody is signed in.",
    403: "The user may not do this.",
    404: "Nothing is there, or nothing that the client may see.",
    406: "`Accept` names nothing that this address is shown as.",
    409: "A unique value or an id is taken, a JSON Patch does not fit, others keep changing the instance, or a request"
    " with the same `Idempotency-Key` is being answered.",
    412: "`If-Match` or `If-None-Match` does not hold.",
    413: "The body is too long.",
    415: "The body is of a type that is not read.",
    422: "The `Idempotency-Key` was used for another request.",
    428: "`If-Match` is missing.",
    429: "Too many requests; `Retry-After` says when to come again.",
    502: "A server that had to be asked has failed.",
    503: "The database is away, or the outcome of a write is unknown.",
}

HEADERS: dict[str, Any] = {
    "Idempotency-Replayed": {
        "description": "`true` where this is the answer to an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "ETag": {"description": "The entity tag of what is answered.", "schema": {"type": "string"}},
    "Link": {"description": "The first, previous and next page (RFC 8288).", "schema": {"type": "string"}},
    "Location": {"description": "Where the new instance is.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of each limit, and for how long.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "How many requests in which time.", "schema": {"type": "string"}},
    "Retry-After": {"description": "When to come again, in seconds.", "schema": {"type": "integer"}},
    "X-Created-Id": {"description": "The id of the new instance.", "schema": {"type": "string"}},
    "X-Total-Count": {"description": "How many match, if that was asked for.", "schema": {"type": "string"}},
}


def problems(*statuses: int) -> dict[str, Response]:
    """Return the problems of an operation, by status."""
    return {str(each): {"$ref": f"#/components/responses/{each}"} for each in sorted(statuses)}


def header(*names: str) -> dict[str, Any]:
    """Return headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


PROBLEMS: dict[str, Response] = {
    str(status): {
        "description": when,
        **({"headers": header("RateLimit", "RateLimit-Policy", "Retry-After")} if status == 429 else {}),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, when in _WHEN.items()
}


def limited(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation whose requests are limited, with the answer of those that are too many."""
    return {**operation, "responses": {**operation.get("responses", {}), **problems(429)}}


def answer(status: int, schema: JsonSchema | None = None, *, headers: tuple[str, ...] = ()) -> dict[str, Response]:
    """Return the one answer of a status."""
    found: Response = {"description": http.HTTPStatus(status).phrase}
    if headers:
        found["headers"] = header(*headers)
    if schema is not None:
        found["content"] = {"application/json": {"schema": schema}}
    return {str(status): found}

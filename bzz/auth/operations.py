"""What the routes of sign-in do, in the words of OpenAPI: the attribute ``openapi`` of their handlers."""

from __future__ import annotations

from typing import Any

__all__ = [
    "CHANGE_PASSWORD",
    "FORGOTTEN_PASSWORD",
    "ME",
    "RENEW",
    "RESET_PASSWORD",
    "SIGN_IN",
    "SIGN_OUT",
    "SIGN_UP",
]

Operations = dict[str, Any]

_TEXT = {"type": "string"}
_SESSION = {
    "type": "object",
    "properties": {
        "authenticated": {"type": "boolean"},
        "id": _TEXT,
        "provider": _TEXT,
        "token": _TEXT,
        "expires_in": {"type": "integer"},
    },
}


def _problems(*statuses: int) -> Operations:
    return {str(each): {"$ref": f"#/components/responses/{each}"} for each in sorted(statuses)}


def _operation(
    name: str, summary: str, answer: Operations, *statuses: int, body: Operations | None = None, status: int = 200
) -> Operations:
    sent = {} if body is None else {"requestBody": _body(body)}
    shown = {"description": summary, "content": {"application/json": {"schema": answer}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["auth"],
        **sent,
        "responses": {str(status): shown, **_problems(*statuses)},
    }


def _body(schema: Operations) -> Operations:
    """Return the body of an operation; forms are read as well, and no client needs both."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


SIGN_IN = {
    "post": _operation(
        "sign_in",
        "Sign in; the answer sets the cookie, or has a token",
        _SESSION,
        400, 401, 403, 413, 415, 429, 502, 503,
        body={
            "type": "object",
            "properties": {
                "provider": {"type": "string"},
                "access_token": {"type": "string"},
                "bearer": {"type": "boolean"},
            },
            "required": ["provider"],
        },
    )
}  # fmt: skip

ME = {
    "get": _operation(
        "get_me",
        "Show who is signed in",
        {
            "type": "object",
            "properties": {"authenticated": {"type": "boolean"}, "userData": {"type": "object"}},
            "required": ["authenticated"],
        },
        503,
    )
}

SIGN_OUT = {
    "post": _operation(
        "sign_out",
        "Sign out",
        {"type": "object", "properties": {"loggedOut": {"type": "boolean"}}},
        400, 403, 413, 415, 503,
    )
}  # fmt: skip

RENEW = {
    "post": _operation(
        "renew",
        "Renew the session",
        {"type": "object", "properties": {"expires_in": {"type": "integer"}, "token": {"type": "string"}}},
        400, 401, 403, 413, 415, 503,
    )
}  # fmt: skip


def _account(name: str, summary: str, *members: str, status: int = 200, others: tuple[int, ...] = ()) -> Operations:
    """Return an operation on the account of a password."""
    body = {"type": "object", "properties": dict.fromkeys(members, _TEXT), "required": list(members)}
    statuses = (400, 401, 403, 413, 415, 429, 503, *others)
    return {"post": _operation(name, summary, _SESSION, *statuses, body=body, status=status)}


SIGN_UP = _account("sign_up", "Make an account, and sign in", "email", "password", status=201, others=(409,))
CHANGE_PASSWORD = _account("change_password", "Change the password", "password", "new_password")
FORGOTTEN_PASSWORD = _account("forgotten_password", "Ask for a reset by mail", "email", status=202)
RESET_PASSWORD = _account("reset_password", "Set a new password by the token of a mail", "token", "password")

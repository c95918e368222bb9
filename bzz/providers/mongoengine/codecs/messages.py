"""What MongoEngine's own validation says of values, under dotted names."""

from __future__ import annotations

from typing import Any

import mongoengine as me

__all__ = ["REFUSED", "add_error"]

REFUSED = "The value is refused."


def add_error(errors: dict[str, list[str]], where: str, error: Any) -> None:
    """Add MongoEngine's nested errors to ``errors`` under dotted names.

    >>> found: dict[str, list[str]] = {}
    >>> add_error(found, "address", me.ValidationError("bad", errors={"zip": me.ValidationError("too long")}))
    >>> found
    {'address.zip': ['too long']}
    """
    nested = error.errors if isinstance(error, me.ValidationError) else error
    if isinstance(nested, dict) and nested:
        for key, inner in nested.items():
            add_error(errors, f"{where}.{key}" if where else str(key), inner)
    else:
        errors.setdefault(where, []).append(str(getattr(error, "message", error)) or REFUSED)

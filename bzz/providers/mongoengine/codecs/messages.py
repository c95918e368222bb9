"""What MongoEngine's own validation says of values, under dotted names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mongoengine as me

__all__ = ["REFUSED", "add_error", "without_echo"]

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


def without_echo(message: str, value: Any) -> str:
    """Return a message, or a plainer one if it repeats any part of the value that it is about.

    >>> without_echo("Invalid email address: ann@", ["ann@"]), without_echo("String value is too short", "x")
    ('The value is refused.', 'String value is too short')
    """
    return REFUSED if any(text in message for text in _texts(value)) else message


def _texts(value: Any) -> Iterator[str]:
    """Return the forms in which a message may repeat a value or a part of it."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value not in (None, ""):
        yield from (str(value), repr(value))

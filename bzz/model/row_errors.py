"""What is wrong with the rows of one request, each named by its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bzz.errors import Invalid, OutcomeUnknown, RequestError, Unavailable

__all__ = ["of_row", "together"]


def together(errors: Mapping[int, RequestError]) -> RequestError:
    """Return one error that says what is wrong with each row, its number before the name of the field.

    >>> together({3: Invalid({"email": ["The value is taken."]})}).errors
    {'3.email': ['The value is taken.']}
    """
    first = errors[min(errors)]
    if isinstance(first, Unavailable | OutcomeUnknown):
        return first
    told: dict[str, Sequence[str]] = {}
    for position, error in sorted(errors.items()):
        if type(error) is type(first):
            told |= of_row(position, error.errors or {"*": [error.detail or error.title]})
    if isinstance(first, Invalid):
        return Invalid(told)
    return type(first)(f"{first.detail} Nothing was stored.", errors=told)


def of_row(position: int, errors: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Return the messages of one row, its number before the name of the field."""
    return {f"{position}.{name}": messages for name, messages in errors.items()}

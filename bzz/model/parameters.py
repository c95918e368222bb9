"""What all parameters of a query string share: their fields, and the errors about those that cannot be read."""

from __future__ import annotations

from bzz.errors import BadRequest
from bzz.shape import Field, Shape
from bzz.shape.values import find_value

__all__ = ["MAX_PATH", "MAX_VALUES", "find", "unknown", "unreadable"]

MAX_VALUES = 100
MAX_PATH = 32  # names in one dotted path


def unknown(name: str) -> BadRequest:
    """Return the one answer to an unknown parameter, an unknown or hidden field, an operator that does not fit."""
    return BadRequest(f"Unknown parameter or field: {name!r}.")


def unreadable(name: str, why: object) -> BadRequest:
    """Return the answer to a parameter whose value cannot be read."""
    return BadRequest(f"The parameter {name!r} cannot be read. {why}")


def find(shape: Shape, path: str) -> Field | None:
    """Return the visible field at a dotted path, keys of maps included."""
    return find_value(shape, path) if path.count(".") < MAX_PATH else None

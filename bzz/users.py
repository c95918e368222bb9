"""What tells the users of an application from one another, whatever it has as its users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

__all__ = ["name_of"]

MOST_CHARACTERS = 200


def name_of(user: Any) -> str | None:
    """Return what tells one user from another; None for nobody, and for what has no name.

    A user of :mod:`bzz.auth` is the provider and the id there. Of an object it is ``pk`` or ``id``, never the object
    itself, which may hold what nobody else should read.

    >>> name_of({"provider": "google", "id": 7, "email": "ann@example.org"}), name_of("ann"), name_of({"email": "x"})
    ('google:7', 'ann', None)
    """
    if isinstance(user, Mapping):
        provider, id = user.get("provider"), name_of(user.get("id"))
        return f"{provider}:{id}"[:MOST_CHARACTERS] if provider and id else id
    if isinstance(user, bytes):  # as Tornado's signed cookies are read
        return _short(user.decode("utf-8", "replace"))
    if isinstance(user, str | int | UUID):
        return None if isinstance(user, bool) else _short(str(user))
    for name in ("pk", "id"):
        found = getattr(user, name, None)
        if found is not None:
            return _short(str(found))
    return None


def _short(text: str) -> str | None:
    return text[:MOST_CHARACTERS] or None

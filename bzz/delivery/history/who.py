"""The name of a user, as it stands in a history: never more than what names one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tornado.web import RequestHandler

__all__ = ["name_of", "writer_of"]

logger = logging.getLogger("bzz.delivery")

MOST_CHARACTERS = 200


def writer_of(handler: RequestHandler) -> str | None:
    """Return the name of who sent a request; None for nobody, and where the application cannot say."""
    try:
        return name_of(handler.current_user)
    except Exception:
        logger.exception("it is not known who sent %s %s", handler.request.method, handler.request.path)
        return None


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

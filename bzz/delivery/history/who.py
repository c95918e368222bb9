"""Who sent a request, as a history names them."""

from __future__ import annotations

import logging

from tornado.web import RequestHandler

from bzz.users import name_of

__all__ = ["writer_of"]

logger = logging.getLogger("bzz.delivery")


def writer_of(handler: RequestHandler) -> str | None:
    """Return the name of who sent a request; None for nobody, and where the application cannot say."""
    try:
        return name_of(handler.current_user)
    except Exception:
        logger.exception("it is not known who sent %s %s", handler.request.method, handler.request.path)
        return None

"""What the routes of one model know: collected once, when they are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bzz.providers.base import Provider

__all__ = ["MAX_BODY_BYTES", "Authorize", "Resource"]

MAX_BODY_BYTES = 1024 * 1024

Authorize = Callable[[str, type, str | None, Any], bool | Awaitable[bool]]
"""Called before each request with the HTTP method, the model at the end of the path, the id of the instance (None for a
list or a single property), and ``handler.current_user``; a falsy result is a 403."""


@dataclass(frozen=True)
class Resource:
    """One model mounted at one URL.

    :param url: the URL path of the list, percent-encoded, without a slash at the end.
    :param name: the first step of every path: the last part of ``url``.
    :param methods: those of :data:`bzz.model.path.METHODS` that the application lets through.
    :param served: the media types that it is shown as, beside JSON.
    """

    provider: Provider
    url: str
    name: str
    methods: tuple[str, ...]
    per_page: int
    max_per_page: int
    authorize: Authorize | None = None
    served: tuple[str, ...] = ()

"""What the routes of one model know: worked out once, when they are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bzz.providers.base import Path, Provider

__all__ = ["MAX_BODY_BYTES", "METHODS", "Authorize", "Resource"]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

MAX_BODY_BYTES = 1024 * 1024

Authorize = Callable[[str, type, str | None, Any], bool | Awaitable[bool]]
"""Asked before each request: HTTP method, model at the end of the path, id of the instance (None for a list or a single
property), and ``handler.current_user``; a falsy answer is a 403."""

_LIST = frozenset({"GET", "HEAD", "POST"})
_ITEM = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_LINKED_ITEM = frozenset({"GET", "HEAD", "DELETE"})
_SINGLE = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Resource:
    """One model mounted at one URL.

    :param url: the URL path of the list, percent-encoded, without a slash at the end.
    :param name: the first step of every path: the last part of ``url``.
    :param methods: those of :data:`METHODS` that the application lets through.
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

    def allowed(self, path: Path) -> list[str]:
        """The methods that the end of a path takes, OPTIONS included, for the ``Allow`` header."""
        return _listed(_READING if _is_read_only(path) else _fitting(path), self.methods)


@lru_cache
def _listed(fitting: frozenset[str], methods: tuple[str, ...]) -> list[str]:
    return [*(method for method in METHODS if method in fitting and method in methods), "OPTIONS"]


def _fitting(path: Path) -> frozenset[str]:
    step = path.last
    if step.is_list:
        return _LIST
    if step.field is None:
        return _ITEM
    if not step.field.is_list:
        return _SINGLE
    return _LINKED_ITEM if step.is_reference else _ITEM


def _is_read_only(path: Path) -> bool:
    """Whether a read-only field lies between the end of a path and the document that holds it."""
    for step in reversed(path.steps):
        if step.field is not None and step.field.read_only:
            return True
        if step.is_reference:
            return False
    return False

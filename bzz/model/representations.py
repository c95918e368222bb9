"""Which media types a resource is shown as, beside JSON. Those who can show it in another one register here.

A client that names no type, or only types that nobody registered, gets JSON.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from bzz.errors import NotAcceptable
from bzz.model.resource import Resource
from bzz.providers.base import Path
from bzz.routing import RouteList

__all__ = ["EVENT_STREAM", "HTML", "Representation", "chosen", "has_feed", "register", "registered", "wanted"]

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
HTML = "text/html"


class Representation(ABC):
    """Shows what a GET points at in one media type.

    :cvar is_strict: whether a client that names this type, and nothing that the resource has, is refused; else it gets
        JSON.
    """

    media_type: ClassVar[str]
    is_strict: ClassVar[bool] = True

    @abstractmethod
    def check(self, resource: Resource) -> None:
        """Called when routes are made that shall have this representation.

        :raises bzz.errors.ConfigurationError: where they cannot.
        """

    @abstractmethod
    async def answer(self, handler: Any) -> None:
        """Answer a GET or HEAD.

        :param handler: a :class:`bzz.ModelHandler`, after the guard and ``authorize``.
        :raises bzz.errors.NotAcceptable: where what its path ends at cannot be shown so.
        """

    def routes(self) -> RouteList:
        """Return the routes of the files that it refers to."""
        return RouteList()

    def begin(self, handler: Any) -> None:  # noqa: B027  # most have nothing to do then
        """Called before the guard, for each request to a resource that is shown so, whatever the client accepts."""

    def answer_written(self, handler: Any, body: bytes | None) -> bool:
        """Answer a write that has happened, for a client that wants this type most.

        :param body: the JSON that other clients get; None where it has no body.
        :returns: whether it was answered; else it is answered as to other clients.
        """
        return False

    def answer_problem(self, handler: Any, problem: Mapping[str, Any]) -> bool:
        """Answer a request that failed, for a client that wants this type most; status and headers are set.

        :returns: whether it was answered; else it is answered as to other clients.
        """
        return False


_known: dict[str, Representation] = {}


def register(representation: Representation) -> None:
    """Make a representation known. Called when its module is imported."""
    _known[representation.media_type] = representation


def registered(media_type: str) -> Representation:
    """Return the representation that was registered for a media type."""
    return _known[media_type]


def has_feed(resource: Resource, path: Path) -> bool:
    """Return whether what a path ends at is a feed, too: what lies behind a reference has its feed at its own URL."""
    return EVENT_STREAM in resource.served and not path.follows_reference


def chosen(accept: str | None, served: tuple[str, ...]) -> Representation | None:
    """Return the representation that a client wants most; None for JSON.

    :param accept: the ``Accept`` header.
    :param served: what the resource is shown as, beside JSON.
    :raises bzz.errors.NotAcceptable: where the client names a registered type, and nothing that the resource has.

    >>> chosen("text/html, */*;q=0.8", ()) is None
    True
    """
    if accept is None or accept == "*/*" or accept == JSON:
        return None
    found = _choose(accept, served, tuple(name for name, each in _known.items() if each.is_strict))
    if found == JSON:
        return None
    if found is None:
        raise NotAcceptable(f"This is shown as {', '.join([JSON, *served])}.")
    return _known[found]


def wanted(accept: str | None, served: tuple[str, ...]) -> Representation | None:
    """Return what :func:`chosen` does, and None where that would raise: for answers that JSON always does for."""
    try:
        return chosen(accept, served) if served else None
    except NotAcceptable:
        return None


@lru_cache(256)
def _choose(accept: str, served: tuple[str, ...], known: tuple[str, ...]) -> str | None:
    """Return the best of what is served, JSON where it is as good; None where none is accepted.

    >>> _choose("text/event-stream;q=0.5, application/json", ("text/event-stream",), ("text/event-stream",))
    'application/json'
    """
    ranges = [_range(each) for each in accept.split(",")]
    weights = {each: _weight(each, ranges) for each in (JSON, *served)}
    best = max(weights, key=lambda each: weights[each])
    if weights[best] > 0:
        return best
    names = {name for name, _ in ranges}
    return None if names & set(known) else JSON


def _range(text: str) -> tuple[str, float]:
    """Return a media range and its weight (RFC 9110, section 12.4.2); what cannot be read weighs 1."""
    name, *parameters = (each.strip().lower() for each in text.split(";"))
    for each in parameters:
        if each.startswith("q="):
            try:
                return name, min(max(float(each[2:]), 0.0), 1.0)
            except ValueError:
                break
    return name, 1.0


def _weight(media_type: str, ranges: Collection[tuple[str, float]]) -> float:
    """Return how much a client wants a media type: by the most exact range that covers it."""
    main = media_type.partition("/")[0]
    for wanted in (media_type, f"{main}/*", "*/*"):
        found = [weight for name, weight in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0

"""What an application has running beside its requests: entered before the first, left after the last.

Parts of bzz that stand above the servers' adapters register what they have to look at when an application starts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

__all__ = ["CONTEXTS", "STOPPING", "at_start", "attached", "is_stopping", "stopping"]

CONTEXTS = "bzz_contexts"
"""The application setting with a list of async context managers, such as relays that were attached."""


_at_start: list[Callable[[Any], Awaitable[None]]] = []


def at_start(check: Callable[[Any], Awaitable[None]]) -> None:
    """Have ``check`` called with each application before it takes requests; what it raises ends the start."""
    _at_start.append(check)


STOPPING = "bzz_stopping"
"""The application setting with a list of functions that end, at the begin of a stop, what would not end by itself."""


def stopping(application: Any) -> None:
    """Call what ``application`` has for the begin of a stop, each with the application; on its event loop.

    Called by servers before they wait for the requests that are being answered.
    """
    if hasattr(application, "settings"):
        application.settings[_STOPS] = True
    for end in getattr(application, "settings", {}).get(STOPPING, ()):
        end(application)


_STOPS = "bzz_stops"


def is_stopping(application: Any) -> bool:
    """Return whether the server of ``application`` has begun to stop."""
    return bool(application.settings.get(_STOPS))


@asynccontextmanager
async def attached(application: Any) -> AsyncIterator[None]:
    """Enter what is attached to ``application``, and leave it at the end, the last first.

    :param application: a :class:`tornado.web.Application`, or any other delegate, which has nothing attached.
    """
    async with AsyncExitStack() as stack:
        for check in _at_start:
            await check(application)
        for context in getattr(application, "settings", {}).get(CONTEXTS, ()):
            await stack.enter_async_context(context)
        yield

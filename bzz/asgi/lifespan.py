"""What an application has running beside its requests: entered before the first, left after the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

__all__ = ["CONTEXTS", "STOPPING", "attached", "stopping"]

CONTEXTS = "bzz_contexts"
"""The application setting with a list of async context managers, such as relays that were attached."""


STOPPING = "bzz_stopping"
"""The application setting with a list of functions that end, at the begin of a stop, what would not end by itself."""


def stopping(application: Any) -> None:
    """Call what ``application`` has for the begin of a stop, each with the application; on its event loop.

    Called by servers before they wait for the requests that are being answered.
    """
    for end in getattr(application, "settings", {}).get(STOPPING, ()):
        end(application)


@asynccontextmanager
async def attached(application: Any) -> AsyncIterator[None]:
    """Enter what is attached to ``application``, and leave it at the end, the last first.

    :param application: a :class:`tornado.web.Application`, or any other delegate, which has nothing attached.
    """
    async with AsyncExitStack() as stack:
        for context in getattr(application, "settings", {}).get(CONTEXTS, ()):
            await stack.enter_async_context(context)
        yield

"""Tasks with an empty context, and their cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

__all__ = ["cancel_all", "start_detached"]

CANCEL_AGAIN_SECONDS = 0.5


def start_detached(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run ``work`` as a task with an empty context: no event is the cause of what it sends."""
    return Context().run(asyncio.create_task, work, name=name)


async def cancel_all(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks, and return once they have ended. Ignore what they raise.

    Before Python 3.12 ``asyncio.wait_for`` may swallow a cancellation (https://github.com/python/cpython/issues/86296),
    and redis-py is built on it: so a task that goes on is cancelled again.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)

"""Functions of the application, plain or coroutines: called so that what goes wrong in one stays its own failure."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["call"]


async def call(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """Call ``function``, await what it returns where that can be awaited, and return the result.

    ``CancelledError`` is no ``Exception``: raised by a task that ``function`` awaits, it would pass every handler that
    keeps one function's failure from the others, and end the task that it runs in. So it becomes a ``RuntimeError``,
    unless somebody does cancel the running task. Before Python 3.11 a task does not tell, and it is raised as it is.

    :raises RuntimeError: where something that ``function`` waits for was cancelled.
    :raises asyncio.CancelledError: where the running task is being cancelled.
    :raises Exception: what ``function`` raises.
    """
    try:
        answer = function(*arguments, **named)
        return await answer if inspect.isawaitable(answer) else answer
    except asyncio.CancelledError as error:
        if _is_being_cancelled():
            raise
        raise RuntimeError(f"{function!r} waited for something that was cancelled") from error


def _is_being_cancelled() -> bool:
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0

"""Calls of the application's functions, plain or coroutines, whose failures stay their own."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any

from bzz.errors import ConfigurationError

__all__ = ["call", "check_takes", "parameters_of"]


async def call(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """Call ``function``, await its result if that is awaitable, and return it.

    ``CancelledError`` is not an ``Exception``. From a task that ``function`` awaits, it would pass the handlers that
    keep one function's failure from the others, and end the running task. So it becomes a ``RuntimeError``, unless the
    running task is being cancelled.

    :raises RuntimeError: if something that ``function`` awaits was cancelled.
    :raises asyncio.CancelledError: if the running task is being cancelled.
    :raises Exception: any other error of ``function``.
    """
    try:
        answer = function(*arguments, **named)
        return await answer if inspect.isawaitable(answer) else answer
    except asyncio.CancelledError as error:
        if _is_being_cancelled():
            raise
        raise RuntimeError(f"{function!r} waited for something that was cancelled") from error


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def parameters_of(function: Callable[..., Any]) -> tuple[list[inspect.Parameter], bool]:
    """Return the parameters of a function, and whether it takes any others by name.

    A decorator with ``**kwargs`` also has the parameters of the function that it wraps; one without has only its own.
    """
    try:
        own = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    except ValueError:  # some callables written in C have no signature
        return [], True
    positional = [each for each in own if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    keywords = [each for each in own if each.kind is each.KEYWORD_ONLY]
    if not any(each.kind is each.VAR_KEYWORD for each in own):
        return positional + keywords, False
    inner = _wrapped_by(function)
    behind, takes_any = ([], True) if inner is None else parameters_of(inner)
    if positional:  # the first one is the first of the wrapped function too
        behind = behind[1:]
    named = {each.name for each in own}
    return positional + [each for each in behind if each.name not in named] + keywords, takes_any


def _wrapped_by(function: Any) -> Any:
    """Return the function that a decorated one wraps, bound to the same object; None if it is not decorated."""
    if isinstance(function, functools.partial):
        inner = _wrapped_by(function.func)
        return inner and functools.partial(inner, *function.args, **function.keywords)
    if inspect.ismethod(function):
        inner = getattr(function.__func__, "__wrapped__", None)
        return inner and MethodType(inner, function.__self__)
    if not inspect.isroutine(function) and inspect.ismethod(getattr(function, "__call__", None)):  # noqa: B004
        return _wrapped_by(function.__call__)
    return getattr(function, "__wrapped__", None)


def check_takes(function: Callable[..., Any], arguments: tuple[str, ...], what: str) -> None:
    """Check that ``function`` can be called with these arguments by position.

    :raises bzz.errors.ConfigurationError: if it cannot.
    """
    try:
        inspect.signature(function).bind(*arguments)
    except ValueError:  # as above
        return
    except TypeError as error:
        raise ConfigurationError(f"{what} is called with ({', '.join(arguments)}): {error}") from None

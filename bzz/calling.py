"""Functions of the application, plain or coroutines: called so that what goes wrong in one stays its own failure."""

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
    """Call ``function``, await what it returns where that can be awaited, and return the result.

    ``CancelledError`` is no ``Exception``: raised by a task that ``function`` awaits, it would pass every handler that
    keeps one function's failure from the others, and end the task that it runs in. So it becomes a ``RuntimeError``,
    unless somebody does cancel the running task.

    :raises RuntimeError: if something that ``function`` waits for was cancelled.
    :raises asyncio.CancelledError: if the running task is being cancelled.
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
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def parameters_of(function: Callable[..., Any]) -> tuple[list[inspect.Parameter], bool]:
    """Return the parameters by which a function is called, and whether it takes any others by name.

    A decorator that takes ``**kwargs`` hands on what the function that it wraps takes; one that has a signature of its
    own is called by that.
    """
    try:
        own = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    except ValueError:  # some callables written in C do not tell theirs
        return [], True
    positional = [each for each in own if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    keywords = [each for each in own if each.kind is each.KEYWORD_ONLY]
    if not any(each.kind is each.VAR_KEYWORD for each in own):
        return positional + keywords, False
    inner = _wrapped_by(function)
    behind, takes_any = ([], True) if inner is None else parameters_of(inner)
    if positional:  # the first of them is the first of the wrapped one, too
        behind = behind[1:]
    named = {each.name for each in own}
    return positional + [each for each in behind if each.name not in named] + keywords, takes_any


def _wrapped_by(function: Any) -> Any:
    """Return what a decorated function hands its arguments on to, bound as it is; None if it is not decorated."""
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
    """Check that ``function`` can be called with so many arguments, by position.

    :raises bzz.errors.ConfigurationError: if it cannot.
    """
    try:
        inspect.signature(function).bind(*arguments)
    except ValueError:  # as above
        return
    except TypeError as error:
        raise ConfigurationError(f"{what} is called with ({', '.join(arguments)}): {error}") from None

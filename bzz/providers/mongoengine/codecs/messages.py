"""What validation says of values, under dotted names.

MongoEngine's own words, and Python's, are not for clients: where they would be told, bzz says what is wanted. The
application's own messages reach the client unchanged: those of ``validation=`` functions, of field classes with their
own checks, and of ``clean()``. Where an error was raised tells whose message it holds.
"""

from __future__ import annotations

import dis
import logging
import sys
import traceback
from collections.abc import Iterator
from types import CodeType
from typing import Any

import mongoengine as me
from mongoengine.base import BaseField
from mongoengine.errors import DeprecatedError

__all__ = ["REFUSED", "REQUIRED", "messages_of", "without_echo"]

REFUSED = "The value is refused."
REQUIRED = "This field is required."

logger = logging.getLogger("bzz.providers.mongoengine")

_MONGOENGINE_REQUIRED = "Field is required"
_DRIVERS = {"mongoengine", "bson", "pymongo"}
_ERROR: CodeType = BaseField.error.__code__  # it raises for its caller
_RAISE = dis.opmap["RAISE_VARARGS"]


def messages_of(error: Exception) -> Iterator[tuple[str, str | None]]:
    """Return what an error refuses, by dotted name: the application's words, or None where bzz has to say.

    >>> nested = me.ValidationError("bad", errors={"zip": me.ValidationError("Must be of this town.")})
    >>> list(messages_of(me.ValidationError("bad", errors={"address": nested})))
    [('address.zip', 'Must be of this town.')]
    """
    return _messages_of("", error, by_mongoengine=False)


def _messages_of(where: str, error: Any, *, by_mongoengine: bool) -> Iterator[tuple[str, str | None]]:
    """Return the same for what is in an error.

    :param error: an exception, or what an application put into ``errors``.
    :param by_mongoengine: whether MongoEngine has raised the error that this one is in.
    """
    is_raised = isinstance(error, Exception) and error.__traceback__ is not None
    owner = _owner(error) if is_raised else None
    nested = error.errors if isinstance(error, me.ValidationError) else error
    if isinstance(nested, dict) and nested:
        inside = owner in _DRIVERS if is_raised else by_mongoengine
        for key, inner in nested.items():
            yield from _messages_of(f"{where}.{key}" if where else str(key), inner, by_mongoengine=inside)
    elif not is_raised:
        text = str(error) or REFUSED
        yield where, REQUIRED if by_mongoengine and text == _MONGOENGINE_REQUIRED else text
    else:
        yield where, _words(error, owner)


def _words(error: Exception, owner: str | None) -> str | None:
    """Return what the application says in an error that was raised; None where MongoEngine says it."""
    said = error.__context__  # in a validation= function, whose error MongoEngine raises again
    if owner in _DRIVERS and isinstance(said, me.ValidationError):
        return _words(said, _owner(said)) or REFUSED
    if isinstance(error, DeprecatedError):  # the function has returned something: nobody says what is wrong
        logger.warning("%s", error)
        return REFUSED
    if owner in _DRIVERS:
        return None
    if isinstance(error, (me.ValidationError, ValueError)):
        return str(error) or REFUSED if _is_raised_on_purpose(error) else REFUSED
    at = traceback.extract_tb(error.__traceback__)[-1]  # without what the error says, which may repeat a secret
    logger.warning("%s in %s, line %s, is taken for a refusal", type(error).__name__, at.filename, at.lineno)
    return REFUSED


def _owner(error: BaseException) -> str | None:
    """Return the package whose code an error comes from: the innermost that is not Python's own."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code is not _ERROR)
    packages = [str(frame.f_globals.get("__name__")).partition(".")[0] for frame in frames]
    return next((each for each in reversed(packages) if each not in sys.stdlib_module_names), None)


def _is_raised_on_purpose(error: Exception) -> bool:
    """Whether the application's code has a ``raise`` for it, or calls ``error()``: else the words are Python's."""
    last = error.__traceback__
    assert last is not None
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    if str(last.tb_frame.f_globals.get("__name__")).partition(".")[0] in sys.stdlib_module_names:
        return False
    return code.co_code[last.tb_lasti] == _RAISE


def without_echo(message: str, value: Any) -> str:
    """Return a message, or a plainer one if it repeats any part of the value that it is about.

    >>> without_echo("Invalid email address: ann@", ["ann@"]), without_echo("String value is too short", "x")
    ('The value is refused.', 'String value is too short')
    """
    return REFUSED if any(text in message for text in _texts(value)) else message


def _texts(value: Any) -> Iterator[str]:
    """Return the forms in which a message may repeat a value or a part of it."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value not in (None, ""):
        yield from (str(value), repr(value))

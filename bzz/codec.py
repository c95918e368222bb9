"""JSON in and out, by orjson (https://github.com/ijl/orjson), within limits."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from bzz.errors import BadRequest

__all__ = ["MAX_DEPTH", "check_depth", "dumps", "dumps_anyway", "loads", "plain", "register"]

MAX_DEPTH = 32
"""How deep JSON may nest unless a provider states another limit."""

T = TypeVar("T")

_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def dumps(value: Any) -> bytes:
    """Return ``value`` as UTF-8 JSON.

    Naive datetimes are UTC with ``Z``, a Decimal is a string, bytes are base64, NaN is null.

    :raises TypeError: for a value that has no JSON form (``orjson.JSONEncodeError`` is a TypeError).

    >>> from datetime import datetime
    >>> dumps({"at": datetime(2026, 1, 2), "price": Decimal("1.50"), "raw": b"hi"})
    b'{"at":"2026-01-02T00:00:00Z","price":"1.50","raw":"aGk="}'
    """
    return orjson.dumps(value, default=_encode, option=_OPTIONS)


def dumps_anyway(value: Any) -> bytes:
    """Return ``value`` as :func:`dumps` does, or as nearly so as it can be: for errors, which have to be told.

    What has no JSON form becomes its ``str()``, and half of a surrogate pair, which UTF-8 cannot hold, becomes ``?``.

    >>> dumps_anyway({"detail": "half: \\ud83d", "of": ...})
    b'{"detail": "half: ?", "of": "Ellipsis"}'
    """
    try:
        return dumps(value)
    except TypeError:
        return json.dumps(value, default=_encode_any, ensure_ascii=False).encode(errors="replace")


def plain(value: Any) -> Any:
    """Return ``value`` as JSON gives it back: made of strings, numbers, truth values, None, lists and dicts.

    What has no JSON form becomes its ``str()``.

    >>> plain({"price": Decimal("1.50"), "tags": (1, 2)})
    {'price': '1.50', 'tags': [1, 2]}
    """
    return orjson.loads(orjson.dumps(value, default=_encode_any, option=_OPTIONS | orjson.OPT_NON_STR_KEYS))


def register(kind: type[T], encode: Callable[[T], Any]) -> None:
    """Register how values of a type that orjson does not know are written: providers add those of their database.

    :param encode: gives a value that orjson knows; it serves the subclasses of ``kind`` too.
    """
    _encoders[kind] = encode


def _encode(value: Any) -> Any:
    encode = _encoders.get(type(value)) or next((_encoders[t] for t in type(value).__mro__ if t in _encoders), None)
    if encode is None:
        raise TypeError(f"{type(value).__name__} has no JSON form")
    return encode(value)


def _encode_any(value: Any) -> Any:
    try:
        return _encode(value)
    except TypeError:
        return str(value)


_encoders: dict[type, Callable[[Any], Any]] = {}
register(Decimal, str)
register(bytes, lambda value: base64.b64encode(value).decode("ascii"))


def loads(body: bytes, depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON body.

    orjson refuses what RFC 8259 does (NaN, lone surrogates, invalid UTF-8) and does not recurse without bound.

    :param depth: how many levels of objects and arrays there may be.
    :raises bzz.errors.BadRequest: if it is malformed or nested deeper.

    >>> loads(b'{"a": [1]}')
    {'a': [1]}
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
    if body.count(b"[") + body.count(b"{") > depth:  # with fewer nothing can be as deep
        check_depth(value, depth)
    return value


def check_depth(value: Any, limit: int = MAX_DEPTH) -> None:
    """Raise if objects and arrays nest deeper than ``limit``.

    :raises bzz.errors.BadRequest: if they do.
    """
    level = _containers([value])
    for _ in range(limit):
        level = [inner for each in level for inner in _containers(each.values() if isinstance(each, dict) else each)]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {limit} levels.")


def _containers(values: Iterable[Any]) -> list[Any]:
    return [each for each in values if isinstance(each, (dict, list))]

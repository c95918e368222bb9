"""The answer of one row of a mock table: checked when the routes are made, turned into bytes for each request."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest

from bzz.calling import call
from bzz.codec import dumps
from bzz.errors import ConfigurationError

__all__ = ["Answer", "read_answer"]

TEXT, BINARY, JSON = "text/html; charset=UTF-8", "application/octet-stream", "application/json"

Content = tuple[bytes, str]
"""A body and its default media type."""


@dataclass(frozen=True)
class Answer:
    """An answer that was checked.

    :param content: the body, or a function that returns it.
    :param takes_groups: whether that function takes the groups of the URL after the request.
    :param delay: seconds to wait before answering.
    """

    content: Content | Callable[..., Any] = (b"", TEXT)
    takes_groups: bool = False
    status: int = 200
    headers: HTTPHeaders = field(default_factory=HTTPHeaders)
    cookies: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def chosen(self, headers: HTTPHeaders) -> Answer:
        """Return this answer, whatever the client prefers."""
        return self

    def with_status(self, status: int) -> Answer:
        """Return this answer with another status."""
        return replace(self, status=status)

    async def body_for(self, request: HTTPServerRequest, match: re.Match[str]) -> Content:
        """Return the body for ``request``, whose URL gave ``match``.

        :raises TypeError: if a function returned something that cannot be a body.
        """
        if isinstance(self.content, tuple):
            return self.content
        positional, named = _groups(match) if self.takes_groups else ((), {})
        return _content_of(await call(self.content, request, *positional, **named))


def read_answer(options: Any, pattern: re.Pattern[str]) -> Answer:
    """Return the answer that ``options``, the third element of a row, describe.

    :raises bzz.errors.ConfigurationError: if it is invalid; the message says why, the caller adds the row.
    """
    if not isinstance(options, Mapping):
        raise ConfigurationError("the answer is a dict")
    unknown = sorted(str(name) for name in set(options) - set(_READERS))
    if unknown:
        raise ConfigurationError(f"unknown {', '.join(unknown)}; an answer takes {', '.join(_READERS)}")
    body = options.get("body")
    read = {name: reader(options[name]) for name, reader in _READERS.items() if name in options and name != "body"}
    if not callable(body):
        return Answer(content=_static(body), **read)
    return Answer(content=body, takes_groups=_takes_groups(body, pattern), **read)


def _static(body: Any) -> Content:
    try:
        return _content_of(body)
    except TypeError as error:
        raise ConfigurationError(f"body: {error}") from None


def _content_of(body: Any) -> Content:
    if body is None:
        return b"", TEXT
    if isinstance(body, str):
        return body.encode(), TEXT
    if isinstance(body, bytes):
        return body, BINARY
    if isinstance(body, (dict, list)):
        return dumps(body), JSON
    raise TypeError(f"a {type(body).__name__} is no body; it is a str, bytes, dict, list, None or a function")


def _takes_groups(function: Callable[..., Any], pattern: re.Pattern[str]) -> bool:
    """Return whether ``function`` takes the URL's groups after the request, all by name or all by position."""
    positional, named = _placeholders(pattern)
    try:
        signature = inspect.signature(function)
    except ValueError:  # some built-in functions have none
        return False
    for arguments, keywords in ((positional, named), ((), {})):
        try:
            signature.bind(None, *arguments, **keywords)
        except TypeError:
            continue
        return bool(arguments or keywords)
    groups = ", ".join(["request", *(named or [f"group {each + 1}" for each in range(len(positional))])])
    raise ConfigurationError(f"body: the function takes neither (request) nor ({groups})")


def _placeholders(pattern: re.Pattern[str]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    named = dict.fromkeys(pattern.groupindex)
    return ((), named) if named else ((None,) * pattern.groups, {})


def _groups(match: re.Match[str]) -> tuple[tuple[str | None, ...], dict[str, str | None]]:
    named = {name: _decoded(value) for name, value in match.groupdict().items()}
    return ((), named) if named else (tuple(_decoded(value) for value in match.groups()), {})


def _decoded(value: str | None) -> str | None:
    return None if value is None else unquote(value)


def _status(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, (int, str)) and re.fullmatch("[2-5][0-9]{2}", text):
        return int(text)
    raise ConfigurationError(f"status {value!r} is no HTTP status from 200 to 599")


def _headers(value: Any) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, values in _mapping("headers", value).items():
        for each in values if isinstance(values, list) else [values]:
            try:
                headers.add(_text("headers", name), _text("headers", each))
            except (ValueError, HTTPInputError) as error:
                raise ConfigurationError(f"headers: {name!r} is no header ({error})") from None
    return headers


def _cookies(value: Any) -> dict[str, str]:
    cookies = {_text("cookies", name): _text("cookies", each) for name, each in _mapping("cookies", value).items()}
    for name, each in cookies.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x20\x7f]", each):
            raise ConfigurationError(f"cookies: {name!r}={each!r} is no cookie (RFC 6265)")
    return cookies


def _delay(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise ConfigurationError(f"delay {value!r} is no number of seconds")


def _mapping(option: str, value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise ConfigurationError(f"{option} is a dict, not {value!r}")


def _text(option: str, value: Any) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    raise ConfigurationError(f"{option}: {value!r} is no text")


_READERS: dict[str, Callable[[Any], Any]] = {
    "body": _static,
    "status": _status,
    "headers": _headers,
    "cookies": _cookies,
    "delay": _delay,
}

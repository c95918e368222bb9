"""A table of mock answers, and the search for the row that answers a request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bzz.errors import ConfigurationError
from bzz.mock.answer import Answer, read_answer
from bzz.mock.prefer import Choice

__all__ = ["METHODS", "Row", "Table"]

METHODS = ("GET", "HEAD", "QUERY", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ANY = "*"


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    method: str
    pattern: re.Pattern[str]
    answer: Answer | Choice

    def match(self, path: str) -> re.Match[str] | None:
        """Return the match of the row's URL with ``path``, with or without its trailing slash."""
        other = path[:-1] if path.endswith("/") else f"{path}/"
        return self.pattern.fullmatch(path) or self.pattern.fullmatch(other)


class Table:
    """Rows. A later one replaces an earlier one with the same method and URL.

    :param rows: ``(METHOD, url_or_regex[, answer])`` each.
    :raises bzz.errors.ConfigurationError: if a row is invalid; the message names it.
    """

    def __init__(self, rows: Iterable[Any]) -> None:
        read = [_read_row(number, raw) for number, raw in enumerate(rows, 1)]
        self._rows = list({(row.method, _without_slash(row.pattern), row.pattern.flags): row for row in read}.values())

    def __bool__(self) -> bool:
        return bool(self._rows)

    def knows(self, path: str) -> bool:
        """Return whether ``path`` is the URL of any row."""
        return any(row.match(path) for row in self._rows)

    def find(self, method: str, path: str) -> tuple[Row, re.Match[str]] | None:
        """Return the first row that answers. An exact method precedes ``*``, and GET answers HEAD."""
        for wanted in (method, "GET", ANY) if method == "HEAD" else (method, ANY):
            for row in self._rows:
                match = row.match(path) if row.method == wanted else None
                if match is not None:
                    return row, match
        return None

    def allowed(self, path: str) -> list[str]:
        """Return the methods that ``path`` takes, always with OPTIONS."""
        return [method for method in METHODS if method == "OPTIONS" or self.find(method, path)]


def _read_row(number: int, raw: Any) -> Row:
    try:
        if not isinstance(raw, (tuple, list)) or len(raw) not in (2, 3):
            raise ConfigurationError("a row is (METHOD, url) or (METHOD, url, answer)")
        pattern = _read_url(raw[1])
        given = raw[2] if len(raw) == 3 and raw[2] is not None else {}
        answer = given if isinstance(given, Choice) else read_answer(given, pattern)
        return Row(_read_method(raw[0]), pattern, answer)
    except ConfigurationError as error:
        raise ConfigurationError(f"row {number} of the mock table, {_shown(raw)}: {error}") from None


def _read_method(method: Any) -> str:
    name = method.upper() if isinstance(method, str) else method
    if name not in (*METHODS, ANY):
        raise ConfigurationError(f"{method!r} is no method; it is '*' or one of {', '.join(METHODS)}")
    return str(name)


def _read_url(url: Any) -> re.Pattern[str]:
    text = url.pattern if isinstance(url, re.Pattern) else url
    if not isinstance(text, str) or not text.lstrip("^(").startswith(("/", ".", "[", "?", "\\")):
        raise ConfigurationError(f"{url!r} is no URL path that starts with a slash, nor a regular expression of one")
    try:
        return url if isinstance(url, re.Pattern) else re.compile(text)
    except re.error as error:
        raise ConfigurationError(f"{url!r} is no regular expression: {error}") from None


def _without_slash(pattern: re.Pattern[str]) -> str:
    """Return the pattern without anchors and trailing slash, by which rows are compared."""
    text = pattern.pattern.removeprefix("^").removesuffix("$")
    return text.removesuffix("?").removesuffix("/") if text.endswith(("/", "/?")) else text


def _shown(raw: Any) -> str:
    return " ".join(str(each) for each in raw[:2]) if isinstance(raw, (tuple, list)) else repr(raw)

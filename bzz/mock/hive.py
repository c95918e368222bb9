"""``bzz.MockHive``: routes of a mock API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule

from bzz.errors import MethodNotAllowed
from bzz.mock.table import METHODS, Table
from bzz.problem import ProblemHandler
from bzz.routing import RouteList

__all__ = ["MockHive"]


class MockHive:
    """Mock APIs, to build clients against before the server exists."""

    @staticmethod
    def routes_for(rows: Iterable[Any]) -> RouteList:
        """Return the routes of a table.

        :param rows: ``(METHOD, url_or_regex[, answer])`` each. The method may be ``'*'``. The URL matches with and
            without a slash at the end. The answer is a dict with any of ``body`` (str, bytes, dict or list as JSON,
            None, or a function of the request, or of the request and the URL's groups, plain or async), ``status``
            (200), ``headers``, ``cookies`` and ``delay`` (seconds).
        :raises bzz.errors.ConfigurationError: if a row is invalid; the message names it.
        """
        table = Table(rows)
        return RouteList([Rule(_KnownURL(table), MockHandler, {"table": table})] if table else [])

    @staticmethod
    def from_openapi(source: str | PathLike[str] | Mapping[str, Any]) -> RouteList:
        """Return the routes of an OpenAPI 3 document, which answer with its examples.

        A request may choose another answer of the operation than the default one: ``Prefer: code=404, example=name``.

        :param source: the path of a YAML or JSON file, or the document itself.
        :raises bzz.errors.ConfigurationError: if the file cannot be read, is not OpenAPI 3, or has no operations.
        """
        from bzz.mock.openapi import rows_of  # needs packages that a plain table does not

        return MockHive.routes_for(rows_of(source))


class MockHandler(ProblemHandler):
    """Answers from a table."""

    SUPPORTED_METHODS = METHODS

    def initialize(self, table: Table) -> None:
        """Take the table."""
        self.table = table

    def compute_etag(self) -> None:
        """Make no ETag: the table says what is sent, a 304 included."""

    async def _answer(self, *args: Any, **kwargs: Any) -> None:
        method, path = str(self.request.method), self.request.path
        found = self.table.find(method, path)
        if found is None:
            self._answer_without_row(method, self.table.allowed(path))
            return
        row, match = found
        answer = row.answer.chosen(self.request.headers)
        await asyncio.sleep(answer.delay)
        body, media_type = await answer.body_for(self.request, match)
        self.set_status(answer.status)
        self.set_header("Content-Type", media_type)
        for name in answer.headers:
            self.clear_header(name)
        for name, value in answer.headers.get_all():
            self.add_header(name, value)
        for name, value in answer.cookies.items():
            self.set_cookie(name, value)
        self.finish(None if answer.status in (204, 304) else body)  # RFC 9110, section 15.3.5

    def _answer_without_row(self, method: str, allowed: list[str]) -> None:
        if method != "OPTIONS":
            raise MethodNotAllowed(allowed)
        self.set_status(204)
        self.set_header("Allow", ", ".join(allowed))


for _method in METHODS:
    setattr(MockHandler, _method.lower(), MockHandler._answer)


class _KnownURL(Matcher):
    """Matches the URLs of a table, whatever the method."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        return {} if self._table.knows(request.path) else None

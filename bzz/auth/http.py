"""Requests to other servers by Tornado's HTTP client, and the answers (502, 503) if these or a store fail.

Addresses, headers and bodies may hold secrets: neither the log nor an error shows more than the host.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from bzz.codec import loads
from bzz.errors import BadGateway, BadRequest, RequestError, Unavailable

__all__ = ["fetch_json", "unavailable_on", "unavailable_on_error"]

logger = logging.getLogger("bzz.auth")

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 10.0
RETRY_SECONDS = 5


async def fetch_json(
    url: str, proxy_info: Mapping[str, Any] | None = None, refusals: tuple[int, ...] = (), **options: Any
) -> dict[str, Any] | None:
    """Return the JSON object that ``url`` answers.

    :param proxy_info: Tornado's ``proxy_host``, ``proxy_port``, and so on.
    :param refusals: statuses for which None is returned.
    :param options: further arguments of :class:`tornado.httpclient.HTTPRequest`.
    :raises bzz.errors.BadGateway: if the answer has another status, or is not a JSON object.
    :raises bzz.errors.Unavailable: if there is no answer in time, or it asks to come back later.
    """
    response = await _fetch(url, {**options, **(proxy_info or {})})
    if response.code in refusals:
        return None
    if response.code in (429, 503):
        raise Unavailable(f"{_host(url)} is busy; try again later.", retry_after=RETRY_SECONDS)
    if response.code != 200:
        logger.warning("%s answered %d", _host(url), response.code)
        raise BadGateway(f"{_host(url)} answered {response.code}.")
    return _object(url, response.body)


async def _fetch(url: str, options: dict[str, Any]) -> HTTPResponse:
    options.setdefault("headers", {"Accept": "application/json"})
    request = HTTPRequest(
        url,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=REQUEST_SECONDS,
        follow_redirects=False,
        user_agent="bzz",
        **options,
    )
    try:
        return await AsyncHTTPClient().fetch(request, raise_error=False)
    except Exception as error:  # sockets, TLS, names, timeouts, malformed answers: each raises its own
        logger.warning("%s cannot be asked: %s", _host(url), type(error).__name__)
        raise Unavailable(f"{_host(url)} cannot be reached; try again later.", retry_after=RETRY_SECONDS) from None


def _object(url: str, body: bytes) -> dict[str, Any]:
    try:
        value = loads(body)
    except BadRequest:
        value = None
    if not isinstance(value, dict):
        raise BadGateway(f"{_host(url)} answered something that is no JSON object.")
    return value


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the provider"


@contextlib.contextmanager
def unavailable_on_error(store: str) -> Iterator[None]:
    """Answer 503 if the store called ``store`` raises anything but a :class:`~bzz.errors.RequestError`; log it.

    :raises bzz.errors.Unavailable: in its place.
    """
    try:
        yield
    except RequestError:
        raise
    except Exception as error:
        raise _unavailable(store) from error


@contextlib.contextmanager
def unavailable_on(store: str, *errors: type[RequestError]) -> Iterator[None]:
    """Answer 503 if the store called ``store`` raises one of ``errors``; log it.

    :raises bzz.errors.Unavailable: in its place.
    """
    try:
        yield
    except errors as error:
        raise _unavailable(store) from error


def _unavailable(store: str) -> Unavailable:
    logger.exception("the %s store failed", store)
    return Unavailable(f"The {store} store cannot be asked; nothing was done.")

"""Questions to other servers, by Tornado's HTTP client, whose troubles become a 502 or a 503.

Addresses, headers and bodies may hold secrets: neither the log nor an error shows more than the host.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from bzz.codec import loads
from bzz.errors import BadGateway, BadRequest, Unavailable

__all__ = ["ask"]

logger = logging.getLogger("bzz.auth")

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 10.0
RETRY_SECONDS = 5


async def ask(
    url: str, proxy_info: Mapping[str, Any] | None = None, refusals: tuple[int, ...] = (), **options: Any
) -> dict[str, Any] | None:
    """The JSON object that ``url`` answers.

    :param proxy_info: Tornado's ``proxy_host``, ``proxy_port``, and so on.
    :param refusals: statuses that say no, for which None is returned.
    :param options: further arguments of :class:`tornado.httpclient.HTTPRequest`.
    :raises bzz.errors.BadGateway: an answer of another status, or that is no JSON object.
    :raises bzz.errors.Unavailable: no answer in time, or one that asks to come back later.
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

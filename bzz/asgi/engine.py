"""What ASGI and RSGI have in common: an engine, and the answers that are given without calling a handler."""

from __future__ import annotations

from typing import NamedTuple

from tornado.httputil import HTTPHeaders, HTTPServerConnectionDelegate

from bzz.addresses import Proxies
from bzz.errors import RequestError
from bzz.limits import InFlight, Limits
from bzz.problem import MEDIA_TYPE

__all__ = [
    "NO_WEBSOCKETS",
    "Disconnected",
    "Engine",
    "NotOffered",
    "RequestTimeout",
    "problem_headers",
]

NO_WEBSOCKETS = "WebSockets and other protocols need Tornado's own server: bzz serve, without --server."


class Disconnected(Exception):
    """The client left before its body was complete."""


class RequestTimeout(RequestError):
    """The body took too long."""

    status = 408
    title = "Request Timeout"


class NotOffered(RequestError):
    """The request asks for a protocol that is not spoken here."""

    status = 501
    title = "Not Implemented"


class Engine(NamedTuple):
    """What all requests of one engine have in common."""

    application: HTTPServerConnectionDelegate
    limits: Limits
    flight: InFlight
    proxies: Proxies


def problem_headers(error: RequestError, body: bytes, closing: bool) -> HTTPHeaders:
    """Return the headers of a problem, whose body is ``body``.

    :param closing: whether the connection ends, for what comes next may be another part of the same request.
    """
    headers = HTTPHeaders({"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **error.headers})
    if closing:
        headers["Connection"] = "close"
    return headers

"""What ASGI and RSGI tell of an engine and its clients, and the answers that are given before a handler is asked."""

from __future__ import annotations

from typing import NamedTuple

from tornado.httputil import HTTPHeaders, HTTPServerConnectionDelegate

from bzz.addresses import Proxies, normalize
from bzz.errors import RequestError
from bzz.limits import InFlight, Limits
from bzz.problem import MEDIA_TYPE

__all__ = [
    "NO_WEBSOCKETS",
    "Client",
    "Disconnected",
    "Engine",
    "NotOffered",
    "RequestTimeout",
    "client_of",
    "problem_headers",
]

NO_WEBSOCKETS = "WebSockets and other protocols need Tornado's own server: bzz serve, without --server."


class Client(NamedTuple):
    """What Tornado takes from ``connection.context``.

    :param remote_ip: the address of the client.
    :param protocol: ``'http'`` or ``'https'``.
    """

    remote_ip: str
    protocol: str

    def __str__(self) -> str:
        return self.remote_ip


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


def client_of(proxies: Proxies, peer: str | None, protocol: str, headers: HTTPHeaders) -> Client:
    """Return who asks, and by which protocol: the peer itself, or whom a trusted proxy names.

    :param peer: the address of who connected; None on a Unix socket, where Tornado says ``0.0.0.0``.
    """
    if proxies and proxies.trusts(peer):
        peer = proxies.client(peer, headers.get_list("X-Forwarded-For"))
        said = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        protocol = said if said in ("http", "https") else protocol
    return Client("0.0.0.0" if peer is None else normalize(peer), protocol)


def problem_headers(error: RequestError, body: bytes, closing: bool) -> HTTPHeaders:
    """Return the headers of a problem, whose body is ``body``.

    :param closing: whether the connection ends, for what comes next may be another part of the same request.
    """
    headers = HTTPHeaders({"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **error.headers})
    if closing:
        headers["Connection"] = "close"
    return headers

"""What all requests of an application have in common, by ASGI and by RSGI, and who sends them."""

from __future__ import annotations

from typing import NamedTuple

from tornado.httputil import HTTPHeaders, HTTPServerConnectionDelegate

from bzz.addresses import Proxies, normalize
from bzz.limits import InFlight, Limits

__all__ = ["Client", "Engine", "client_of"]


class Client(NamedTuple):
    """What Tornado takes from ``connection.context``.

    :param remote_ip: the address of the client.
    :param protocol: ``'http'`` or ``'https'``.
    """

    remote_ip: str
    protocol: str

    def __str__(self) -> str:
        return self.remote_ip


class Engine:
    """A Tornado application as an engine runs it: the base of what ``bzz.asgi_app`` and ``bzz.rsgi_app`` return.

    :ivar flight: counts the requests.
    """

    def __init__(self, application: HTTPServerConnectionDelegate, limits: Limits, proxies: Proxies) -> None:
        self.application = application
        self.limits = limits
        self.proxies = proxies
        self.flight = InFlight(limits.in_flight)


def client_of(proxies: Proxies, peer: str | None, protocol: str, headers: HTTPHeaders) -> Client:
    """Return who asks, and by which protocol: the peer itself, or whom a trusted proxy names.

    :param peer: the address of who connected; None on a Unix socket, where Tornado says ``0.0.0.0``.
    """
    if proxies and proxies.trusts(peer):
        peer = proxies.client(peer, headers.get_list("X-Forwarded-For"))
        said = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        protocol = said if said in ("http", "https") else protocol
    return Client("0.0.0.0" if peer is None else normalize(peer), protocol)

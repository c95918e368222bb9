"""What all requests of an application have in common, by ASGI and by RSGI."""

from __future__ import annotations

from tornado.httputil import HTTPServerConnectionDelegate

from bzz.addresses import Proxies
from bzz.in_flight import InFlight
from bzz.limits import Limits

__all__ = ["Engine"]


class Engine:
    """A Tornado application as an engine runs it: the base of what ``bzz.asgi_app`` and ``bzz.rsgi_app`` return.

    :ivar flight: counts the requests.
    """

    def __init__(self, application: HTTPServerConnectionDelegate, limits: Limits, proxies: Proxies) -> None:
        self.application = application
        self.limits = limits
        self.proxies = proxies
        self.flight = InFlight(limits.in_flight)

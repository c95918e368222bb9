"""Tornado's own test suite, with the adapter and uvicorn in the place of Tornado's HTTP server.

Run as a program: ``adapted.py tornado.test.web_test``; prints each test that fails, and how many there were.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
import sys
import unittest
import warnings
from collections.abc import Sequence
from typing import Any

import tornado.testing
import uvicorn
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.netutil import ssl_options_to_context
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

import bzz
from bzz.limits import Limits

_LIMITS = {"max_body_size": "body_bytes", "body_timeout": "body_seconds"}
counted: list[Any] = []
"""The applications that were adapted."""


class AdaptedServer:
    """Has the methods of ``HTTPServer`` that ``AsyncHTTPTestCase`` calls."""

    def __init__(self, app: Any, limits: Limits, tls: ssl.SSLContext | None) -> None:
        self._state = ServerState()
        self._tls = tls
        self._config = uvicorn.Config(
            bzz.asgi_app(app, limits=limits), log_config=None, access_log=False, lifespan="off", ws="none"
        )
        self._config.load()
        self._servers: list[asyncio.Server] = []

    def add_sockets(self, sockets: Sequence[socket.socket]) -> None:
        for each in sockets:
            self.add_socket(each)

    def add_socket(self, bound: socket.socket) -> None:
        made = asyncio.get_event_loop().create_server(self._protocol, sock=bound, ssl=self._tls)
        self._servers.append(asyncio.get_event_loop().run_until_complete(made))

    def _protocol(self) -> H11Protocol:
        return H11Protocol(self._config, self._state, {})

    def stop(self) -> None:
        for each in self._servers:
            each.close()

    async def close_all_connections(self) -> None:
        for each in list(self._state.connections):
            each.transport.abort()
        await asyncio.sleep(0)


def make(app: Any, **options: Any) -> Any:
    """Adapt an application; what is served by a bare function, or with options of Tornado's server, stays there."""
    limits = {name: options.pop(option) for option, name in _LIMITS.items() if option in options}
    tls = options.pop("ssl_options", None)
    if options or not isinstance(app, HTTPServerConnectionDelegate):
        given = {option: limits[name] for option, name in _LIMITS.items() if name in limits}
        return HTTPServer(app, ssl_options=tls, **given, **options)
    counted.append(app)
    context = None if tls is None else ssl_options_to_context(tls, server_side=True)
    return AdaptedServer(app, Limits(**{"body_bytes": 100 * 2**20, **limits}), context)


def main(module: str) -> None:
    """Run one module of the suite."""
    vars(tornado.testing)["HTTPServer"] = make  # this is what is adapted
    warnings.simplefilter("ignore")
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)  # as its own runner does
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).disabled = True
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    result = unittest.TextTestRunner(verbosity=0, buffer=True).run(suite)
    failed = [test.id() for test, _ in [*result.failures, *result.errors]]
    print(
        json.dumps(
            {"run": result.testsRun - len(result.skipped), "adapted": len(counted), "failed": sorted(set(failed))}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])

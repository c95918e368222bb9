"""Tornado's own HTTP server, with a cap on the requests in flight and a stop that drops none of them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import logging
import select
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import tornado
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.netutil import ssl_options_to_context

from bzz.addresses import Proxies
from bzz.asgi.lifespan import attached, stopping
from bzz.errors import ConfigurationError
from bzz.events import drain
from bzz.in_flight import CappedApplication, InFlight
from bzz.limits import Limits
from bzz.serving import collector
from bzz.serving.endpoint import Endpoint, port_of
from bzz.serving.options import check_options
from bzz.serving.source import Source, load

__all__ = ["make_server", "run"]

logger = logging.getLogger("bzz.serving")

ACCEPT_ROUNDS = 100
"""How many turns of the loop a stopping server spends on accepting what waits: each takes up to 128 connections."""

LINGER_SECONDS = 0.25
"""How long a stopping server still hears kept connections: a request may be on its way on one."""


def run(
    app: Source,
    endpoint: Endpoint,
    proxies: Proxies,
    limits: Limits,
    on_start: Callable[[int], None],
    options: Mapping[str, Any],
) -> None:
    """Serve until SIGTERM or SIGINT; see :func:`bzz.serving.server.serve`."""
    check_options(options, HTTPServer.initialize, ["request_callback"])
    sockets = endpoint.bind()
    runner: Any = asyncio if importlib.util.find_spec("uvloop") is None else importlib.import_module("uvloop")
    try:
        runner.run(_serve(app, sockets, proxies, limits, on_start, options, runner.__name__))
    finally:
        endpoint.release(sockets)


async def _serve(
    app: Source,
    sockets: Sequence[socket.socket],
    proxies: Proxies,
    limits: Limits,
    on_start: Callable[[int], None],
    options: Mapping[str, Any],
    loop: str,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = load(app)
    flight = InFlight(limits.in_flight)
    server = make_server(application, limits, flight, proxies, options)
    async with attached(application):
        collector.spare()
        server.add_sockets(list(sockets))
        logger.info("serving by Tornado %s on %s", tornado.version, loop)
        on_start(port_of(sockets))
        await stop.wait()
        stopping(application)
        end = asyncio.get_running_loop().time() + limits.grace_seconds
        await _stop(server, flight, sockets, end)
        await drain(end - asyncio.get_running_loop().time())


def make_server(
    application: HTTPServerConnectionDelegate,
    limits: Limits,
    flight: InFlight,
    proxies: Proxies,
    options: Mapping[str, Any],
) -> HTTPServer:
    """Return Tornado's server with the limits on; ``options`` go before them.

    :raises bzz.errors.ConfigurationError: if its certificate cannot be used.
    """
    given = {"idle_connection_timeout": limits.header_seconds, "max_body_size": limits.body_bytes, **options}
    if isinstance(given.get("ssl_options"), dict):
        given["ssl_options"] = _tls(given["ssl_options"])
    limits = replace(limits, body_seconds=given.pop("body_timeout", limits.body_seconds))
    return HTTPServer(CappedApplication(application, limits, flight, proxies), **given)


def _tls(options: dict[str, Any]) -> ssl.SSLContext:
    """Return the context that Tornado would make anew, and fail with, for each connection."""
    try:
        context = ssl_options_to_context(options, server_side=True)
    except AssertionError:
        names = "certfile, keyfile, cert_reqs, ca_certs, ciphers and ssl_version"
        raise ConfigurationError(f"ssl_options: it takes {names}, and was given {', '.join(options)}") from None
    except (OSError, ValueError, TypeError) as error:
        files = ", ".join(
            f"{name} {options[name]!r}" for name in ("certfile", "keyfile", "ca_certs") if name in options
        )
        raise ConfigurationError(f"ssl_options: {files or 'they'} cannot be used: {error}") from error
    if "certfile" not in options:
        raise ConfigurationError("ssl_options: there is no certfile")
    return context


async def _stop(server: HTTPServer, flight: InFlight, sockets: Sequence[socket.socket], end: float) -> None:
    """Take what waits to be accepted, answer what is there, tell clients to connect anew, and close."""
    server.conn_params.no_keep_alive = True  # from here on every answer says Connection: close
    for _ in range(ACCEPT_ROUNDS):
        if not select.select(sockets, [], [], 0)[0]:
            break
        await asyncio.sleep(0)
    server.stop()
    await _until(end, flight.wait_until_quiet(LINGER_SECONDS))
    await _until(end, server.close_all_connections())


async def _until(end: float, waiting: Awaitable[None]) -> None:
    left = max(end - asyncio.get_running_loop().time(), LINGER_SECONDS)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(waiting, left)

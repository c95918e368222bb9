"""``bzz.serve``: an application on Tornado's HTTP server, with limits that a public address needs."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import select
import signal
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from bzz.errors import ConfigurationError
from bzz.events import drain
from bzz.serving.overload import InFlight
from bzz.serving.processes import supervise

__all__ = ["Limits", "load", "serve"]

Source = Application | str | Callable[[], Application]


@dataclass(frozen=True)
class Limits:
    """What one connection and one process may take. Tornado's own defaults wait an hour for a header, without end for a
    body, and take 100 MB.

    :param header_seconds: how long a client may take to send its headers, and a kept connection may idle.
    :param body_seconds: how long it may take to send a body.
    :param body_bytes: the longest body of any handler; models take 1 MiB at the most.
    :param in_flight: how many requests one process answers at a time; further ones get a 503 at once.
    :param grace_seconds: how long a stop waits for the requests that are being answered, and for the background
        listeners of events.
    """

    header_seconds: float = 30.0
    body_seconds: float = 60.0
    body_bytes: int = 10 * 1024 * 1024
    in_flight: int = 256
    grace_seconds: float = 30.0


ACCEPT_ROUNDS = 100
"""How many turns of the loop a stopping server spends on accepting what waits: each takes up to 128 connections."""

LINGER_SECONDS = 0.25
"""How long a stopping server still hears kept connections: a request may be on its way on one."""


def serve(
    app: Source,
    *,
    port: int = 8888,
    address: str = "127.0.0.1",
    processes: int = 1,
    limits: Limits = Limits(),
    on_start: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve an application until SIGTERM or SIGINT; the requests that were accepted are answered first.

    Runs on uvloop where that is installed.

    :param app: the application, ``'module:name'`` of one, or a function that makes one. For several processes one of
        the latter two, so that each process makes its own connections.
    :param port: 0 takes a free one.
    :param processes: how many processes share the port. One that dies is started again.
    :param on_start: told the port once it is bound.
    :raises bzz.errors.ConfigurationError: where ``app`` is no such thing.
    :raises OSError: where the port is taken.
    """
    if processes > 1 and isinstance(app, Application):
        raise ConfigurationError("several processes need 'module:name' or a function: each makes its own application")
    sockets = bind_sockets(port, address)
    on_start(sockets[0].getsockname()[1])
    if processes == 1:
        _run(app, sockets, limits)
    else:
        supervise(lambda: _run(app, sockets, limits), processes, sockets, limits.grace_seconds)


def load(source: Source) -> Application:
    """The application that ``source`` is, names or makes.

    :raises bzz.errors.ConfigurationError: where there is none.
    """
    found: Any = _import(source) if isinstance(source, str) else source
    if not isinstance(found, Application) and callable(found):
        found = found()
    if not isinstance(found, Application):
        raise ConfigurationError(f"{source!r} gives {type(found).__name__}, and not a tornado.web.Application")
    return found


def _import(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ConfigurationError(f"{name!r} must be 'module:name', such as 'shop.main:app'")
    try:
        return getattr(importlib.import_module(module), attribute)
    except AttributeError:
        raise ConfigurationError(f"{module} has no {attribute!r}") from None
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise ConfigurationError(f"there is no module {error.name!r} on the path") from None


def _run(app: Source, sockets: Sequence[socket.socket], limits: Limits) -> None:
    uvloop = importlib.util.find_spec("uvloop")
    run = asyncio.run if uvloop is None else importlib.import_module("uvloop").run
    run(_serve(app, sockets, limits))


async def _serve(app: Source, sockets: Sequence[socket.socket], limits: Limits) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    flight = InFlight(load(app), limits.in_flight)
    server = HTTPServer(
        flight,
        idle_connection_timeout=limits.header_seconds,
        body_timeout=limits.body_seconds,
        max_body_size=limits.body_bytes,
    )
    server.add_sockets(list(sockets))
    await stop.wait()
    end = asyncio.get_running_loop().time() + limits.grace_seconds
    await _stop(server, flight, sockets, limits.grace_seconds)
    await drain(end - asyncio.get_running_loop().time())


async def _stop(server: HTTPServer, flight: InFlight, sockets: Sequence[socket.socket], grace: float) -> None:
    """Take what waits to be accepted, answer what is there, tell clients to connect anew, and close."""
    server.conn_params.no_keep_alive = True  # from here on every answer says Connection: close
    for _ in range(ACCEPT_ROUNDS):
        if not select.select(sockets, [], [], 0)[0]:
            break
        await asyncio.sleep(0)
    server.stop()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(flight.quiet(LINGER_SECONDS), grace)
    await server.close_all_connections()

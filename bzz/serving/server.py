"""``bzz.serve``: an application on a port, with limits that a public address needs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import importlib.util
import select
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import PathMatches
from tornado.web import Application

from bzz.errors import ConfigurationError
from bzz.events import drain
from bzz.routing import refuse_twice
from bzz.serving.limits import Limits
from bzz.serving.overload import Capped, InFlight
from bzz.serving.processes import supervise

if TYPE_CHECKING:
    from bzz.serving.listener import Listener

__all__ = ["Limits", "load", "serve"]

Source = Application | str | Callable[[], Application]


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

    Runs on uvloop where that is installed, and parses HTTP by llhttp where httptools is: ``pip install 'bzz[serve]'``.
    Else it runs on asyncio's loop and on Tornado's HTTP server.

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

    :raises bzz.errors.ConfigurationError: where there is none, or one handler class stands twice at one URL.
    """
    found: Any = _import(source) if isinstance(source, str) else source
    if not isinstance(found, Application) and callable(found):
        found = found()
    if not isinstance(found, Application):
        raise ConfigurationError(f"{source!r} gives {type(found).__name__}, and not a tornado.web.Application")
    rules = found.wildcard_router.rules
    refuse_twice((rule.matcher.regex.pattern, rule.target) for rule in rules if isinstance(rule.matcher, PathMatches))
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
    flight = InFlight(limits.in_flight)
    application = load(app)
    server = _server(application, limits, flight)
    gc.collect()
    gc.freeze()  # what is there now stays: to look through it takes 20 ms, about once a second under load
    async with contextlib.AsyncExitStack() as stack:
        for context in application.settings.get("bzz_contexts", ()):
            await stack.enter_async_context(context)
        server.add_sockets(list(sockets))
        await stop.wait()
        end = asyncio.get_running_loop().time() + limits.grace_seconds
        await _stop(server, flight, sockets, end)
        await drain(end - asyncio.get_running_loop().time())


def _server(application: Application, limits: Limits, flight: InFlight) -> HTTPServer | Listener:
    """Where httptools is installed, its parser; else Tornado's."""
    tornado = HTTPServer(
        Capped(application, flight),
        idle_connection_timeout=limits.header_seconds,
        body_timeout=limits.body_seconds,
        max_body_size=limits.body_bytes,
    )
    if importlib.util.find_spec("httptools") is None:
        return tornado
    from bzz.serving import listener  # needs httptools

    return listener.Listener(application, limits, flight, tornado)


async def _stop(server: HTTPServer | Listener, flight: InFlight, sockets: Sequence[socket.socket], end: float) -> None:
    """Take what waits to be accepted, answer what is there, tell clients to connect anew, and close."""
    server.conn_params.no_keep_alive = True  # from here on every answer says Connection: close
    for _ in range(ACCEPT_ROUNDS):
        if not select.select(sockets, [], [], 0)[0]:
            break
        await asyncio.sleep(0)
    server.stop()
    await _until(end, flight.quiet(LINGER_SECONDS))
    await _until(end, server.close_all_connections())


async def _until(end: float, waiting: Awaitable[None]) -> None:
    left = max(end - asyncio.get_running_loop().time(), LINGER_SECONDS)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(waiting, left)

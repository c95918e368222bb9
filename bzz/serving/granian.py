"""granian: workers that each run the application by RSGI. The only import of granian."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tornado.web import Application

from bzz.addresses import Proxies
from bzz.asgi.application import ASGIApplication
from bzz.asgi.fifo import Fifo
from bzz.asgi.lifespan import stopping
from bzz.asgi.rsgi import RSGIApplication
from bzz.errors import BzzError, ConfigurationError
from bzz.limits import Limits
from bzz.serving import collector
from bzz.serving.endpoint import Endpoint, port_of
from bzz.serving.options import check_options
from bzz.serving.source import Source, load

try:
    import granian
    from granian import _signals
    from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes, SSLProtocols, TaskImpl
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
except ModuleNotFoundError as missing:
    raise ConfigurationError(f"server='granian' needs the package {missing.name}: pip install 'bzz[granian]'") from None

__all__ = ["run"]

logger = logging.getLogger("bzz.serving")

CONNECTIONS = 16384
"""How many connections a worker takes: granian's own 1,024 would leave others waiting where bzz answers them 503."""

LOOK_SECONDS = 0.2

STREAMS_SECONDS = 1.0
"""How long a worker that stops waits for streams to end, before it has granian stop. Feeds end at once."""

QUICK_SECONDS = 1.0
QUICK_DEATHS = 5
"""So many deaths of a worker, each so soon after its start, are a crash loop."""

_KINDS: dict[str, Callable[[Any], Any]] = {
    "http": HTTPModes,
    "interface": Interfaces,
    "log_level": LogLevels,
    "loop": Loops,
    "pid_file": Path,
    "runtime_mode": RuntimeModes,
    "ssl_ca": Path,
    "ssl_cert": Path,
    "ssl_key": Path,
    "ssl_protocol_min": SSLProtocols,
    "task_impl": TaskImpl,
}
"""Options that granian wants as its own types, and people write as texts."""

_OURS = ("target", "address", "port", "uds", "workers", "factory", "reload", "websockets")
"""Parameters of granian that ``serve`` has under other names, or not at all: there is nobody to speak WebSocket to."""


def run(
    app: Source,
    endpoint: Endpoint,
    processes: int,
    proxies: Proxies,
    limits: Limits,
    on_start: Callable[[int], None],
    options: Mapping[str, Any],
) -> None:
    """Serve until SIGTERM or SIGINT; see :func:`bzz.serving.server.serve`."""
    check_options(options, granian.Granian.__init__, _OURS, _KINDS)
    if isinstance(app, Application):
        raise ConfigurationError("granian needs 'module:name' or a function: each process makes its own application")
    endpoint = _settle(endpoint)
    given = _given(options, limits)
    reader, writer = Pipe(duplex=False)
    worker = _Worker(app, given["interface"], limits, proxies, writer, os.getpid())
    try:
        server: Any = granian.Granian(
            "bzz", address=endpoint.address, port=endpoint.port, uds=endpoint.unix_socket, workers=processes, **given
        )
    except ssl.SSLError as error:
        raise ConfigurationError(f"ssl_cert and ssl_key cannot be used: {error}") from error
    server.respawned_wrks = _Respawned()
    server.signal_handler_interrupt = _Interrupt(server.signal_handler_interrupt)

    def started(port: int) -> None:
        logger.info("serving by granian %s, %s, %d processes", granian.__version__, given["interface"], processes)
        on_start(port)

    report = _Report(server, reader, endpoint, started)
    listening = threading.Thread(target=report.listen, daemon=True, name="bzz-report")
    listening.start()
    try:
        server.serve(target_loader=worker, wrap_loader=False)
    except SystemExit:  # granian's own answer to a worker that dies at once, which may come before the report
        listening.join(LOOK_SECONDS)
        if not report.failure:
            raise
    if report.failure:
        raise BzzError(report.failure)


def _settle(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with a port that was free a moment ago: granian shares ports, so none is ever taken."""
    sockets = endpoint.bind()
    try:
        if endpoint.unix_socket is None:
            return replace(endpoint, address=sockets[0].getsockname()[0], port=port_of(sockets))
        return endpoint
    finally:
        endpoint.release(sockets)


def _given(options: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Return granian's options: the given ones, and what makes the limits hold and dead workers come back."""
    given: dict[str, Any] = {
        "interface": Interfaces.RSGI,
        "backpressure": CONNECTIONS,
        "http": HTTPModes.auto if "ssl_cert" in options else HTTPModes.http1,  # auto waits without end for a first byte
        "http1_settings": HTTP1Settings(header_read_timeout=math.ceil(limits.header_seconds * 1000)),
        "respawn_failed_workers": True,
        "workers_kill_timeout": math.ceil(limits.grace_seconds) + 1,
        "log_level": LogLevels.warning,
        "websockets": False,
    }
    for name, value in options.items():
        kind = _KINDS.get(name)
        try:
            given[name] = value if kind is None else kind(value if isinstance(value, str | Path) else str(value))
        except ValueError as error:
            values = f": {', '.join(each.value for each in kind)}" if isinstance(kind, type(Enum)) else ""
            raise ConfigurationError(f"{name}: {error}{values}") from None
    for name in ("ssl_cert", "ssl_key"):
        if name in given and not given[name].is_file():
            raise ConfigurationError(f"{name}: there is no file {str(given[name])!r}")
    if ("ssl_cert" in given) != ("ssl_key" in given):
        raise ConfigurationError("ssl_cert and ssl_key: one is nothing without the other")
    if given["interface"] not in (Interfaces.RSGI, Interfaces.ASGI):
        raise ConfigurationError("interface: a Tornado application is served by 'rsgi' or 'asgi'")
    return given


@dataclass(frozen=True)
class _Worker:
    """Makes the application in each of granian's processes."""

    app: Source
    interface: str
    limits: Limits
    proxies: Proxies
    report: Connection
    supervisor: int

    def __call__(self) -> RSGIApplication | ASGIApplication:
        threading.Thread(target=self._follow_supervisor, daemon=True, name="bzz-supervisor").start()
        try:
            application = load(self.app)
        except Exception as error:
            if not isinstance(error, ConfigurationError):
                logger.exception("the application cannot be made")
            self.report.send(str(error)[:1000] or type(error).__name__)
            os._exit(1)
        _signals.set_loop_signals = partial(_hear_one_signal, application)
        self.report.send(None)
        collector.spare()
        made = RSGIApplication if self.interface == Interfaces.RSGI else ASGIApplication
        return made(application, self.limits, self.proxies)

    def _follow_supervisor(self) -> None:
        """Stop when the supervisor is no longer there to say so: a worker must not keep the port for itself."""
        while os.getppid() == self.supervisor:
            time.sleep(LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self.limits.grace_seconds + 1)
        os._exit(1)


_set_loop_signals: Callable[..., Any] = _signals.set_loop_signals


def _hear_one_signal(application: Application, loop: asyncio.AbstractEventLoop) -> Any:
    """Have granian stop a worker at the first SIGTERM or SIGINT, and pass over the others.

    Each would go into a channel of granian's that has room for one. While the worker starts, nobody reads that, and the
    second one hangs it for good. Two do come if a terminal, or a service manager, signals all processes, for the
    supervisor sends SIGTERM besides.

    Before it stops, streams that can end have their end: granian waits for those that it still reads with the
    interpreter locked, so that nobody could end them, and the worker would be killed after the whole grace period.
    """
    stop = _set_loop_signals(loop)
    ending: list[asyncio.Task[None]] = []

    async def end_streams() -> None:
        try:
            stopping(application)
            last = loop.time() + STREAMS_SECONDS
            while Fifo.opened and loop.time() < last:  # noqa: ASYNC110  # they end in many places
                await asyncio.sleep(STREAMS_SECONDS / 100)
        finally:
            stop.set()

    def hear() -> None:
        if not ending:
            ending.append(loop.create_task(end_streams()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hear)
    return stop


class _Interrupt:
    """Handles SIGTERM and SIGINT in the supervisor, and in a worker until granian sets the worker's own handler.

    A forked worker inherits the supervisor's handler. Without this the signal would be lost on a worker that still
    loads the application: it would go on to serve, and be killed after the whole grace period.
    """

    def __init__(self, interrupt: Callable[..., None]) -> None:
        self._interrupt = interrupt
        self._supervisor = os.getpid()

    def __call__(self, *signal_and_frame: Any) -> None:
        """Stop the supervisor, or end the worker: it has no request to answer yet."""
        if os.getpid() != self._supervisor:
            os._exit(0)
        self._interrupt()


class _Respawned(dict[int, float]):
    """When granian started which worker again.

    It takes a worker that dies within 5.5 seconds for one that can only die, and stops. Somebody may kill them as
    often; here it takes several that die at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._starts: dict[int, float] = {}
        self._quick: dict[int, int] = {}

    def __setitem__(self, worker: int, start: float) -> None:
        self._starts[worker] = start

    def get(self, worker: int, default: Any = 0.0) -> Any:
        """Called by granian when a worker has died."""
        start = self._starts.get(worker, -math.inf)
        quick = time.monotonic() - start < QUICK_SECONDS
        self._quick[worker] = self._quick.get(worker, 0) + 1 if quick else 0
        return start if self._quick[worker] >= QUICK_DEATHS else -math.inf


class _Report:
    """Hears in the supervisor how the first worker fares.

    :ivar failure: why there is no application.
    """

    def __init__(self, server: Any, reader: Connection, endpoint: Endpoint, on_start: Callable[[int], None]) -> None:
        self.failure = ""
        self._server = server
        self._reader = reader
        self._endpoint = endpoint
        self._on_start = on_start

    def listen(self) -> None:
        """Call ``on_start`` when requests are taken, or have granian stop."""
        self.failure = self._reader.recv() or ""
        if self.failure:
            self._server.signal_handler_interrupt()
            return
        while not self._endpoint.is_reached():
            time.sleep(LOOK_SECONDS / 10)
        self._on_start(self._endpoint.port if self._endpoint.unix_socket is None else 0)

"""The servers, by name: how each is started, watched and stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from bench.operations import OPERATIONS, Dialect

__all__ = ["SERVERS", "Running", "Server", "start"]

_START_SECONDS = 30
_BACKLOG_SECONDS = 30  # of processor time, which a machine that is busy with others does not use up
_IDLE_SHARE = 0.2  # of a processor; drivers and loops look after themselves now and then
_LOOK_SECONDS = 0.05
_LOOKS = 3  # in a row; between two pieces of work a server sleeps for a moment, too
_WANTS_PROCESSOR = {"R", "D"}  # states of a thread: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html


@dataclass(frozen=True)
class Server:
    """One way to serve the users.

    :param label: for people.
    :param command: what follows the interpreter; ``{port}`` stands for the port.
    :param operations: those that it knows.
    :param engine: what ``bench.servers.setting`` is told to run it by.
    """

    name: str
    label: str
    command: Sequence[str]
    dialect: Dialect = field(default_factory=Dialect)
    operations: Sequence[str] = tuple(OPERATIONS)
    engine: str = "tornado"


def _program(
    name: str, label: str, module: str, *, engine: str = "tornado", operations: Sequence[str] = tuple(OPERATIONS)
) -> Server:
    return Server(name, label, ("-m", f"bench.servers.{module}"), operations=operations, engine=engine)


def _on_both(name: str, label: str, module: str, *, operations: Sequence[str] = tuple(OPERATIONS)) -> Iterator[Server]:
    """A Tornado application on Tornado's own server, and on granian."""
    yield _program(name, f"{label}, on Tornado's server", module, operations=operations)
    yield _program(f"{name}-granian", f"{label}, on granian", module, engine="granian", operations=operations)


_GUNICORN = (
    "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "1", "--worker-class", "gthread", "--threads", "8",
    "--keep-alive", "30", "--log-level", "warning", "bench.servers.eve_server:app",
)  # fmt: skip

_GRANIAN = (
    "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}", "--loop", "uvloop",
    "--log-level", "warning", "bench.servers.fastapi_beanie:app",
)  # fmt: skip

SERVERS = {
    each.name: each
    for each in (
        *_on_both("bzz", "bzz", "bzz_server"),
        *_on_both("bzz-receiver", "bzz with one receiver", "bzz_receiver"),
        *_on_both("tornado-motor", "Tornado + Motor by hand", "tornado_motor"),
        _program("tornado-pymongo", "Tornado + AsyncMongoClient by hand, on Tornado's server", "tornado_pymongo"),
        _program("fastapi-beanie", "FastAPI + Beanie, on uvicorn with httptools", "fastapi_beanie"),
        Server("fastapi-beanie-granian", "FastAPI + Beanie, on granian", _GRANIAN),
        Server("eve", "Eve, on gunicorn", _GUNICORN, Dialect(update="PATCH", query=True)),
        *_on_both("constant", "Tornado answering a constant", "tornado_constant", operations=("get",)),
    )
}


@dataclass(frozen=True)
class Running:
    """A server that answers on ``port``."""

    server: Server
    port: int
    process: psutil.Popen

    @property
    def memory_mib(self) -> float:
        """The resident memory of the process and its children."""
        return float(sum(each.memory_info().rss for each in self._family())) / 2**20

    @property
    def cpu_seconds(self) -> float:
        """The processor time that the process and its children have used."""
        times = [each.cpu_times() for each in self._family()]
        return float(sum(each.user + each.system for each in times))

    @property
    def wants_processor(self) -> bool:
        """Whether a thread of the process or its children runs, or would if the machine were not busy with others."""
        return any(state in _WANTS_PROCESSOR for each in self._family() for state in _states(each.pid))

    def wait_until_idle(self) -> None:
        """Let it work off what the load generator left behind, or the next server would share the processor with it.

        Eve needs one and a half seconds for that after a measurement with 256 connections. A server that uses no
        processor time is not idle if it only gets none: its threads have to sleep, too.
        """
        last = self.cpu_seconds + _BACKLOG_SECONDS
        idle, used = 0, self.cpu_seconds
        while idle < _LOOKS and used < last:
            time.sleep(_LOOK_SECONDS)
            before, used = used, self.cpu_seconds
            is_idle = used - before <= _IDLE_SHARE * _LOOK_SECONDS and not self.wants_processor
            idle = idle + 1 if is_idle else 0

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def _states(pid: int) -> Iterator[str]:
    """The state of each thread, as Linux tells it; nothing elsewhere, and of threads that have ended meanwhile."""
    for each in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            yield each.read_text().rpartition(")")[2].split()[0]


@contextmanager
def start(server: Server, uri: str, database: str, **options: int | str) -> Iterator[Running]:
    """Run a server in a process of its own, until it is no longer needed.

    :param options: for bzz only: ``processes``, ``in_flight``, how many requests it takes at once, and ``by``, what
        observes it.
    :raises RuntimeError: where it does not answer, with what it said.
    """
    port = _free_port()
    settings = {"BENCH_MONGODB_URI": uri, "BENCH_DATABASE": database, "BENCH_PORT": str(port)}
    settings["BENCH_ENGINE"] = server.engine
    settings |= {f"BENCH_{name.upper()}": str(value) for name, value in options.items()}
    command = [sys.executable, *(part.format(port=port) for part in server.command)]
    with tempfile.TemporaryFile() as output:
        process = psutil.Popen(command, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(server, process, port, output)
            yield Running(server, port, process)
        finally:
            _stop(process)


def _stop(process: psutil.Popen) -> None:
    if process.poll() is not None:  # it has said why
        return
    process.terminate()
    try:
        process.wait(10)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Server, process: psutil.Popen, port: int, output: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            said = os.pread(output.fileno(), 100_000, 0).decode(errors="replace")
            raise RuntimeError(f"{server.name} did not start; it said:\n{said}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/user", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True

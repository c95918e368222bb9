"""The demo: airports of the world as a REST API, with its own MongoDB and sign-in.

::

    python docs/examples/airports/main.py

Ctrl-C stops it; what is stored is there again at the next start. People sign in at an OpenID Connect server for
development, which comes along; for one of your own, where ``http://127.0.0.1:8889/`` is a redirect URI of the client::

    CLIENT_SECRET=... python docs/examples/airports/main.py --issuer https://login.example.org --client-id airports
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import changes
import loading
import mongoengine
import processes
import receivers
import signin
import tour
from models import Airline, Airport, Country, Loading, Review
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

import bzz
from bzz.dev import MongoServer

HOST = "127.0.0.1"


class CannotStart(Exception):
    """The demo cannot run; the message says why, and what to do."""


def main() -> int:
    """Run until Ctrl-C; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped as by Ctrl-C, at any moment
    logging.getLogger("tornado.access").setLevel(logging.ERROR)  # refused rows are listed, not logged
    try:
        run(read_arguments())
    except KeyboardInterrupt:
        print("Stopped.")
    except (CannotStart, bzz.ConfigurationError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Airports of the world as a REST API.")
    parser.add_argument("--port", type=int, default=8889, help="where to listen on loopback; 0 for any that is free")
    parser.add_argument("--data", type=Path, default=Path(".bzz/airports"), help="the directory that holds the data")
    parser.add_argument("--rows", type=int, help="load so many airports at the most")
    parser.add_argument("--issuer", help="an OpenID Connect server to sign in at, in place of the one that comes along")
    parser.add_argument("--client-id", default="airports", help="the demo's id at that server")
    return parser.parse_args()


def run(arguments: argparse.Namespace) -> None:
    """Hold the data directory and the port, start MongoDB, and serve."""
    data: Path = arguments.data
    with alone(data) as note, contextlib.ExitStack() as stack:
        sockets = listen(arguments.port)
        address = f"http://{HOST}:{sockets[0].getsockname()[1]}"
        note.write_text(address)
        mongo = stack.enter_context(MongoServer(data / "mongodb"))
        mongoengine.connect("airports", host=mongo.uri, uuidRepresentation="standard")
        stack.callback(mongoengine.disconnect)
        issuer = arguments.issuer or stack.enter_context(signin.development_server())
        redis = stack.enter_context(processes.redis_server())
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(serve(sockets, address, issuer, arguments, Others(mongo.uri, redis) if redis else None))
        print("Stopping.", flush=True)


@contextlib.contextmanager
def alone(data: Path) -> Iterator[Path]:
    """Keep any other start away from the data directory; gives a file in which to note the address for it.

    :raises CannotStart: where another start was faster.
    """
    data.mkdir(parents=True, exist_ok=True)
    note = data / "address"
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = note.read_text() if note.exists() else "and about to start"
            raise CannotStart(f"The demo is already running, {where}; stop that one first (Ctrl-C).") from None
        note.unlink(missing_ok=True)
        yield note


def listen(port: int) -> list[socket.socket]:
    """The sockets of the server.

    :raises CannotStart: where the port is taken.
    """
    try:
        return bind_sockets(port, HOST)
    except OSError as error:
        raise CannotStart(
            f"Port {port} cannot be used: {error.strerror}. Choose another: "
            f"{sys.executable} {sys.argv[0]} --port {port + 1}"
        ) from None


class Others(NamedTuple):
    """The servers that a second process needs."""

    mongo: str
    redis: str


async def serve(
    sockets: list[socket.socket], address: str, issuer: str, arguments: argparse.Namespace, others: Others | None
) -> None:
    """Serve until SIGINT or SIGTERM, which cancel this."""
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    server = HTTPServer(make_application(await signin.discover(issuer, arguments.client_id)))
    server.add_sockets(sockets)
    try:
        listing = arguments.data / "refused.csv"
        report = await loading.fill(address, listing, arguments.rows)
        print(f"{report.summary()}\n  each is listed in {listing}" if report else "Loaded before; nothing to do.")
        receivers.connect()
        changes.connect()
        async with second_process(others) as second:
            print(second)
            print(f"Ready at {address} (Ctrl-C stops). Try:\n\n{tour.lines(address)}\n", flush=True)
            await asyncio.Event().wait()
    finally:
        server.stop()
        await server.close_all_connections()


@contextlib.asynccontextmanager
async def second_process(others: Others | None) -> AsyncIterator[str]:
    """Run a second process, and tell it of what happens here; gives a line that says where it is."""
    if others is None:
        yield "One process: with redis-server installed there are two, and each shows the changes of both."
        return
    async with changes.relay(others.redis, "the first process"):
        with processes.second_process(others.mongo, others.redis) as address:
            yield f"A second process is at {address}; the page shows the changes of both."


def make_application(server: signin.Server) -> Application:
    """Everything that is served; people sign in at ``server``."""
    app = Application(
        bzz.flatten(
            [
                ("/", tour.PageHandler, {"server": server}),
                ("/changes", changes.ChangesHandler),
                signin.routes(server),
                bzz.ModelHive.routes_for("mongoengine", Country),
                bzz.ModelHive.routes_for("mongoengine", Airport),
                bzz.ModelHive.routes_for("mongoengine", Airline),
                bzz.ModelHive.routes_for("mongoengine", Loading, methods=("GET", "POST")),
                bzz.ModelHive.routes_for(
                    "mongoengine", Review, methods=("GET", "POST"), read_only=["by"], authorize=signin.signed_in
                ),
            ]
        )
    )
    signin.configure(app)
    return app


if __name__ == "__main__":
    sys.exit(main())

"""The demo: airports of the world as a REST API, with its own MongoDB and sign-in.

::

    python docs/examples/airports/main.py

This process starts MongoDB, Redis, and granian, whose processes answer the requests (:mod:`application`). Ctrl-C stops
them all; what is stored is there again at the next start. People sign in at an OpenID Connect server for
development, which comes along; for one of your own, where ``http://127.0.0.1:8889/`` is a redirect URI of the client::

    CLIENT_SECRET=... python docs/examples/airports/main.py --issuer https://login.example.org --client-id airports
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import functools
import secrets
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import application
import loading
import signin
import tour
from application import Settings
from background import Background
from redis_server import redis_server
from tornado.netutil import bind_sockets

import bzz
from bzz.dev import MongoServer

HOST = "127.0.0.1"

SEVERAL = (
    "Two processes answer at one address; the page shows the changes of both, each with the number of its process."
)
ONE = "One process: with redis-server installed there are two, and each shows the changes of both."


class CannotStart(Exception):
    """The demo cannot run; the message says why, and what to do."""


def main() -> int:
    """Run until Ctrl-C; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped as by Ctrl-C, at any moment
    try:
        run(read_arguments())
    except KeyboardInterrupt:
        print("Stopped.")
    except (CannotStart, bzz.errors.BzzError, RuntimeError, OSError) as error:
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
    """Hold the data directory, start what the application needs, and serve it until SIGINT or SIGTERM."""
    data: Path = arguments.data
    with alone(data) as note, contextlib.ExitStack() as stack:
        check(arguments.port)
        mongo = stack.enter_context(MongoServer(data / "mongodb"))
        issuer = arguments.issuer or stack.enter_context(signin.development_server())
        redis = stack.enter_context(redis_server())
        server = asyncio.run(signin.discover(issuer, arguments.client_id))
        settings = Settings(mongo.uri, redis, server, secrets.token_urlsafe(32))
        serve(settings, arguments, note)
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


def check(port: int) -> None:
    """Find out at once whether the server can listen, and not only when the others have been started.

    :raises CannotStart: where the port is taken.
    """
    try:
        for each in bind_sockets(port, HOST):
            each.close()
    except OSError as error:
        raise CannotStart(
            f"Port {port} cannot be used: {error.strerror}. Choose another: make run PORT={port + 1}"
        ) from None


def serve(settings: Settings, arguments: argparse.Namespace, note: Path) -> None:
    """Serve by granian, and load what is missing once requests are taken."""
    told = SEVERAL if settings.redis is not None else ONE
    filling = Background(functools.partial(load, arguments, note, told, settings.mongo))
    make = functools.partial(application.make, settings)
    processes = 1 if settings.redis is None else 2
    try:
        bzz.serve(make, address=HOST, port=arguments.port, server="granian", processes=processes, on_start=filling)
    finally:
        filling.stop()


async def load(arguments: argparse.Namespace, note: Path, told: str, mongo: str, port: int) -> None:
    """Load what is missing through the REST API, and say what to try.

    :param told: how it is served.
    :param mongo: the URI of MongoDB.
    """
    address = f"http://{HOST}:{port}"
    note.write_text(address)  # noqa: ASYNC240  # nothing else runs yet
    listing = arguments.data / "refused.csv"
    report = await loading.fill(address, listing, arguments.rows)
    print(f"{report.summary()}\n  each is listed in {listing}" if report else "Loaded before; nothing to do.")
    print(told)
    print(f"So are those of the mongo shell: mongosh '{mongo.replace('/?', f'/{application.DATABASE}?')}'")
    print(f"Ready at {address} (Ctrl-C stops). Try:\n\n{tour.lines(address)}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())

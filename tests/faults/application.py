"""The application that the harnesses try, as a program: ``python -m tests.faults.application '{"uri": ...}'``.

It prints its port. Further routes: ``/pid`` tells which process answers, ``/held`` what it holds; ``/bare`` is a feed
that nothing is told, by Tornado alone.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any, cast

import mongoengine
import uvicorn
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

import bzz
from bzz import signals
from bzz.in_flight import release
from bzz.limits import Limits
from bzz.live.settings import settings_of
from bzz.model import claims
from bzz.providers.base import Provider
from tests.faults import seeded
from tests.faults.models import KEYED, MODELS
from tests.faults.tenants import HIDDEN, SHARED

__all__ = ["make"]


class Pid(RequestHandler):
    """Tells which process this is."""

    def get(self) -> None:
        self.finish(str(os.getpid()))


class Held(RequestHandler):
    """Tells how many tasks, descriptors, KiB of memory and feeds this process has, after a collection of garbage."""

    def get(self) -> None:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        kib = pages * os.sysconf("SC_PAGE_SIZE") // 1024
        descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
        feeds = settings_of(self.application)._open["all"]
        self.finish({"tasks": len(asyncio.all_tasks()), "descriptors": descriptors, "kib": kib, "feeds": feeds})


class Bare(RequestHandler):
    """The least that a feed by hand is."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        release(self.request.connection)
        self._left = asyncio.get_running_loop().create_future()
        self.write(b"event: ready\ndata: {}\n\n")
        try:
            await self.flush()
            await self._left
        except StreamClosedError:
            pass

    def on_connection_close(self) -> None:
        if not self._left.done():
            self._left.set_result(None)


def _provider(name: str) -> str | type[Provider]:
    """A provider of :mod:`tests.faults.seeded` by its name, or the real one."""
    if name == "mongoengine":
        return name
    return cast("type[Provider]", getattr(seeded, name))


def _note_changes(path: str) -> None:
    """Append what is told of every update to a file, a line each."""
    file = open(path, "a", buffering=1)  # noqa: SIM115, PTH123  # open as long as the process is there

    def keep(sender: type, instance: Any, updated_fields: dict[str, Any]) -> None:
        file.write(json.dumps([str(instance.id), updated_fields], default=str) + "\n")

    signals.post_update_instance.connect(keep, weak=False)


def make(
    uri: str,
    database: str,
    provider: str = "mongoengine",
    changes: str | None = None,
    live: bool = False,
    lease_seconds: float = claims.LEASE_SECONDS,
) -> Application:
    """The application, on a database.

    :param provider: the name of one in :mod:`tests.faults.seeded`, or the real one.
    :param changes: the file that changes are noted in.
    :param live: whether the models have feeds.
    :param lease_seconds: how long a key waits for the process that answered, and was killed.
    """
    claims.LEASE_SECONDS = lease_seconds
    mongoengine.connect(db=database, host=uri, uuidRepresentation="standard")
    orm = _provider(provider)
    own: dict[str, Any] = {"live": True, "max_per_page": 10_000} if live else {}
    routes = [bzz.ModelHive.routes_for(orm, model, **own) for model in MODELS.values()]
    routes += [bzz.ModelHive.routes_for(orm, model) for model in KEYED.values()]
    routes += [bzz.ModelHive.routes_for(orm, model, hidden=HIDDEN[name]) for name, model in SHARED.items()]
    if live:
        routes.append(bzz.LiveHive.routes_for(routes))
    if changes is not None:
        _note_changes(changes)
    app = Application(bzz.flatten([*routes, ("/pid", Pid), ("/held", Held), ("/bare", Bare)]))
    bzz.LiveHive.configure(app, max_feeds=MOST_FEEDS, max_feeds_per_address=MOST_FEEDS)
    return app


MOST_FEEDS = 20_000


def _serve_by_uvicorn(app: Application, limits: Limits) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(bzz.asgi_app(app, limits=limits), log_config=None)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    processes, in_flight = given.pop("processes", 1), given.pop("in_flight", 256)
    port, server = given.pop("port", 0), given.pop("server", "tornado")
    seeded.WaitsForFile.gate = Path(given.pop("gate", "/"))
    logging.basicConfig(level=logging.INFO)
    write_seconds = given.pop("write_seconds", 60)
    limits = bzz.Limits(in_flight=in_flight, header_seconds=10, body_seconds=10, write_seconds=write_seconds)
    if server == "uvicorn":
        _serve_by_uvicorn(make(**given), limits)
    else:
        bzz.serve(
            lambda: make(**given),
            port=port,
            server="granian" if processes > 1 else server,
            processes=processes,
            limits=limits,
            on_start=lambda port: print(port, flush=True),
        )

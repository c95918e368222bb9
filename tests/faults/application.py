"""The application that the harnesses try, as a program: ``python -m tests.faults.application '{"uri": ...}'``.

It prints its port. Further routes: ``/pid`` tells which process answers; ``/changes`` what that process's receivers of
``post_update_instance`` were told.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any, cast

import mongoengine
from tornado.web import Application, RequestHandler

import bzz
from bzz import signals
from bzz.providers.base import Provider
from tests.faults import seeded
from tests.faults.models import MODELS
from tests.faults.tenants import HIDDEN, SHARED

__all__ = ["make"]


class Pid(RequestHandler):
    """Tells which process this is."""

    def get(self) -> None:
        self.finish(str(os.getpid()))


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


def make(uri: str, database: str, provider: str = "mongoengine", changes: str | None = None) -> Application:
    """The application, on a database.

    :param provider: the name of one in :mod:`tests.faults.seeded`, or the real one.
    :param changes: the file that changes are noted in.
    """
    mongoengine.connect(db=database, host=uri, uuidRepresentation="standard")
    orm = _provider(provider)
    routes = [bzz.ModelHive.routes_for(orm, model) for model in MODELS.values()]
    routes += [bzz.ModelHive.routes_for(orm, model, hidden=HIDDEN[name]) for name, model in SHARED.items()]
    if changes is not None:
        _note_changes(changes)
    return Application(bzz.flatten([*routes, ("/pid", Pid)]))


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    processes, in_flight = given.pop("processes", 1), given.pop("in_flight", 256)
    seeded.WaitsForFile.gate = Path(given.pop("gate", "/"))
    logging.basicConfig(level=logging.INFO)
    bzz.serve(
        lambda: make(**given),
        port=0,
        server="granian" if processes > 1 else "tornado",
        processes=processes,
        limits=bzz.Limits(in_flight=in_flight, header_seconds=10, body_seconds=10, grace_seconds=30),
        on_start=lambda port: print(port, flush=True),
    )

"""bzz, as its README has it, served by ``bzz.serve`` on either engine."""

from __future__ import annotations

import os

import mongoengine
from tornado.web import Application

import bzz
from bench.models import User
from bench.servers.setting import DATABASE, ENGINE, PORT, PROCESSES, URI

IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", bzz.Limits.in_flight))


def make() -> Application:
    """The application: two lines."""
    mongoengine.connect(DATABASE, host=URI, uuidRepresentation="standard")
    return Application(bzz.ModelHive.routes_for("mongoengine", User))


if __name__ == "__main__":
    bzz.serve(make, port=PORT, server=ENGINE, processes=PROCESSES, limits=bzz.Limits(in_flight=IN_FLIGHT))

"""bzz, as its README has it, served by itself."""

from __future__ import annotations

import os

import mongoengine
from tornado.web import Application

import bzz
from bench.models import User
from bench.servers.setting import DATABASE, PORT, PROCESSES, URI
from bzz.serving.server import Limits, serve

IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", Limits.in_flight))


def make() -> Application:
    """The application: two lines."""
    mongoengine.connect(DATABASE, host=URI, uuidRepresentation="standard")
    return Application(bzz.ModelHive.routes_for("mongoengine", User))


if __name__ == "__main__":
    serve(make, port=PORT, processes=PROCESSES, limits=Limits(in_flight=IN_FLIGHT))

"""The users of bzz, observed as ``BENCH_BY`` says: ``nothing``, ``metrics``, ``log``, ``log-json`` or ``spans``."""

from __future__ import annotations

import logging
import os

import mongoengine
from opentelemetry.sdk.trace import TracerProvider
from tornado.web import Application

import bzz
from bench.models import User
from bench.servers.setting import DATABASE, PORT, URI

BY = os.environ["BENCH_BY"]


def make() -> Application:
    """The application. What it logs goes to a file that nobody reads, and spans go nowhere."""
    mongoengine.connect(DATABASE, host=URI, uuidRepresentation="standard")
    app = Application(bzz.ModelHive.routes_for("mongoengine", User))
    if BY == "metrics":
        bzz.MetricsHive.configure(app)
    elif BY == "spans":
        bzz.trace(app, provider=TracerProvider())
    elif BY != "nothing":
        logging.getLogger("bzz.access").addHandler(logging.FileHandler(os.devnull))
        logging.getLogger("bzz.access").setLevel(logging.INFO)
        bzz.access_log(app, json=BY == "log-json")
    return app


if __name__ == "__main__":
    bzz.serve(make, port=PORT)

"""bzz with feeds. Its stream of changes is closed as soon as nobody follows: so its cost can be measured in turns."""

from __future__ import annotations

import logging

import mongoengine
from tornado.web import Application

import bzz
from bench.models import User
from bench.servers.setting import DATABASE, ENGINE, PORT, URI
from bzz.live import hub

hub.IDLE_SECONDS = 0.0


def make() -> Application:
    """The application: three lines."""
    mongoengine.connect(DATABASE, host=URI, uuidRepresentation="standard")
    app = Application(bzz.ModelHive.routes_for("mongoengine", User, live=True))
    bzz.LiveHive.configure(app, max_feeds_per_address=10_000)
    return app


if __name__ == "__main__":
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    bzz.serve(make, port=PORT, server=ENGINE)

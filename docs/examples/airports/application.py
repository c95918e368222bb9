"""The application, which each process makes for itself; all that they share is the databases and :class:`Settings`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import changes
import mongoengine
import receivers
import signin
import tour
from models import Airline, Airport, Country, Loading, Review
from pymongo import AsyncMongoClient
from tornado.web import Application

import bzz

__all__ = ["Settings", "make"]

DATABASE = "airports"


@dataclass(frozen=True)
class Settings:
    """What a process must know to make the application.

    :param mongo: the URI of MongoDB.
    :param redis: the URL of Redis, by which the processes tell each other of changes; None where there is one process.
    :param server: where people sign in.
    :param secret: what sessions are signed with.
    """

    mongo: str
    redis: str | None
    server: signin.Server
    secret: str


def make(settings: Settings) -> Application:
    """Return the application, with its receivers, and its relay where there is a Redis."""
    logging.getLogger("tornado.access").setLevel(logging.ERROR)  # refused rows are listed, not logged
    mongoengine.connect(DATABASE, host=settings.mongo, uuidRepresentation="standard")
    database = AsyncMongoClient[dict[str, Any]](settings.mongo)[DATABASE]
    app = Application(_routes(settings.server, database), login_url="/")
    bzz.explorer.configure(app, insight=lambda handler: True)  # elsewhere only those who may read the code
    signin.configure(app, settings.secret, database)
    receivers.connect()
    if settings.redis is not None:
        changes.relay(settings.redis).attach(app)
    return app


def _routes(server: signin.Server, database: Any) -> bzz.RouteList:
    live = bzz.flatten(
        [
            bzz.ModelHive.routes_for("mongoengine", Airport, live=True),
            bzz.ModelHive.routes_for("mongoengine", Airline, live=True),
        ]
    )
    models = bzz.flatten(
        [
            live,
            bzz.ModelHive.routes_for("mongoengine", Country),
            bzz.ModelHive.routes_for("mongoengine", Loading, methods=("GET", "POST")),
            bzz.ModelHive.routes_for(
                "mongoengine", Review, methods=("GET", "POST"), read_only=["by"], authorize=signin.signed_in
            ),
        ]
    )
    described = bzz.flatten([models, signin.routes(server, database)])
    return bzz.flatten(
        [
            tour.routes(server),
            ("/changes", changes.ChangesHandler),
            described,
            bzz.LiveHive.routes_for(live),
            bzz.HealthHive.routes_for(models),
            bzz.DocsHive.routes_for(described, title="Airports", version="1", explorer=True, swagger=True),
        ]
    )

"""``/healthz`` and ``/readyz``."""

from __future__ import annotations

import mongoengine as me
from pymongo import AsyncMongoClient
from tornado.web import Application

import bzz
from bzz.asgi.lifespan import stopping
from tests.conftest import Serve


class Patient(me.Document):
    name = me.StringField()


async def test_a_process_whose_database_answers_is_ready(serve: Serve, database_name: str) -> None:
    models = bzz.ModelHive.routes_for("mongoengine", Patient)
    client = serve([*models, *bzz.HealthHive.routes_for(models)])
    for path in ("/healthz", "/readyz", "/readyz/"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert (await client.head(path)).status_code == 200


async def test_a_process_whose_database_is_away_lives_and_is_not_ready(serve: Serve, database_name: str) -> None:
    away = AsyncMongoClient[dict[str, object]]("mongodb://127.0.0.1:9", timeoutMS=300)
    models = bzz.ModelHive.routes_for("mongoengine", Patient, database=away["nowhere"])
    client = serve([*models, *bzz.HealthHive.routes_for(models)])
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    await away.close()


async def test_a_process_that_stops_is_not_ready(serve: Serve) -> None:
    apps: list[Application] = []
    client = serve(bzz.HealthHive.routes_for(), apps.append)
    assert (await client.get("/readyz")).status_code == 200
    stopping(apps[0])
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["detail"]) == (503, "This process is about to stop.")
    assert (await client.head("/readyz")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200

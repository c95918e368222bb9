"""A write whose outcome nobody knows is a 503 that says so: never a success, and never "nothing was done"."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import mongoengine
import pymongo
import pytest
from bson import ObjectId

import bzz
from bzz.providers.mongoengine import worker
from tests.conftest import Serve
from tests.robustness.conftest import Connect, becomes_well
from tests.robustness.documents import Account, Person, Team
from tests.robustness.wire import Wire

pytestmark = pytest.mark.slow  # each waits until time is up

DRIVERS = ["own", "motor", "pymongo"]
SOON = "&serverSelectionTimeoutMS=200&timeoutMS=1000"


def routes(database: Any) -> Any:
    models = (Person, Account, Team)
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in models])


def assert_unknown(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert "unknown" in answer.json()["detail"]
    assert "Retry-After" not in answer.headers


WRITES = {
    "insert": ("POST", "", {"name": "Bob"}),
    "update": ("PUT", "/{id}", {"name": "Bob"}),
    "nested": ("PUT", "/{id}", {"address": {"city": "Rio"}}),
    "attach": ("POST", "/{id}/notes", {"text": "x"}),
    "delete": ("DELETE", "/{id}", None),
    "link": ("POST", "/{id}/friends", {"friends": ["{friend}"]}),
}


async def write(client: httpx.AsyncClient, kind: str, model: str, known: str, friend: str) -> httpx.Response:
    method, path, body = WRITES[kind]
    if kind == "link":
        body = {"friends": [friend]}
    return await client.request(method, f"/{model}{path.format(id=known)}/", json=body)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """MongoEngine's own writes are given up as early as the drivers'."""
    monkeypatch.setattr(worker, "TIMEOUT_SECONDS", 1.0)


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_connection_that_is_cut_after_the_write_was_sent_on_either_driver(
    driver: str, wire: Wire, connect: Connect, serve: Serve
) -> None:
    client = serve(routes(connect(wire.uri + SOON)(driver)))
    known = (await client.post("/person/", json={"name": "Ann"})).headers["X-Created-Id"]
    wire.cut_after(b"findAndModify", stay_down=True)
    answer = await client.put(f"/person/{known}/", json={"name": "Bob"})
    assert wire.cuts == 1
    assert_unknown(answer)


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("model", ["person", "account"])
async def test_every_write_says_that_its_outcome_is_unknown(
    model: str, kind: str, wire: Wire, connect: Connect, serve: Serve
) -> None:
    client = serve(routes(connect(wire.uri + SOON)("own")))
    known = (await client.post(f"/{model}/", json={"name": "Ann"})).headers["X-Created-Id"]
    friend = (await client.post("/person/", json={"name": "Eve"})).headers["X-Created-Id"]
    await client.get(f"/{model}/")
    wire.cut_after(WRITE_COMMANDS[model][kind], stay_down=True)
    answer = await write(client, kind, model, known, friend)
    assert wire.cuts == 1
    assert_unknown(answer)


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("kind", ["insert", "delete"])
async def test_a_write_that_is_not_answered_in_time(kind: str, wire: Wire, connect: Connect, serve: Serve) -> None:
    client = serve(routes(connect(wire.uri + SOON)("own")))
    known = (await client.post("/person/", json={"name": "Ann"})).headers["X-Created-Id"]
    wire.hold()
    answers = await asyncio.gather(*(write(client, kind, "person", known, known) for _ in range(3)))
    wire.release()
    for answer in answers:
        assert_unknown(answer)
    await becomes_well(client, "/person/")


@pytest.mark.usefixtures("quiet_log")
async def test_an_update_that_is_not_answered_in_time_was_not_done_or_is_unknown(
    wire: Wire, connect: Connect, serve: Serve
) -> None:
    """Updates that wait together are read first: while they are, nothing was done, and they may be sent again."""
    client = serve(routes(connect(wire.uri + SOON)("own")))
    created = [await client.post("/person/", json={"name": "Ann"}) for _ in range(5)]
    places = [each.headers["Location"] for each in created]
    wire.hold()
    answers = await asyncio.gather(*(client.put(each, json={"name": "Bob"}) for each in places))
    wire.release()
    await becomes_well(client, "/person/")
    for place, answer in zip(places, answers, strict=True):
        if "nothing was done" in answer.json()["detail"]:
            assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
            assert (await client.get(place)).json()["name"] == "Ann"
        else:
            assert_unknown(answer)


MODIFY = dict.fromkeys(WRITES, b"findAndModify")
UPDATE = dict.fromkeys(WRITES, b"\x02update\x00")
WRITE_COMMANDS = {
    "person": {**MODIFY, "insert": b"\x02insert\x00"},
    "account": {**UPDATE, "insert": b"\x02insert\x00", "delete": b"\x02delete\x00"},
}


@pytest.mark.usefixtures("quiet_log")
@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("model", ["person", "account"])
async def test_a_write_concern_that_is_not_met(
    model: str, kind: str, wire: Wire, connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (Person, Account):  # making indexes, too, would wait for the second member that is not there
        monkeypatch.setitem(each._meta, "auto_create_index", False)
    database = connect(wire.uri + "&w=2&wtimeoutMS=100")("own")
    ann, eve = ObjectId(), ObjectId()
    with pymongo.MongoClient[dict[str, Any]](wire.uri) as sure:
        for each in (Person, Account):
            sure[each._get_db().name][each._get_collection_name()].insert_many([{"_id": ann}, {"_id": eve}])
    assert_unknown(await write(serve(routes(database)), kind, model, str(ann), str(eve)))


@pytest.mark.parametrize("model", ["person", "account"])
@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_write_that_the_driver_repeats_happens_once_and_says_so(
    driver: str, model: str, wire: Wire, connect: Connect, serve: Serve
) -> None:
    client = serve(routes(connect(wire.uri)(driver)))
    await client.get(f"/{model}/")
    wire.cut_after(b"\x02insert\x00", stay_down=False)
    answer = await client.post(f"/{model}/", json={"name": "Ann"})
    assert (wire.cuts, answer.status_code) == (1, 201)
    assert len((await client.get(f"/{model}/")).json()) == 1


@pytest.mark.usefixtures("quiet_log")
async def test_a_link_that_was_made_is_no_failure_when_the_linked_cannot_be_read_afterwards(
    wire: Wire, connect: Connect, serve: Serve
) -> None:
    client = serve(routes(connect(wire.uri + SOON)("own")))
    friend = (await client.post("/person/", json={"name": "Eve"})).headers["X-Created-Id"]
    known = (await client.post("/team/", json={"name": "Red"})).headers["X-Created-Id"]
    wire.down_after(b"findAndModify")
    answer = await client.post(f"/team/{known}/members/", json={"members": [friend]})
    assert answer.status_code == 200


class Logged(mongoengine.Document):
    """Writes a second document whenever it is saved."""

    name = mongoengine.StringField()

    def save(self, *args: Any, **kwargs: Any) -> Any:
        saved = super().save(*args, **kwargs)
        Person(name="log").save()
        return saved


@pytest.mark.usefixtures("quiet_log")
async def test_a_save_that_wrote_before_the_database_went_away_is_not_called_undone(
    wire: Wire, connect: Connect, serve: Serve
) -> None:
    database = connect(wire.uri + SOON)("own")
    client = serve(bzz.ModelHive.routes_for("mongoengine", Logged, database=database))
    known = (await client.post("/logged/", json={"name": "Ann"})).headers["X-Created-Id"]
    wire.down_after(b"\x02update\x00")
    assert_unknown(await client.put(f"/logged/{known}/", json={"name": "Bob"}))

"""Arrays and selections while the database fails, or its primary steps down: all or none, and an honest answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import mongoengine as me
import pymongo
import pytest

import bzz
from bzz.providers.mongoengine.client import close as close_clients
from tests.conftest import Serve
from tests.faults.replicas import ReplicaSet

APP = "bulk"
TRANSIENT = ["TransientTransactionError"]
UNKNOWN = ["UnknownTransactionCommitResult"]
ROWS = [{"number": number} for number in range(20)]


class BulkDock(me.Document):
    name = me.StringField()


class BulkParcel(me.Document):
    number = me.IntField(unique=True, required=True)
    label = me.StringField()
    dock = me.ReferenceField(BulkDock)


class Yard:
    """The application, what its database holds, and the server that fails on demand."""

    def __init__(self, client: httpx.AsyncClient, replicas: ReplicaSet, stored: Any) -> None:
        self.client = client
        self._replicas = replicas
        self._stored = stored
        self.created: list[int] = []

    def fail(self, command: str, mode: Any = "alwaysOn", **how: Any) -> None:
        self._replicas.primary().fail("failCommand", mode, failCommands=[command], appName=APP, **how)

    def mend(self) -> None:
        self._replicas.primary().fail("failCommand", "off")

    def numbers(self) -> list[int]:
        return sorted(each["number"] for each in self._stored["bulk_parcel"].find())


async def opened(replicas: ReplicaSet, database: str, serve: Serve) -> AsyncIterator[Yard]:
    uri = f"{replicas.uri}&appName={APP}&heartbeatFrequencyMS=500&timeoutMS=8000"
    me.connect(db=database, host=uri, uuidRepresentation="standard")
    client = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model) for model in (BulkParcel, BulkDock)]))
    with pymongo.MongoClient[Any](replicas.uri) as beside:
        yard = Yard(client, replicas, beside[database])

        def note(sender: type, instance: Any) -> None:
            yard.created.append(instance.number)

        with bzz.signals.post_create_instance.connected_to(note, BulkParcel):
            await client.get("/bulk_parcel/")
            await client.get("/bulk_dock/")
            yield yard
        replicas.primary().fail("failCommand", "off")
        await close_clients()
        me.disconnect_all()
        beside.drop_database(database)


@pytest.fixture
async def yard(fallible: ReplicaSet, database: str, serve: Serve) -> AsyncIterator[Yard]:
    async for each in opened(fallible, database, serve):
        yield each


def assert_nothing_was_done(answer: httpx.Response) -> None:
    assert (answer.status_code, "nothing was done" in answer.text, "Retry-After" in answer.headers) == (503, True, True)


@pytest.mark.parametrize("code", [13, 91, 112, 8000])
async def test_a_transaction_that_fails_before_its_commit_is_a_503_and_safe_to_repeat(yard: Yard, code: int) -> None:
    yard.fail("insert", errorCode=code)
    assert_nothing_was_done(await yard.client.post("/bulk_parcel/", json=ROWS))
    assert (yard.numbers(), yard.created) == ([], [])
    yard.mend()
    assert (await yard.client.post("/bulk_parcel/", json=ROWS)).status_code == 201


async def test_a_transaction_that_fails_for_the_moment_is_made_again(yard: Yard) -> None:
    yard.fail("insert", {"times": 2}, errorCode=112, errorLabels=TRANSIENT)
    assert (await yard.client.post("/bulk_parcel/", json=ROWS)).status_code == 201
    assert yard.numbers() == yard.created == [row["number"] for row in ROWS]


async def test_a_commit_whose_result_is_unknown_is_asked_for_again(yard: Yard) -> None:
    yard.fail("commitTransaction", {"times": 3}, errorCode=91, errorLabels=UNKNOWN)
    assert (await yard.client.post("/bulk_parcel/", json=ROWS)).status_code == 201
    assert yard.numbers() == yard.created == [row["number"] for row in ROWS]


async def test_a_commit_whose_result_stays_unknown_is_said_to_be(yard: Yard) -> None:
    yard.fail("commitTransaction", writeConcernError={"code": 64, "errmsg": "not yet"})
    answer = await yard.client.post("/bulk_parcel/", json=ROWS)
    assert (answer.status_code, "unknown" in answer.json()["detail"]) == (503, True)
    assert "Retry-After" not in answer.headers
    assert (len(yard.numbers()), yard.created) == (len(ROWS), [])


@pytest.mark.parametrize("prefer", ["handling=strict", "handling=lenient"])
async def test_references_that_cannot_be_looked_up_are_a_503_with_nothing_done(yard: Yard, prefer: str) -> None:
    dock = (await yard.client.post("/bulk_dock/", json={"name": "a"})).json()["id"]
    yard.fail("find", errorCode=8000)
    rows = [{**row, "dock": dock} for row in ROWS]
    answer = await yard.client.post("/bulk_parcel/", json=rows, headers={"Prefer": prefer})
    yard.mend()
    if prefer == "handling=lenient":
        assert {each["status"] for each in answer.json()} == {503}
    else:
        assert_nothing_was_done(answer)
    assert yard.numbers() == []


async def test_a_selection_ends_at_the_document_for_which_the_database_was_away(yard: Yard) -> None:
    await yard.client.post("/bulk_parcel/", json=ROWS)
    yard.fail("findAndModify", {"skip": 2}, errorCode=8000)
    answer = await yard.client.delete("/bulk_parcel/?number__lt=10", headers={"Prefer": "max-affected=10"})
    yard.mend()
    assert [each["status"] for each in answer.json()] == [200, 200, *[503] * 8]
    assert "unknown" in answer.json()[2]["detail"]
    assert all("not tried" in each["detail"] for each in answer.json()[3:])
    assert yard.numbers() == list(range(2, 20))


@pytest.mark.parametrize("command", ["insert", "commitTransaction"])
async def test_a_primary_that_steps_down_within_a_transaction_stores_all_or_none(
    replicas: ReplicaSet, database: str, serve: Serve, command: str
) -> None:
    async for yard in opened(replicas, database, serve):
        primary = replicas.primary()
        yard.fail(command, {"times": 1}, blockConnection=True, blockTimeMS=1500)
        posting = asyncio.ensure_future(yard.client.post("/bulk_parcel/", json=ROWS))
        await asyncio.to_thread(primary.run, "waitForFailPoint", "failCommand", timesEntered=1, maxTimeMS=5000)
        await asyncio.to_thread(primary.run, "replSetStepDown", 10, force=True)
        answer = await posting
        await asyncio.to_thread(replicas.wait_until_whole)
        numbers = [row["number"] for row in ROWS]
        if answer.status_code == 201:
            assert yard.numbers() == yard.created == numbers
        else:
            assert (answer.status_code, yard.created) == (503, [])
            assert yard.numbers() == [] if "nothing was done" in answer.text else yard.numbers() in ([], numbers)
        again = await yard.client.post("/bulk_parcel/", json=ROWS)
        assert again.status_code in (201, 409)
        assert yard.numbers() == numbers

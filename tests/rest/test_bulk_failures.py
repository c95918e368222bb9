"""Arrays and selections where something fails: a receiver, a model's own code, a client that leaves, a server alone."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import mongoengine as me
import pytest
from pymongo import AsyncMongoClient
from tornado.web import HTTPError

import bzz
from bzz import signals
from bzz.errors import Conflict, Unavailable
from tests.conftest import Serve
from tests.providers.servers import running
from tests.rest.conftest import Api

LENIENT = {"Prefer": "handling=lenient"}
ROWS = [{"number": number} for number in range(1, 10)]


class Crate(me.Document):
    number = me.IntField(unique=True, required=True)
    label = me.StringField()


class Scroll(me.Document):
    """Saved by its own code, which fails for some."""

    text = me.StringField()

    def save(self, *args: Any, **kwargs: Any) -> Any:
        if self.text == "torn":
            raise RuntimeError("secret")
        if self.text == "away":
            raise Unavailable()
        return super().save(*args, **kwargs)


class Slot(me.EmbeddedDocument):
    number = me.IntField()


class Shelf(me.Document):
    name = me.StringField()
    crates = me.EmbeddedDocumentListField(Slot)


Receive = Callable[[Any, Any], None]


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Connects a receiver to a signal of crates until the test ends."""
    with ExitStack() as stack:
        yield lambda signal, receiver: stack.enter_context(signal.connected_to(receiver, Crate))


def refusing(number: int, error: Exception) -> Callable[..., None]:
    """A receiver that raises for one row."""

    def refuse(sender: type, handler: Any) -> None:
        if handler.data["number"] == number:
            raise error

    return refuse


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (HTTPError(403, reason="Not seven"), 403, {"6.*": ["Not seven"]}),
        (Conflict("Seven is out."), 409, {"6.*": ["Seven is out."]}),
        (Conflict(errors={"number": ["Out."]}), 409, {"6.number": ["Out."]}),
        (RuntimeError("secret"), 500, {"6.*": ["Internal Server Error"]}),
    ],
)
async def test_the_row_that_a_receiver_refuses_is_named_and_none_is_stored(
    api: Api, receive: Receive, error: Exception, status: int, told: Any
) -> None:
    client, sent = api(Crate), []
    receive(signals.pre_create_instance, refusing(7, error))
    receive(signals.post_create_instance, lambda sender, instance: sent.append(instance))
    answer = await client.post("/crate/", json=ROWS)
    assert (answer.status_code, answer.json()["errors"], sent) == (status, told, [])
    assert (await client.get("/crate/")).json() == []


async def test_a_row_that_a_models_own_code_fails_at_leaves_the_others_stored_and_told(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    client, sent = api(Scroll), []

    def after(sender: type, instance: Any) -> None:
        sent.append(instance.text)

    with signals.post_create_instance.connected_to(after, Scroll):
        answer = await client.post("/scroll/", json=[{"text": "a"}, {"text": "torn"}, {"text": "b"}], headers=LENIENT)
    assert (answer.status_code, [each["status"] for each in answer.json()]) == (200, [201, 500, 201])
    assert sent == ["a", "b"]
    assert ("secret" in answer.text, "secret" in caplog.text) == (False, True)


async def test_rows_after_one_for_which_the_database_was_away_are_not_tried(api: Api) -> None:
    client = api(Scroll)
    answer = await client.post("/scroll/", json=[{"text": "a"}, {"text": "away"}, {"text": "b"}], headers=LENIENT)
    assert [each["status"] for each in answer.json()] == [201, 503, 503]
    assert [each["text"] for each in (await client.get("/scroll/")).json()] == ["a"]


async def test_documents_after_one_for_which_the_database_was_away_are_not_tried(api: Api, receive: Receive) -> None:
    client, asked = api(Crate), []
    await client.post("/crate/", json=ROWS)

    async def away(sender: type, handler: Any) -> None:
        asked.append((await handler.stored()).number)
        if asked[-1] == 2:
            raise Unavailable()

    receive(signals.pre_update_instance, away)
    answer = await client.patch("/crate/?number__lt=5", json={"label": "x"}, headers={"Prefer": "max-affected=9"})
    assert [each["status"] for each in answer.json()] == [200, 503, 503, 503]
    assert asked == [1, 2]
    assert "nothing was done" in answer.json()[3]["detail"]


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
async def test_a_condition_on_one_documents_state_is_a_400_for_a_selection(api: Api, header: str) -> None:
    client = api(Crate)
    await client.post("/crate/", json=ROWS)
    headers = {"Prefer": "max-affected=9", header: '"abc"'}
    for answer in (
        await client.patch("/crate/?number=1", json={"label": "x"}, headers=headers),
        await client.delete("/crate/?number=1", headers=headers),
    ):
        assert (answer.status_code, "its own address" in answer.json()["detail"]) == (400, True)
    assert len((await client.get("/crate/?label__exists=false")).json()) == 9


async def test_a_list_of_embedded_documents_takes_no_array(api: Api) -> None:
    client = api(Shelf)
    shelf = (await client.post("/shelf/", json={"name": "a"})).json()["id"]
    answer = await client.post(f"/shelf/{shelf}/crates/", json=[{"number": 1}, {"number": 2}])
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body must be a JSON object.")
    assert (await client.get(f"/shelf/{shelf}/crates/")).json() == []
    for method in ("PATCH", "DELETE"):
        refused = await client.request(method, f"/shelf/{shelf}/crates/?number=1", headers={"Prefer": "max-affected=9"})
        assert refused.status_code == 405


@pytest.mark.parametrize("headers", [{}, LENIENT], ids=["strict", "lenient"])
async def test_an_array_of_a_client_that_leaves_is_stored_and_told_all_the_same(
    api: Api, receive: Receive, headers: dict[str, str]
) -> None:
    client, sent = api(Crate), []
    left, told = asyncio.Event(), asyncio.Event()

    async def wait(sender: type, handler: Any) -> None:
        if handler.data["number"] == 7:
            handler.request.connection.set_close_callback(partial(leave, handler))
            connection.close()
            await asyncio.wait_for(left.wait(), 5)

    def leave(handler: Any) -> None:
        handler.on_connection_close()
        left.set()

    def after(sender: type, instance: Any) -> None:
        sent.append(instance.number)
        if len(sent) == len(ROWS):
            told.set()

    receive(signals.pre_create_instance, wait)
    receive(signals.post_create_instance, after)
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 80))
    body = json.dumps(ROWS).encode()
    fields = {"Host": "x", "Content-Type": "application/json", "Content-Length": len(body), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection.sendall(f"POST /crate/ HTTP/1.1\r\n{head}\r\n".encode() + body)
    await asyncio.wait_for(told.wait(), 10)
    assert (left.is_set(), sent) == (True, [row["number"] for row in ROWS])
    assert len((await client.get("/crate/")).json()) == len(ROWS)


@pytest.fixture
async def standalone(tmp_path: Path) -> AsyncIterator[Any]:
    """A database of a server that belongs to no replica set."""
    with running(tmp_path) as port:
        me.connect("standalone", host=f"mongodb://127.0.0.1:{port}", uuidRepresentation="standard")
        async with AsyncMongoClient[Any]("127.0.0.1", port) as client:
            yield client["standalone"]
        me.disconnect_all()


@pytest.mark.slow
async def test_a_standalone_server_stores_arrays_row_by_row_only(serve: Serve, standalone: Any) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Crate, database=standalone))
    answer = await client.post("/crate/", json=ROWS)
    assert (answer.status_code, "handling=lenient" in answer.json()["detail"]) == (400, True)
    assert (await client.get("/crate/")).json() == []
    lenient = await client.post("/crate/", json=ROWS, headers=LENIENT)
    assert [each["status"] for each in lenient.json()] == [201] * len(ROWS)

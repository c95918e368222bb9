"""An array that is posted, and a write to all that a filter selects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import mongoengine as me
import pytest
from tornado.web import HTTPError

from bzz import signals
from bzz.model.bulk import MAX_ROWS
from bzz.testing import capture
from tests.rest.conftest import Api

LENIENT = {"Prefer": "handling=lenient"}


class Port(me.Document):
    code = me.StringField(primary_key=True, max_length=5)


class Bale(me.Document):
    number = me.IntField(unique=True, required=True)
    state = me.StringField(choices=("new", "sent", "lost"), default="new")
    port = me.ReferenceField(Port)
    secret = me.StringField()


class Wire(me.Document):
    """Saved by its own code, one by one."""

    text = me.StringField()

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.text = (self.text or "").upper()
        return super().save(*args, **kwargs)


class Bag(me.Document):
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is
    name = me.StringField()


class Purple(Bag):
    shade = me.IntField()


@pytest.fixture
def receive() -> Iterator[Callable[[Any, Any], None]]:
    """Connects a receiver to a signal of bales until the test ends."""
    with ExitStack() as stack:
        yield lambda signal, receiver: stack.enter_context(signal.connected_to(receiver, Bale))


Receive = Callable[[Any, Any], None]


async def stored(client: httpx.AsyncClient) -> list[Any]:
    found: list[Any] = (await client.get("/bale/?sort=number&fields=number,state&per_page=100")).json()
    return [(each["number"], each["state"]) for each in found]


# -- an array that is stored as a whole


async def test_an_array_is_stored_and_shown_in_its_order(api: Api) -> None:
    client = api(Bale)
    answer = await client.post("/bale/", json=[{"number": 2}, {"number": 1, "state": "sent"}])
    assert answer.status_code == 201
    assert [(each["number"], each["state"]) for each in answer.json()] == [(2, "new"), (1, "sent")]
    for each in answer.json():
        assert (await client.get(f"/bale/{each['id']}/")).json() == each


async def test_one_refused_row_keeps_all_from_being_stored_and_every_mistake_is_named(api: Api) -> None:
    client = api(Bale)
    answer = await client.post(
        "/bale/", json=[{"number": 1}, {"number": "x", "colour": 1}, {"number": 3}, {"state": "odd", "number": 4}, 7]
    )
    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        {
            "1.number": ["Must be an integer within 64 bits."],
            "1.colour": ["Unknown field."],
            "3.state": ["Must be one of: new, sent, lost."],
            "4.*": ["Must be an object."],
        },
    )
    assert await stored(client) == []


async def test_a_row_that_misses_what_is_required_is_named(api: Api) -> None:
    client = api(Bale)
    answer = await client.post("/bale/", json=[{"number": 1}, {"state": "new"}])
    assert (answer.status_code, answer.json()["errors"]) == (400, {"1.number": ["This field is required."]})
    assert await stored(client) == []


async def test_a_taken_value_in_the_middle_is_a_409_and_nothing_is_stored(api: Api) -> None:
    client = api(Bale)
    await client.post("/bale/", json={"number": 2})
    answer = await client.post("/bale/", json=[{"number": 1}, {"number": 2}, {"number": 3}])
    assert (answer.status_code, answer.json()["errors"]) == (409, {"1.number": ["The value is taken."]})
    assert await stored(client) == [(2, "new")]


async def test_rows_that_exclude_each_other_are_a_409(api: Api) -> None:
    client = api(Bale)
    assert (await client.post("/bale/", json=[{"number": 1}, {"number": 1}])).status_code == 409
    assert await stored(client) == []


async def test_a_reference_to_nothing_is_named_by_its_row(api: Api) -> None:
    client = api(Bale, Port)
    await client.post("/port/", json={"code": "BRREC"})
    rows = [{"number": 1, "port": "BRREC"}, {"number": 2, "port": "NOWHE"}]
    answer = await client.post("/bale/", json=rows)
    assert (answer.status_code, answer.json()["errors"]) == (400, {"1.port": ["There is no such Port."]})
    assert (await client.post("/bale/", json=rows[:1])).json()[0]["port"] == "BRREC"


async def test_an_empty_array_is_a_400(api: Api) -> None:
    answer = await api(Bale).post("/bale/", json=[])
    assert (answer.status_code, answer.json()["detail"]) == (400, "There are no rows.")


async def test_an_array_beyond_the_limit_is_refused(api: Api) -> None:
    client = api(Bale)
    answer = await client.post("/bale/", json=[{"number": each} for each in range(MAX_ROWS + 1)])
    assert (answer.status_code, str(MAX_ROWS) in answer.json()["detail"]) == (400, True)
    assert len((await client.post("/bale/", json=[{"number": n} for n in range(MAX_ROWS)])).json()) == MAX_ROWS


async def test_an_array_creates_subclasses(api: Api) -> None:
    client = api(Bag)
    answer = await client.post(
        "/bag/", json=[{"name": "a"}, {"@type": "Bag.Purple", "shade": 3}, {"@type": "Bag.Purple"}]
    )
    assert answer.status_code == 201
    assert [each.get("shade", "none") for each in answer.json()] == ["none", 3, None]
    refused = await client.post("/bag/", json=[{"name": "a"}, {"@type": "Bag.Green"}])
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["1.@type"])


async def test_what_is_saved_by_its_own_code_is_a_400_with_the_remedy(api: Api) -> None:
    client = api(Wire)
    answer = await client.post("/wire/", json=[{"text": "a"}])
    assert (answer.status_code, "Prefer: handling=lenient" in answer.json()["detail"]) == (400, True)
    lenient = await client.post("/wire/", json=[{"text": "a"}, {"text": "b"}], headers=LENIENT)
    assert [each["status"] for each in lenient.json()] == [201, 201]
    assert [each["text"] for each in (await client.get("/wire/?sort=text")).json()] == ["A", "B"]


async def test_an_array_at_another_place_is_a_400(api: Api) -> None:
    client = api(Bale)
    created = (await client.post("/bale/", json={"number": 1})).json()
    answer = await client.put(f"/bale/{created['id']}/", json=[{"number": 1}])
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body must be a JSON object.")


# -- what receivers are told


async def test_receivers_are_called_for_each_row_with_its_own_data(api: Api, receive: Receive) -> None:
    client = api(Bale)
    seen: list[Any] = []

    def before(sender: type, handler: Any) -> None:
        handler.data["state"] = "sent"
        seen.append(("pre", handler.data["number"]))

    receive(signals.pre_create_instance, before)

    async def after(sender: type, instance: Any, change: Any, handler: Any) -> None:
        seen.append(("post", instance.number, handler.data["number"], change.kind, change.diff["state"]["to"]))

    receive(signals.post_create_instance, after)

    await client.post("/bale/", json=[{"number": 1}, {"number": 2}])
    assert seen == [
        ("pre", 1),
        ("pre", 2),
        ("post", 1, 1, "created", "sent"),
        ("post", 2, 2, "created", "sent"),
    ]


async def test_events_tell_of_each_row_and_of_none_that_was_not_stored(api: Api) -> None:
    client = api(Bale)
    with capture("Bale.created") as seen:
        await client.post("/bale/", json=[{"number": 1}, {"number": 2}])
        await client.post("/bale/", json=[{"number": 3}, {"number": 2}])
    assert [each.instance.number for each in seen] == [1, 2]


async def test_a_receiver_that_refuses_one_row_refuses_all(api: Api, receive: Receive) -> None:
    client = api(Bale)

    def seven(sender: type, handler: Any) -> None:
        if handler.data["number"] == 7:
            raise HTTPError(403, reason="Not seven")

    receive(signals.pre_create_instance, seven)

    answer = await client.post("/bale/", json=[{"number": 6}, {"number": 7}])
    assert (answer.status_code, answer.json()["title"]) == (403, "Not seven")
    assert await stored(client) == []
    lenient = await client.post("/bale/", json=[{"number": 6}, {"number": 7}, {"number": 8}], headers=LENIENT)
    assert [(each["status"], each.get("title")) for each in lenient.json()] == [
        (201, None),
        (403, "Not seven"),
        (201, None),
    ]


# -- each row by itself


async def test_a_lenient_array_stores_what_can_be_stored_and_says_how_each_row_went(api: Api) -> None:
    client = api(Bale)
    await client.post("/bale/", json={"number": 2})
    rows = [{"number": 1}, {"number": 2}, {"number": "x"}, {}, {"number": 5}]
    answer = await client.post("/bale/", json=rows, headers=LENIENT)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "handling=lenient")
    first, taken, wrong, missing, last = answer.json()
    assert (first["status"], first["location"]) == (201, f"/bale/{first['id']}/")
    assert (await client.get(first["location"])).json()["number"] == 1
    assert (taken["status"], taken["errors"]) == (409, {"number": ["The value is taken."]})
    assert (wrong["status"], wrong["errors"]) == (400, {"number": ["Must be an integer within 64 bits."]})
    assert (missing["status"], missing["errors"]) == (400, {"number": ["This field is required."]})
    assert last["status"] == 201
    assert [number for number, _ in await stored(client)] == [1, 2, 5]


async def test_a_receiver_that_breaks_fails_its_row_alone(
    api: Api, receive: Receive, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(Bale)

    def broken(sender: type, handler: Any) -> None:
        if handler.data["number"] == 2:
            raise RuntimeError("secret")

    receive(signals.pre_create_instance, broken)

    answer = await client.post("/bale/", json=[{"number": 1}, {"number": 2}], headers=LENIENT)
    assert [each["status"] for each in answer.json()] == [201, 500]
    assert "secret" not in answer.text
    assert "secret" in caplog.text


async def test_arrays_that_race_for_the_same_values_store_one_of_each(api: Api) -> None:
    client = api(Bale)
    rows = [{"number": each} for each in range(20)]
    answers = await asyncio.gather(*(client.post("/bale/", json=rows, headers=LENIENT) for _ in range(4)))
    statuses = [each["status"] for answer in answers for each in answer.json()]
    assert (statuses.count(201), statuses.count(409)) == (20, 60)
    whole = await asyncio.gather(*(client.post("/bale/", json=[{"number": 50}, {"number": 51}]) for _ in range(4)))
    assert sorted(each.status_code for each in whole) == [201, 409, 409, 409]


# -- what a filter selects


async def test_a_patch_changes_what_the_filters_select(api: Api) -> None:
    client = api(Bale)
    await client.post("/bale/", json=[{"number": 1}, {"number": 2}, {"number": 3, "state": "sent"}])
    with capture("Bale.updated") as seen:
        answer = await client.patch("/bale/?state=new", json={"state": "lost"}, headers={"Prefer": "max-affected=10"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "max-affected=10")
    assert [each["status"] for each in answer.json()] == [200, 200]
    assert await stored(client) == [(1, "lost"), (2, "lost"), (3, "sent")]
    assert [each.diff for each in seen] == [{"state": {"from": "new", "to": "lost"}}] * 2


async def test_a_delete_removes_what_the_filters_select(api: Api) -> None:
    client = api(Bale)
    await client.post("/bale/", json=[{"number": each} for each in (1, 2, 3)])
    with capture("Bale.deleted") as seen:
        answer = await client.delete("/bale/?number__gte=2", headers={"Prefer": "max-affected=2"})
    assert [each["status"] for each in answer.json()] == [200, 200]
    assert await stored(client) == [(1, "new")]
    assert [each.instance.number for each in seen] == [2, 3]


@pytest.mark.parametrize(
    ("url", "prefer", "says"),
    [
        ("/bale/?state=new", "", "max-affected=N"),
        ("/bale/?state=new", "max-affected=none", "max-affected=N"),
        ("/bale/?state=new", "max-affected=1", "More than 1"),
        ("/bale/?state=new", "max-affected=100000", "at the most"),
        ("/bale/", "max-affected=9", "at least one filter"),
        ("/bale/?state=new&sort=number", "max-affected=9", "sort"),
        ("/bale/?secret=x", "max-affected=9", "secret"),
    ],
)
async def test_a_selection_that_is_not_meant_does_nothing(api: Api, url: str, prefer: str, says: str) -> None:
    client = api(Bale, hidden=["secret"])
    await client.post("/bale/", json=[{"number": 1}, {"number": 2}])
    for answer in (
        await client.delete(url, headers={"Prefer": prefer}),
        await client.patch(url, json={"state": "lost"}, headers={"Prefer": prefer}),
    ):
        assert (answer.status_code, says in answer.text) == (400, True)
    assert await stored(client) == [(1, "new"), (2, "new")]


@pytest.mark.parametrize("body", [{"state": "odd"}, {"colour": 1}, "x"])
async def test_a_patch_that_nothing_is_selected_for_is_refused_for_its_body_all_the_same(api: Api, body: Any) -> None:
    answer = await api(Bale).patch("/bale/?number=7", json=body, headers={"Prefer": "max-affected=2"})
    assert answer.status_code == 400


async def test_a_document_that_changes_meanwhile_is_left_alone(api: Api, receive: Receive) -> None:
    client = api(Bale)
    await client.post("/bale/", json=[{"number": 1}, {"number": 2}])

    async def interfere(sender: type, handler: Any) -> None:
        bale = await handler.stored()
        if bale.number == 2 and handler.data["state"] == "lost":
            await client.put(f"/bale/{bale.pk}/", json={"state": "sent"})

    receive(signals.pre_update_instance, interfere)

    answer = await client.patch("/bale/?state=new", json={"state": "lost"}, headers={"Prefer": "max-affected=2"})
    assert [each["status"] for each in answer.json()] == [200, 409]
    assert await stored(client) == [(1, "lost"), (2, "sent")]


async def test_a_selection_asks_for_each_document_whether_it_may(api: Api) -> None:
    asked: list[Any] = []

    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        asked.append((method, instance_id))
        return method != "DELETE" or instance_id is None or len(asked) > 3

    client = api(Bale, authorize=authorize)
    first, second = (await client.post("/bale/", json=[{"number": 1}, {"number": 2}])).json()
    answer = await client.delete("/bale/?state=new", headers={"Prefer": "max-affected=2"})
    assert asked == [("POST", None), ("DELETE", None), ("DELETE", first["id"]), ("DELETE", second["id"])]
    assert [each["status"] for each in answer.json()] == [403, 200]
    assert [number for number, _ in await stored(client)] == [1]

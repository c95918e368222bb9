"""What receivers may do: refuse, change what is stored, change what is shown; and what their failures lead to."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import mongoengine as me
import pytest
from tornado.web import HTTPError

from bzz import signals
from bzz.errors import Conflict, Forbidden
from bzz.signals import Signal
from tests.rest import Cabin, Engine, Harbour, Sailor, Ship, raw
from tests.rest.conftest import Api
from tests.signals.conftest import Connect

PROBLEM = "application/problem+json"


class Ledger(me.Document):
    name = me.StringField(db_field="n")
    role = me.StringField(db_field="r", default="guest")
    secret = me.StringField(db_field="s")
    boss = me.ReferenceField("self", db_field="b")
    engine = me.EmbeddedDocumentField(Engine, db_field="e")
    tags = me.ListField(me.StringField(), db_field="t")


# -- refusing

REFUSALS: list[tuple[Exception, int]] = [
    (HTTPError(403), 403),
    (HTTPError(402, reason="Pay First"), 402),
    (Forbidden("Not you."), 403),
    (Conflict(), 409),
    (ValueError("broken"), 500),
]


@pytest.mark.parametrize(("error", "status"), REFUSALS, ids=lambda each: repr(each))
async def test_a_pre_receiver_that_raises_stops_the_request(
    alone: Api, connect: Connect, error: Exception, status: int
) -> None:
    ledger = Ledger(name="a").save()

    async def refuse(sender: Any) -> None:
        await asyncio.sleep(0)
        raise error

    for what in ("get_instance", "get_list", "create_instance", "update_instance", "delete_instance"):
        connect(getattr(signals, f"pre_{what}"), refuse, sender=Ledger)
    client, place = alone(Ledger), f"/ledger/{ledger.id}/"
    for verb, where, body in (
        ("GET", place, None),
        ("GET", "/ledger/", None),
        ("POST", "/ledger/", {"name": "b"}),
        ("PUT", place, {"name": "b"}),
        ("PATCH", place, {"name": "b"}),
        ("DELETE", place, None),
        ("POST", f"{place}boss/", {"boss": str(ledger.id)}),
    ):
        answer = await client.request(verb, where, json=body)
        assert (verb, where, answer.status_code) == (verb, where, status)
        assert answer.headers["Content-Type"] == PROBLEM
        assert "broken" not in answer.text
    assert [raw(each) for each in Ledger.objects] == [{"_id": ledger.id, "n": "a", "r": "guest", "t": []}]


@pytest.mark.parametrize("verb", ["POST", "PUT"])
async def test_what_a_receiver_nests_without_end_is_refused(alone: Api, connect: Connect, verb: str) -> None:
    ledger = Ledger(name="a").save()

    def nest(sender: Any, handler: Any) -> None:
        handler.data["engine"] = handler.data

    connect(signals.pre_create_instance, nest, sender=Ledger)
    connect(signals.pre_update_instance, nest, sender=Ledger)
    where = "/ledger/" if verb == "POST" else f"/ledger/{ledger.id}/"
    answer = await alone(Ledger).request(verb, where, json={"name": "b"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body is nested deeper than 32 levels.")


async def test_the_first_that_refuses_keeps_the_later_ones_from_running(alone: Api, connect: Connect) -> None:
    ran: list[str] = []

    def first(sender: Any) -> None:
        ran.append("first")
        raise HTTPError(403)

    def second(sender: Any) -> None:
        ran.append("second")

    connect(signals.pre_create_instance, first)
    connect(signals.pre_create_instance, second)
    assert (await alone(Ledger).post("/ledger/", json={})).status_code == 403
    assert ran == ["first"]


async def test_a_refusal_comes_before_anything_is_read(alone: Api, connect: Connect) -> None:
    def refuse(sender: Any) -> None:
        raise HTTPError(403)

    connect(signals.pre_get_instance, refuse)
    connect(signals.pre_update_instance, refuse)
    client = alone(Ledger)
    nowhere = "/ledger/5f0000000000000000000000/"
    assert (await client.get(nowhere)).status_code == 403
    assert (await client.put(nowhere, json={"boss": "5f0000000000000000000000"})).status_code == 403


async def test_a_pre_receiver_may_answer_the_request_itself(alone: Api, connect: Connect) -> None:
    def answer(sender: Any, handler: Any) -> None:
        handler.set_status(202)
        handler.finish({"queued": True})

    connect(signals.pre_create_instance, answer)
    told = await alone(Ledger).post("/ledger/", json={"name": "a"})
    assert (told.status_code, told.json(), Ledger.objects.count()) == (202, {"queued": True}, 0)


# -- changing what is stored


async def test_what_a_pre_receiver_leaves_in_the_data_is_what_is_stored(api: Api, connect: Connect) -> None:
    def fill(sender: Any, handler: Any) -> None:
        assert handler.data == {"name": "ann"}
        handler.data["name"] = handler.data["name"].title()
        handler.data["secret"], handler.data["role"] = "hidden", "read-only"
        handler.data["engine"] = {"power": 7}

    connect(signals.pre_create_instance, fill)
    answer = await api(Ledger, hidden=["secret"], read_only=["role"]).post("/ledger/", json={"name": "ann"})
    stored = raw(Ledger.objects.get())
    assert (answer.status_code, answer.json()["name"], answer.json()["role"]) == (201, "Ann", "read-only")
    assert "secret" not in answer.json()
    assert (stored["n"], stored["s"], stored["r"], stored["e"]["pw"]) == ("Ann", "hidden", "read-only", 7)


async def test_the_data_may_be_replaced_as_a_whole(alone: Api, connect: Connect) -> None:
    def replace(sender: Any, handler: Any) -> None:
        handler.data = {"name": "other"}

    connect(signals.pre_create_instance, replace)
    connect(signals.pre_update_instance, replace)
    client = alone(Ledger)
    place = (await client.post("/ledger/", json={"name": "a", "tags": ["x"]})).headers["Location"]
    Ledger.objects.update(name="b")
    assert (await client.put(place, json={"tags": ["y"]})).json()["name"] == "other"
    assert Ledger.objects.get().tags == []


async def test_a_form_and_json_look_the_same_to_receivers(alone: Api, connect: Connect) -> None:
    seen: list[Any] = []

    def look(sender: Any, handler: Any) -> None:
        seen.append(handler.data)

    connect(signals.pre_create_instance, look)
    client = alone(Ledger)
    await client.post("/ledger/", json={"name": "a b", "engine": {"power": 3}, "tags": ["x"]})
    await client.post("/ledger/", data={"name": "a b", "engine.power": "3", "tags[]": "x"})
    assert seen[0] == seen[1] == {"name": "a b", "engine": {"power": 3}, "tags": ["x"]}


async def test_hidden_and_read_only_fields_may_be_set_in_updates_too(api: Api, connect: Connect) -> None:
    ledger = Ledger(name="a").save()

    def fill(sender: Any, handler: Any) -> None:
        handler.data["secret"], handler.data["role"] = "s", "admin"

    connect(signals.pre_update_instance, fill)
    client = api(Ledger, hidden=["secret"], read_only=["role"])
    answer = await client.patch(f"/ledger/{ledger.id}/", json={})
    assert (answer.status_code, answer.json()["role"], raw(ledger)["s"]) == (200, "admin", "s")


@pytest.mark.parametrize(
    ("name", "value"), [("name", 7), ("zz", 1), ("boss", "5f0000000000000000000000"), ("tags", "x")]
)
async def test_what_a_receiver_leaves_is_validated(alone: Api, connect: Connect, name: str, value: Any) -> None:
    def spoil(sender: Any, handler: Any) -> None:
        handler.data[name] = value

    connect(signals.pre_create_instance, spoil)
    answer = await alone(Ledger).post("/ledger/", json={})
    assert (answer.status_code, [each.partition(".")[0] for each in answer.json()["errors"]]) == (400, [name])


async def test_a_receiver_may_change_what_is_linked_and_attached(alone: Api, connect: Connect) -> None:
    ann, bea = Sailor(name="Ann").save(), Sailor(name="Bea").save()
    ship = Ship(name="Argo").save()

    def other_crew(sender: Any, handler: Any) -> None:
        handler.data = {"crew": [str(bea.id)]}

    def bigger(sender: Any, handler: Any) -> None:
        handler.data["size"] = 9

    connect(signals.pre_create_instance, other_crew, sender=Sailor)
    connect(signals.pre_create_instance, bigger, sender=Cabin)
    client = alone(Ship)
    await client.post(f"/ship/{ship.id}/crew/", json={"crew": [str(ann.id)]})
    await client.post(f"/ship/{ship.id}/cabins/", json={"code": "A"})
    assert (raw(ship)["cr"], raw(ship)["c"][0]["s"]) == ([bea.id], 9)


# -- changing what is shown


async def test_post_get_receivers_change_what_is_shown_and_nothing_else(api: Api, connect: Connect) -> None:
    ledger = Ledger(name="a", tags=["x"]).save()

    async def one(sender: Any, instance: Any) -> None:
        instance.name = "shown"
        instance.tags.append("more")

    def many(sender: Any, items: Any) -> None:
        for each in items:
            each.name = "listed"

    connect(signals.post_get_instance, one)
    connect(signals.post_get_list, many)
    client = api(Ledger)
    shown = (await client.get(f"/ledger/{ledger.id}/")).json()
    assert (shown["name"], shown["tags"], shown["boss"]) == ("shown", ["x", "more"], None)
    assert [each["name"] for each in (await client.get("/ledger/")).json()] == ["listed"]
    assert raw(ledger) == {"_id": ledger.id, "n": "a", "r": "guest", "t": ["x"]}


async def test_a_receiver_may_take_items_out_put_in_and_turn_them(alone: Api, connect: Connect) -> None:
    for name in "abc":
        Ledger(name=name).save()

    def change(sender: Any, items: list[Any]) -> None:
        items[:] = [items[2], items[0], Ledger(name="new")]

    connect(signals.post_get_list, change)
    assert [each["name"] for each in (await alone(Ledger).get("/ledger/")).json()] == ["c", "a", "new"]


async def test_what_receivers_changed_has_an_entity_tag_of_its_own(alone: Api, connect: Connect) -> None:
    ledger = Ledger(name="a").save()
    client, place = alone(Ledger), f"/ledger/{ledger.id}/"
    plain = (await client.get(place)).headers["ETag"]

    def rename(sender: Any, instance: Any) -> None:
        instance.name = "b"

    connect(signals.post_get_instance, rename)
    changed = await client.get(place, headers={"If-None-Match": plain})
    assert (changed.status_code, changed.headers["ETag"] != plain) == (200, True)
    assert (await client.get(place, headers={"If-None-Match": changed.headers["ETag"]})).status_code == 304
    assert (await client.put(place, json={}, headers={"If-Match": changed.headers["ETag"]})).status_code == 200


@pytest.mark.parametrize("error", [HTTPError(403), ValueError("broken"), Forbidden()], ids=repr)
async def test_a_post_get_receiver_that_raises_shows_no_data(alone: Api, connect: Connect, error: Exception) -> None:
    ledger = Ledger(name="top secret").save()

    def fail(sender: Any) -> None:
        raise error

    connect(signals.post_get_instance, fail)
    connect(signals.post_get_list, fail)
    client = alone(Ledger)
    for place in (f"/ledger/{ledger.id}/", "/ledger/"):
        answer = await client.get(place)
        wanted = 500 if isinstance(error, ValueError) else 403
        assert (answer.status_code, answer.headers["Content-Type"], "secret" in answer.text) == (wanted, PROBLEM, False)
        assert "ETag" not in answer.headers


async def test_hidden_fields_stay_hidden_whatever_a_receiver_sets(alone: Api, connect: Connect) -> None:
    ledger = Ledger(name="a", secret="x").save()

    def touch(sender: Any, instance: Any) -> None:
        assert instance.secret == "x"
        instance.secret = "y"

    connect(signals.post_get_instance, touch)
    assert "secret" not in (await alone(Ledger, hidden=["secret"]).get(f"/ledger/{ledger.id}/")).json()


# -- after a write


@pytest.mark.parametrize("error", [HTTPError(403), ValueError("broken"), Conflict()], ids=repr)
async def test_a_post_receiver_of_a_write_that_raises_is_logged_and_undoes_nothing(
    api: Api, connect: Connect, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    ran: list[str] = []

    def fail(sender: Any) -> None:
        raise error

    async def later(sender: Any, instance: Any) -> None:
        ran.append(instance.name)

    posts: list[Signal] = [
        signals.post_create_instance,
        signals.post_update_instance,
        signals.post_delete_instance,
    ]
    for signal in posts:
        connect(signal, fail)
        connect(signal, later)
    client = api(Ledger)
    with caplog.at_level(logging.ERROR, "bzz.signals"):
        created = await client.post("/ledger/", json={"name": "a"})
        place = created.headers["Location"]
        changed = await client.put(place, json={"name": "b"})
        deleted = await client.delete(place)
    assert (created.status_code, changed.status_code, deleted.status_code) == (201, 200, 204)
    assert (created.json()["name"], changed.json()["name"], ran) == ("a", "b", ["a", "b", "b"])
    logged = [each for each in caplog.records if each.name == "bzz.signals"]
    assert [each.exc_info and each.exc_info[1] for each in logged] == [error, error, error]


async def test_a_receiver_that_awaits_a_cancelled_task_leaves_the_client_its_success(
    alone: Api, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async def await_cancelled(sender: Any) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    connect(signals.post_create_instance, await_cancelled)
    assert (await alone(Ledger).post("/ledger/", json={"name": "a"})).status_code == 201
    assert "waited for something that was cancelled" in caplog.text


async def test_a_post_receiver_of_a_write_may_set_headers(alone: Api, connect: Connect) -> None:
    def mark(sender: Any, handler: Any) -> None:
        handler.set_header("X-Heard", "yes")

    connect(signals.post_create_instance, mark)
    assert (await alone(Ledger).post("/ledger/", json={})).headers["X-Heard"] == "yes"


async def test_a_listener_that_fails_after_linking_does_not_undo_it(alone: Api, connect: Connect) -> None:
    ann, ship = Sailor(name="Ann").save(), Ship(name="Argo").save()

    def fail(sender: Any) -> None:
        raise ValueError

    connect(signals.post_create_instance, fail)
    connect(signals.post_delete_instance, fail)
    client = alone(Ship)
    assert (await client.post(f"/ship/{ship.id}/crew/", json={"crew": [str(ann.id)]})).status_code == 200
    assert (await client.delete(f"/ship/{ship.id}/crew/{ann.id}/")).status_code == 204


# -- nobody listens


async def test_without_receivers_no_document_is_built(api: Api, built: list[Any]) -> None:
    rio = Harbour(code="RIO").save()
    ledger = Ledger(name="a").save()
    sailor = Sailor(name="a").save()
    client = api(Ledger, Sailor)
    await client.get("/ledger/")  # indexes are made at the first use
    await client.get("/sailor/")
    place = f"/ledger/{ledger.id}/"
    for verb, where, body in (
        ("GET", place, None),
        ("GET", "/ledger/", None),
        ("POST", "/ledger/", {"name": "x"}),
        ("PUT", place, {"name": "y"}),
        ("PATCH", place, {"name": "z"}),
        ("POST", f"{place}boss/", {"boss": str(ledger.id)}),
        ("GET", f"{place}boss/", None),
        ("DELETE", f"{place}boss/", None),
        ("DELETE", place, None),
        ("PUT", f"/sailor/{sailor.id}/", {"home": rio.code}),
    ):
        assert (await client.request(verb, where, json=body)).status_code // 100 == 2
    assert built == []


async def test_a_receiver_for_another_model_builds_no_document(api: Api, connect: Connect, built: list[Any]) -> None:
    def listen(sender: Any) -> None:
        raise AssertionError(sender)

    ledger = Ledger(name="a").save()
    client = api(Ledger)
    for signal in (signals.post_get_instance, signals.post_get_list, signals.post_update_instance):
        connect(signal, listen, sender=Ship)
    await client.get("/ledger/")
    await client.get(f"/ledger/{ledger.id}/")
    await client.put(f"/ledger/{ledger.id}/", json={"name": "b"})
    assert built == []


async def test_an_instance_never_asks_the_database_behind_a_receivers_back(alone: Api, connect: Connect) -> None:
    bea = Ledger(name="b").save()
    ledger = Ledger(name="a", boss=bea).save()
    seen: list[Any] = []

    def look(sender: Any, instance: Any) -> None:
        seen.append(instance.boss)

    connect(signals.post_get_instance, look)
    answer = await alone(Ledger).get(f"/ledger/{ledger.id}/")
    assert getattr(seen[0], "id", seen[0]) == bea.id
    assert not isinstance(seen[0], Ledger)
    assert answer.json()["boss"] == str(bea.id)

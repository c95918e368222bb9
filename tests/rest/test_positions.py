"""An edit by position goes through only while the item is the one that the request found."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz import signals
from bzz.providers.mongoengine import conditional_writes, nested, provider
from tests.conftest import Driver, Serve
from tests.rest import raw


class Stop(me.EmbeddedDocument):
    """Has no id: a position names it."""

    name = me.StringField()
    seen = me.IntField(default=0)


class Leg(me.EmbeddedDocument):
    """Has an id, and items without one."""

    key = me.StringField(primary_key=True)
    stops = me.ListField(me.EmbeddedDocumentField(Stop))


class Voyage(me.Document):
    stops = me.ListField(me.EmbeddedDocumentField(Stop))
    legs = me.ListField(me.EmbeddedDocumentField(Leg))


class Branch(me.EmbeddedDocument):
    """Holds branches of its own kind."""

    name = me.StringField()
    branches = me.ListField(me.EmbeddedDocumentField("self"))


class Growth(me.Document):
    branches = me.ListField(me.EmbeddedDocumentField(Branch))


class SavedVoyage(me.Document):
    """Is written by MongoEngine itself."""

    stops = me.ListField(me.EmbeddedDocumentField(Stop))

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


MODELS: dict[str, Any] = {"voyage": Voyage, "saved_voyage": SavedVoyage}
MOVED = "The item at this position is not the one that was there a moment ago; read the list again."


def start(serve: Serve, database: Any) -> httpx.AsyncClient:
    routes = [bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in MODELS.values()]
    return serve(bzz.flatten(routes))


class Meddler:
    """Writes to a collection, as another process does, between what a request reads and what it writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, model: Any, *updates: Any) -> None:
        original = conditional_writes.edit

        async def edit(location: Any, make: Any) -> Any:
            for module in (provider, nested):
                monkeypatch.setattr(module, "edit", original)
            for update in updates:
                model._get_collection().update_one({"_id": location.raw["_id"]}, update)
            return await original(location, make)

        for module in (provider, nested):
            monkeypatch.setattr(module, "edit", edit)


SHIFTS: dict[str, list[Any]] = {
    "removed": [{"$pull": {"stops": {"name": "a"}}}],
    "inserted": [{"$push": {"stops": {"$each": [{"name": "z", "seen": 0}], "$position": 0}}}],
    "emptied": [{"$set": {"stops": []}}],
    "changed": [{"$set": {"stops.1.name": "B"}}],
    "gone": [{"$unset": {"stops": ""}}],
}


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_an_item_that_moved_meanwhile_is_not_edited(
    serve: Serve, driver: Driver, monkeypatch: pytest.MonkeyPatch, model: str, shift: str, method: str
) -> None:
    client = start(serve, driver())
    voyage = MODELS[model](stops=[Stop(name=each) for each in "abc"]).save()
    Meddler(monkeypatch, MODELS[model], *SHIFTS[shift])
    body = {"seen": 1} if method == "PUT" else None
    answer = await client.request(method, f"/{model}/{voyage.id}/stops/1/", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (409, MOVED)
    assert all(each["seen"] == 0 for each in raw(voyage).get("stops", ()))


@pytest.mark.parametrize("model", MODELS)
async def test_neighbours_that_change_meanwhile_do_not_matter(
    serve: Serve, driver: Driver, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    client = start(serve, driver())
    voyage = MODELS[model](stops=[Stop(name=each) for each in "abc"]).save()
    Meddler(monkeypatch, MODELS[model], {"$set": {"stops.0.name": "A"}}, {"$push": {"stops": {"name": "d", "seen": 0}}})
    with signals.post_update_instance.connected_to(lambda sender, updated_fields: told.append(updated_fields), Stop):
        told: list[Any] = []
        answer = await client.put(f"/{model}/{voyage.id}/stops/1/", json={"seen": 1})
    assert answer.status_code == 200, answer.text
    assert [(each["name"], each["seen"]) for each in raw(voyage)["stops"]] == [("A", 0), ("b", 1), ("c", 0), ("d", 0)]
    assert told == [{"seen": {"from": 0, "to": 1}}]


async def test_an_item_of_an_item_with_an_id_is_found_where_that_is_now(
    serve: Serve, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start(serve, driver())
    legs = [Leg(key=each, stops=[Stop(name=each)]) for each in "abc"]
    voyage = Voyage(legs=legs).save()
    Meddler(monkeypatch, Voyage, {"$pull": {"legs": {"_id": "a"}}})
    answer = await client.put(f"/voyage/{voyage.id}/legs/c/stops/0/", json={"seen": 1})
    assert answer.status_code == 409
    Meddler(monkeypatch, Voyage, {"$pull": {"legs": {"_id": "b"}}})
    answer = await client.post(f"/voyage/{voyage.id}/legs/c/stops/", json={"name": "new"})
    assert answer.status_code == 201, answer.text
    assert [(each["_id"], len(each["stops"])) for each in raw(voyage)["legs"]] == [("c", 2)]


async def test_a_write_into_an_embedded_document_that_is_removed_meanwhile_does_not_bring_it_back(
    serve: Serve, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start(serve, driver())
    voyage = Voyage(legs=[Leg(key="a"), Leg(key="b")]).save()
    Meddler(monkeypatch, Voyage, {"$pull": {"legs": {"_id": "a"}}})
    answer = await client.post(f"/voyage/{voyage.id}/legs/a/stops/", json={"name": "new"})
    assert answer.status_code == 404
    assert [each["_id"] for each in raw(voyage)["legs"]] == ["b"]


async def test_removals_by_position_remove_what_was_found(serve: Serve, driver: Driver) -> None:
    client = start(serve, driver())
    voyage = Voyage(stops=[Stop(name=str(number)) for number in range(40)]).save()
    told: list[str] = []

    def keep(sender: type, instance: Any) -> None:
        told.append(instance.name)

    with signals.post_delete_instance.connected_to(keep, Stop):
        urls = [f"/voyage/{voyage.id}/stops/{number}/" for number in range(20)]
        answers = await asyncio.gather(*(client.delete(each) for each in urls))
    assert {each.status_code for each in answers} <= {204, 409}
    left = {each["name"] for each in raw(voyage)["stops"]}
    assert sorted(told) == sorted({str(number) for number in range(40)} - left)
    assert len(told) == sum(each.status_code == 204 for each in answers)


async def test_one_of_two_equal_items_is_removed(serve: Serve, driver: Driver) -> None:
    client = start(serve, driver())
    voyage = Voyage(stops=[Stop(name="a"), Stop(name="a"), Stop(name="b")]).save()
    assert (await client.delete(f"/voyage/{voyage.id}/stops/0/")).status_code == 204
    assert [each["name"] for each in raw(voyage)["stops"]] == ["a", "b"]


@pytest.mark.parametrize("depth", [1, 2, 11, 12, 13, 14])
async def test_an_item_at_any_depth_is_removed_alone(serve: Serve, driver: Driver, depth: int) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Growth, database=driver()))
    branches = [Branch(name="a"), Branch(name="b"), Branch(name="c")]
    for _ in range(depth - 1):
        branches = [Branch(name="other"), Branch(name="way", branches=branches)]
    growth = Growth(branches=branches).save()
    way = "/".join(["branches/1"] * depth)
    assert (await client.delete(f"/growth/{growth.id}/{way}/")).status_code == 204
    left = raw(growth)
    for _ in range(depth - 1):
        left = left["branches"][1]
    assert [each["name"] for each in left["branches"]] == ["a", "c"]

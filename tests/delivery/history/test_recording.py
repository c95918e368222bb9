"""Every change of a document is recorded: from, to, when, and who."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import mongoengine as me

import bzz
from bzz.delivery.history.recorder import recorder_of
from tests.conftest import Driver
from tests.delivery.conftest import eventually, listening


class SettlerHome(me.EmbeddedDocument):
    city = me.StringField()
    zip = me.StringField()


class SettlerRemark(me.EmbeddedDocument):
    text = me.StringField()


class Settler(me.Document):
    name = me.StringField()
    age = me.IntField()
    address = me.EmbeddedDocumentField(SettlerHome)
    remarks = me.EmbeddedDocumentListField(SettlerRemark)
    friends = me.ListField(me.ReferenceField("self"))
    meta: ClassVar = {"allow_inheritance": True}


class Scribe(Settler):
    desk = me.IntField()


async def test_what_requests_write_is_recorded(served: Any, driver: Driver, database_name: str) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler, database=driver()))
    async with bzz.deliver():
        await listening()
        ann = await app.create("/settler/", "ann", name="Ann", age=41)
        await ann.put("bob", age=42, address={"city": "Rio"})
        last, first = await ann.signed(2)
    assert (first["kind"], first["who"], last["kind"], last["who"]) == ("created", "ann", "updated", "bob")
    assert first["diff"]["age"] == {"from": None, "to": 41}
    assert last["diff"] == {"age": {"from": 41, "to": 42}, "address.city": {"from": None, "to": "Rio"}}
    assert list(last) == ["change", "kind", "at", "who", "diff"]
    assert last["change"].startswith("settler:")
    for each in (first, last):
        assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(each["at"]) < timedelta(seconds=60)


async def test_nobody_is_known_of_what_scripts_and_the_shell_write(
    served: Any, driver: Driver, database_name: str
) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler))
    async with bzz.deliver():
        await listening()
        ann = await app.create("/settler/", "ann", name="Ann")
        settler = Settler.objects.get()
        settler.name = "Anna"
        settler.save()
        await driver()["settler"].update_one({"_id": settler.pk}, {"$set": {"name": "Anne"}})
        await ann.put("ann", name="Ann")

        async def signed() -> Any:
            found = await ann.history(4)
            return found if found[0]["who"] and found[3]["who"] else None

        found = await eventually(signed)
    assert [each["who"] for each in found] == ["ann", None, None, "ann"]
    assert [each["diff"].get("name", {}).get("to") for each in found] == ["Ann", "Anne", "Anna", "Ann"]


async def test_nobody_is_known_where_nobody_was_signed_in(served: Any, database_name: str) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler))
    async with bzz.deliver():
        await listening()
        ann = await app.create("/settler/", name="Ann")
        await ann.put(name="Anna")
        found = await ann.history(2)
        await bzz.drain()
    assert [each["who"] for each in found] == [None, None]


async def test_every_way_to_write_is_signed(served: Any, database_name: str) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler))
    async with bzz.deliver():
        await listening()
        bob = await app.create("/settler/", "bob", name="Bob")
        ann = await app.create("/settler/", "bob", name="Ann")
        headers = {"X-User": "ann"}
        url, client = ann.place, ann.client
        assert (await client.post(f"{url}remarks/", json={"text": "a"}, headers=headers)).status_code == 201
        assert (await client.put(f"{url}remarks/0/", json={"text": "b"}, headers=headers)).status_code == 200
        assert (await client.delete(f"{url}remarks/0/", headers=headers)).status_code == 204
        friend = bob.place.split("/")[-2]
        assert (await client.post(f"{url}friends/", json={"friends": [friend]}, headers=headers)).status_code == 200
        assert (await client.patch(url, json={"age": 1}, headers=headers)).status_code == 200
        assert (await client.put(f"{url}friends/{friend}/", json={"age": 2}, headers=headers)).status_code == 405
        assert (await client.delete(f"{url}friends/{friend}/", headers=headers)).status_code == 204
        prefer = {**headers, "Prefer": "max-affected=5"}
        assert (await client.patch("/settler/?name=Ann", json={"age": 3}, headers=prefer)).status_code == 200
        found = await ann.signed(8)
    assert [each["who"] for each in found] == [*["ann"] * 7, "bob"]
    names = [list(each["diff"]) for each in found]
    assert names[:-1] == [["age"], ["friends"], ["age"], ["friends"], ["remarks"], ["remarks.0.text"], ["remarks"]]


async def test_an_update_that_changes_nothing_is_no_entry(served: Any, database_name: str) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler))
    async with bzz.deliver():
        await listening()
        ann = await app.create("/settler/", "ann", name="Ann")
        await ann.put("bob", name="Ann")
        await ann.put("cid", name="Anna")
        found = await ann.signed(2)
    assert [each["who"] for each in found] == ["cid", "ann"]


async def test_documents_of_subclasses_have_a_history(served: Any, database_name: str) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler), bzz.ModelHive.routes_for("mongoengine", Scribe))
    async with bzz.deliver():
        await listening()
        scribe = await app.create("/scribe/", "ann", name="Ann", desk=1)
        await scribe.put("bob", desk=2)
        found = await scribe.signed(2)
        scribe.place = scribe.place.replace("scribe", "settler")
        assert await scribe.signed(2) == found
    assert found[0]["diff"] == {"desk": {"from": 1, "to": 2}}


async def test_the_history_of_a_deleted_document_is_not_found_and_kept(
    served: Any, driver: Driver, database_name: str
) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler))
    async with bzz.deliver():
        await listening()
        ann = await app.create("/settler/", "ann", name="Ann")
        assert (await ann.client.delete(ann.place, headers={"X-User": "bob"})).status_code == 204

        async def kept() -> Any:
            return await driver()["bzz_history"].find_one({"kind": "deleted", "who": "bob"})

        row = await eventually(kept)
        twin, answer = await ann.client.get(ann.place), await ann.client.get(f"{ann.place}history/")
    assert ["name", "Ann", None] in row["diff"]
    assert (answer.status_code, answer.json()) == (404, twin.json())


async def test_a_change_that_comes_twice_is_one_entry(served: Any, database_name: str) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler))
    recorder = recorder_of(Settler)
    assert recorder is not None
    events: list[Any] = []

    @bzz.durable("Settler.created", name="again")
    async def again(event: Any) -> None:
        events.append(event)
        await recorder.record(event)

    async with bzz.deliver():
        await listening()
        ann = await app.create("/settler/", "ann", name="Ann")
        await eventually(lambda: events)
        await recorder.record(events[0])
        assert len(await ann.signed(1)) == 1


async def test_a_diff_that_is_too_large_is_told_without_it(served: Any, database_name: str) -> None:
    bzz.history(Settler)
    app = served(bzz.ModelHive.routes_for("mongoengine", Settler))
    async with bzz.deliver():
        await listening()
        settler = Settler(name="x" * 5 * 1024 * 1024).save()
        app.place = f"/settler/{settler.pk}/"
        [found] = await app.history(1)
    assert (found["kind"], found["diff"]) == ("created", None)

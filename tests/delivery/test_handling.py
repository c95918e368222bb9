"""A durable listener is called with every stored change that it wants, whoever made it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
import mongoengine as me

import bzz
from bzz.events import Created, Deleted, FieldUpdated, Updated
from tests.conftest import Driver, Serve
from tests.delivery.conftest import Seen, eventually, listening


class Tree(me.Document):
    kind = me.StringField()
    height = me.IntField()
    meta: ClassVar = {"allow_inheritance": True}


class Oak(Tree):
    acorns = me.IntField()


async def test_what_a_script_writes_is_told(seen: Seen, database_name: str) -> None:
    bzz.durable("Tree.*", name="x", start="beginning")(seen)
    async with bzz.deliver():
        tree = Tree(kind="elm", height=1).save()
        await seen.times(1)
        tree.height = 2
        tree.save()
        tree.delete()
        await seen.times(4)
    created, updated, field, deleted = seen
    assert [type(each) for each in seen] == [Created, Updated, FieldUpdated, Deleted]
    assert (created.name, created.instance.pk, created.instance.kind) == ("Tree.created", tree.pk, "elm")
    assert (updated.diff, updated.instance.height) == ({"height": {"from": 1, "to": 2}}, 2)
    assert (field.name, field.old, field.new) == ("Tree.updated.height", 1, 2)
    assert (deleted.instance.pk, deleted.instance.height) == (tree.pk, 2)


async def test_names_of_a_model_mean_documents_of_its_subclasses_too(seen: Seen, database_name: str) -> None:
    own = Seen()
    bzz.durable("Tree.*", name="x", start="beginning")(seen)
    bzz.durable("Oak.*", name="y", start="beginning")(own)
    async with bzz.deliver():
        oak = Oak(acorns=1).save()
        await seen.times(1)
        await own.times(1)  # who still reads what is there is told of its last state alone
        oak.acorns = 2
        oak.save()
        oak.delete()
        await seen.times(4)
        await own.times(4)
    rest = ["created", "updated", "updated.acorns", "deleted"]
    assert seen.names == [f"Tree.{each}" for each in rest]
    assert own.names == [f"Oak.{each}" for each in rest]
    assert {type(each.instance) for each in seen} == {Oak}


async def test_a_collection_that_is_dropped_and_made_again_is_told_as_before(
    seen: Seen, driver: Driver, database_name: str
) -> None:
    bzz.durable("Tree.*", name="x", start="beginning")(seen)
    async with bzz.deliver():
        Tree(height=1).save()
        await seen.times(1)
        await driver()["tree"].drop()
        made = await driver()["tree"].insert_one({"_cls": "Tree", "height": 1})
        await seen.times(2)
        await driver()["tree"].update_one({"_id": made.inserted_id}, {"$set": {"height": 2}})
        await eventually(lambda: "Tree.updated.height" in seen.names)
        await driver()["tree"].delete_one({"_id": made.inserted_id})
        await eventually(lambda: seen.names[-1] == "Tree.deleted")


async def test_what_the_shell_writes_is_told(seen: Seen, driver: Driver, database_name: str) -> None:
    bzz.durable("Tree.updated", name="x")(seen)
    async with bzz.deliver():
        await listening()
        made = await driver()["tree"].insert_one({"_cls": "Tree", "kind": "elm"})
        await driver()["tree"].update_one({"_id": made.inserted_id}, {"$set": {"kind": "ash"}})
        await seen.times(1)
    assert seen[0].diff == {"kind": {"from": "elm", "to": "ash"}}


async def test_what_a_client_writes_is_told(seen: Seen, serve: Serve, driver: Driver, database_name: str) -> None:
    bzz.durable("Tree.updated.kind", name="x", when=("elm", "ash"))(seen)
    client: httpx.AsyncClient = serve(bzz.ModelHive.routes_for("mongoengine", Tree))
    async with bzz.deliver():
        await listening()
        place = (await client.post("/tree/", json={"kind": "elm"})).headers["Location"]
        for kind in ("oak", "elm", "ash"):
            assert (await client.put(place, json={"kind": kind})).status_code == 200
        await seen.times(1)
    assert (seen[0].old, seen[0].new) == ("elm", "ash")


async def test_an_event_has_the_id_and_the_time_of_its_change(seen: Seen, database_name: str, driver: Driver) -> None:
    bzz.durable("Tree.created", name="x")(seen)
    async with bzz.deliver():
        await listening()
        Tree(kind="elm").save()
        await seen.times(1)
    event = seen[0]
    assert event.id == "tree:{}.{}.{}".format(*event.change.position)
    assert timedelta() <= datetime.now(UTC) - event.occurred_at < timedelta(seconds=60)
    assert (event.attempt, event.handler, event.request_id, event.cause) == (1, None, None, None)


async def test_a_subclass_has_events_of_its_own_name(seen: Seen, database_name: str) -> None:
    bzz.durable("Oak.created", name="x", start="beginning")(seen)
    Tree(kind="elm").save()
    Oak(kind="oak", acorns=3).save()
    async with bzz.deliver():
        await seen.times(1)
    assert (seen[0].model, seen[0].instance.acorns) == (Oak, 3)


async def test_a_plain_function_may_listen(database_name: str) -> None:
    names: list[str] = []
    bzz.durable("Tree.created", name="x", start="beginning")(lambda event: names.append(event.name))
    Tree().save()
    async with bzz.deliver():
        await eventually(lambda: names == ["Tree.created"])


async def test_what_a_listener_sends_has_its_event_as_cause(seen: Seen, database_name: str) -> None:
    @bzz.durable("Tree.created", name="x", start="beginning")
    async def send(event: Any) -> None:
        await bzz.emit("tree.counted")

    bzz.on("tree.counted")(seen)
    Tree().save()
    try:
        async with bzz.deliver():
            await seen.times(1)
    finally:
        bzz.off(seen)
    assert seen[0].cause.name == "Tree.created"


async def test_two_listeners_are_each_told_everything(database_name: str) -> None:
    one, two = Seen(), Seen()
    bzz.durable("Tree.created", name="one", start="beginning")(one)
    bzz.durable("Tree.created", name="two", start="beginning")(two)
    Tree().save()
    async with bzz.deliver():
        await one.times(1)
        await two.times(1)


async def test_it_goes_on_where_it_was(seen: Seen, database_name: str) -> None:
    bzz.durable("Tree.created", name="x", start="beginning")(seen)
    first = Tree().save()
    async with bzz.deliver():
        await seen.times(1)
    second = Tree().save()
    async with bzz.deliver():
        await seen.times(2)
    assert [each.instance.pk for each in seen] == [first.pk, second.pk]


async def test_a_new_listener_is_told_what_happens_from_now_on(seen: Seen, driver: Driver, database_name: str) -> None:
    Tree().save()
    bzz.durable("Tree.created", name="x")(seen)
    async with bzz.deliver():
        await listening()
        second = Tree().save()
        await seen.times(1)
    assert seen[0].instance.pk == second.pk


async def test_a_new_listener_is_told_what_is_written_before_anything_else_happens(
    seen: Seen, driver: Driver, database_name: str
) -> None:
    bzz.durable("Tree.created", name="x")(seen)
    async with bzz.deliver():
        tree = Tree().save()
        await seen.times(1)
    assert [each.instance.pk for each in seen] == [tree.pk]


async def test_a_new_listener_may_begin_behind_a_change(seen: Seen, driver: Driver, database_name: str) -> None:
    bzz.durable("Tree.created", name="x")(seen)
    async with bzz.deliver():
        await listening()
        trees = [Tree().save() for _ in range(3)]
        await seen.times(3)
    again = Seen()
    by_id = {each.instance.pk: each.change.position for each in seen}
    bzz.durable("Tree.created", name="y", start=by_id[trees[0].pk])(again)
    async with bzz.deliver():
        await again.times(2)
    assert {each.instance.pk for each in again} == {each.pk for each in trees[1:]}

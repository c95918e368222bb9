"""``change``: every write is reported for the stored document that was written, whatever path it came by."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from bzz.change import Change
from bzz.testing import capture
from tests.rest import Berth, Cabin, Engine, Harbour, Sailor, Ship, raw
from tests.rest.conftest import Api
from tests.signals.conftest import Connect

Told = list[tuple[type, Change]]


def pair(old: Any, new: Any) -> dict[str, Any]:
    return {"from": old, "to": new}


@pytest.fixture
def told(connect: Connect) -> Told:
    """The sender and the change of every write from now on."""
    heard: Told = []

    def listen(sender: Any, change: Change) -> None:
        heard.append((sender, change))

    for name in ("create", "update", "delete"):
        connect(getattr(signals, f"post_{name}_instance"), listen)
    return heard


@pytest.fixture
def ship(database_name: str) -> Ship:
    ann, bea = Sailor(name="Ann").save(), Sailor(name="Bea").save()
    made: Ship = Ship(
        name="Argo",
        engine=Engine(power=1),
        cabins=[Cabin(code="A", size=1, berths=[Berth(deck=1), Berth(deck=2)]), Cabin(code="B")],
        captain=ann,
        crew=[ann, bea],
        tags=["x"],
    ).save()
    return made


async def test_a_created_document_is_told_from_nothing(api: Api, told: Told) -> None:
    await api(Sailor).post("/sailor/", json={"name": "Ann", "age": 3})
    ((sender, change),) = told
    assert (sender, change.model, change.id, change.kind) == (Sailor, Sailor, Sailor.objects.get().id, "created")
    assert change.diff == {
        "id": pair(None, change.id), "name": pair(None, "Ann"), "age": pair(None, 3), "friends": pair(None, []),
    }  # fmt: skip


async def test_a_deleted_document_is_told_down_to_nothing(api: Api, told: Told, database_name: str) -> None:
    sailor = Sailor(name="Ann", age=3).save()
    await api(Sailor).delete(f"/sailor/{sailor.id}/")
    ((_, change),) = told
    assert (change.model, change.id, change.kind) == (Sailor, sailor.id, "deleted")
    assert change.diff == {
        "id": pair(sailor.id, None), "name": pair("Ann", None), "age": pair(3, None), "friends": pair([], None),
    }  # fmt: skip


async def test_an_edit_inside_a_document_is_told_of_the_document(api: Api, told: Told, ship: Ship) -> None:
    client, root = api(Ship), f"/ship/{ship.id}"
    rows: list[tuple[str, str, Any, type, dict[str, Any]]] = [
        ("PUT", "/", {"tons": 4}, Ship, {"tons": pair(None, 4)}),
        ("PUT", "/engine/", {"power": 2}, Engine, {"engine.power": pair(1, 2)}),
        ("PUT", "/cabins/A/", {"size": 2}, Cabin, {"cabins.0.size": pair(1, 2)}),
        ("PATCH", "/cabins/A/berths/1/", {"deck": 3}, Berth, {"cabins.0.berths.1.deck": pair(2, 3)}),
        ("PUT", "/cabins/B/", {}, Cabin, {}),
    ]
    for verb, where, body, model, diff in rows:
        told.clear()
        assert (await client.request(verb, root + where, json=body)).status_code == 200
        ((sender, change),) = told
        assert (where, sender) == (where, model)
        assert (change.model, change.id, change.kind, change.diff) == (Ship, ship.id, "updated", diff)


async def test_items_that_come_and_go_are_told_as_the_whole_list(api: Api, told: Told, ship: Ship) -> None:
    client, (a, b) = api(Ship), ship.cabins
    await client.post(f"/ship/{ship.id}/cabins/", json={"code": "C"})
    await client.delete(f"/ship/{ship.id}/cabins/A/")
    c = Cabin(code="C")
    assert [(sender, each.model, each.kind, each.diff) for sender, each in told] == [
        (Cabin, Ship, "updated", {"cabins": pair([a, b], [a, b, c])}),
        (Cabin, Ship, "updated", {"cabins": pair([a, b, c], [b, c])}),
    ]


async def test_a_list_written_whole_is_told_item_by_item_where_the_ids_agree(api: Api, told: Told, ship: Ship) -> None:
    client, place = api(Ship), f"/ship/{ship.id}/"
    await client.put(place, json={"cabins": [{"code": "A", "size": 1, "berths": [{"deck": 1}, {"deck": 9}]},
                                             {"code": "B", "size": 7}]})  # fmt: skip
    await client.put(place, json={"cabins": [{"code": "B"}, {"code": "A"}]})
    assert told[0][1].diff == {"cabins.0.berths.1.deck": pair(2, 9), "cabins.1.size": pair(None, 7)}
    assert list(told[1][1].diff or ()) == ["cabins"]


async def test_linking_and_unlinking_are_told_of_the_document_that_refers(api: Api, told: Told, ship: Ship) -> None:
    ann, bea = ship.crew
    cid = Sailor(name="Cid").save()
    everybody, others = [ann.id, bea.id, cid.id], [bea.id, cid.id]
    client, root = api(Ship), f"/ship/{ship.id}"
    rows: list[tuple[str, str, Any, str, dict[str, Any]]] = [
        ("DELETE", "/captain/", None, "unlinked", {"captain": pair(ann.id, None)}),
        ("POST", "/captain/", {"captain": str(bea.id)}, "linked", {"captain": pair(None, bea.id)}),
        ("POST", "/crew/", {"crew": [str(cid.id)]}, "linked", {"crew": pair([ann.id, bea.id], everybody)}),
        ("DELETE", f"/crew/{ann.id}/", None, "unlinked", {"crew": pair(everybody, others)}),
    ]  # fmt: skip
    for verb, where, body, kind, diff in rows:
        told.clear()
        assert (await client.request(verb, root + where, json=body)).status_code // 100 == 2
        ((sender, change),) = told
        assert (sender, change.model, change.id, change.kind, change.diff) == (Sailor, Ship, ship.id, kind, diff)


async def test_links_that_one_request_makes_have_one_change(api: Api, told: Told, ship: Ship) -> None:
    known, made = [each.id for each in ship.crew], [Sailor(name=name).save().id for name in "xy"]
    answer = await api(Ship).post(f"/ship/{ship.id}/crew/", json={"crew": [str(each) for each in made]})
    assert answer.status_code == 200, answer.text
    (_, one), (_, other) = told
    assert one is other
    assert one.diff == {"crew": pair(known, [*known, *made])}


async def test_links_inside_an_embedded_document_are_told_of_the_root(api: Api, told: Told, ship: Ship) -> None:
    Harbour(code="RIO").save()
    client, place = api(Ship), f"/ship/{ship.id}/engine/builders/"
    assert (await client.post(place, json={"builders": ["RIO"]})).status_code == 200
    assert (await client.delete(f"{place}RIO/")).status_code == 204
    assert [(sender, each.model, each.id, each.kind, each.diff) for sender, each in told] == [
        (Harbour, Ship, ship.id, "linked", {"engine.builders": pair([], ["RIO"])}),
        (Harbour, Ship, ship.id, "unlinked", {"engine.builders": pair(["RIO"], [])}),
    ]


async def test_an_edit_through_a_reference_is_told_of_the_document_that_it_leads_to(
    api: Api, told: Told, ship: Ship
) -> None:
    await api(Ship).put(f"/ship/{ship.id}/captain/", json={"age": 40})
    ((sender, change),) = told
    assert (sender, change.model, change.id) == (Sailor, Sailor, ship.captain.id)
    assert (change.kind, change.diff) == ("updated", {"age": pair(None, 40)})


async def test_an_update_of_the_plainest_kind_is_told_too(api: Api, told: Told, database_name: str) -> None:
    harbour, client = Harbour(code="RIO", name="a").save(), api(Harbour)
    await client.put("/harbour/RIO/", json={"name": "b"})
    await client.put("/harbour/RIO/", json={})
    assert [(each.id, each.diff) for _, each in told] == [(harbour.code, {"name": pair("a", "b")}), ("RIO", {})]


async def test_what_one_receiver_does_to_the_instance_is_not_in_the_diff(
    alone: Api, connect: Connect, ship: Ship
) -> None:
    seen: list[Any] = []

    def spoil(sender: Any, instance: Any) -> None:
        instance.log["a"]["b"] = "spoilt"
        instance.tags.append("spoilt")

    def look(sender: Any, change: Change) -> None:
        seen.append({name: each["to"] for name, each in (change.diff or {}).items()})

    connect(signals.post_update_instance, spoil, sender=Ship)
    connect(signals.post_update_instance, look, sender=Ship)
    answer = await alone(Ship).put(f"/ship/{ship.id}/", json={"log": {"a": {"b": 1}}, "tags": ["y"]})
    assert (answer.status_code, seen) == (200, [{"log": {"a": {"b": 1}}, "tags": ["y"]}])


class Slip(me.EmbeddedDocument):
    text = me.StringField()


class Binder(me.Document):
    """Its items have no ids; one that somebody else stored is no document at all."""

    memos = me.ListField(me.EmbeddedDocumentField(Slip))
    title = me.StringField()


async def test_items_without_ids_are_told_one_by_one_where_there_are_equally_many(
    alone: Api, told: Told, database_name: str
) -> None:
    folder, client = Binder(memos=[Slip(text="a"), Slip(text="b")]).save(), alone(Binder)
    await client.put(f"/binder/{folder.id}/", json={"memos": [{"text": "a"}, {"text": "c"}]})
    await client.put(f"/binder/{folder.id}/", json={"memos": [{"text": "c"}]})
    assert [list(each.diff or ()) for _, each in told] == [["memos.1.text"], ["memos"]]


async def test_a_stored_item_that_is_no_document_keeps_no_change_from_being_told(
    alone: Api, told: Told, database_name: str
) -> None:
    folder, client = Binder(memos=[Slip(text="a")]).save(), alone(Binder)
    Binder._get_collection().update_one({"_id": folder.id}, {"$set": {"memos": [None, "bad", {"text": "a"}]}})
    await client.delete(f"/binder/{folder.id}/memos/2/")
    assert told[0][1].diff == {"memos": pair([None, "bad", Slip(text="a")], [None, "bad"])}


# -- events


async def test_a_nested_edit_is_an_event_of_both_models_and_of_the_field(api: Api, ship: Ship) -> None:
    with capture("*") as seen:
        await api(Ship).put(f"/ship/{ship.id}/cabins/A/", json={"size": 2})
    assert seen.names == [
        *("Cabin.updating", "Cabin.updated", "Cabin.updated.size"),
        *("Ship.updated", "Ship.updated.cabins.0.size"),
    ]
    ship_updated = seen[3]
    assert (ship_updated.instance.name, ship_updated.instance.cabins[0].size) == ("Argo", 2)
    assert (ship_updated.diff, ship_updated.arguments) == (
        {"cabins.0.size": pair(1, 2)},
        (f"ship/{ship.id}", "cabins/A"),
    )


async def test_items_that_come_and_go_are_events_of_both_models(api: Api, ship: Ship) -> None:
    client = api(Ship)
    with capture("*") as seen:
        await client.post(f"/ship/{ship.id}/cabins/", json={"code": "C"})
        await client.delete(f"/ship/{ship.id}/cabins/C/")
    assert [name for name in seen.names if not name.startswith("Ship.updated.")] == [
        *("Cabin.creating", "Cabin.created", "Ship.updated"),
        *("Cabin.deleting", "Cabin.deleted", "Ship.updated"),
    ]


async def test_a_nested_edit_that_changes_nothing_is_no_event_of_the_owner(api: Api, ship: Ship) -> None:
    with capture("Ship.*") as seen:
        await api(Ship).put(f"/ship/{ship.id}/cabins/A/", json={"size": 1})
    assert seen == []


async def test_an_edit_through_a_reference_is_an_event_of_the_document_that_it_leads_to(api: Api, ship: Ship) -> None:
    with capture("*") as seen:
        await api(Ship).put(f"/ship/{ship.id}/captain/", json={"age": 40})
    assert seen.names == ["Sailor.updating", "Sailor.updated", "Sailor.updated.age"]


async def test_nothing_is_built_for_an_owner_that_nobody_listens_for(api: Api, built: list[Any], ship: Ship) -> None:
    client = api(Ship)
    with capture("Cabin.*"):
        await client.put(f"/ship/{ship.id}/cabins/A/", json={"size": 2})
    assert set(built) == {Cabin}
    assert raw(ship)["c"][0]["s"] == 2

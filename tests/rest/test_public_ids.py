"""References by the ids that stand in URLs: in bodies, forms, links, filters and answers."""

from __future__ import annotations

import asyncio
from typing import Any

import mongoengine as me
import pytest
from pymongo import AsyncMongoClient

import bzz
from bzz import signals
from bzz.dev import MongoServer
from tests.conftest import Serve
from tests.rest.conftest import Api
from tests.rest.test_in_place import SentCommands


class Harbourmaster(me.Document):
    name = me.StringField(unique=True, db_field="nm")

    @classmethod
    def get_id_field_name(cls) -> str:
        return "name"


class Pilotage(me.EmbeddedDocument):
    by = me.ReferenceField(Harbourmaster)


class Pier(me.Document):
    code = me.StringField()
    owner = me.ReferenceField(Harbourmaster, db_field="ow")
    guards = me.ListField(me.ReferenceField(Harbourmaster))
    shifts = me.MapField(me.ReferenceField(Harbourmaster))
    pilotages = me.EmbeddedDocumentListField(Pilotage)
    sponsor = me.GenericReferenceField(choices=[Harbourmaster])


@pytest.fixture
def ann(database_name: str) -> Any:
    return Harbourmaster(name="Ann Lee").save()


@pytest.fixture
def bob(database_name: str) -> Any:
    return Harbourmaster(name="bob").save()


async def test_a_form_names_a_document_by_its_public_id(api: Api, ann: Any) -> None:
    created = await api(Pier).post("/pier/", data={"code": "team-1", "owner": "Ann Lee"})
    assert (created.status_code, created.json()["owner"]) == (201, "Ann Lee")
    assert Pier.objects.get().owner == ann


async def test_a_body_may_name_the_primary_key_too(api: Api, ann: Any) -> None:
    created = await api(Pier).post("/pier/", json={"owner": str(ann.id)})
    assert (created.status_code, created.json()["owner"]) == (201, "Ann Lee")


async def test_a_public_id_wins_over_a_primary_key_of_the_same_text(api: Api, ann: Any) -> None:
    twin = Harbourmaster(name=str(ann.id)).save()
    assert (await api(Pier).post("/pier/", json={"owner": str(ann.id)})).status_code == 201
    assert Pier.objects.get().owner == twin


EVERYWHERE = {
    "guards": ["bob", "Ann Lee"],
    "shifts": {"day.1": "bob"},
    "pilotages": [{"by": "Ann Lee"}],
    "sponsor": {"@type": "Harbourmaster", "id": "bob"},
}


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_public_ids_stand_at_any_depth(name: str, api: Api, ann: Any, bob: Any) -> None:
    sent = {name: EVERYWHERE[name]} if name != "shifts" else {"shifts": {"day": "bob"}}
    created = await api(Pier).post("/pier/", json=sent)
    assert created.status_code == 201, created.text
    assert {name: created.json()[name]} == sent


async def test_what_get_shows_put_takes_back_and_nothing_is_changed(api: Api, ann: Any, bob: Any) -> None:
    pier = Pier(owner=ann, guards=[ann, bob], pilotages=[Pilotage(by=bob)], sponsor=ann).save()
    client, place = api(Pier), f"/pier/{pier.id}/"
    shown = await client.get(place)
    back = await client.put(place, json=shown.json())
    assert (back.status_code, back.json(), back.headers["ETag"]) == (200, shown.json(), shown.headers["ETag"])


async def test_a_name_that_nobody_has_is_refused(api: Api, ann: Any) -> None:
    refused = await api(Pier).post("/pier/", json={"owner": "nobody"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["owner"])


@pytest.mark.parametrize("value", [True, 1.5, [], {}, ["x"], {"id": "x"}, 10**30, "", "a\0b"])
async def test_what_is_no_id_at_all_is_refused(value: Any, api: Api, ann: Any) -> None:
    assert (await api(Pier).post("/pier/", json={"owner": value})).status_code == 400


async def test_links_are_made_by_public_ids(api: Api, ann: Any, bob: Any) -> None:
    pier, client = Pier().save(), api(Pier)
    listed = await client.post(f"/pier/{pier.id}/guards/", json={"guards": ["bob", str(ann.id)]})
    single = await client.post(f"/pier/{pier.id}/owner/", data={"owner": "Ann Lee"})
    assert (listed.status_code, listed.json()) == (200, {"guards": ["bob", "Ann Lee"]})
    assert (single.status_code, single.json()) == (200, {"owner": "Ann Lee"})
    pier.reload()
    assert (pier.guards, pier.owner) == ([bob, ann], ann)


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("owner=Ann%20Lee", ["a"]),
        ("owner__in=Ann%20Lee,bob", ["a", "b"]),
        ("owner=nobody", []),
        ("owner__in=nobody,bob", ["b"]),
        ("owner__ne=bob", ["a", "none"]),
        ("owner__ne=nobody", ["a", "b", "none"]),
        ("owner__gt=nobody", []),
        ("owner__exists=false", ["none"]),
        ("guards=bob", ["a"]),
        ("pilotages.by=bob", ["b"]),
        ("pilotages[].by=bob", ["b"]),
        ("pilotages[].by=nobody", []),
    ],
)
async def test_filters_name_public_ids(query: str, codes: list[str], api: Api, ann: Any, bob: Any) -> None:
    Pier(code="a", owner=ann, guards=[bob]).save()
    Pier(code="b", owner=bob, pilotages=[Pilotage(by=bob)]).save()
    Pier(code="none").save()
    answer = await api(Pier).get(f"/pier/?{query}")
    assert (answer.status_code, [each["code"] for each in answer.json()]) == (200, codes)


async def test_a_filter_may_name_the_primary_key(api: Api, ann: Any) -> None:
    Pier(owner=ann).save()
    assert len((await api(Pier).get(f"/pier/?owner={ann.id}")).json()) == 1


async def test_a_dangling_reference_shows_its_primary_key(api: Api, ann: Any, bob: Any) -> None:
    pier = Pier(owner=ann, guards=[bob, ann]).save()
    ann.delete()
    client = api(Pier)
    shown = (await client.get(f"/pier/{pier.id}/")).json()
    assert (shown["owner"], shown["guards"]) == (str(ann.id), ["bob", str(ann.id)])
    assert (await client.put(f"/pier/{pier.id}/", json=shown)).json() == shown


async def test_a_rename_changes_what_is_shown_and_not_the_tag(api: Api, ann: Any) -> None:
    pier, client = Pier(owner=ann).save(), api(Pier)
    before = await client.get(f"/pier/{pier.id}/")
    ann.update(name="Ann Ray")
    after = await client.get(f"/pier/{pier.id}/")
    assert (before.json()["owner"], after.json()["owner"]) == ("Ann Lee", "Ann Ray")
    assert before.headers["ETag"] == after.headers["ETag"]


async def test_a_reader_meets_the_old_or_the_new_name_while_one_is_changed(api: Api, ann: Any) -> None:
    pier, client = Pier(owner=ann).save(), api(Pier)

    async def rename() -> None:
        for number in range(20):
            await asyncio.to_thread(ann.update, name=f"Ann {number}")

    renaming = asyncio.create_task(rename())
    seen = []
    while not renaming.done():
        seen.append((await client.get(f"/pier/{pier.id}/")).json()["owner"])
    await renaming
    assert seen
    assert set(seen) <= {"Ann Lee", *(f"Ann {number}" for number in range(20))}


async def test_a_diff_tells_primary_keys(api: Api, ann: Any, bob: Any) -> None:
    pier, told = Pier(owner=ann).save(), []

    def hear(sender: Any, *, updated_fields: Any, **more: Any) -> None:
        told.append(updated_fields)

    with signals.post_update_instance.connected_to(hear, sender=Pier):
        await api(Pier).put(f"/pier/{pier.id}/", json={"owner": "bob"})
    assert told == [{"owner": {"from": ann.id, "to": bob.id}}]


async def test_a_projection_shows_public_ids(api: Api, ann: Any) -> None:
    Pier(owner=ann).save()
    assert (await api(Pier).get("/pier/?fields=owner")).json()[0]["owner"] == "Ann Lee"


async def test_a_hidden_public_id_leaves_primary_keys(api: Api, ann: Any) -> None:
    client = api(Pier, hidden=["owner.name"])
    assert (await client.post("/pier/", json={"owner": "Ann Lee"})).status_code == 400
    created = await client.post("/pier/", json={"owner": str(ann.id)})
    assert created.json()["owner"] == str(ann.id)
    assert (await client.get("/pier/?owner=Ann%20Lee")).status_code == 400


async def test_a_page_costs_one_query_more(mongo: MongoServer, database_name: str, serve: Serve) -> None:
    people = [Harbourmaster(name=str(number)).save() for number in range(20)]
    Pier.objects.insert([Pier(owner=each, guards=people) for each in people])
    sent = SentCommands()
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongo.uri, event_listeners=[sent])
    async with client:
        served = serve(bzz.ModelHive.routes_for("mongoengine", Pier, database=client[database_name]))
        assert len((await served.get("/pier/")).json()) == 20
    assert sent.names == ["find", "find"]


async def test_a_page_without_references_costs_none(mongo: MongoServer, database_name: str, serve: Serve) -> None:
    Pier(code="alone").save()
    sent = SentCommands()
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongo.uri, event_listeners=[sent])
    async with client:
        served = serve(bzz.ModelHive.routes_for("mongoengine", Pier, database=client[database_name]))
        assert len((await served.get("/pier/")).json()) == 1
    assert sent.names == ["find"]


async def test_what_a_receiver_puts_into_an_instance_is_shown_by_its_public_id(api: Api, ann: Any, bob: Any) -> None:
    pier = Pier(owner=ann).save()

    def replace_owner(sender: Any, *, instance: Any, **more: Any) -> None:
        instance.owner = bob

    with signals.post_get_instance.connected_to(replace_owner, sender=Pier):
        assert (await api(Pier).get(f"/pier/{pier.id}/")).json()["owner"] == "bob"


async def test_nested_paths_show_public_ids(api: Api, ann: Any) -> None:
    pier, client = Pier(pilotages=[Pilotage(by=ann)]).save(), api(Pier)
    assert (await client.get(f"/pier/{pier.id}/pilotages/")).json() == [{"by": "Ann Lee"}]
    assert (await client.get(f"/pier/{pier.id}/pilotages/0/")).json() == {"by": "Ann Lee"}
    assert (await client.get(f"/pier/{pier.id}/pilotages/?by=Ann%20Lee")).json() == [{"by": "Ann Lee"}]
    created = await client.post(f"/pier/{pier.id}/pilotages/", json={"by": "Ann Lee"})
    assert (created.status_code, created.json()) == (201, {"by": "Ann Lee"})


async def test_a_read_only_reference_may_come_back_by_its_public_id(api: Api, ann: Any) -> None:
    pier, client = Pier(owner=ann).save(), api(Pier, read_only=["owner"])
    sent = {"code": "x", "owner": "Ann Lee"}
    assert (await client.put(f"/pier/{pier.id}/", json=sent)).status_code == 200
    assert (await client.put(f"/pier/{pier.id}/", json={"owner": "nobody"})).status_code == 400


async def test_more_names_than_fit_into_one_query_are_resolved(api: Api, database_name: str) -> None:
    names = [str(number) for number in range(1500)]
    Harbourmaster.objects.insert([Harbourmaster(name=name) for name in names])
    created = await api(Pier).post("/pier/", json={"guards": names})
    assert (created.status_code, created.json()["guards"]) == (201, names)


class Pinnace(me.Document):
    meta = {"allow_inheritance": True}  # noqa: RUF012  # as MongoEngine wants it
    name = me.StringField()


class PilotBoat(Pinnace):
    pilot = me.ReferenceField(Harbourmaster)


async def test_a_field_of_a_subclass_is_shown_by_the_public_id(api: Api, ann: Any) -> None:
    PilotBoat(pilot=ann).save()
    shown = (await api(Pinnace).get("/pinnace/")).json()
    assert shown[0]["pilot"] == "Ann Lee"


class Signalman(me.Document):
    name = me.StringField(unique=True)
    is_away = me.BooleanField(default=False)

    @classmethod
    def get_id_field_name(cls) -> str:
        return "name"

    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: Any, handler: Any) -> Any:
        return queryset.filter(is_away=False)


class Lamp(me.Document):
    keeper = me.ReferenceField(Signalman)


async def test_who_is_not_there_for_the_request_has_no_public_id(api: Api, database_name: str) -> None:
    here, away = Signalman(name="here").save(), Signalman(name="away", is_away=True).save()
    Lamp(keeper=here).save()
    Lamp(keeper=away).save()
    client = api(Lamp)
    assert [each["keeper"] for each in (await client.get("/lamp/")).json()] == ["here", str(away.id)]
    assert (await client.post("/lamp/", json={"keeper": "away"})).status_code == 400
    assert (await client.get("/lamp/?keeper=away")).json() == []
    assert len((await client.get("/lamp/?keeper=here")).json()) == 1


class Quay(me.Document):
    number = me.IntField(unique=True)

    @classmethod
    def get_id_field_name(cls) -> str:
        return "number"


class QuayMooring(me.Document):
    berth = me.ReferenceField(Quay)


async def test_a_public_id_may_be_a_number(api: Api, database_name: str) -> None:
    Quay(number=7).save()
    client = api(QuayMooring)
    for sent in ({"json": {"berth": 7}}, {"json": {"berth": "7"}}, {"data": {"berth": "7"}}):
        created = await client.post("/quay_mooring/", **sent)
        assert (created.status_code, created.json().get("berth")) == (201, 7)
    assert len((await client.get("/quay_mooring/?berth=7")).json()) == 3
    assert (await client.get("/quay_mooring/?berth=x")).status_code == 400

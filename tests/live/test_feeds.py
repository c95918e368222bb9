"""A feed is a list, and then every change of it: who is told what, in which order, and without a gap."""

from __future__ import annotations

import asyncio

import mongoengine as me
import pytest
from bson import ObjectId

from tests.conftest import Driver
from tests.live.conftest import Api
from tests.live.reading import Frame, following


class Swimmer(me.Document):
    name = me.StringField(required=True)
    age = me.IntField()
    home = me.StringField()
    secret = me.StringField()


class Paddle(me.EmbeddedDocument):
    id = me.ObjectIdField(default=ObjectId)
    length = me.IntField()
    wood = me.StringField()


class Tiller(me.EmbeddedDocument):
    angle = me.IntField()


class Catamaran(me.Document):
    name = me.StringField()
    tiller = me.EmbeddedDocumentField(Tiller)
    tillers = me.EmbeddedDocumentListField(Tiller)
    owner = me.ReferenceField(Swimmer)
    oars = me.EmbeddedDocumentListField(Paddle)


@pytest.fixture
def live(api: Api) -> Api:
    return lambda *models, **options: api(*models, live=True, **options)


# -- what a client gets at first


async def test_a_feed_begins_with_what_there_is(live: Api) -> None:
    client = live(Swimmer)
    ann = (await client.post("/swimmer/", json={"name": "Ann"})).json()
    async with following(client, "/swimmer/") as feed:
        assert feed.rows == {ann["id"]: ann}
        assert feed.told() == ["snapshot", "ready"]


async def test_an_empty_list_is_ready_at_once(live: Api) -> None:
    async with following(live(Swimmer), "/swimmer/") as feed:
        assert feed.told()[-1] == "ready"
        assert feed.rows == {}


async def test_a_nested_list_of_a_document_that_is_not_there_is_not_found(live: Api) -> None:
    answer = await live(Catamaran).get(f"/catamaran/{ObjectId()}/oars/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 404


async def test_head_is_answered_with_the_headers_alone(live: Api) -> None:
    answer = await live(Swimmer).head("/swimmer/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/event-stream"


async def test_without_a_snapshot_only_changes_are_told(live: Api) -> None:
    client = live(Swimmer)
    await client.post("/swimmer/", json={"name": "Ann"})
    async with following(client, "/swimmer/?snapshot=false") as feed:
        assert feed.told() == ["ready"]
        await client.post("/swimmer/", json={"name": "Bea"})
        [told] = await feed.changed(1)
        assert told["row"]["name"] == "Bea"


async def test_the_answer_says_what_it_is_and_that_nobody_may_keep_it(live: Api) -> None:
    async with following(live(Swimmer), "/swimmer/", Accept_Encoding="gzip") as feed:
        headers = feed.answer.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Accel-Buffering"] == "no"
        assert headers["Vary"] == "Accept"
        assert "Content-Encoding" not in headers
        assert headers["Bzz-Last-Event-ID"].startswith("v1.")


async def test_rows_come_in_the_order_that_is_asked_for(live: Api) -> None:
    client = live(Swimmer)
    for name in ("Bea", "Ann", "Cid"):
        await client.post("/swimmer/", json={"name": name})
    async with following(client, "/swimmer/?sort=-name") as feed:
        assert [row["name"] for row in feed.rows.values()] == ["Cid", "Bea", "Ann"]


async def test_a_long_list_comes_in_several_pieces(live: Api, driver: Driver) -> None:
    client = live(Swimmer)
    await client.get("/swimmer/")
    await driver()["swimmer"].insert_many([{"name": f"n{number}", "home": "x" * 2000} for number in range(500)])
    async with following(client, "/swimmer/") as feed:
        assert len(feed.rows) == 500
        assert feed.told().count("snapshot") > 1


# -- changes


async def test_each_change_is_told_with_the_row_and_the_diff(live: Api) -> None:
    client = live(Swimmer)
    async with following(client, "/swimmer/") as feed:
        ann = (await client.post("/swimmer/", json={"name": "Ann", "age": 3})).json()
        await client.put(f"/swimmer/{ann['id']}/", json={"age": 4})
        await client.delete(f"/swimmer/{ann['id']}/")
        created, updated, deleted = await feed.changed(3)
        assert (created["kind"], created["model"], created["id"], created["row"]) == (
            "created",
            "swimmer",
            ann["id"],
            ann,
        )
        assert created["diff"]["name"] == {"from": None, "to": "Ann"}
        assert (updated["kind"], updated["row"]) == ("updated", {**ann, "age": 4})
        assert updated["diff"] == {"age": {"from": 3, "to": 4}}
        assert (deleted["kind"], deleted["id"], deleted["row"]) == ("deleted", ann["id"], None)
        assert deleted["diff"]["age"] == {"from": 4, "to": None}
        assert feed.rows == {}


async def test_writes_by_mongoengine_and_by_the_driver_are_told_as_well(live: Api, driver: Driver) -> None:
    client = live(Swimmer)
    async with following(client, "/swimmer/") as feed:
        ann = await asyncio.to_thread(Swimmer(name="Ann").save)
        await driver()["swimmer"].update_one({"_id": ann.pk}, {"$set": {"home": "Rio"}})
        created, updated = await feed.changed(2)
        assert created["id"] == updated["id"] == str(ann.pk)
        assert updated["diff"] == {"home": {"from": None, "to": "Rio"}}


async def test_a_write_that_changes_nothing_that_is_shown_is_not_told(live: Api, driver: Driver) -> None:
    client = live(Swimmer, hidden=["secret"])
    ann = (await client.post("/swimmer/", json={"name": "Ann"})).json()
    async with following(client, "/swimmer/") as feed:
        await driver()["swimmer"].update_one({"_id": ObjectId(ann["id"])}, {"$set": {"secret": "s"}})
        await client.put(f"/swimmer/{ann['id']}/", json={"age": 1})
        [told] = await feed.changed(1)
        assert told["diff"] == {"age": {"from": None, "to": 1}}
        assert "secret" not in feed.frames[-1].data


async def test_fields_hold_in_rows_and_in_diffs(live: Api) -> None:
    client = live(Swimmer)
    ann = (await client.post("/swimmer/", json={"name": "Ann", "age": 3, "home": "Rio"})).json()
    async with following(client, "/swimmer/?fields=age") as feed:
        assert feed.rows == {ann["id"]: {"id": ann["id"], "age": 3}}
        await client.put(f"/swimmer/{ann['id']}/", json={"home": "Olinda"})
        await client.put(f"/swimmer/{ann['id']}/", json={"home": "Rio", "age": 4})
        [told] = await feed.changed(1)
        assert told["row"] == {"id": ann["id"], "age": 4}
        assert told["diff"] == {"age": {"from": 3, "to": 4}}


# -- filters


async def test_rows_enter_and_leave_a_filter(live: Api) -> None:
    client = live(Swimmer)
    ann = (await client.post("/swimmer/", json={"name": "Ann", "age": 17})).json()
    async with following(client, "/swimmer/?age__gte=18") as feed:
        assert feed.rows == {}
        for age in (18, 19, 3):
            await client.put(f"/swimmer/{ann['id']}/", json={"age": age})
        enter, updated, leave = await feed.changed(3)
        assert (enter["kind"], enter["row"]["age"], enter["diff"]) == ("enter", 18, None)
        assert (updated["kind"], updated["diff"]) == ("updated", {"age": {"from": 18, "to": 19}})
        assert leave == {"kind": "leave", "model": "swimmer", "id": ann["id"], "at": leave["at"]}


async def test_what_is_created_or_deleted_outside_of_a_filter_is_not_told(live: Api) -> None:
    client = live(Swimmer)
    async with following(client, "/swimmer/?age__gte=18") as feed:
        bea = (await client.post("/swimmer/", json={"name": "Bea", "age": 1})).json()
        await client.delete(f"/swimmer/{bea['id']}/")
        await client.post("/swimmer/", json={"name": "Ann", "age": 18})
        [told] = await feed.changed(1)
        assert (told["kind"], told["row"]["name"]) == ("created", "Ann")


@pytest.mark.parametrize(
    "query", ["page=2", "per_page=5", "after=x", "before=x", "secret=1", "snapshot=maybe", "age=x"]
)
async def test_what_a_feed_does_not_take_is_refused(live: Api, query: str) -> None:
    client = live(Swimmer, hidden=["secret"])
    answer = await client.get(f"/swimmer/?{query}", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


# -- instances and nested lists


async def test_an_instance_has_a_feed(live: Api) -> None:
    client = live(Swimmer)
    ann = (await client.post("/swimmer/", json={"name": "Ann"})).json()
    bea = (await client.post("/swimmer/", json={"name": "Bea"})).json()
    async with following(client, f"/swimmer/{ann['id']}/") as feed:
        assert feed.rows == {ann["id"]: ann}
        await client.put(f"/swimmer/{bea['id']}/", json={"age": 1})
        await client.put(f"/swimmer/{ann['id']}/", json={"age": 2})
        await client.delete(f"/swimmer/{ann['id']}/")
        updated, deleted = await feed.changed(2)
        assert (updated["id"], updated["diff"]) == (ann["id"], {"age": {"from": None, "to": 2}})
        assert deleted["kind"] == "deleted"


async def test_an_instance_that_is_not_there_has_none(live: Api) -> None:
    answer = await live(Swimmer).get(f"/swimmer/{ObjectId()}/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 404


async def test_a_list_of_embedded_documents_has_a_feed(live: Api) -> None:
    client = live(Catamaran)
    boat = (await client.post("/catamaran/", json={"name": "Tern", "oars": [{"length": 2}]})).json()
    first = boat["oars"][0]["id"]
    other = (await client.post("/catamaran/", json={"name": "Gull"})).json()
    async with following(client, f"/catamaran/{boat['id']}/oars/") as feed:
        assert list(feed.rows) == [first]
        await client.post(f"/catamaran/{other['id']}/oars/", json={"length": 9})
        second = (await client.post(f"/catamaran/{boat['id']}/oars/", json={"length": 3})).json()["id"]
        await client.put(f"/catamaran/{boat['id']}/oars/{first}/", json={"wood": "ash"})
        await client.put(f"/catamaran/{boat['id']}/", json={"name": "Erne"})
        await client.delete(f"/catamaran/{boat['id']}/oars/{second}/")
        created, updated, deleted = await feed.changed(3)
        assert (created["kind"], created["id"], created["row"]["length"]) == ("created", second, 3)
        assert (updated["id"], updated["diff"]) == (first, {"wood": {"from": None, "to": "ash"}})
        assert (deleted["kind"], deleted["id"]) == ("deleted", second)


async def test_embedded_documents_enter_and_leave_a_filter(live: Api) -> None:
    client = live(Catamaran)
    boat = (await client.post("/catamaran/", json={"oars": [{"length": 2}]})).json()
    oar = boat["oars"][0]["id"]
    async with following(client, f"/catamaran/{boat['id']}/oars/?length__gte=3") as feed:
        assert feed.rows == {}
        for length in (3, 1):
            await client.put(f"/catamaran/{boat['id']}/oars/{oar}/", json={"length": length})
        enter, leave = await feed.changed(2)
        assert (enter["kind"], enter["id"]) == ("enter", oar)
        assert (leave["kind"], leave["id"]) == ("leave", oar)


async def test_one_embedded_document_has_a_feed(live: Api) -> None:
    client = live(Catamaran)
    boat = (await client.post("/catamaran/", json={"oars": [{"length": 2}, {"length": 3}]})).json()
    first, second = (f"/catamaran/{boat['id']}/oars/{each['id']}/" for each in boat["oars"])
    async with following(client, first) as feed:
        assert [row["length"] for row in feed.rows.values()] == [2]
        await client.put(second, json={"wood": "oak"})
        await client.put(first, json={"wood": "ash"})
        await client.delete(first)
        updated, deleted = await feed.changed(2)
        assert (updated["kind"], updated["diff"]) == ("updated", {"wood": {"from": None, "to": "ash"}})
        assert (deleted["kind"], deleted["id"]) == ("deleted", boat["oars"][0]["id"])


@pytest.mark.parametrize("way", ["tiller/", "tillers/0/"])
async def test_one_embedded_document_without_an_id_has_a_feed(live: Api, way: str) -> None:
    client = live(Catamaran)
    given = {"tiller": {"angle": 1}, "tillers": [{"angle": 1}, {"angle": 1}]}
    boat = (await client.post("/catamaran/", json=given)).json()
    url = f"/catamaran/{boat['id']}/{way}"
    async with following(client, url) as feed:
        assert [row["angle"] for row in feed.rows.values()] == [1]
        await client.put(f"/catamaran/{boat['id']}/", json={"name": "Tern"})
        await client.put(url, json={"angle": 2})
        [updated] = await feed.changed(1)
        assert (updated["kind"], updated["row"]["angle"]) == ("updated", 2)


async def test_what_is_behind_a_reference_has_no_feed_there(live: Api) -> None:
    client = live(Catamaran, Swimmer)
    ann = (await client.post("/swimmer/", json={"name": "Ann"})).json()
    boat = (await client.post("/catamaran/", json={"owner": ann["id"]})).json()
    answer = await client.get(f"/catamaran/{boat['id']}/owner/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 406


async def test_a_model_that_is_not_live_has_none(api: Api) -> None:
    client = api(Swimmer)
    assert (await client.get("/swimmer/", headers={"Accept": "text/event-stream"})).status_code == 406
    assert "Vary" not in (await client.get("/swimmer/")).headers


# -- going on where it broke off


async def test_who_comes_back_is_told_what_it_missed(live: Api) -> None:
    client = live(Swimmer)
    async with following(client, "/swimmer/") as feed:
        await client.post("/swimmer/", json={"name": "Ann"})
        await feed.changed(1)
    await client.post("/swimmer/", json={"name": "Bea"})
    async with following(client, "/swimmer/", Last_Event_ID=feed.position) as again:
        await client.post("/swimmer/", json={"name": "Cid"})
        assert [each["row"]["name"] for each in await again.changed(2)] == ["Bea", "Cid"]
        assert "snapshot" not in again.told()
        assert again.answer.headers["Bzz-Last-Event-ID"] == feed.position


async def test_the_position_can_stand_in_the_url(live: Api) -> None:
    client = live(Swimmer)
    async with following(client, "/swimmer/") as feed:
        position = feed.position
    await client.post("/swimmer/", json={"name": "Bea"})
    async with following(client, f"/swimmer/?last_event_id={position}") as again:
        assert (await again.changed(1))[0]["row"]["name"] == "Bea"


@pytest.mark.parametrize("position", ["nonsense", "v1.1.1.1.short", "x" * 50_000])
async def test_what_is_no_position_is_refused(live: Api, position: str) -> None:
    answer = await live(Swimmer).get(
        "/swimmer/", headers={"Accept": "text/event-stream", "Last-Event-ID": position[:50_000]}
    )
    assert answer.status_code == 400


async def test_a_position_of_another_filter_is_of_no_use(live: Api) -> None:
    client = live(Swimmer)
    async with following(client, "/swimmer/?age=1") as feed:
        pass
    async with following(client, "/swimmer/?age=2", Last_Event_ID=feed.position) as again:
        assert await again.ended() == "position"
        assert again.frames == [Frame("reset", '{"reason":"position"}', "")]


# -- all at once


async def test_no_change_is_lost_or_told_twice_while_clients_come_and_go(live: Api, driver: Driver) -> None:
    client = live(Swimmer)
    ids = [(await client.post("/swimmer/", json={"name": f"n{number}", "age": 0})).json()["id"] for number in range(5)]
    stop = asyncio.Event()

    async def write(number: int) -> int:
        age = 0
        while not stop.is_set():
            age += 1
            await driver()["swimmer"].update_one({"_id": ObjectId(ids[number])}, {"$set": {"age": age}})
        return age

    async def come_and_go() -> None:
        position, ages = "", dict.fromkeys(ids, 0)
        for _ in range(5):
            async with following(client, "/swimmer/", Last_Event_ID=position) as feed:
                await feed.changed(20)
            if not position:
                ages = {key: row["age"] for key, row in feed.snapshot().items()}
            position = feed.position
            for told in feed.changes():
                assert told["diff"]["age"] == {"from": ages[told["id"]], "to": told["row"]["age"]}
                ages[told["id"]] = told["row"]["age"]

    writing = [asyncio.create_task(write(number)) for number in range(5)]
    await asyncio.gather(*(come_and_go() for _ in range(5)))
    stop.set()
    written = await asyncio.gather(*writing)
    async with following(client, "/swimmer/") as feed:
        assert [feed.rows[key]["age"] for key in ids] == written

"""Who may see a document sees its history, and nothing of it that the document does not show."""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest
from tornado.web import HTTPError

import bzz
from bzz.signals import post_get_instance, pre_get_instance
from tests.conftest import Driver, Serve
from tests.delivery.conftest import eventually, listening
from tests.delivery.history.conftest import Reader, history_of, sign_in, with_history


class MinerWage(me.EmbeddedDocument):
    month = me.StringField()
    amount = me.IntField()


class Miner(me.Document):
    name = me.StringField()
    salary = me.IntField()
    token = me.StringField()
    pin = me.StringField()
    home = me.StringField()
    wages = me.EmbeddedDocumentListField(MinerWage)
    wage = me.EmbeddedDocumentField(MinerWage)
    by_year = me.MapField(me.EmbeddedDocumentField(MinerWage))
    meta: ClassVar = {"bzz": {"hidden": ["token"], "write_only": ["pin"]}}


class Lodger(me.Document):
    owner = me.StringField()
    name = me.StringField()

    @classmethod
    def get_instance_queryset(cls, model: Any, queryset: Any, instance_id: Any, handler: Any) -> Any:
        return queryset.filter(owner=handler.current_user)


class Realm(me.Document):
    code = me.StringField(unique=True)
    name = me.StringField()
    near = me.ListField(me.ReferenceField("self"))
    ruler = me.ReferenceField("self")

    @classmethod
    def get_id_field_name(cls) -> str:
        return "code"


class Ordinal(me.Document):
    number = me.IntField(primary_key=True)
    name = me.StringField()


def miners(**options: Any) -> Any:
    return bzz.ModelHive.routes_for("mongoengine", Miner, **options)


async def test_what_is_hidden_is_in_no_entry(served: Any, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners(hidden=["salary", "wages.amount", "wage.amount", "by_year.amount"]))
    async with bzz.deliver():
        await listening()
        miner = Miner(name="Ann", salary=1, token="s3cret", wage=MinerWage(month="May", amount=2)).save()
        app.place = f"/miner/{miner.pk}/"
        miner.wages = [MinerWage(month="May", amount=2)]
        miner.by_year = {"1899": MinerWage(month="May", amount=2)}
        miner.save()
        miner.salary = 4
        miner.save()
        miner.wages[0].amount = 5
        miner.wage.amount = 6
        miner.by_year["1899"].amount = 7
        miner.save()
        miner.name = "Bea"
        miner.save()
        found = await app.history(3)
    renamed, updated, created = (each["diff"] for each in found)
    assert renamed == {"name": {"from": "Ann", "to": "Bea"}}
    assert updated == {
        "wages": {"from": [], "to": [{"month": "May"}]},
        "by_year": {"from": {}, "to": {"1899": {"month": "May"}}},
    }
    assert created == {
        "id": {"from": None, "to": str(miner.pk)},
        "name": {"from": None, "to": "Ann"},
        "wages": {"from": None, "to": []},
        "by_year": {"from": None, "to": {}},
        "wage.month": {"from": None, "to": "May"},
    }


async def test_what_is_hidden_elsewhere_in_the_process_is_in_no_entry(served: Any, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners(), miners(prefix="public", hidden=["salary"]))
    async with bzz.deliver():
        await listening()
        miner = Miner(name="Ann", salary=1).save()
        app.place = f"/miner/{miner.pk}/"
        [found] = await app.history(1)
    assert "salary" not in found["diff"]


async def test_what_is_write_only_is_named_and_masked(served: Any, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners())
    async with bzz.deliver():
        await listening()
        ann = await app.create("/miner/", name="Ann", pin="1234")
        await ann.put(pin="4321")
        last, _ = await ann.history(2)
    assert last["diff"] == {"pin": {"from": "***", "to": "***"}}


async def test_a_field_that_the_model_has_no_more_is_in_no_entry(
    served: Any, driver: Driver, database_name: str
) -> None:
    bzz.history(Miner)
    app = served(miners())
    async with bzz.deliver():
        await listening()
        ann = await app.create("/miner/", name="Ann")
        [entry] = await ann.history(1)
        await driver()["bzz_history"].update_one({"_id": entry["change"]}, {"$push": {"diff": ["former", None, "x"]}})
        assert await ann.history(1) == [entry]


async def test_what_receivers_change_or_take_away_is_in_no_entry(served: Any, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners())

    def mask(sender: Any, instance: Any, handler: Any) -> None:
        if handler.current_user != "chief":
            instance.home = None

    async with bzz.deliver():
        await listening()
        miner = Miner(name="Ann", home="Rio").save()
        app.place = f"/miner/{miner.pk}/"
        with post_get_instance.connected_to(mask, sender=Miner):
            [open_], [masked] = await app.history(1, "chief"), await app.history(1, "ann")
    assert open_["diff"]["home"] == {"from": None, "to": "Rio"}
    assert masked["diff"] == {name: pair for name, pair in open_["diff"].items() if name != "home"}


async def test_a_receiver_that_refuses_the_document_refuses_its_history(served: Any, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners())
    miner = Miner(name="Ann").save()

    def refuse(sender: Any, handler: Any) -> None:
        raise HTTPError(403)

    with pre_get_instance.connected_to(refuse, sender=Miner):
        answer = await app.client.get(f"/miner/{miner.pk}/history/")
    assert answer.status_code == 403


async def test_who_may_not_see_the_document_may_not_see_its_history(serve: Serve, database_name: str) -> None:
    bzz.history(Miner)
    asked: list[tuple[Any, ...]] = []

    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        asked.append((method, model, instance_id, user))
        return bool(user == "ann")

    client = serve(with_history(miners(authorize=authorize)), sign_in)
    miner = Miner(name="Ann").save()
    for who, status in (("ann", 200), ("bob", 403)):
        answer = await client.get(f"/miner/{miner.pk}/history/", headers={"X-User": who})
        assert answer.status_code == status
    assert asked == [("GET", Miner, str(miner.pk), who) for who in ("ann", "bob")]


async def test_the_guard_is_asked_first(serve: Serve, database_name: str) -> None:
    bzz.history(Miner)

    async def guard(handler: Any) -> None:
        raise bzz.errors.Unauthorized("Sign in.")

    client = serve(with_history(miners()), bzz_guard=guard)
    answers = [
        await client.get("/miner/x/history/"),
        await client.post("/miner/x/history/y/revert"),
    ]
    assert [each.status_code for each in answers] == [401, 401]


async def test_what_is_out_of_scope_is_not_found_as_the_document_is(served: Any, database_name: str) -> None:
    bzz.history(Lodger)
    app = served(bzz.ModelHive.routes_for("mongoengine", Lodger))
    lodger = Lodger(owner="ann", name="x").save()
    for key in (lodger.pk, "nonsense", "5" * 24):
        for who, status in (("ann", 200 if key == lodger.pk else 404), ("bob", 404)):
            twin = await app.client.get(f"/lodger/{key}/", headers={"X-User": who})
            answer = await app.client.get(f"/lodger/{key}/history/", headers={"X-User": who})
            assert answer.status_code == twin.status_code == status
            if status == 404:
                assert answer.content == twin.content


@pytest.mark.parametrize("methods", [["POST"], ["GET"]])
async def test_without_get_there_is_no_history_to_read(serve: Serve, database_name: str, methods: list[str]) -> None:
    bzz.history(Miner)
    client = serve(with_history(miners(methods=methods)))
    answer = await client.put(f"/miner/{'5' * 24}/history/")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == ("GET, HEAD, OPTIONS" if methods == ["GET"] else "OPTIONS")
    answer = await client.post(f"/miner/{'5' * 24}/history/x/revert")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "OPTIONS")


async def test_a_history_is_read_page_by_page(served: Any, driver: Driver, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners(per_page=2, max_per_page=3, database=driver()))
    async with bzz.deliver():
        await listening()
        ann = await app.create("/miner/", name="0")
        for each in range(1, 5):
            await ann.put(name=str(each))
        first = (await history_of(ann.client, ann.place, 2))[0]["change"]

        async def pages(query: str) -> list[list[str]]:
            url, found = f"{ann.place}history/{query}", []
            while url:
                answer = await ann.client.get(url)
                assert answer.status_code == 200, answer.text
                found.append([each["diff"]["name"]["to"] for each in answer.json()])
                link = answer.links.get("next")
                url = link["url"] if link else ""
            return found

        async def all_there() -> bool:
            return sum(map(len, await pages(""))) == 5

        await eventually(all_there)
        assert await pages("") == [["4", "3"], ["2", "1"], ["0"]]
        assert await pages("?per_page=50") == [["4", "3", "2"], ["1", "0"]]
        assert await pages("?per_page=1") == [["4"], ["3"], ["2"], ["1"], ["0"]]
    assert first.startswith("miner:")


async def test_a_page_of_nonsense_is_refused(served: Any, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners())
    async with bzz.deliver():
        await listening()
        ann, bob = await app.create("/miner/", name="Ann"), await app.create("/miner/", name="Bob")
        [other] = await bob.history(1)
        for query in ("per_page=0", "per_page=x", "page=2", "name=Ann", "after=x", f"after={other['change']}"):
            answer = await ann.client.get(f"{ann.place}history/?{query}")
            assert answer.status_code == 400, query


async def test_documents_are_named_by_their_public_ids(served: Any, database_name: str) -> None:
    bzz.history(Realm)
    app = served(bzz.ModelHive.routes_for("mongoengine", Realm))
    async with bzz.deliver():
        await listening()
        await app.create("/realm/", code="pt", name="Portugal")
        await app.create("/realm/", code="es", name="Spain")
        brazil = await app.create("/realm/", "ann", code="br", name="Brazil", ruler="pt")
        assert brazil.place == "/realm/br/"
        await brazil.put("ann", ruler=None, near=["es", "pt"])
        last, first = await brazil.signed(2)
        assert first["diff"]["ruler"] == {"from": None, "to": "pt"}
        assert last["diff"] == {"ruler": {"from": "pt", "to": None}, "near": {"from": [], "to": ["es", "pt"]}}
        assert (await brazil.revert(last)).json()["ruler"] == "pt"
        await brazil.put(code="bz", status=400)


async def test_documents_with_numbers_as_keys_have_a_history(served: Any, database_name: str) -> None:
    bzz.history(Ordinal)
    app = served(bzz.ModelHive.routes_for("mongoengine", Ordinal))
    async with bzz.deliver():
        await listening()
        one = await app.create("/ordinal/", "ann", number=1, name="a")
        await one.put("ann", name="b")
        last, _ = await one.signed(2)
        assert last["diff"] == {"name": {"from": "a", "to": "b"}}
        assert (await one.revert(last)).status_code == 200


async def test_a_change_is_undone_without_a_tag_also_where_changes_need_one(served: Any, database_name: str) -> None:
    bzz.history(Ordinal)
    app = served(bzz.ModelHive.routes_for("mongoengine", Ordinal, require_if_match=True))
    async with bzz.deliver():
        await listening()
        one = await app.create("/ordinal/", "ann", number=1, name="a")
        await one.put("ann", name="b", status=428)
        tag = (await one.client.get(one.place)).headers["ETag"]
        await one.client.put(one.place, json={"name": "b"}, headers={"If-Match": tag})
        last, _ = await one.history(2)
        assert (await one.revert(last)).json()["name"] == "a"


async def test_a_history_may_have_a_slash_or_none_and_head(served: Any, database_name: str) -> None:
    bzz.history(Miner)
    app = served(miners())
    miner = Miner(name="Ann").save()
    for url in (f"/miner/{miner.pk}/history", f"/miner/{miner.pk}/history/"):
        answers: list[httpx.Response] = [await app.client.get(url), await app.client.head(url)]
        assert [each.status_code for each in answers] == [200, 200]
        assert answers[0].json() == []
        assert (await app.client.options(url)).headers["Allow"] == "GET, HEAD, OPTIONS"


async def test_a_request_for_a_history_is_logged_as_that(
    serve: Serve, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    bzz.history(Miner)
    app = Reader(serve(with_history(miners()), partial(bzz.access_log, json=True)))
    async with bzz.deliver():
        await listening()
        ann = await app.create("/miner/", name="Ann")
        await ann.put(name="Bea")
        renamed, _ = await ann.history(2)
        with caplog.at_level(logging.INFO, "bzz.access"):
            await ann.revert(renamed)
            await ann.history(3)
    told = [json.loads(each.getMessage()) for each in caplog.records if each.name == "bzz.access"]
    undone, shown = told[0], told[-1]
    assert (undone["method"], undone["path"]) == ("POST", f"{ann.place}history/{renamed['change']}/revert")
    assert undone["route"] == "/miner/{id}/history/{change}/revert/"
    assert (shown["method"], shown["path"], shown["route"]) == ("GET", f"{ann.place}history/", "/miner/{id}/history/")

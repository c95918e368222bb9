"""Commits as routes show them: changes as receivers get them, records, and the rows of nested lists."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from typing import Any

import bson
import mongoengine as me
import pytest

from bzz.change import Change
from bzz.errors import BadRequest
from bzz.providers.base import Options
from bzz.providers.changes import Commit
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.testing.provider.client import Client
from tests.conftest import Driver
from tests.providers.following import following

Raw = dict[str, Any]


class Ballast(me.EmbeddedDocument):
    code = me.StringField(primary_key=True)
    weight = me.IntField()
    price = me.DecimalField(force_string=True)
    labels = me.ListField(me.StringField())


class Hold(me.EmbeddedDocument):
    code = me.StringField(primary_key=True)
    cargoes = me.EmbeddedDocumentListField(Ballast, db_field="cs")


class Steersman(me.EmbeddedDocument):
    name = me.StringField()


class Freighter(me.Document):
    meta = {"allow_inheritance": True}  # noqa: RUF012  # as MongoEngine has it
    name = me.StringField(db_field="n")
    secret = me.StringField()
    cargoes = me.EmbeddedDocumentListField(Ballast)
    pilots = me.EmbeddedDocumentListField(Steersman)
    holds = me.EmbeddedDocumentListField(Hold)
    captain = me.EmbeddedDocumentField(Steersman)


class Collier(Freighter):
    volume = me.IntField()


KEY = bson.ObjectId("b" * 24)


@pytest.fixture
async def freighters(driver: Driver) -> MongoEngineProvider:
    provider = MongoEngineProvider(Freighter, Options(database=driver(), hidden=["secret"]))
    await provider.changes().prepare(["freighter"])
    return provider


async def commits(provider: MongoEngineProvider, driver: Driver, *states: Raw | None) -> list[Commit]:
    """The commits that lead from one state of a document to the next."""
    documents = driver()["freighter"]
    async with following(provider.changes(), "freighter") as stream:
        for state in states:
            if state is None:
                await documents.delete_one({"_id": KEY})
            else:
                await documents.replace_one({"_id": KEY}, {"_cls": "Freighter", **state}, upsert=True)
        return await stream.take(len(states))


async def test_a_commit_is_a_change_as_signals_tell_it(freighters: MongoEngineProvider, driver: Driver) -> None:
    found = await commits(freighters, driver, {"n": "Ann"}, {"n": "Bob", "captain": {"name": "x"}}, None)
    changes = [freighters.change(each) for each in found]
    assert [(each.model, each.id, each.kind) for each in changes] == [
        (Freighter, KEY, kind) for kind in ("created", "updated", "deleted")
    ]
    assert changes[1].diff == {
        "name": {"from": "Ann", "to": "Bob"},
        "captain.name": {"from": None, "to": "x"},
    }
    assert (changes[0].diff or {})["name"] == {"from": None, "to": "Ann"}
    assert (changes[2].diff or {})["name"] == {"from": "Bob", "to": None}
    assert [(each.position, each.at, each.source) for each in changes] == [(e.position, e.at, None) for e in found]


async def test_a_change_has_both_sides_as_instances(freighters: MongoEngineProvider, driver: Driver) -> None:
    made, changed = map(freighters.change, await commits(freighters, driver, {"n": "Ann"}, {"n": "Bob"}))
    assert (made.before, made.after.name, changed.before.name, changed.after.name) == (None, "Ann", "Ann", "Bob")
    assert isinstance(changed.after, Freighter)


async def test_items_of_lists_are_told_one_by_one(freighters: MongoEngineProvider, driver: Driver) -> None:
    before = {"cargoes": [{"_id": "a", "weight": 1}, {"_id": "b", "weight": 2}]}
    after = {"cargoes": [{"_id": "a", "weight": 1}, {"_id": "b", "weight": 3}]}
    found = freighters.change((await commits(freighters, driver, before, after))[1])
    assert found.diff == {"cargoes.1.weight": {"from": 2, "to": 3}}


async def test_the_model_of_a_change_is_the_class_of_the_document(
    freighters: MongoEngineProvider, driver: Driver
) -> None:
    found = freighters.change((await commits(freighters, driver, {"_cls": "Freighter.Collier", "volume": 5}))[0])
    assert (found.model, found.after.volume, (found.diff or {})["volume"]) == (Collier, 5, {"from": None, "to": 5})


async def test_documents_of_unknown_classes_are_told_as_the_roots_and_logged_once(
    freighters: MongoEngineProvider, driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = f"Freighter.{uuid.uuid4().hex}"
    odd: list[Raw] = [{"_cls": name, "n": "Ann"} for name in (unknown, unknown, "Other")]
    found = await commits(freighters, driver, *odd, {"_cls": ["x"], "n": "Ann"})
    with caplog.at_level(logging.WARNING, "bzz.database"):
        told = [freighters.change(each) for each in found]
        shown = [await Client(freighters).show(freighters.record(each.after)) for each in found]
    assert [(each.model, each.id, each.diff is not None) for each in told] == [(Freighter, KEY, True)] * 4
    assert [each["name"] for each in shown] == ["Ann"] * 4
    assert sum(unknown in each.message for each in caplog.records) == 1


async def test_a_change_of_which_a_side_is_missing_has_no_diff(freighters: MongoEngineProvider, driver: Driver) -> None:
    commit = (await commits(freighters, driver, {"n": "Ann"}, {"n": "Bob"}))[1]
    lacking = replace(commit, before=None, is_whole=False)
    found: Change = freighters.change(lacking)
    assert (found.diff, found.before, found.after.name, found.id) == (None, None, "Bob", KEY)
    gone = freighters.change(replace(commit, before=None, after=None, is_whole=False))
    assert (gone.model, gone.diff, gone.before, gone.after) == (Freighter, None, None, None)


async def test_whatever_a_foreign_writer_stores_is_told(freighters: MongoEngineProvider, driver: Driver) -> None:
    odd: Raw = {"n": ["x"], "cargoes": "none", "pilots": [1, None, {"name": {"a": 1}}], "captain": 7, "more": 1}
    found = [freighters.change(each) for each in await commits(freighters, driver, odd, {"n": "Ann"}, odd, None)]
    assert all(each.diff for each in found)
    assert [type(each.before) for each in found[1:]] == [Freighter] * 3


# -- rows


async def rows(provider: MongoEngineProvider, where: str, document: Raw, text: str = "") -> list[tuple[Any, Any]]:
    client = Client(provider)
    path = client.path(f"{KEY}/{where}" if where else str(KEY))
    query = client.query(f"{KEY}/{where}", text) if path.last.is_list else client.query("")
    found = await provider.rows(path, query, document)
    return [(each.id, await client.show(each)) for each in found]


CARGOES = [{"_id": "a", "weight": 3}, {"_id": "b", "weight": 1, "labels": ["x"]}, {"_id": "c", "weight": 2}]
DOCUMENT: Raw = {
    "_id": KEY,
    "_cls": "Freighter",
    "n": "Ann",
    "cargoes": CARGOES,
    "pilots": [{"name": "x"}, "broken", {"name": "y"}],
    "holds": [{"_id": "h", "cs": CARGOES}],
    "captain": {"name": "z"},
    "$odd": "$n",
}


async def test_the_rows_of_a_root_are_the_document(freighters: MongoEngineProvider) -> None:
    [(key, shown)] = await rows(freighters, "", DOCUMENT)
    assert (key, shown["name"], "secret" in shown) == (str(KEY), "Ann", False)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ["a", "b", "c"]),
        ("sort=weight", ["b", "c", "a"]),
        ("sort=-weight", ["a", "c", "b"]),
        ("weight__gte=2", ["a", "c"]),
        ("weight__gte=2&sort=weight", ["c", "a"]),
        ("labels=x", ["b"]),
        ("weight=9", []),
    ],
)
@pytest.mark.parametrize("where", ["cargoes", "holds/h/cargoes"])
async def test_the_rows_of_a_nested_list_are_those_of_its_pages(
    freighters: MongoEngineProvider, driver: Driver, where: str, text: str, keys: list[str]
) -> None:
    await driver()["freighter"].insert_one({key: each for key, each in DOCUMENT.items() if key != "$odd"})
    page = await Client(freighters).page(f"{KEY}/{where}", text)
    assert [key for key, _ in await rows(freighters, where, DOCUMENT, text)] == keys
    assert [each.id for each in page.records] == keys


async def test_items_without_ids_are_named_by_their_positions(freighters: MongoEngineProvider) -> None:
    found = [(key, shown["name"]) for key, shown in await rows(freighters, "pilots", DOCUMENT)]
    narrowed = [(key, shown["name"]) for key, shown in await rows(freighters, "pilots", DOCUMENT, "name=y")]
    assert (found, narrowed) == ([("0", "x"), ("2", "y")], [("2", "y")])


async def test_one_item_and_one_property_are_rows_too(freighters: MongoEngineProvider) -> None:
    item, own = await rows(freighters, "cargoes/b", DOCUMENT), await rows(freighters, "captain", DOCUMENT)
    assert (item[0][1]["weight"], own[0][1]["name"]) == (1, "z")


@pytest.mark.parametrize("where", ["cargoes/z", "captain", "holds/h/cargoes", "cargoes"])
async def test_where_nothing_is_there_are_no_rows(freighters: MongoEngineProvider, where: str) -> None:
    assert await rows(freighters, where, {"_id": KEY, "_cls": "Freighter"}) == []


async def test_the_scope_of_a_nested_list_is_its_document(freighters: MongoEngineProvider, driver: Driver) -> None:
    client = Client(freighters)
    path = client.path(f"{KEY}/cargoes")
    scope = await freighters.scope(path, client.query(f"{KEY}/cargoes", "weight=9"), None)
    commit = (await commits(freighters, driver, {"n": "Ann"}))[0]
    assert (scope.only, await freighters.changes().match(commit, [scope])) == (KEY, [(False, True)])


@pytest.mark.parametrize("text", ["price__gt=1", "sort=price"])
@pytest.mark.parametrize("where", ["cargoes", "holds/h/cargoes"])
async def test_what_has_no_order_is_refused_at_once(freighters: MongoEngineProvider, where: str, text: str) -> None:
    client = Client(freighters)
    query = client.query(f"{KEY}/{where}", text)
    with pytest.raises(BadRequest):
        await freighters.scope(client.path(f"{KEY}/{where}"), query, None)

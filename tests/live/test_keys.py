"""Feeds of models with primary keys of all kinds, and with ids that are not primary keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import mongoengine as me
import pytest

from tests.conftest import Driver
from tests.live.conftest import Api
from tests.live.reading import following


class LabelKeyed(me.Document):
    key = me.StringField(primary_key=True)
    text = me.StringField()


class NumberKeyed(me.Document):
    key = me.IntField(primary_key=True)
    text = me.StringField()


class MomentKeyed(me.Document):
    key = me.DateTimeField(primary_key=True)
    text = me.StringField()


class TokenKeyed(me.Document):
    key = me.UUIDField(primary_key=True)
    text = me.StringField()


CASES = [
    (LabelKeyed, "label_keyed", "a b/c%2F?ü\"'#&"),
    (NumberKeyed, "number_keyed", 7),
    (NumberKeyed, "number_keyed", -(2**40)),
    (MomentKeyed, "moment_keyed", datetime(2020, 1, 2, 3, 4, 5, 678901)),
    (TokenKeyed, "token_keyed", UUID("12345678-1234-5678-1234-567812345678")),
]


@pytest.mark.parametrize(("model", "name", "key"), CASES)
async def test_a_document_is_followed_by_its_primary_key(alone: Api, model: Any, name: str, key: Any) -> None:
    client = alone(model, live=True)
    document = model(key=key, text="a").save()
    [row] = (await client.get(f"/{name}/")).json()
    where = f"/{name}/{quote(str(row['key']), safe='')}/"
    async with following(client, where) as one, following(client, f"/{name}/") as every:
        document.update(text="b")
        [told], [also] = await one.changed(1), await every.changed(1)
        assert told["diff"] == also["diff"] == {"text": {"from": "a", "to": "b"}}
        assert [told["id"]] == list(one.snapshot()) == list(every.snapshot())
        document.delete()
        assert (await one.changed(2))[1]["kind"] == "deleted"


class SlugNamed(me.Document):
    slug = me.StringField(required=True)
    text = me.StringField()

    @staticmethod
    def get_id_field_name() -> str:
        return "slug"


async def test_a_deletion_without_a_version_before_is_told_by_the_public_id_or_not_at_all(
    api: Api, driver: Driver
) -> None:
    client = api(SlugNamed, live=True)
    await client.post("/slug_named/", json={"slug": "a/b"})
    async with following(client, "/slug_named/") as feed:
        assert list(feed.rows) == ["a/b"]
        await driver().command({"collMod": "slug_named", "changeStreamPreAndPostImages": {"enabled": False}})
        stored = await driver()["slug_named"].find_one({})
        assert stored is not None
        await driver()["slug_named"].delete_one({"_id": stored["_id"]})
        assert await feed.ended() == "incomplete"
        assert feed.changes() == []


async def test_a_deletion_without_a_version_before_is_told_with_the_id_as_get_shows_it(
    alone: Api, driver: Driver
) -> None:
    client = alone(MomentKeyed, live=True)
    MomentKeyed(key=datetime(2020, 1, 2), text="a").save()
    async with following(client, "/moment_keyed/") as feed:
        await driver().command({"collMod": "moment_keyed", "changeStreamPreAndPostImages": {"enabled": False}})
        await driver()["moment_keyed"].delete_one({})
        [told] = await feed.changed(1)
        assert (told["kind"], [told["id"]], told["diff"]) == ("deleted", list(feed.snapshot()), None)


async def test_a_list_is_live_again_after_its_collection_was_dropped(api: Api) -> None:
    client = api(LabelKeyed, live=True)
    async with following(client, "/label_keyed/") as feed:
        LabelKeyed.drop_collection()
        assert await feed.ended() == "dropped"
    async with following(client, "/label_keyed/?text__ne=x") as feed:
        await client.post("/label_keyed/", json={"key": "k", "text": "a"})
        await client.put("/label_keyed/k/", json={"text": "b"})
        assert (await feed.changed(2))[1]["diff"] == {"text": {"from": "a", "to": "b"}}


async def test_head_of_a_feed_has_its_head_and_ends(api: Api) -> None:
    client = api(LabelKeyed, live=True)
    for _ in range(2):  # on one connection
        answer = await client.head("/label_keyed/", headers={"Accept": "text/event-stream"}, timeout=5)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/event-stream"


class Tagged(me.Document):
    tag = me.UUIDField()
    text = me.StringField()


async def test_a_list_is_filtered_by_a_uuid(alone: Api) -> None:
    client = alone(Tagged, live=True)
    tag = UUID("12345678-1234-5678-1234-567812345678")
    async with following(client, f"/tagged/?tag={tag}") as feed:
        Tagged(tag=tag, text="a").save()
        [told] = await feed.changed(1)
        assert told["row"]["tag"] == str(tag)

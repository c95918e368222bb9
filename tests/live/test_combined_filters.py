"""Feeds of what combined filters select, and of what an application's own parameters narrow, are exact."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import mongoengine as me
import pytest

import bzz
from tests.live.conftest import Api
from tests.live.reading import following


class FeedRaft(me.Document):
    name = me.StringField(primary_key=True)
    logs = me.IntField()
    sail = me.StringField()


def big(value: int, handler: Any) -> dict[str, Any]:
    return {"not": {"logs": {"lt": value}}}


QUERIES = [
    "or=logs__gte=5|sail=red",
    urlencode({"filter": json.dumps({"not": {"logs": {"lt": 5}, "sail": {"ne": "red"}}})}),
]


@pytest.mark.parametrize("query", QUERIES)
async def test_rows_enter_and_leave_as_the_tree_says(api: Api, query: str) -> None:
    client = api(FeedRaft, live=True)
    await client.post("/feed_raft/", json={"name": "a", "logs": 5})
    await client.post("/feed_raft/", json={"name": "b", "logs": 1})
    async with following(client, f"/feed_raft/?{query}", ready=True) as feed:
        assert list(feed.rows) == ["a"]
        await client.put("/feed_raft/b/", json={"sail": "red"})
        await client.put("/feed_raft/a/", json={"logs": 1})
        await feed.until(lambda: list(feed.rows) == ["b"])
        assert feed.told()[-2:] == ["enter", "leave"]


async def test_a_parameter_of_the_application_narrows_a_feed(api: Api) -> None:
    client = api(FeedRaft, live=True, parameters=[bzz.QueryParameter("big", int, big)])
    await client.post("/feed_raft/", json={"name": "a", "logs": 5})
    async with following(client, "/feed_raft/?big=5", ready=True) as feed:
        await client.post("/feed_raft/", json={"name": "b", "logs": 4})
        await client.post("/feed_raft/", json={"name": "c"})
        await feed.until(lambda: list(feed.rows) == ["a", "c"])


async def test_a_query_is_followed_as_the_get_that_asks_for_the_same(api: Api) -> None:
    client = api(FeedRaft, live=True)
    await client.post("/feed_raft/", json={"name": "a", "logs": 5})
    body, headers = {"filter": {"or": [{"logs": 5}, {"logs": 7}]}}, {"Accept": "text/event-stream"}
    async with client.stream("QUERY", "/feed_raft/", json=body, headers=headers) as answer:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
        seen = b""
        async for chunk in answer.aiter_raw():
            seen += chunk
            if b'"ids":["a"]' in seen:
                break

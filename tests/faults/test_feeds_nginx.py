"""Feeds through Debian's nginx as it comes, with its buffering on: the feed itself asks it not to buffer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient

from bzz.dev import MongoServer
from tests.faults.running import PATIENCE, Running, running
from tests.live.reading import following
from tests.serving.test_proxies import nginx

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def left(application: Running) -> None:
    """Wait until the application has no client any more."""
    async with asyncio.timeout(PATIENCE):
        while (await asyncio.to_thread(application.held))["feeds"]:  # noqa: ASYNC110  # nothing says when
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("server", ["tornado", "uvicorn"])
async def test_frames_come_at_once_and_clients_go_on_and_are_seen_to_leave(
    server: str, mongo: MongoServer, database: str, tmp_path: Path
) -> None:
    with (
        running(mongo.uri, database, live=True, server=server) as application,
        nginx(f"127.0.0.1:{application.port}", tmp_path, buffering="on") as url,
        MongoClient[dict[str, object]](mongo.uri) as own,
    ):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
            async with following(client, "/plain/") as feed:
                await asyncio.to_thread(own[database].plain.insert_one, {"token": "1"})
                assert (await feed.changed(1))[0]["row"]["token"] == "1"
                position = feed.position
            await left(application)
            await asyncio.to_thread(own[database].plain.insert_one, {"token": "2"})
            async with following(client, "/plain/", Last_Event_ID=position) as feed:
                assert [each["row"]["token"] for each in await feed.changed(1)] == ["2"]
                assert feed.snapshot() == {}
            await left(application)

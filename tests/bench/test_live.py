"""The benchmark of feeds stays alive: both servers tell changes."""

from __future__ import annotations

import uuid

import pytest

from bzz.dev import MongoServer

live = pytest.importorskip("bench.live", reason="the extra 'bench' is not installed")


@pytest.mark.parametrize("server", [live.BZZ, live.BY_HAND], ids=lambda server: str(server.name))
def test_changes_come(server: object, mongo: MongoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "DATABASE", f"bench_{uuid.uuid4().hex}")
    monkeypatch.setattr(live, "PIECES", 5)
    with live.Client(mongo.uri, w="majority") as client:
        live.data.fill(client[live.DATABASE], 10)
        assert live._delays(mongo.uri, client, server).startswith("median")
        client.drop_database(live.DATABASE)

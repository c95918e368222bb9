"""Committed changes: an event of the stream as a commit, and 200 scopes asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import bson
import pytest
from bson import Timestamp
from bson.codec_options import DEFAULT_CODEC_OPTIONS
from pymongo import AsyncMongoClient
from pytest_benchmark.fixture import BenchmarkFixture

from bzz.dev import MongoServer
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.changes.commits import CommitReader, StoredCommit
from bzz.providers.mongoengine.changes.matching import match
from bzz.providers.mongoengine.changes.scopes import StoredScope, make_scope
from bzz.providers.mongoengine.changes.stream_event import event_class
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.document_store import DocumentStore

EVENT = event_class(DEFAULT_CODEC_OPTIONS)
SCOPES = 200


@pytest.fixture
def event(raw: dict[str, Any]) -> bytes:
    """One update as the driver reads it."""
    return bson.encode(
        {
            "_id": {"_data": "82"},
            "operationType": "update",
            "clusterTime": Timestamp(1, 1),
            "wallTime": datetime(2026, 1, 1),
            "ns": {"db": "bench", "coll": "user"},
            "documentKey": {"_id": raw["_id"]},
            "fullDocument": {**raw, "age": raw["age"] + 1},
            "fullDocumentBeforeChange": raw,
        }
    )


def commit_of(event: bytes) -> StoredCommit:
    reader = CommitReader(["user"], DEFAULT_CODEC_OPTIONS)
    read = EVENT(event)
    assert read["_id"]  # as the driver does
    commit = next(reader.commits(read))
    assert isinstance(commit, StoredCommit)
    return commit


def test_an_event_as_a_commit(benchmark: BenchmarkFixture, event: bytes) -> None:
    assert benchmark(commit_of, event).is_whole


def test_a_scope(benchmark: BenchmarkFixture, codec: DocumentCodec) -> None:
    query = {"$and": [{"age": {"$gte": 18}}, {"address.city": {"$in": ["Rio", "Recife"]}}]}
    assert benchmark(make_scope, DocumentStore(codec), query, (), DEFAULT_CODEC_OPTIONS).key


@pytest.fixture
def loop_and_commands() -> Iterator[tuple[asyncio.AbstractEventLoop, Commands]]:
    with MongoServer() as server, asyncio.Runner() as runner:
        client: AsyncMongoClient[Any] = AsyncMongoClient(server.uri)
        yield runner.get_loop(), Commands(client["bench"])
        runner.run(client.close())


def test_two_hundred_scopes_of_one_change(
    benchmark: BenchmarkFixture,
    event: bytes,
    codec: DocumentCodec,
    loop_and_commands: tuple[asyncio.AbstractEventLoop, Commands],
) -> None:
    loop, commands = loop_and_commands
    documents, commit = DocumentStore(codec), commit_of(event)
    scopes: list[StoredScope] = [
        make_scope(documents, {"name": f"x{number}", "age": {"$gte": number}}, (), DEFAULT_CODEC_OPTIONS)
        for number in range(SCOPES)
    ]
    assert len(benchmark(lambda: loop.run_until_complete(match(commands, commit, scopes, None)))) == SCOPES

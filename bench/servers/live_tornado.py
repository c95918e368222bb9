"""A feed as it is written by hand: a stream of the collection's changes, and a queue for each client.

It tells the documents as they are after a change. It has no filters, no differences, no snapshot, and no positions.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from motor.motor_asyncio import AsyncIOMotorClient
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from bench.data import COLLECTION
from bench.servers.setting import DATABASE, URI, run

_queues: set[asyncio.Queue[bytes]] = set()
_following = asyncio.Event()


async def follow(database: Any) -> None:
    """Put every change into all queues."""
    async with database[COLLECTION].watch(full_document="updateLookup") as stream:
        await stream.try_next()  # which opens it
        _following.set()
        async for event in stream:
            told = {"kind": event["operationType"], "document": event.get("fullDocument")}
            frame = b"event: change\ndata: " + orjson.dumps(told, default=str) + b"\n\n"
            for each in _queues:
                each.put_nowait(frame)


class Feed(RequestHandler):
    """Sends what is put into its queue."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        _queues.add(self._queue)
        await _following.wait()
        self.write(b"event: ready\ndata: {}\n\n")
        try:
            await self.flush()
            while True:
                self.write(await self._queue.get())
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            _queues.discard(self._queue)


class Alive(RequestHandler):
    """Says that the server runs."""


def make() -> Application:
    """The application, which follows the collection from now on."""
    app = Application([("/user/", Feed), ("/user", Alive)])
    app.following = asyncio.ensure_future(follow(AsyncIOMotorClient(URI)[DATABASE]))  # type: ignore[attr-defined]
    return app


if __name__ == "__main__":
    run(make)

"""A process that writes to a store beside another: ``python -m tests.providers.writer <uri> <database> <name>``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from pymongo import AsyncMongoClient

from bzz.providers.base import Store
from bzz.providers.mongoengine.store import MongoStore

__all__ = ["KEPT", "ROUNDS"]

KEPT = "kept"
ROUNDS = 150


async def main(uri: str, database: str, name: str) -> None:
    """Wait for a line on stdin, so that both begin at once; then do each kind of write ``ROUNDS`` times."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        store = MongoStore(client[database][KEPT])
        await store.get(["warm"])
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(ROUNDS):
            await compare_and_put(store)
            await store.count("counted", 1, 600)
            await lease(store, name)


async def compare_and_put(store: Store) -> None:
    """Add one to an entry, however often another is faster."""
    while True:
        expected = (await store.get(["sum"])).get("sum")
        number = 0 if expected is None else expected.value["number"]
        if await store.put("sum", {"number": number + 1}, expected):
            return


async def lease(store: Store, name: str) -> None:
    """Take a lease, write under its number, and give it back."""
    while (number := await store.lease("job", name, 60)) is None:
        pass
    assert await store.put(f"written under {number}", {"by": name}, None), f"{number} was given twice"
    await store.lease("job", name, 0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

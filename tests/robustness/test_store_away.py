"""A store whose database is away, silent or cut off: an honest error in bounded time, and no write counted twice."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from bzz.auth import MongoFailures, MongoPasswords, MongoRevocation
from bzz.auth.password_store import Account
from bzz.errors import OutcomeUnknown, Unavailable
from bzz.providers.base import Store
from bzz.providers.mongoengine.store import MongoStore
from tests.robustness.conftest import Connect
from tests.robustness.wire import Wire

pytestmark = pytest.mark.slow  # the database is away, or says nothing, in each of them

DRIVERS = ["motor", "pymongo"]
SOON = "&serverSelectionTimeoutMS=200&timeoutMS=1000"
FAR = time.time() + 10_000

Use = Callable[[Store], Awaitable[Any]]

READ: Use = lambda store: store.get(["a"])  # noqa: E731  # a table of one-line functions
WRITES: dict[str, tuple[bytes, Use]] = {
    "put": (b"update", lambda store: store.put("a", {}, None)),
    "put that expires": (b"update", lambda store: store.put("a", {}, None, expires=FAR)),
    "count": (b"findAndModify", lambda store: store.count("a", 1, 60)),
    "lease": (b"findAndModify", lambda store: store.lease("a", "ann", 60)),
}
USES = [READ, *(use for _, use in WRITES.values())]


@pytest.fixture(params=DRIVERS)
async def collection(request: pytest.FixtureRequest, wire: Wire, connect: Connect) -> Any:
    return connect(wire.uri + SOON)(request.param)["kept"]


@pytest.fixture
async def store(collection: Any) -> Store:
    """A store that has been used, so that its index is there."""
    store = MongoStore(collection)
    await store.count("warm", 1, 60)
    return store


@pytest.mark.parametrize("use", USES, ids=["get", *WRITES])
async def test_a_database_that_is_away_is_unavailable(store: Store, wire: Wire, use: Use) -> None:
    wire.cut()
    with suppress(Unavailable, OutcomeUnknown):  # a connection may look open until it is used
        await use(store)
    with pytest.raises(Unavailable):
        await use(store)


@pytest.mark.parametrize("use", USES, ids=["get", *WRITES])
async def test_a_database_that_says_nothing_is_waited_for_as_long_as_its_time_allows(
    store: Store, wire: Wire, use: Use
) -> None:
    wire.hold()
    began = time.monotonic()
    with pytest.raises((Unavailable, OutcomeUnknown)):
        await use(store)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("kind", WRITES)
async def test_a_write_whose_answer_never_comes_has_an_unknown_outcome(store: Store, wire: Wire, kind: str) -> None:
    command, use = WRITES[kind]
    wire.cut_after(command, stay_down=True)
    with pytest.raises(OutcomeUnknown):
        await use(store)
    assert wire.cuts == 1


async def test_a_read_whose_answer_is_lost_is_asked_again(store: Store, wire: Wire) -> None:
    await store.put("a", {"number": 1}, None)
    wire.cut_after(b"find", stay_down=False)
    assert (await store.get(["a"]))["a"].value == {"number": 1}
    assert wire.cuts == 1


async def test_a_write_that_is_sent_again_by_the_driver_happens_once(store: Store, wire: Wire) -> None:
    wire.cut_after(b"findAndModify", stay_down=False)
    counts = [(await store.count("a", 1, 60))[0] for _ in range(2)]
    wire.cut_after(b"update", stay_down=False)
    assert await store.put("b", {}, None)
    assert (counts, wire.cuts) == ([1, 2], 2)


async def test_an_index_that_could_not_be_made_is_made_by_the_next_use(collection: Any, wire: Wire) -> None:
    store = MongoStore(collection)
    wire.cut()
    with pytest.raises(Unavailable):
        await store.put("a", {}, None, expires=FAR)
    wire.mend()
    await store.put("a", {}, None, expires=FAR)
    assert "expires_1" in await collection.index_information()


ADA = Account("ada", "1", "hash")
Speak = Callable[[Any], Awaitable[Any]]
SPEAKERS: dict[str, Speak] = {
    "sign-in limiter": lambda collection: MongoFailures(collection).add("a", 1, 60),
    "revocation": lambda collection: MongoRevocation(collection).has_ended("a", "user", 1.0),
    "password": lambda collection: MongoPasswords(collection).find("ada"),
}


@pytest.mark.parametrize("name", SPEAKERS)
async def test_what_asks_a_store_says_which_one_is_away(collection: Any, wire: Wire, name: str) -> None:
    wire.cut()
    with pytest.raises(Unavailable, match=f"The {name} store cannot be asked; nothing was done."):
        await SPEAKERS[name](collection)


REPEATABLE: dict[str, tuple[bytes, Speak]] = {
    "sign-in limiter": (b"findAndModify", SPEAKERS["sign-in limiter"]),
    "revocation": (b"update", lambda collection: MongoRevocation(collection).revoke("a", int(FAR))),
}


@pytest.mark.parametrize("name", REPEATABLE)
async def test_what_can_be_done_twice_may_be_tried_again(collection: Any, wire: Wire, name: str) -> None:
    command, speak = REPEATABLE[name]
    wire.cut_after(command, stay_down=True)
    with pytest.raises(Unavailable, match=f"The {name} store"):
        await speak(collection)
    assert wire.cuts == 1


async def test_nobody_is_told_that_nothing_was_done_to_a_password_that_may_have_changed(
    collection: Any, wire: Wire
) -> None:
    passwords = MongoPasswords(collection)
    await passwords.add(ADA)
    wire.cut_after(b"update", stay_down=True)
    with pytest.raises(OutcomeUnknown):
        await passwords.change(ADA, "another")
    assert wire.cuts == 1

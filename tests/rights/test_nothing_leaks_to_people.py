"""Histories and pages of two databases that differ in nothing but what a user may not see: they are the same.

The other routes are asked in :mod:`tests.rights.test_nothing_leaks`. Histories are those of one database after the
other, for they are recorded where a model is stored. Changes are numbered, for their ids tell when they happened.
"""

from __future__ import annotations

import os
import random
import re
from typing import Any

import httpx
import mongoengine as me
import pytest
from mongoengine.connection import get_db

import bzz
from bzz.delivery.history.declaring import forget_history
from bzz.delivery.history.recorder import recorders
from bzz.explorer import document_page
from bzz.providers import rules
from tests.delivery.conftest import eventually, listening
from tests.delivery.history.conftest import with_history
from tests.explorer.conftest import ACCEPT, explored
from tests.rights.conftest import Serving, as_user
from tests.rights.requests import Asking, told
from tests.rights.worlds import MODELS, Clause, Deal, Documents, World, fill

pytestmark = pytest.mark.usefixtures("database_name")

SEED, SOAK = int(os.environ.get("SEED", "1")), int(os.environ.get("SOAK", "1"))

REQUESTS, CHANGES, RUNS = 40, 20, 15 * SOAK

_CHANGE = re.compile(r"deal(?::|%3A)([0-9]+\.[0-9]+\.[0-9]+)")
_TIME = re.compile(r'"at":"[^"]*"')


def told_of_changes(answer: httpx.Response, numbers: dict[str, str]) -> tuple[Any, ...]:
    """What an answer tells, but when each change was made."""

    def numbered(text: str) -> str:
        text = _CHANGE.sub(lambda found: numbers.setdefault(found[1], f"change {len(numbers)}"), text)
        return _TIME.sub('"at":"then"', text)

    passing = ("x-request-id", "date", "content-length", "etag")
    headers = [(name, numbered(value)) for name, value in answer.headers.items() if name not in passing]
    return answer.status_code, sorted(headers), numbered(answer.text)


Written = tuple[str, dict[str, Any] | None, dict[str, Any] | None]


def writes(documents: Documents) -> list[Written]:
    """What is written one after the other: a key, and what is stored by it from now on in each of the databases."""
    choice, world = documents.choice, documents.world
    stored = [{each["_id"]: each for each in both[Deal]} for both in (documents.first, documents.second)]
    found: list[Written] = []
    for _ in range(CHANGES):
        key = choice.choice(sorted(stored[0].keys() & stored[1].keys()))
        fresh = documents._deal(key)
        if choice.random() < 0.6:
            fresh = {**stored[0][key], **{name: fresh[name] for name in choice.sample(sorted(fresh), 2)}}
        if not world.reads(Deal):
            fresh["org"] = stored[0][key]["org"]
        other = documents._other(Deal, fresh)
        if other is None:  # it is not there for the user, whatever it is
            other = {**documents._deal(key), "org": fresh["org"]}
        if world.has_in_scope(Deal, fresh["org"]) != world.has_in_scope(Deal, stored[0][key]["org"]):
            continue  # what it was before it came into the scope is in its history, and what it was is not the same
        stored[0][key], stored[1][key] = fresh, other
        found.append((key, fresh, other))
    gone = choice.choice(sorted(stored[0].keys() & stored[1].keys()))
    return [*found, (gone, None, None)]


async def histories(seed: int, serving: Serving, side: int) -> list[tuple[Any, ...]]:
    """Let everything happen in one of the databases; return what its histories tell, and what undoing does."""
    choice = random.Random(seed)
    world = World(choice)
    world.declare()
    documents = Documents(world)
    script = writes(documents)
    await fill_now(documents.first if side == 0 else documents.second)
    bzz.history(Deal)
    try:
        routes = bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each) for each in MODELS])
        client = serving(with_history(routes))
        async with bzz.deliver():
            await listening()
            done = sum(write(key, states[side]) for key, *states in script)
            await eventually(lambda: get_db()["bzz_history"].count_documents({}) == done)
            return await _asked(client, as_user(world.user), random.Random(seed + 1))
    finally:
        for each in list(recorders.values()):
            forget_history(each.model)
        rules.forget(*MODELS, Clause)


def write(key: str, state: dict[str, Any] | None) -> int:
    """Store a deal, or delete it; return how many changes that is."""
    deals = Deal._get_collection()
    if state is None:
        return int(deals.delete_one({"_id": key}).deleted_count)
    return int(deals.replace_one({"_id": key}, state).modified_count)


async def _asked(client: httpx.AsyncClient, who: dict[str, str], choice: random.Random) -> list[tuple[Any, ...]]:
    numbers: dict[str, str] = {}
    found, seen = [], []
    for number in range(9):
        url = f"/deal/d{number}/history/"
        answers = [await client.get(url, headers=who), await client.get(f"{url}?per_page=1", headers=who)]
        if "next" in answers[1].links:
            answers.append(await client.get(answers[1].links["next"]["url"], headers=who))
        found += [told_of_changes(each, numbers) for each in answers]
        if answers[0].status_code == 200:
            seen += [f"{url}{each['change']}/revert" for each in answers[0].json()]
    for url in choice.sample(seen, min(len(seen), 6)):
        found.append(told_of_changes(await client.post(url, headers=who), numbers))
        found.append(told_of_changes(await client.get(url.partition("history/")[0], headers=who), numbers))
    return found


async def fill_now(stored: dict[Any, Any]) -> None:
    """Store documents in the database of the test."""
    for model, rows in stored.items():
        collection = model._get_collection()
        collection.delete_many({})
        if rows:
            collection.insert_many(rows)


async def check_histories(seed: int, serving: Serving) -> int:
    """Compare the histories of one seed; return how many entries they had."""
    sides = []
    for side in (0, 1):
        sides.append(await histories(seed, serving, side))
        me.connection.get_connection().drop_database(get_db().name)
    for one, other in zip(*sides, strict=True):
        assert one == other, seed
    return sum(each[2].count('"change"') for each in sides[0])


@pytest.mark.parametrize("seed", range(SEED + 300, SEED + 303))
async def test_what_a_user_may_not_see_changes_no_history(seed: int, serving: Serving) -> None:
    await check_histories(seed, serving)


@pytest.mark.slow
@pytest.mark.timeout(120 * SOAK + 120)
async def test_it_changes_none_of_many_histories(serving: Serving) -> None:
    found = 0
    for seed in range(SEED + 3000, SEED + 3000 + RUNS):
        found += await check_histories(seed, serving)
    assert found > 10 * RUNS, found


# -- pages


@pytest.fixture
def same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms have a new key each time; here it is the same."""
    monkeypatch.setattr(document_page, "new_key", lambda: "key")


async def check_pages(seed: int, serving: Serving, databases: list[Any]) -> int:
    """Look at the same pages of both databases; return how many there were, and forms that led to one."""
    world = World(random.Random(seed))
    world.declare()
    documents = Documents(world)
    clients = []
    for database, stored in zip(databases, (documents.first, documents.second), strict=True):
        await fill(database, stored)
        routes = [bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in MODELS]
        clients.append(serving(explored(*routes)))
    asking, found = Asking(world), 0
    for _ in range(REQUESTS):
        method, url, body, headers = asking.request()
        if method in ("GET", "HEAD"):
            view = world.choice.choice(("", "", "_view=json", "_view=new", "_count=exact"))
            url = f"{url}{'&' if '?' in url else '?'}{view}" if view else url
        sent = {**headers, **ACCEPT, **as_user(world.user), "Host": "here", "Origin": "http://here"}
        answers = [await each.request(method, url, json=body, headers=sent) for each in clients]
        pages = [told(each) for each in answers]
        assert pages[0] == pages[1], (seed, method, url, body, headers, world.user)
        assert answers[0].status_code < 500, (seed, method, url, body, answers[0].text)
        found += answers[0].status_code < 400
    return found


@pytest.mark.usefixtures("same_keys")
@pytest.mark.parametrize("seed", range(SEED + 400, SEED + 403))
async def test_what_a_user_may_not_see_changes_no_page(seed: int, serving: Serving, databases: list[Any]) -> None:
    await check_pages(seed, serving, databases)


@pytest.mark.slow
@pytest.mark.usefixtures("same_keys")
@pytest.mark.timeout(120 * SOAK + 120)
async def test_it_changes_none_of_many_pages(serving: Serving, databases: list[Any]) -> None:
    found = 0
    for seed in range(SEED + 4000, SEED + 4000 + RUNS):
        found += await check_pages(seed, serving, databases)
        rules.forget(*MODELS, Clause)
    assert found > 10 * RUNS, found

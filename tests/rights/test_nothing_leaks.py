"""Two databases that differ in nothing but what a user may not see: each request gets the same answer from both.

That is what it means that no route, filter, sort, expansion, error or tag tells of it. Rules, users, documents and
requests are random. Not among them are ids that are taken by documents beyond the scope: that an id is taken is told.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest

import bzz
from bzz.providers import rules
from tests.live.reading import Follower, following
from tests.rights.conftest import Serving, as_user
from tests.rights.requests import Asking, told
from tests.rights.worlds import MODELS, Clause, Deal, Documents, World, fill

SEED, SOAK = int(os.environ.get("SEED", "1")), int(os.environ.get("SOAK", "1"))

REQUESTS, RUNS = 60, 25 * SOAK


async def check(seed: int, serving: Serving, databases: list[Any]) -> int:
    """Run one seed; return how many requests found something."""
    choice = random.Random(seed)
    world = World(choice)
    world.declare()
    documents = Documents(world)
    clients = []
    for database, stored in zip(databases, (documents.first, documents.second), strict=True):
        await fill(database, stored)
        clients.append(serving(*(bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in MODELS)))
    asking, found = Asking(world), 0
    for _ in range(REQUESTS):
        method, url, body, headers = asking.request()
        sent = {**headers, **as_user(world.user)}
        one, other = [await each.request(method, url, json=body, headers=sent) for each in clients]
        assert told(one) == told(other), (seed, method, url, body, headers, world.user, world.__dict__)
        assert one.status_code < 500, (seed, method, url, body, one.text)
        asking.tags += [one.headers["ETag"]] if "ETag" in one.headers else []
        found += one.status_code < 300
    return found


def frames(follower: Follower) -> list[tuple[str, Any]]:
    """What a feed told of documents, without when."""
    found = [(each.event, json.loads(each.data)) for each in follower.frames if each.event not in ("ping", "ready")]
    return [(event, {name: value for name, value in data.items() if name != "at"}) for event, data in found]


async def change(documents: Documents, databases: list[Any]) -> None:
    """Change a deal in both databases: what the user may see alike, and the rest as it comes, or alone."""
    choice, world = documents.choice, documents.world
    collections = [each[Deal._get_collection_name()] for each in databases]
    key = f"d{choice.randrange(8)}"
    stored = [await each.find_one({"_id": key}) for each in collections]
    if stored[0] is None or stored[1] is None:
        return
    fresh = documents._deal(key)
    if choice.random() < 0.5:
        fresh = {**stored[0], **{name: fresh[name] for name in choice.sample(sorted(fresh), 2)}}
    seen = world.reads(Deal) and any(world.has_in_scope(Deal, each) for each in (fresh["org"], stored[0]["org"]))
    if not seen:
        fresh["org"] = stored[0]["org"]
    other = documents._other(Deal, fresh) or {**documents._deal(key), "org": fresh["org"]}
    if choice.random() < 0.3 and not world.has_in_scope(Deal, stored[0]["org"]):
        await collections[1].replace_one({"_id": key}, {**documents._deal(key), "org": stored[1]["org"]})
        return
    await collections[0].replace_one({"_id": key}, fresh)
    await collections[1].replace_one({"_id": key}, other)


async def check_feed(seed: int, serving: Serving, databases: list[Any]) -> int:
    """Follow a feed in both databases; return how many frames it had, -1 where the user may not follow."""
    choice = random.Random(seed)
    world = World(choice)
    world.actions[Deal]["list"] = "anyone"
    world.declare()
    documents = Documents(world)
    clients = []
    for database, stored in zip(databases, (documents.first, documents.second), strict=True):
        await fill(database, stored)
        routes = bzz.ModelHive.routes_for("mongoengine", Deal, database=database, live=True)
        clients.append(serving(routes))
    names: Any = {name.replace("-", "_"): value for name, value in as_user(world.user).items()}
    org = "red" if world.user is None else world.user["org"]
    async with following(clients[0], "/deal/", **names) as one, following(clients[1], "/deal/", **names) as other:
        for _ in range(30):
            await change(documents, databases)
        if not world.has_in_scope(Deal, org):
            return 0
        for database in databases:
            await database[Deal._get_collection_name()].insert_one({"_id": "last", "org": org})
        for each in (one, other):
            await each.until(lambda each=each: "last" in each.rows)  # type: ignore[misc]
        assert frames(one) == frames(other), (seed, world.__dict__)
        return len(frames(one))


@pytest.mark.parametrize("seed", range(SEED + 105, SEED + 109))
async def test_what_a_user_may_not_see_changes_no_feed(seed: int, serving: Serving, databases: list[Any]) -> None:
    await check_feed(seed, serving, databases)


@pytest.mark.slow
async def test_it_changes_none_of_many_feeds(serving: Serving, databases: list[Any]) -> None:
    found = 0
    for seed in range(SEED + 2000, SEED + 2000 + RUNS):
        found += await check_feed(seed, serving, databases)
        rules.forget(*MODELS, Clause)
    assert found > 5 * RUNS


@pytest.mark.parametrize("seed", range(SEED, SEED + 8))
async def test_what_a_user_may_not_see_changes_no_answer(seed: int, serving: Serving, databases: list[Any]) -> None:
    await check(seed, serving, databases)


@pytest.mark.slow
@pytest.mark.timeout(120 * SOAK + 120)
async def test_it_changes_none_of_many_answers(serving: Serving, databases: list[Any]) -> None:
    before = dict(rules.DECLARED)
    found = 0
    for seed in range(SEED + 1000, SEED + 1000 + RUNS):
        found += await check(seed, serving, databases)
        rules.forget(*MODELS, Clause)
    assert found > 10 * RUNS, found
    assert before == rules.DECLARED

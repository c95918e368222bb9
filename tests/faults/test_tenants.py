"""Two tenants of one application: no answer and no log line to one holds anything of the other, or anything hidden."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pymongo
import pytest
from bson import ObjectId

from bzz.dev import MongoServer
from tests.faults import SEED, SOAK
from tests.faults.running import PATIENCE, Running, running
from tests.faults.tenants import SHARED, TENANTS, hidden_marker, marker

REQUESTS = 250 * SOAK
"""How many each tenant sends."""

AT_ONCE = 10
DOCUMENTS = 5
"""How many each tenant has of each model."""

pytestmark = pytest.mark.timeout(300 * SOAK)


class Stored:
    """What there is of both tenants; the other's is not to change."""

    def __init__(self, uri: str, database: str) -> None:
        self._client: pymongo.MongoClient[Any] = pymongo.MongoClient(uri, timeoutMS=1000 * PATIENCE)
        self._database = self._client[database]
        self.ids: dict[str, list[tuple[str, ObjectId]]] = {tenant: [] for tenant in TENANTS}
        for tenant in TENANTS:
            for number in range(DOCUMENTS):
                self._fill(tenant, number)

    def _fill(self, tenant: str, number: int) -> None:
        paper, folder = ObjectId(), ObjectId()
        inner = {"name": f"{marker(tenant)} inner", "secret": f"{hidden_marker(tenant)} inner"}
        common = {
            "tenant": tenant, "count": number, "name": f"{marker(tenant)} {number}",
            "secret": f"{hidden_marker(tenant)} {number}", "inner": inner, "inners": [inner, inner],
        }  # fmt: skip
        others = [ids for each in self.ids.values() for model, ids in each if model == "paper"]  # a mistake of theirs
        self._database["paper"].insert_one({"_id": paper, **common})
        self._database["folder"].insert_one({"_id": folder, **common, "papers": [paper, *others], "cover": paper})
        self.ids[tenant] += [("paper", paper), ("folder", folder)]

    def of(self, tenant: str) -> Any:
        return [list(self._database[model].find({"tenant": tenant}, sort=[("_id", 1)])) for model in SHARED]

    def close(self) -> None:
        self._client.drop_database(self._database)
        self._client.close()


def requests(tenant: str, stored: Stored, choice: random.Random) -> Iterator[tuple[str, str, Any]]:
    """Anything that a tenant may try: with ids that they should not know, and never with a marker of the other."""
    every = [each for ids in stored.ids.values() for each in ids]
    while True:
        model, key = choice.choice(every)
        other = str(choice.choice(every)[1])
        own = f"{marker(tenant)} {choice.randrange(1000)}"
        body = choice.choice([
            {"name": own}, {"count": 101}, {"secret": own}, {"inner": {"name": own}}, {"inner": {"secret": own}},
            {"inners": [{"name": own}]}, {"papers": [other]}, {"cover": other}, {"name": None}, {"tenant": tenant},
            {"name": own, "tenant": tenant, "papers": [other]}, [], {"_cls": "Paper"}, {"name": 7},
        ])  # fmt: skip
        path = choice.choice(["", "", "", "papers/", f"papers/{other}/", "cover/", "inner/", "inners/", "inners/0/"])
        query = choice.choice([
            "", "?sort=-name", "?secret__startswith=h", "?fields=name,secret", "?name__contains=marker", "?per_page=1",
            "?tenant__ne=x", "?sort=secret", "?inner.secret__exists=true", "?count__gte=0&per_page=100", "?page=2",
            "?papers=" + other,
        ])  # fmt: skip
        yield choice.choice([
            ("GET", f"/{model}/{key}/{path}{query}", None), ("GET", f"/{model}/{key}/{path}", None),
            ("GET", f"/{model}/{query}", None), ("POST", f"/{model}/", body), ("POST", f"/{model}/{key}/{path}", body),
            ("PUT", f"/{model}/{key}/{path}", body), ("PATCH", f"/{model}/{key}/{path}", body),
            ("DELETE", f"/{model}/{key}/{path or 'inners/0/'}", None),
        ])  # fmt: skip


class Asking:
    """Sends what tenants try, and keeps the answers that say too much."""

    def __init__(self, application: Running, stored: Stored) -> None:
        self.leaks: list[str] = []
        self.good = 0
        self._application = application
        self._stored = stored

    async def begin(self) -> None:
        """Have the application make its indexes, while names are unique."""
        async with self._application.client() as client:
            answers = [await client.get(f"/{model}/") for model in SHARED]
        assert [each.status_code for each in answers] == [200] * len(SHARED)

    async def ask(self, tenant: str, seed: int) -> None:
        """Have a tenant send requests over several connections."""
        forbidden = [marker(each) for each in TENANTS if each != tenant] + [hidden_marker(each) for each in TENANTS]
        tried = requests(tenant, self._stored, random.Random(seed))
        left = [next(tried) for _ in range(REQUESTS)]

        async with self._application.client(headers={"X-Tenant": tenant, "Prefer": "count=exact"}) as client:

            async def work() -> None:
                while left:
                    method, url, body = left.pop()
                    answer = await client.request(method, url, json=body)
                    self._judge(answer, forbidden, f"{tenant}: {method} {url} {body}")

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    def _judge(self, answer: httpx.Response, forbidden: list[str], asked: str) -> None:
        said = f"{answer.status_code} {answer.headers} {answer.text}"
        self.good += answer.is_success
        if answer.status_code >= 500 or any(each in said for each in forbidden):
            self.leaks.append(f"{asked}: {said}")


async def leaks(uri: str, database: str, provider: str = "mongoengine") -> list[str]:
    """What was shown, logged or changed that should not have been, as sentences."""
    stored = Stored(uri, database)
    first, second = TENANTS
    try:
        with running(uri, database, provider=provider) as application:
            asking = Asking(application, stored)
            await asking.begin()
            untouched = stored.of(second)
            await asking.ask(first, SEED)
            if stored.of(second) != untouched:
                asking.leaks.append(f"what {second} had is changed")
            lines = [line for line in application.log.splitlines() if marker(second) in line]
            await asyncio.gather(*(asking.ask(each, SEED + number) for number, each in enumerate(TENANTS, 1)))
            lines += [line for line in application.log.splitlines() if any(hidden_marker(t) in line for t in TENANTS)]
        assert asking.good > REQUESTS / 10, "hardly a request was well enough to be answered"
        return [*asking.leaks, *lines]
    finally:
        stored.close()


async def test_nothing_of_another_tenant_and_nothing_hidden_is_told(mongo: MongoServer, database: str) -> None:
    assert await leaks(mongo.uri, database) == []


@pytest.mark.parametrize("provider", ["ShowsHidden", "MixesAnswers", "LogsDocuments"])
async def test_the_harness_sees(provider: str, mongo: MongoServer, database: str) -> None:
    assert await leaks(mongo.uri, database, provider) != []

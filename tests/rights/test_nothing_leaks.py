"""Two databases that differ in nothing but what a user may not see: each request gets the same answer from both.

That is what it means that no route, filter, sort, expansion, error or tag tells of it. Rules, users, documents and
requests are random. Not among them are ids that are taken by documents beyond the scope: that an id is taken is told.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import mongoengine as me
import pytest
from pymongo import AsyncMongoClient

import bzz
from bzz.dev import MongoServer
from bzz.live.hub import hubs
from bzz.providers import rules
from tests.live.reading import Follower, following
from tests.rights.conftest import ADMIN, ANN, BOB, EDITOR, Serving, as_user

SEED, SOAK = int(os.environ.get("SEED", "1")), int(os.environ.get("SOAK", "1"))

REQUESTS, RUNS = 60, 40 * SOAK


class Clause(me.EmbeddedDocument):
    label = me.StringField()
    fine = me.IntField()


class Agent(me.Document):
    key = me.StringField(primary_key=True)
    org = me.StringField()
    name = me.StringField()
    pay = me.IntField()


class Deal(me.Document):
    key = me.StringField(primary_key=True)
    org = me.StringField()
    title = me.StringField()
    pay = me.IntField()
    tags = me.ListField(me.StringField())
    bag = me.DictField()
    clauses = me.EmbeddedDocumentListField(Clause)
    main = me.EmbeddedDocumentField(Clause)
    agent = me.ReferenceField(Agent)
    agents = me.ListField(me.ReferenceField(Agent))


MODELS: tuple[Any, ...] = (Agent, Deal)
FIELDS = {
    Agent: ("name", "pay"),
    Deal: ("title", "pay", "tags", "bag", "clauses", "main", "agent", "agents"),
    Clause: ("label", "fine"),
}
USERS = (None, ANN, BOB, EDITOR, ADMIN)
WORDS, NUMBERS = ("x", "y", "z"), (1, 2, 3)


def own(user: Any) -> Any:
    return None if user is None else {} if user is ADMIN or "admin" in user.get("roles", ()) else {"org": user["org"]}


class World:
    """The rules of one run, who asks, and what that user may see: worked out here once more, by other code."""

    def __init__(self, choice: random.Random) -> None:
        self.choice = choice
        self.user: Any = choice.choice(USERS)
        self.actions = {model: self._actions() for model in MODELS}
        self.is_scoped = {model: choice.random() < 0.5 for model in MODELS}
        self.readers = {
            (model, name): self._who() for model, names in FIELDS.items() for name in names if choice.random() < 0.35
        }

    def _who(self) -> str:
        return self.choice.choice(("anyone", "authenticated", "editor", "admin"))

    def _actions(self) -> dict[str, str]:
        return {each: self.choice.choice(("anyone", "anyone", self._who())) for each in rules.ACTIONS}

    def declare(self) -> None:
        for model, names in FIELDS.items():
            fields = {name: {"read": self.readers[model, name]} for name in names if (model, name) in self.readers}
            if model is Clause:
                bzz.rules(model, fields=fields)
            else:
                scope = own if self.is_scoped[model] else None
                bzz.rules(model, scope=scope, fields=fields, **self.actions[model])

    def _includes(self, who: str) -> bool:
        user = self.user
        return who == "anyone" or (user is not None and (who == "authenticated" or who in user.get("roles", ())))

    def reads(self, model: Any) -> bool:
        """Whether the user may see anything of some documents; of the others, only that they are there."""
        return any(self._includes(self.actions[model][each]) for each in ("list", "get"))

    def has_in_scope(self, model: Any, org: str) -> bool:
        """Whether a document is there for the user."""
        found = own(self.user) if self.is_scoped[model] else {}
        return found is not None and found.get("org", org) == org

    def hides(self, model: Any, name: str) -> bool:
        return not self._includes(self.readers.get((model, name), "anyone"))


class Documents:
    """Documents as they are stored, and the same with other values where the user may not look."""

    def __init__(self, world: World) -> None:
        self.world, self.choice = world, world.choice
        agents = [self._agent(f"a{number}") for number in range(6)]
        deals = [self._deal(f"d{number}") for number in range(8)]
        self.first: dict[Any, Any] = {Agent: agents, Deal: deals}
        self.second: dict[Any, Any] = {
            model: [other for each in stored if (other := self._other(model, each)) is not None]
            for model, stored in self.first.items()
        }

    def _agent(self, key: str) -> dict[str, Any]:
        return {"_id": key, "org": self._org(), "name": self._word(), "pay": self._number()}

    def _deal(self, key: str) -> dict[str, Any]:
        return {
            "_id": key,
            "org": self._org(),
            "title": self._word(),
            "pay": self._number(),
            "tags": [self._word() for _ in range(self.choice.randrange(3))],
            "bag": {self._word(): self._number()},
            "clauses": [self._clause() for _ in range(self.choice.randrange(3))],
            "main": self._clause(),
            "agent": self._reference(),
            "agents": sorted({self._reference() for _ in range(3)}),
        }

    def _clause(self) -> dict[str, Any]:
        return {"label": self._word(), "fine": self._number()}

    def _org(self) -> str:
        return self.choice.choice(("red", "blue"))

    def _word(self) -> str:
        return self.choice.choice(WORDS)

    def _number(self) -> int:
        return self.choice.choice(NUMBERS)

    def _reference(self) -> str:
        return f"a{self.choice.randrange(6)}"

    def _other(self, model: Any, stored: dict[str, Any]) -> dict[str, Any] | None:
        fresh = self._agent(stored["_id"]) if model is Agent else self._deal(stored["_id"])
        if not self.world.has_in_scope(model, stored["org"]):
            return None if self.choice.random() < 0.3 else {**fresh, "org": stored["org"]}
        if not self.world.reads(model):
            return {**fresh, "org": stored["org"]}
        return self._with_other_parts(model, stored, fresh)

    def _with_other_parts(self, model: Any, stored: Any, fresh: Any) -> dict[str, Any]:
        other = dict(stored)
        for name in FIELDS[model]:
            if self.world.hides(model, name):
                other[name] = fresh[name]
        if model is Deal:
            if not self.world.hides(Deal, "main"):
                other["main"] = self._with_other_parts(Clause, stored["main"], self._clause())
            if not self.world.hides(Deal, "clauses"):
                other["clauses"] = [self._with_other_parts(Clause, each, self._clause()) for each in stored["clauses"]]
        return other


class Asking:
    """Makes requests."""

    def __init__(self, world: World) -> None:
        self.choice = world.choice
        self.number = 0
        self.tags: list[str] = []

    def request(self) -> tuple[str, str, Any, dict[str, str]]:
        """A method, a URL, a body, and headers."""
        kind = self.choice.choice(
            ("list", "list", "query", "one", "below", "write", "write", "patch", "selected", "link")
        )
        method, url, body, headers = getattr(self, f"_{kind}")()
        if self.tags and self.choice.random() < 0.2 and kind != "selected":
            headers[self.choice.choice(("If-Match", "If-None-Match"))] = self.choice.choice(self.tags)
        return method, url, body, headers

    def _model(self) -> Any:
        return self.choice.choice(MODELS)

    def _key(self, model: Any) -> str:
        return f"{'a' if model is Agent else 'd'}{self.choice.randrange(9)}"

    def _path(self, model: Any, key: str = "") -> str:
        return f"/{model.__name__.lower()}/" + (f"{key}/" if key else "")

    def _name(self, model: Any) -> str:
        names = {
            Agent: ("key", "org", "name", "pay"),
            Deal: ("org", "title", "pay", "tags", "bag.x", "clauses.fine", "main.fine", "main.label", "agent",
                   "agent.name", "agent.pay", "agent.org", "agents", "agents.pay"),
        }  # fmt: skip
        return self.choice.choice(names[model])

    def _value(self, name: str) -> Any:
        last = name.rpartition(".")[2]
        if last in ("pay", "fine", "x"):
            return self.choice.choice(NUMBERS)
        if last in ("agent", "agents"):
            return self._key(Agent)
        return self.choice.choice(("red", "blue")) if last == "org" else self.choice.choice(WORDS)

    def _filters(self, model: Any, filters: int) -> list[tuple[str, Any]]:
        names = [self._name(model) for _ in range(filters)]
        operator = self.choice.choice(("", "", "__ne", "__exists"))
        return [(name + operator, "true" if operator == "__exists" else self._value(name)) for name in names]

    def _list(self) -> Any:
        model = self._model()
        query = self._filters(model, self.choice.randrange(3))
        options: list[tuple[str, Any]] = [(name, self._name(model)) for name in ("sort", "fields", "facets")]
        options += [("expand", self.choice.choice(("agent", "agents", "agent,agents"))), ("per_page", 2)]
        query += [each for each in options if self.choice.random() < 0.25]
        return "GET", f"{self._path(model)}?{urlencode(query)}", None, {"Prefer": "count=exact"}

    def _query(self) -> Any:
        model = self._model()
        one, other = self._name(model), self._name(model)
        tree = {"or": [{one: self._value(one)}, {"not": {other: self._value(other)}}]}
        more = self.choice.choice(({}, {"sort": self._name(model)}, {"facets": [self._name(model)]}))
        return "QUERY", self._path(model), {"filter": tree, **more}, {"Prefer": "count=exact"}

    def _patch(self) -> Any:
        name = self.choice.choice(
            ("title", "pay", "tags/-", "tags/0", "main/fine", "clauses/0/fine", "clauses", "agents/0")
        )
        operation = {"op": self.choice.choice(("add", "replace", "remove", "test")), "path": f"/{name}"}
        if operation["op"] != "remove":
            operation["value"] = self._value(
                name.partition("/")[0] if name.startswith("agents") else name.split("/")[-1]
            )
        if self.choice.random() < 0.3:
            operation = {
                "op": "copy",
                "from": f"/{self.choice.choice(('pay', 'title', 'main/fine'))}",
                "path": "/bag/x",
            }
        headers = {"Content-Type": "application/json-patch+json"}
        return "PATCH", self._path(Deal, self._key(Deal)), [operation], headers

    def _one(self) -> Any:
        model = self._model()
        query = self.choice.choice(("", "", "?expand=agent,agents", f"?fields={self._name(model)}"))
        return self.choice.choice(("GET", "HEAD")), self._path(model, self._key(model)) + query, None, {}

    def _below(self) -> Any:
        field = self.choice.choice(("clauses", "main", "agent", "agents", "clauses/0", f"agents/{self._key(Agent)}"))
        return "GET", f"{self._path(Deal, self._key(Deal))}{field}/", None, {}

    def _write(self) -> Any:
        model = self._model()
        self.number += 1
        method = self.choice.choice(("POST", "PUT", "PUT", "PATCH", "DELETE"))
        body = {name: self._value(name) for name in (self._name(model) for _ in range(2)) if "." not in name}
        for name in ("tags", "agents"):
            body.update({name: [body[name]]} if name in body else {})
        if model is Deal and self.choice.random() < 0.4:
            body[self.choice.choice(("clauses", "main"))] = {"label": self._value("label")}
            body.update({"clauses": [body["clauses"]]} if "clauses" in body else {})
        body.pop("key", None)
        if method == "POST":
            return method, self._path(model), {**body, "key": f"n{self.number}"}, {}
        return method, self._path(model, self._key(model)), body if method != "DELETE" else None, {}

    def _selected(self) -> Any:
        model, method = self._model(), self.choice.choice(("PATCH", "DELETE"))
        url = f"{self._path(model)}?{urlencode(self._filters(model, 1))}"
        most = self.choice.choice((1, 9))
        return method, url, {"org": "red"} if method == "PATCH" else None, {"Prefer": f"max-affected={most}"}

    def _link(self) -> Any:
        url, key = self._path(Deal, self._key(Deal)), self._key(Agent)
        return self.choice.choice(
            [
                ("POST", f"{url}agents/", {"agents": [key]}, {}),
                ("POST", f"{url}agent/", {"agent": key}, {}),
                ("DELETE", f"{url}agents/{key}/", None, {}),
                ("DELETE", f"{url}agent/", None, {}),
                ("PUT", f"{url}agent/", {"name": "x"}, {}),
                ("POST", f"{url}clauses/", {"label": "x"}, {}),
                ("PUT", f"{url}clauses/0/", {"label": "y"}, {}),
                ("DELETE", f"{url}clauses/0/", None, {}),
            ]
        )


@pytest.fixture
async def databases(mongo: MongoServer, database_name: str) -> AsyncIterator[list[Any]]:
    client: Any = AsyncMongoClient(mongo.uri)
    found = [client[f"{database_name}_{number}"] for number in range(2)]
    yield found
    for hub in hubs():
        await hub.close()
    for each in found:
        await client.drop_database(each.name)
    await client.close()


async def fill(database: Any, stored: dict[Any, Any]) -> None:
    """Store documents in place of those that are there."""
    for model, rows in stored.items():
        collection = database[model._get_collection_name()]
        await collection.delete_many({})
        if rows:
            await collection.insert_many(rows)


def told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """What an answer tells: all but what is new in each."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    return answer.status_code, headers, answer.text


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

"""What a page of the explorer costs beside its JSON twin: ``python -m bench.explorer``, in a million documents.

Pages and twins take turns. Times are medians: what a request takes in all, and of that the processor, which says more
on a machine that is busy with something else; the database answers both alike, since a page asks it nothing but what
its twin asks. A page is to take at most 1.2 times what its twin takes, beside what makes HTML: of the values of its
rows (cells), and of the rest (template). Where rows refer to something, a page shows what that is called: so its twin
has ``expand=``.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import mongoengine as me
import pymongo
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

import bzz
from bzz.dev import MongoServer
from bzz.explorer import list_page, list_rows, rendering

__all__ = ["measure"]

DATABASE = "bench_explorer"
ROUNDS, WARM = 200, 30
LIMIT = 1.2

HTML = {"Accept": "text/html"}

QUERIES = {
    "the first page": "",
    "filtered, by an index": "?age=30",
    "sorted, by an index": "?sort=-age",
    "a page at a cursor": "cursor",
}


class Team(me.Document):
    """What the rows of :class:`Member` refer to."""

    name = me.StringField(required=True)


class Person(me.Document):
    """A document without references."""

    name = me.StringField(required=True)
    age = me.IntField()
    city = me.StringField()
    email = me.StringField()
    score = me.FloatField()
    active = me.BooleanField()

    meta = {"indexes": ["age"]}  # noqa: RUF012  # MongoEngine reads it as it is


class Member(me.Document):
    """The same, and each refers to one of a hundred teams."""

    name = me.StringField(required=True)
    age = me.IntField()
    city = me.StringField()
    team = me.ReferenceField(Team)

    meta = {"indexes": ["age"]}  # noqa: RUF012  # as above


def fill(database: Any, count: int) -> None:
    """Make ``count`` documents of each model, by the server itself."""
    teams = database["team"].insert_many([{"name": f"Team {number}"} for number in range(100)]).inserted_ids
    database["seed"].insert_many([{"_id": number} for number in range(1000)])
    number = {"$add": [{"$multiply": ["$_id", 1000]}, "$other._id"]}
    made = {
        "name": {"$concat": ["Person ", {"$toString": number}]},
        "age": {"$mod": [number, 90]},
        "city": {"$concat": ["City ", {"$toString": {"$mod": [number, 1000]}}]},
        "email": {"$concat": ["p", {"$toString": number}, "@example.org"]},
        "score": {"$divide": [number, 7]},
        "active": {"$eq": [{"$mod": [number, 2]}, 0]},
        "team": {"$arrayElemAt": [teams, {"$mod": [number, 100]}]},
    }
    left = max(1, count // 1000)
    for name, extra in (("person", ["team"]), ("member", ["email", "score", "active"])):
        steps: list[dict[str, Any]] = [
            {"$match": {"_id": {"$lt": left}}},
            {"$lookup": {"from": "seed", "pipeline": [], "as": "other"}},
            {"$unwind": "$other"},
            {"$project": {"_id": 0, **{key: each for key, each in made.items() if key not in extra}}},
            {"$out": name},
        ]
        database["seed"].aggregate(steps)
        database[name].create_index([("age", 1), ("_id", 1)])


async def measure(documents: int, say: Callable[[str], None]) -> bool:
    """Print what pages cost; return whether all keep to the limit."""
    times: dict[str, list[float]] = defaultdict(list)
    kept = True
    port = _serve(times)
    client = AsyncHTTPClient()
    say(f"{documents:,} documents; milliseconds, medians of {ROUNDS}")
    heads = ("JSON", "page", "JSON CPU", "page CPU", "cells", "template", "ratio")
    say(" " * 32 + "".join(f"{each:>10}" for each in heads))
    for model in ("person", "member"):
        for words, query in QUERIES.items():
            url = (
                f"http://127.0.0.1:{port}/{model}/{await _cursor(client, port, model) if query == 'cursor' else query}"
            )
            twin = url if model == "person" else f"{url}{'&' if '?' in url else '?'}expand=team"
            for _ in range(WARM):
                await client.fetch(twin)
                await client.fetch(url, headers=HTML)
            for each in times.values():
                each.clear()
            for _ in range(ROUNDS):
                await client.fetch(twin)
                await client.fetch(url, headers=HTML)
            kinds = ("json in all", "html in all", "json", "html", "cells", "template")
            all_json, all_page, json, page, cells, template = (statistics.median(times[each]) * 1000 for each in kinds)
            ratio = (page - cells - template) / json
            kept = kept and ratio <= LIMIT
            figures = "".join(f"{each:10.2f}" for each in (all_json, all_page, json, page, cells, template, ratio))
            say(f"{model + ', ' + words:32}{figures}")
    return kept


def _serve(times: dict[str, list[float]]) -> int:
    class Timed(bzz.ModelHandler):
        """Takes its own time: on this thread, which waits for the database meanwhile, and by the clock."""

        async def prepare(self) -> None:
            self._began = time.thread_time()
            await super().prepare()

        def on_finish(self) -> None:
            kind = "html" if self.request.headers.get("Accept") == "text/html" else "json"
            times[kind].append(time.thread_time() - self._began)
            times[f"{kind} in all"].append(self.request.request_time())

    models = bzz.flatten(
        [bzz.ModelHive.routes_for("mongoengine", each, handler=Timed) for each in (Team, Person, Member)]
    )
    docs = bzz.DocsHive.routes_for(models, title="Bench", version="1", explorer=True)
    app = Application([*models, *docs], log_function=lambda handler: None)
    page = rendering._loader().load("list.html")
    page.generate = _timed(page.generate, times["template"])  # type: ignore[method-assign]  # to time it
    vars(list_page)["rows_of"] = _timed(list_rows.rows_of, times["cells"])
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(app).add_sockets(sockets)
    return int(sockets[0].getsockname()[1])


def _timed(function: Callable[..., Any], times: list[float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            times.append(time.thread_time() - began)

    return timed


async def _cursor(client: AsyncHTTPClient, port: int, model: str) -> str:
    answer = await client.fetch(f"http://127.0.0.1:{port}/{model}/?page=100")
    return "?" + answer.headers["Link"].rpartition("?")[2].partition(">")[0]


def main() -> int:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.explorer", description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000, help="how many, in thousands of 1000")
    documents = parser.parse_args().documents
    with MongoServer() as server, pymongo.MongoClient[dict[str, Any]](server.uri) as client:
        client.drop_database(DATABASE)
        fill(client[DATABASE], documents)
        me.connect(DATABASE, host=server.uri)
        return 0 if asyncio.run(measure(documents, print)) else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""``updated_fields`` under concurrent writers is one unbroken chain, and no write is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

import bzz
from bzz import signals
from tests.conftest import Driver, Serve
from tests.robustness.documents import Account, Note, Person, Team

pytestmark = pytest.mark.slow  # hundreds of writers in each

MODELS = {"person": Person, "account": Account}
WRITERS = 200
FEWER = 50


def routes(database: Any) -> Any:
    models = (Person, Account, Team)
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in models])


@contextmanager
def changes_of(model: type) -> Iterator[list[dict[str, Any]]]:
    """What receivers of ``post_update_instance`` are told."""
    seen: list[dict[str, Any]] = []

    def keep(sender: type, updated_fields: dict[str, Any]) -> None:
        seen.append(updated_fields)

    with signals.post_update_instance.connected_to(keep, model):
        yield seen


def assert_chain(changes: Sequence[dict[str, Any]], field: str, first: Any, last: Any) -> None:
    """Every change begins where exactly one other ended."""
    assert all(set(each) == {field} for each in changes)
    following = {each[field]["from"]: each[field]["to"] for each in changes}
    assert len(following) == len(changes)
    at, steps = first, 0
    while at in following and steps < len(changes):
        at, steps = following[at], steps + 1
    assert (at, steps) == (last, len(changes))


async def made(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> str:
    answer = await client.post(url, json=body)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def put_all(client: httpx.AsyncClient, url: str, bodies: Sequence[Any]) -> None:
    answers = await asyncio.gather(*(client.put(url, json=body) for body in bodies))
    assert {each.status_code for each in answers} == {200}


@pytest.mark.parametrize("model", MODELS)
async def test_puts_to_one_field(model: str, driver: Driver, serve: Serve) -> None:
    client = serve(routes(driver()))
    url = await made(client, f"/{model}/", {"age": -1})
    with changes_of(MODELS[model]) as changes:
        await put_all(client, url, [{"age": number} for number in range(WRITERS)])
    assert len(changes) == WRITERS
    assert_chain(changes, "age", -1, (await client.get(url)).json()["age"])


@pytest.mark.parametrize("model", MODELS)
async def test_puts_to_a_field_of_an_embedded_document(model: str, driver: Driver, serve: Serve) -> None:
    client = serve(routes(driver()))
    url = await made(client, f"/{model}/", {"address": {"city": "Rio"}})
    with changes_of(MODELS[model]) as changes:
        await put_all(client, url, [{"address": {"city": str(number)}} for number in range(FEWER)])
    assert len(changes) == FEWER
    assert_chain(changes, "address.city", "Rio", (await client.get(url)).json()["address"]["city"])


@pytest.mark.parametrize("model", MODELS)
async def test_puts_to_an_item_of_a_nested_list(model: str, driver: Driver, serve: Serve) -> None:
    client = serve(routes(driver()))
    url = await made(client, f"/{model}/", {"notes": [{"text": "other"}]})
    item = await made(client, url + "notes/", {"text": "first"})
    with changes_of(Note) as changes:
        await put_all(client, item, [{"text": str(number)} for number in range(FEWER)])
    assert len(changes) == FEWER
    assert_chain(changes, "text", "first", (await client.get(item)).json()["text"])


@pytest.mark.parametrize("model", MODELS)
async def test_appends_to_a_list_lose_nothing(model: str, driver: Driver, serve: Serve) -> None:
    client = serve(routes(driver()))
    url = await made(client, f"/{model}/", {})
    texts = {str(number) for number in range(50)}
    places = await asyncio.gather(*(made(client, url + "notes/", {"text": each}) for each in texts))
    assert len(set(places)) == len(texts)
    notes = (await client.get(url)).json()["notes"]
    assert sorted(each["text"] for each in notes) == sorted(texts)


@pytest.mark.parametrize("model", MODELS)
async def test_links_lose_nothing_and_are_told_once(model: str, driver: Driver, serve: Serve) -> None:
    client = serve(routes(driver()))
    url = await made(client, f"/{model}/", {})
    friends = [(await made(client, "/person/", {"name": str(number)})).split("/")[-2] for number in range(20)]
    told: list[Any] = []

    def keep(sender: type, instance: Any) -> None:
        told.append(str(instance.id))

    with signals.post_create_instance.connected_to(keep, Person):
        posts = [client.post(url + "friends/", json={"friends": [each]}) for each in 3 * friends]
        assert {each.status_code for each in await asyncio.gather(*posts)} == {200}
    assert sorted((await client.get(url)).json()["friends"]) == sorted(friends)
    assert sorted(told) == sorted(friends)


@pytest.mark.parametrize("model", MODELS)
async def test_of_many_deletes_one_succeeds(model: str, driver: Driver, serve: Serve) -> None:
    client = serve(routes(driver()))
    url = await made(client, f"/{model}/", {})
    told: list[Any] = []

    def keep(sender: type, instance: Any) -> None:
        told.append(instance)

    with signals.post_delete_instance.connected_to(keep, MODELS[model]):
        answers = await asyncio.gather(*(client.delete(url) for _ in range(50)))
    assert sorted(each.status_code for each in answers) == [204] + 49 * [404]
    assert len(told) == 1


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_of_many_writes_with_one_entity_tag_one_succeeds(
    method: str, model: str, driver: Driver, serve: Serve
) -> None:
    client = serve(routes(driver()))
    url = await made(client, f"/{model}/", {"age": -1})
    tag = {"If-Match": (await client.get(url)).headers["ETag"]}
    requests = [
        client.request(method, url, headers=tag, json=None if method == "DELETE" else {"age": number})
        for number in range(15)
    ]
    answers = [each.status_code for each in await asyncio.gather(*requests)]
    assert len([each for each in answers if each in (200, 204)]) == 1
    assert set(answers) <= {200, 204, 412, 404}


async def test_of_many_creates_of_one_unique_value_one_succeeds(driver: Driver, serve: Serve) -> None:
    client = serve(routes(driver()))
    posts = [client.post("/person/", json={"email": "ann@example.org"}) for _ in range(30)]
    assert sorted(each.status_code for each in await asyncio.gather(*posts)) == [201] + 29 * [409]


SECOND_PROCESS = """
import asyncio, json, sys
import mongoengine, tornado.httpserver, tornado.netutil, tornado.web
import bzz
from bzz import signals
from tests.robustness.documents import Account, Note, Person

async def main(uri, name):
    mongoengine.connect(db=name, host=uri, uuidRepresentation="standard")
    seen = []
    def keep(sender, updated_fields):
        seen.append(updated_fields)
    signals.post_update_instance.connect(keep)
    class Changes(tornado.web.RequestHandler):
        def get(self):
            self.write(json.dumps(seen))
    routes = [bzz.ModelHive.routes_for("mongoengine", each) for each in (Person, Account)]
    server = tornado.httpserver.HTTPServer(tornado.web.Application(bzz.flatten([*routes, ("/changes", Changes)])))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def second_process(uri: str, name: str) -> Iterator[str]:
    """A server of its own process on the same database; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", SECOND_PROCESS, uri, name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.curdir},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


async def test_two_processes_that_write_one_document_make_one_chain(
    mongo: Any, database_name: str, serve: Serve
) -> None:
    here = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each) for each in (Person, Account)]))
    with second_process(mongo.uri, database_name) as address:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as there:
            for model, kind in MODELS.items():
                url = await made(here, f"/{model}/", {"age": -1, "address": {"city": "-1"}})
                await race(here, there, url, kind)


async def race(here: httpx.AsyncClient, there: httpx.AsyncClient, url: str, model: type) -> None:
    known = len((await there.get("/changes")).json())
    with changes_of(model) as changes:
        await asyncio.gather(
            put_all(here, url, [{"age": number} for number in range(0, 60, 2)]),
            put_all(there, url, [{"age": number} for number in range(1, 60, 2)]),
            put_all(here, url, [{"address": {"city": str(number)}} for number in range(0, 60, 2)]),
            put_all(there, url, [{"address": {"city": str(number)}} for number in range(1, 60, 2)]),
        )
    changes += (await there.get("/changes")).json()[known:]
    now = (await here.get(url)).json()
    assert len(changes) == 120
    assert_chain([each for each in changes if "age" in each], "age", -1, now["age"])
    assert_chain([each for each in changes if "age" not in each], "address.city", "-1", now["address"]["city"])

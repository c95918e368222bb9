"""The server fails each command of each verb, with each code: a 503 that is honest, and never a 500."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import mongoengine
import pymongo
import pytest
from bson import Binary, ObjectId
from pymongo.collection import Collection
from pymongo.database import Database

import bzz
from bzz.providers.mongoengine.client import close as close_clients
from tests.conftest import Serve
from tests.faults.replicas import ReplicaSet
from tests.robustness.documents import Account, Cleaned, Person, Scoped, Shown
from tests.robustness.wire import Wire

pytestmark = pytest.mark.slow  # some 600 requests, each with a fault of its own

CODES = (6, 13, 18, 43, 50, 89, 91, 112, 136, 146, 202, 262, 280, 8000, 10107, 11601, 14031, 16500, 123456789)
"""https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml; some are of MongoDB's own services, and
the last one of nobody."""

NO_PRIMARY = (91, 189, 10058, 10107, 11600, 11602, 13435, 13436)
"""After these the driver looks for a primary, which takes a second; two of them are tried with all kinds."""

NOT_RUN = {13, 18}
"""Codes of which it is certain that nothing was done."""

REPEATED = (*NO_PRIMARY, 6, 89, 262)
"""Codes after which the driver sends a command again, by itself, until time is up."""

APP = "tested"
FRIENDS = [str(ObjectId()) for _ in range(150)]
"""More than MongoDB returns in a first batch."""
NOTE = Binary.from_uuid(uuid.uuid4())

MODELS = (Person, Account, Cleaned, Scoped, Shown)


class Failing(NamedTuple):
    """A request, and the command of it that fails."""

    method: str
    url: str
    command: str
    body: Any = None
    headers: dict[str, str] | None = None


READS = {
    "a list": Failing("GET", "/person/", "find"),
    "a count": Failing("GET", "/person/", "aggregate", headers={"Prefer": "count=exact"}),
    "an instance": Failing("GET", "/person/{id}/", "find"),
    "a nested instance": Failing("GET", "/person/{id}/addresses/0/", "find"),
    "the owner of a nested list": Failing("GET", "/person/{id}/addresses/", "find"),
    "a nested list": Failing("GET", "/person/{id}/addresses/", "aggregate"),
    "many references in a body": Failing("PUT", "/person/{id}/", "getMore", {"friends": FRIENDS}),
    "a list hook": Failing("GET", "/scoped/", "find"),
    "an instance hook": Failing("GET", "/scoped/{id}/", "find"),
    "to_dict": Failing("GET", "/shown/{id}/", "count"),
    "an update's own reading": Failing("PUT", "/person/{id}/", "find", {"extra": {"a": 1}}),
    "a reference in a body": Failing("POST", "/person/", "find", {"friend": "{id}"}),
    "indexes": Failing("GET", "/person/", "createIndexes"),
}
WRITES = {
    "an insert": Failing("POST", "/person/", "insert", {"name": "new"}),
    "an update": Failing("PUT", "/person/{id}/", "findAndModify", {"name": "new"}),
    "an update inside": Failing("PATCH", "/person/{id}/", "findAndModify", {"address": {"city": "new"}}),
    "a merge": Failing("PATCH", "/person/{id}/", "findAndModify", {"extra": {"a": 1}}),
    "an attachment": Failing("POST", "/person/{id}/notes/", "findAndModify", {"text": "new"}),
    "a removal": Failing("DELETE", "/person/{id}/addresses/0/", "findAndModify"),
    "a link": Failing("POST", "/person/{id}/friends/", "findAndModify", {"friends": ["{id}"]}),
    "a delete": Failing("DELETE", "/person/{id}/", "findAndModify"),
}
HOOKED = {
    "an insert by MongoEngine": Failing("POST", "/account/", "insert", {"name": "new"}),
    "an update by MongoEngine": Failing("PUT", "/account/{id}/", "update", {"name": "new"}),
    "a delete by MongoEngine": Failing("DELETE", "/account/{id}/", "delete"),
    "a sequence": Failing("POST", "/cleaned/", "findAndModify", {"any": "new"}),
}


class Tried:
    """The application, its database beside it, and the server that fails on demand."""

    def __init__(self, client: httpx.AsyncClient, replicas: ReplicaSet, database: Database[dict[str, Any]]) -> None:
        self.client = client
        self.database = database.name
        self._member = replicas.primary()
        self._stored = database
        self.key = ObjectId()

    def stored(self, model: Any) -> Collection[dict[str, Any]]:
        return self._stored[model._get_collection_name()]

    def everything(self) -> list[Any]:
        return [list(self.stored(model).find().sort("_id")) for model in MODELS]

    def fill(self) -> None:
        """One document of each model, which is found by the same id; of persons some more."""
        owned = {
            "name": "Ann",
            "address": {"city": "Rio"},
            "addresses": [{"city": "Rio"}],
            "notes": [{"_id": NOTE, "text": "x"}],
        }
        for model in MODELS:
            collection = self.stored(model)
            collection.delete_many({})
            collection.insert_one({"_id": self.key, **({"name": "Ann"} if model in (Scoped, Shown) else owned)})

    @contextmanager
    def failing(self, command: str, mode: Any = "alwaysOn", **how: Any) -> Iterator[None]:
        """The server fails a command of the application, and of nobody else."""
        self._member.fail("failCommand", mode, failCommands=[command], appName=APP, **how)
        try:
            yield
        finally:
            self._member.fail("failCommand", "off")

    async def ask(self, tried: Failing) -> httpx.Response:
        key = str(self.key)
        body = {
            name: [key] if value == ["{id}"] else key if value == "{id}" else value
            for name, value in (tried.body or {}).items()
        }
        url = tried.url.format(id=key)
        return await self.client.request(tried.method, url, json=body or None, headers=tried.headers)


@pytest.fixture(scope="module")
def name(fallible: ReplicaSet) -> Iterator[str]:
    """One database for all of them, which spares each the making of indexes."""
    made = f"faults_{uuid.uuid4().hex}"
    yield made
    with pymongo.MongoClient[Any](fallible.uri) as client:
        client.drop_database(made)


@pytest.fixture
async def tried(fallible: ReplicaSet, name: str, serve: Serve, request: pytest.FixtureRequest) -> AsyncIterator[Tried]:
    # The server did not change its state, and so does not say by itself that it is well: it is asked twice a second.
    options = getattr(request, "param", "retryReads=false&retryWrites=false")
    uri = f"{fallible.uri}&appName={APP}&heartbeatFrequencyMS=500&{options}"
    mongoengine.connect(db=name, host=uri, uuidRepresentation="standard")
    routes = bzz.flatten([bzz.ModelHive.routes_for("mongoengine", model) for model in MODELS])
    with pymongo.MongoClient[Any](fallible.uri) as beside:
        yield Tried(serve(routes), fallible, beside[name])
        await close_clients()
        mongoengine.disconnect_all()


def assert_honest(answer: httpx.Response, *, nothing_done: bool) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    said = answer.json()["detail"]
    assert ("nothing was done" in said, "unknown" in said) == (nothing_done, not nothing_done)
    assert ("Retry-After" in answer.headers) is nothing_done
    for internal in ("failCommand", "fail point", "person", "account", "bzz", "code", "Traceback"):
        assert internal not in answer.text


def matrix(kinds: Iterable[str], most_telling: str) -> pytest.MarkDecorator:
    """Each kind with each code; and one of them with each code that is as another to the driver."""
    pairs = [(kind, code) for kind in kinds for code in CODES]
    pairs += [(most_telling, code) for code in NO_PRIMARY if code not in CODES]
    return pytest.mark.parametrize(("kind", "code"), pairs)


@matrix(READS, "an instance")
async def test_a_read_that_fails_with_any_code_is_a_503(tried: Tried, kind: str, code: int) -> None:
    failing = READS[kind]
    tried.fill()
    if kind == "many references in a body":
        tried.stored(Person).insert_many([{"_id": ObjectId(key)} for key in FRIENDS])
    if kind != "indexes":
        await tried.ask(failing)
    with tried.failing(failing.command, errorCode=code):
        answer = await tried.ask(failing)
    assert_honest(answer, nothing_done=True)
    assert (await tried.ask(failing)).status_code < 300


@matrix(WRITES, "an update")
async def test_a_write_that_fails_with_any_code_is_a_503(tried: Tried, kind: str, code: int) -> None:
    failing = WRITES[kind]
    tried.fill()
    await tried.client.get("/person/")
    before = tried.everything()
    with tried.failing(failing.command, errorCode=code):
        answer = await tried.ask(failing)
    assert_honest(answer, nothing_done=code in NOT_RUN)
    assert tried.everything() == before


@matrix(HOOKED, "an update by MongoEngine")
async def test_a_write_by_mongoengine_that_fails_with_any_code_is_of_unknown_outcome(
    tried: Tried, kind: str, code: int
) -> None:
    failing = HOOKED[kind]
    tried.fill()
    await tried.client.get("/account/")
    await tried.client.get("/cleaned/")
    before = tried.everything()
    with tried.failing(failing.command, errorCode=code):
        answer = await tried.ask(failing)
    assert_honest(answer, nothing_done=False)
    assert tried.everything() == before


@pytest.mark.parametrize("code", [13, 64, 91, 100, 11602, 123456789])
@pytest.mark.parametrize("kind", [kind for kind in [*WRITES, *HOOKED] if kind != "a sequence"])
async def test_a_write_that_happened_and_is_not_safe_yet_is_of_unknown_outcome(
    tried: Tried, kind: str, code: int
) -> None:
    failing = {**WRITES, **HOOKED}[kind]
    tried.fill()
    await tried.client.get("/person/")
    await tried.client.get("/account/")
    before = tried.everything()
    with tried.failing(failing.command, writeConcernError={"code": code, "errmsg": "not yet"}):
        answer = await tried.ask(failing)
    assert_honest(answer, nothing_done=False)
    assert tried.everything() != before


@pytest.mark.parametrize("code", CODES)
async def test_creates_that_share_a_command_are_told_the_same(tried: Tried, code: int) -> None:
    tried.fill()
    await tried.client.get("/person/")
    with tried.failing("insert", errorCode=code):
        answers = await asyncio.gather(*(tried.ask(WRITES["an insert"]) for _ in range(5)))
    for answer in answers:
        assert_honest(answer, nothing_done=code in NOT_RUN)
    assert tried.stored(Person).count_documents({}) == 1


async def test_creates_that_share_a_command_and_are_not_safe_yet_are_of_unknown_outcome(tried: Tried) -> None:
    tried.fill()
    await tried.client.get("/person/")
    with tried.failing("insert", writeConcernError={"code": 100, "errmsg": "not yet"}):
        answers = await asyncio.gather(*(tried.ask(WRITES["an insert"]) for _ in range(5)))
    for answer in answers:
        assert_honest(answer, nothing_done=False)
    assert tried.stored(Person).count_documents({}) == 6


repeating = pytest.mark.parametrize("tried", ["timeoutMS=1000"], indirect=True, ids=["repeating"])


@repeating
@pytest.mark.parametrize("code", REPEATED)
async def test_a_read_that_the_driver_repeats_in_vain_is_a_503(tried: Tried, code: int) -> None:
    tried.fill()
    await tried.client.get("/person/")
    with tried.failing("find", errorCode=code):
        answer = await tried.ask(READS["an instance"])
    assert_honest(answer, nothing_done=True)


@repeating
@pytest.mark.parametrize("code", REPEATED)
async def test_a_write_that_the_driver_repeats_in_vain_is_of_unknown_outcome(tried: Tried, code: int) -> None:
    tried.fill()
    await tried.client.get("/person/")
    with tried.failing("findAndModify", errorCode=code):
        answer = await tried.ask(WRITES["an update"])
    assert_honest(answer, nothing_done=False)


@repeating
async def test_a_write_that_was_cut_off_and_is_refused_when_repeated_is_of_unknown_outcome(
    tried: Tried, fallible: ReplicaSet
) -> None:
    tried.fill()
    with Wire(fallible.members[0].port) as wire:
        mongoengine.disconnect_all()
        mongoengine.connect(db=tried.database, host=f"{wire.uri}&appName={APP}", uuidRepresentation="standard")
        await tried.client.get("/person/")
        wire.cut_after(b"findAndModify", stay_down=False)
        with tried.failing("findAndModify", mode={"skip": 1}, errorCode=13):
            answer = await tried.ask(WRITES["an update"])
        assert wire.cuts == 1
        await close_clients()
        mongoengine.disconnect_all()
    assert_honest(answer, nothing_done=False)
    stored = tried.stored(Person).find_one()
    assert stored is not None
    assert stored["name"] == "new"


async def test_what_the_server_said_is_logged_with_its_code(tried: Tried, caplog: pytest.LogCaptureFixture) -> None:
    tried.fill()
    await tried.client.get("/person/")
    with caplog.at_level(logging.WARNING, "bzz.database"), tried.failing("find", errorCode=16500):
        await tried.client.get("/person/")
    assert [each.name for each in caplog.records if "16500" in each.getMessage()] == ["bzz.database"]


async def test_a_filter_that_is_too_long_for_the_server_is_a_400(tried: Tried) -> None:
    answer = await tried.client.get("/person/", params={"name__contains": 33_000 * "x"})
    assert answer.status_code == 400

"""The n-th command of a request fails, for every n: what is stored is what the answer says."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import mongoengine
import pymongo
import pytest
from bson import ObjectId
from pymongo.collection import Collection

import bzz
from bzz.providers.mongoengine.client import close as close_clients
from tests.conftest import Serve
from tests.faults import SOAK
from tests.faults.ledger import DONE, REFUSED, UNKNOWN, verdict
from tests.faults.models import MODELS
from tests.faults.replicas import ReplicaSet
from tests.faults.seeded import CallsDoneUndone

pytestmark = pytest.mark.timeout(300 * SOAK)

NAME = "nth"
"""The client's name, so that only its commands fail."""

COMMANDS = ["aggregate", "count", "delete", "distinct", "find", "findAndModify", "getMore", "insert", "update"]
CUT, LATE, ALONE = "the connection is cut", "the server takes too long", "the write is not replicated"
FAULTS: dict[str, dict[str, Any]] = {
    CUT: {"closeConnection": True},
    LATE: {"errorCode": 50},
    ALONE: {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
}
"""The first two happen before the command is done, the third after it."""

ITEM = uuid.UUID(int=1)
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "show": ("GET", "{own}", None),
    "list": ("GET", "", None),
    "list items": ("GET", "{own}notes/", None),
    "create": ("POST", "", {"token": "{new}", "friend": "{other}"}),
    "change": ("PUT", "{own}", {"text": "changed"}),
    "change a part": ("PATCH", "{own}", {"home": {"city": "Olinda"}}),
    "change an item": ("PUT", "{own}notes/{item}/", {"text": "changed"}),
    "attach": ("POST", "{own}notes/", {"text": "new"}),
    "detach": ("DELETE", "{own}notes/{item}/", None),
    "link": ("POST", "{own}friends/", {"friends": ["{other}"]}),
    "unlink": ("DELETE", "{own}friend/", None),
    "delete": ("DELETE", "{own}", None),
}


class Faulty:
    """Routes of both models on a MongoDB whose commands fail when they are told to."""

    def __init__(self, replicas: ReplicaSet, database: str, client: httpx.AsyncClient) -> None:
        self._member = replicas.members[0]
        self._client = client
        self._direct: pymongo.MongoClient[Any] = pymongo.MongoClient(replicas.uri, uuidRepresentation="standard")
        self._database = self._direct[database]

    def close(self) -> None:
        self._direct.drop_database(self._database)
        self._direct.close()

    async def wrong(self, model: str, name: str, fault: dict[str, Any]) -> list[str]:
        """What is stored otherwise than the answers say, as sentences."""
        before, after = await self._without_fault(model, name)
        wrong, number, failed = [], 0, True
        while failed:
            number += 1
            case = self._begin(model)
            failures = self._member.fail(
                "failCommand", {"skip": number - 1}, appName=NAME, failCommands=COMMANDS, **fault
            )
            try:
                answer = await self._ask(case, name)
            finally:
                failed = self._member.fail("failCommand", "off") > failures
            found = case.state()
            allowed = {DONE: [after], REFUSED: [before], UNKNOWN: [before, after]}[verdict(answer)]
            if answer.status_code not in (200, 201, 204, 503) or found not in allowed:
                wrong.append(f"{name} {model}, command {number}: {answer.status_code} {answer.text}, but {found}")
        return wrong

    async def _without_fault(self, model: str, name: str) -> tuple[Any, Any]:
        """What is stored before the request, and after it."""
        case = self._begin(model)
        before = case.state()
        answer = await self._ask(case, name)
        assert answer.is_success, f"{name} {model}, without a fault: {answer.status_code} {answer.text}"
        return before, case.state()

    def _begin(self, model: str) -> Case:
        case = Case(self._database[model])
        case.fill()
        return case

    async def _ask(self, case: Case, name: str) -> httpx.Response:
        method, path, body = REQUESTS[name]
        url = f"/{case.collection.name}/" + path.format(own=f"{case.own}/", item=ITEM)
        return await self._client.request(method, url, json=_filled(body, case))


class Case:
    """Documents that one request alone has to do with: an earlier one may still be on its way."""

    def __init__(self, collection: Collection[Any]) -> None:
        self.collection = collection
        self.own, self.other, self.new = ObjectId(), ObjectId(), ObjectId()

    def fill(self) -> None:
        own = {"_id": self.own, "token": str(self.own), "text": "first", "home": {"city": "Rio"}}
        own |= {"notes": [{"_id": ITEM, "text": "first"}], "friend": self.other}
        self.collection.insert_many([own, {"_id": self.other, "token": str(self.other)}])

    def state(self) -> Any:
        """What is stored, without what nobody chose."""
        tokens = [str(each) for each in (self.own, self.other, self.new)]
        found = (self.collection.find_one({"token": each}) for each in tokens)
        return [each and self._plain(each) for each in found]

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._plain(each) for key, each in value.items() if each not in (None, [], {})}
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        names = {str(self.own): "own", str(self.other): "other", str(self.new): "new"}
        return names.get(str(value), value if isinstance(value, str) else "made")


def _filled(body: Any, case: Case) -> Any:
    if isinstance(body, dict):
        return {key: _filled(value, case) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(each, case) for each in body]
    return body and body.format(other=case.other, new=case.new)


@pytest.fixture
async def make(fallible: ReplicaSet, database: str, serve: Serve) -> AsyncIterator[Callable[[Any], Faulty]]:
    """Gives what is tried, on a provider."""
    made: list[Faulty] = []

    def start(provider: Any) -> Faulty:
        uri = f"{fallible.uri}&appName={NAME}&retryReads=false&retryWrites=false"  # for else it tries until time is up
        mongoengine.connect(db=database, host=uri, uuidRepresentation="standard")
        routes = bzz.flatten([bzz.ModelHive.routes_for(provider, each) for each in MODELS.values()])
        made.append(Faulty(fallible, database, serve(routes)))
        return made[-1]

    yield start
    for each in made:
        each.close()
    await close_clients()
    mongoengine.disconnect_all()


@pytest.mark.parametrize("fault", [pytest.param(CUT, marks=pytest.mark.slow), LATE, ALONE])
@pytest.mark.parametrize("model", MODELS)
async def test_what_is_stored_is_what_the_answer_says(model: str, fault: str, make: Callable[[Any], Faulty]) -> None:
    faulty = make("mongoengine")
    assert [each for name in REQUESTS for each in await faulty.wrong(model, name, FAULTS[fault])] == []


async def test_the_harness_sees_a_write_that_is_called_undone(make: Callable[[Any], Faulty]) -> None:
    assert await make(CallsDoneUndone).wrong("plain", "change", FAULTS[LATE]) != []

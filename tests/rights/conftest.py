"""Models with rules, served to users who say in a header who they are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol

import httpx
import pytest
from pymongo import AsyncMongoClient

import bzz
from bzz.dev import MongoServer
from bzz.live.hub import hubs
from bzz.problem import GUARD
from bzz.providers import rules
from tests.conftest import Serve

ANN = {"id": "ann", "org": "red"}
BOB = {"id": "bob", "org": "blue"}
EDITOR = {"id": "eve", "org": "red", "roles": ["editor"]}
ADMIN = {"id": "root", "org": "red", "roles": ["admin"]}


def as_user(user: Any) -> dict[str, str]:
    """The header by which a user is known; None is a stranger."""
    return {} if user is None else {"X-User": json.dumps(user)}


async def guard(handler: Any) -> None:
    """Take the header for who is signed in."""
    text = handler.request.headers.get("X-User")
    handler.current_user = None if text is None else json.loads(text)


class Serving(Protocol):
    """Serves models by their rules."""

    def __call__(self, *routes: Any, **settings: Any) -> httpx.AsyncClient: ...


@pytest.fixture
def serving(serve: Serve) -> Serving:
    """Serve routes to users who say who they are."""
    return lambda *routes, **settings: serve(bzz.flatten(list(routes)), **{GUARD: guard, **settings})


@pytest.fixture
async def databases(mongo: MongoServer, database_name: str) -> AsyncIterator[list[Any]]:
    """Two databases."""
    client: Any = AsyncMongoClient(mongo.uri)
    found = [client[f"{database_name}_{number}"] for number in range(2)]
    yield found
    for hub in hubs():
        await hub.close()
    for each in found:
        await client.drop_database(each.name)
    await client.close()


@pytest.fixture(autouse=True)
def _own_rules() -> Iterator[None]:
    """The rules that a test declares end with it. Routes of other tests may lead to its models already."""
    before = dict(rules.DECLARED), set(rules._sealed)
    rules.forget(*rules.DECLARED, *rules._sealed)
    yield
    rules.forget(*rules.DECLARED, *rules._sealed)
    rules.DECLARED.update(before[0])
    rules._sealed.update(before[1])


Declare = Callable[..., None]

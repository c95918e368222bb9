"""A database that tests of one module share: emptied before each of them, which is faster than a new one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator

import mongoengine
import pytest

from bzz.providers.mongoengine.client import close as close_clients
from tests.conftest import OrmClient


@pytest.fixture(scope="module")
def shared(connect_orm: Callable[[str], OrmClient]) -> Iterator[OrmClient]:
    """The client of MongoEngine's default connection."""
    name = f"bzz_test_{uuid.uuid4().hex}"
    client = connect_orm(name)
    yield client
    client.drop_database(name)
    mongoengine.disconnect_all()


@pytest.fixture
async def emptied(shared: OrmClient) -> AsyncIterator[str]:
    """The name of the shared database, with its indexes and without documents."""
    database = mongoengine.get_db()
    for name in database.list_collection_names():
        database[name].delete_many({})
    yield database.name
    await close_clients()

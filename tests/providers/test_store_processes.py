"""Two processes write to one store at once, and no write of either is lost."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bzz.dev import MongoServer
from bzz.providers.mongoengine.store import MongoStore
from tests.conftest import Driver
from tests.providers.writer import KEPT, ROUNDS

pytestmark = pytest.mark.slow  # processes of their own write for seconds


@pytest.fixture
def written(mongo: MongoServer, database_name: str) -> None:
    """Two processes have done their writes."""
    command = [sys.executable, "-m", "tests.providers.writer", mongo.uri, database_name]
    both = [
        subprocess.Popen(
            [*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.curdir},
        )
        for name in ("ann", "bob")
    ]  # fmt: skip
    for each in both:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in both:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    ends = [(each.communicate(timeout=50)[1], each.returncode) for each in both]
    assert ends == [("", 0)] * 2


@pytest.mark.usefixtures("written")
async def test_two_processes_lose_no_write_to_each_other(driver: Driver) -> None:
    store = MongoStore(driver()[KEPT])
    found = await store.get(["sum", "counted"])
    assert (found["sum"].value["number"], found["counted"].value["count"]) == (2 * ROUNDS, 2 * ROUNDS)
    assert {each["by"] async for each in driver()[KEPT].find({"by": {"$exists": True}})} == {"ann", "bob"}
    assert await store.lease("job", "eve", 60) == 2 * ROUNDS + 1

"""The shop as a server of its own, one for each module of tests."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pymongo
import pytest

from bzz.dev import MongoServer
from tests.cli.running import COMMAND, environment

collect_ignore = ["broken.py", "post_office.py", "shop.py"]  # their listeners are for processes of their own


@dataclass(frozen=True)
class Shop:
    """A server of :mod:`tests.cli.shop`.

    :param url: with a slash at the end.
    :param env: the environment in which commands load the same application.
    """

    url: str
    env: dict[str, str]

    def rows(self, **query: str) -> list[dict[str, object]]:
        """The first hundred wares as they are stored."""
        answer = httpx.get(f"{self.url}ware/", params={"per_page": "100", **query}, trust_env=False)
        found: list[dict[str, object]] = answer.raise_for_status().json()
        return found


@pytest.fixture(scope="module")
def shop_environment(mongo: MongoServer) -> Iterator[dict[str, str]]:
    """The environment of a shop whose database nobody else uses."""
    name = f"bzz_test_{uuid.uuid4().hex}"
    yield environment(SHOP_DATABASE=name, BZZ_MONGODB_URI=mongo.uri)
    with pymongo.MongoClient[dict[str, object]](mongo.uri) as client:
        client.drop_database(name)


@contextmanager
def served(application: str, env: dict[str, str]) -> Iterator[str]:
    """The URL of an application that ``bzz serve`` serves."""
    command = [*COMMAND, "serve", application, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def shop(shop_environment: dict[str, str]) -> Iterator[Shop]:
    """The server of a whole module."""
    with served("tests.cli.shop:make", shop_environment) as url:
        yield Shop(url, shop_environment)

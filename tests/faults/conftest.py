"""What the harnesses run on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require_mongod
from tests.faults import SOAK
from tests.faults.replicas import ReplicaSet

AT_LENGTH = pytest.mark.skipif(SOAK == 1, reason="make soak proves that this harness can fail")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All harnesses run with the slow tests: each breaks servers of its own."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def fallible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    """A MongoDB of one member that fails when it is told to."""
    yield from _started(tmp_path_factory.mktemp("fallible"), 1)


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[ReplicaSet]:
    """A MongoDB of three members."""
    yield from _started(tmp_path, 3)


def _started(directory: Path, members: int) -> Iterator[ReplicaSet]:
    require_mongod()
    replicas = ReplicaSet(directory, members)
    try:
        replicas.start()
        yield replicas
    finally:
        replicas.stop()


@pytest.fixture
def database() -> str:
    """The name of a database that nobody else has."""
    return f"faults_{uuid.uuid4().hex}"

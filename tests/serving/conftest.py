"""The servers that the tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.serving import served


@pytest.fixture(params=served.OWN)
def serving(request: pytest.FixtureRequest) -> served.Serving:
    """Serves the application of these tests on what ``bzz.serve`` runs on; called with limits and options."""
    return partial(served.serving, request.param)


@pytest.fixture(params=served.EACH)
def on_each(request: pytest.FixtureRequest) -> served.Serving:
    """The same on every engine."""
    return partial(served.serving, request.param)


@pytest.fixture(scope="package", params=served.EACH)
def shared(request: pytest.FixtureRequest) -> Iterator[served.Served]:
    """A server for tests that leave it as it was, on every engine."""
    with served.serving(request.param) as it:
        yield it


@pytest.fixture(scope="package", params=served.EACH_BY_ADAPTER)
def adapted(request: pytest.FixtureRequest) -> Iterator[served.Served]:
    """The same on every engine that the adapters are for."""
    with served.serving(request.param) as it:
        yield it


@pytest.fixture(scope="package")
def by_tornado() -> Iterator[served.Served]:
    """The same on Tornado's own server."""
    with served.serving("tornado") as it:
        yield it

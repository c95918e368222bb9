"""The servers that the tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.serving import served

ON = ["llhttp", "tornado", "llhttp-asyncio"]


@pytest.fixture(params=ON)
def serving(request: pytest.FixtureRequest) -> served.Serving:
    """Serves the application of these tests; called with limits."""
    return partial(served.serving, request.param)


@pytest.fixture(scope="module", params=ON)
def shared(request: pytest.FixtureRequest) -> Iterator[served.Served]:
    """A server that answers one request at a time, for tests that leave it as it was."""
    with served.serving(request.param, in_flight=1) as it:
        yield it

"""Live models on a real socket and a real MongoDB, with both drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bzz.live.hub import hubs
from tests.rest.conftest import Api, alone, api

__all__ = ["Api", "alone", "api"]


@pytest.fixture(autouse=True)
async def closed_hubs() -> AsyncIterator[None]:
    """No stream outlives its test."""
    yield
    for hub in hubs():
        await hub.close()

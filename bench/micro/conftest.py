"""What the micro-benchmarks share: the model of the benchmark itself, as the provider knows it."""

from __future__ import annotations

from typing import Any

import pytest

from bench import data
from bench.models import User
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.schema import Schema
from bzz.shape import Shape


@pytest.fixture(scope="session")
def mapping() -> Mapping:
    """The model's mapping."""
    return Schema(User, (), ()).root


@pytest.fixture(scope="session")
def shape(mapping: Mapping) -> Shape:
    """The model's shape."""
    return mapping.shape


@pytest.fixture
def raw() -> dict[str, Any]:
    """A document as the driver reads it."""
    return data.stored(data.seed_id(7), 7)

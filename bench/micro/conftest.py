"""What the micro-benchmarks share: the model of the benchmark itself, as the provider knows it."""

from __future__ import annotations

from typing import Any

import pytest

from bench import data
from bench.models import User
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.shape import Shape


@pytest.fixture(scope="session")
def codec() -> DocumentCodec:
    """The model's codec."""
    return Registry(User, (), ()).root


@pytest.fixture(scope="session")
def shape(codec: DocumentCodec) -> Shape:
    """The model's shape."""
    return codec.shape


@pytest.fixture
def raw() -> dict[str, Any]:
    """A document as the driver reads it."""
    return data.stored(data.seed_id(7), 7)

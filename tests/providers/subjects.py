"""The contract for each faulty provider, and for others on which it is tried itself, in a pytest of its own."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.testing.provider import CAPABILITIES, Capability, Models, ProviderContract
from tests.providers.faults import FAULTS
from tests.providers.models import BARE_MODELS, MODELS


class Held(ProviderContract):
    models = MODELS

    @pytest.fixture
    def database(self, emptied: str) -> Any:
        return None


class TestFaultless(Held):
    provider = MongoEngineProvider


class TestBare(Held):
    """Lacks whatever a provider may lack."""

    provider = MongoEngineProvider
    models = BARE_MODELS
    lacks: ClassVar[dict[Capability, str]] = dict.fromkeys(CAPABILITIES, "its model is bare")


class TestWithoutTeams(Held):
    """Forgets a model, and does not say that it lacks what needs it."""

    provider = MongoEngineProvider
    models = Models(person=MODELS.person)


for fault in FAULTS:
    name = f"Test{fault.provider.__name__}"
    globals()[name] = type(name, (Held,), {"provider": fault.provider})

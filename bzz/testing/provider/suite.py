"""What all parts of the contract share: the provider and its models, clients of it, and what is skipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

import pytest

from bzz.errors import ConfigurationError
from bzz.providers.base import Options, Provider
from bzz.testing.provider.client import Client
from bzz.testing.provider.models import CAPABILITIES, Capability, Models

__all__ = ["Mount", "Suite", "requires"]

T = TypeVar("T")


class Mount(Protocol):
    """Makes a provider for a model, and gives a client of it."""

    def __call__(
        self, model: type | None, *, hidden: Sequence[str] = (), read_only: Sequence[str] = (), context: Any = None
    ) -> Client:
        """Return a client of a provider made with these options."""


def requires(*capabilities: Capability) -> Callable[[T], T]:
    """Mark a test, or a class of tests, as one that needs these capabilities of the provider."""

    def mark(target: T) -> T:
        tests = vars(target).values() if isinstance(target, type) else [target]
        for test in tests:
            if callable(test) and getattr(test, "__name__", "").startswith("test_"):
                test.capabilities = (*getattr(test, "capabilities", ()), *capabilities)
        return target

    return mark


class Suite:
    """The base of every part of the contract.

    :cvar provider: the class under test.
    :cvar models: the models that it serves.
    :cvar lacks: capabilities that it has not, each with the reason; what needs them is skipped.
    """

    pytestmark = pytest.mark.asyncio

    provider: ClassVar[type[Provider]]
    models: ClassVar[Models]
    lacks: ClassVar[Mapping[Capability, str]] = {}

    def __init_subclass__(cls) -> None:
        unknown = sorted(set(cls.lacks) - set(CAPABILITIES))
        if unknown:
            known = ", ".join(CAPABILITIES)
            raise ConfigurationError(f"{cls.__name__}.lacks names {', '.join(unknown)}; there are: {known}")

    @pytest.fixture(autouse=True)
    def _skip_what_is_lacking(self, request: pytest.FixtureRequest) -> None:
        for capability in getattr(request.function, "capabilities", ()):
            if capability in self.lacks:
                pytest.skip(f"{self.provider.__name__} lacks {capability!r}: {self.lacks[capability]}")

    @pytest.fixture
    def database(self) -> Any:
        """What :attr:`bzz.providers.base.Options.database` is. Override it to start each test with nothing stored."""
        return None

    @pytest.fixture
    def mount(self, database: Any) -> Mount:
        """Makes providers with options of the test's own."""

        def make(
            model: type | None, *, hidden: Sequence[str] = (), read_only: Sequence[str] = (), context: Any = None
        ) -> Client:
            if model is None:
                pytest.fail(f"{type(self).__name__}.models has no model for this, and .lacks does not say why")
            return Client(self.provider(model, Options(hidden, read_only, database)), context)

        return make

    @pytest.fixture
    def people(self, mount: Mount) -> Client:
        """A client of the model ``person``."""
        return mount(self.models.person)

    @pytest.fixture
    def teams(self, mount: Mount) -> Client:
        """A client of the model ``team``."""
        return mount(self.models.team)

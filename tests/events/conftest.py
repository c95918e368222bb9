"""Each test starts with nobody listening, on a bus of the process that forgets it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bzz.events.bus import Bus, bus
from bzz.events.listeners import Listeners


@pytest.fixture(autouse=True)
def _nobody_listens() -> Iterator[None]:
    before, hooks = bus._listeners, bus._hooks
    bus._set(Listeners())
    bus._hooks = ()
    yield
    bus._set(before)
    bus._hooks = hooks


@pytest.fixture
def own_bus() -> Bus:
    """A bus of the test's own, to which no signals lead."""
    return Bus()


@dataclass
class Calls:
    """Makes listeners that write down their names."""

    made: list[str] = field(default_factory=list)

    def listener(self, name: str) -> Callable[[Any], None]:
        """A listener that writes ``name``."""

        def listen(event: Any) -> None:
            self.made.append(name)

        return listen


@pytest.fixture
def calls() -> Calls:
    """What the listeners of this test have written."""
    return Calls()

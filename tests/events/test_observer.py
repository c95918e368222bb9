"""Observers: listeners that are methods of one object."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.events import Created, Creating, Updated


class User: ...


class Admin(User): ...


class Team: ...


class Paid(bzz.Event):
    amount: int


class Recorder(bzz.Observer):
    """Writes down what its methods get."""

    def __init__(self) -> None:
        self.seen: list[str] = []


class Audit(Recorder):
    observes: ClassVar[Any] = User

    async def creating(self, event: Creating[User]) -> None:
        self.seen.append(f"creating {event.name}")

    def created(self, event: Created[User]) -> None:
        self.seen.append(f"created {event.name}")


async def create(model: type) -> None:
    await bzz.emit(Creating(model=model))
    await bzz.emit(Created(model=model, instance=model()))
    await bzz.emit(Updated(model=model, instance=model()))


async def test_methods_named_after_events_get_them() -> None:
    audit = Audit().connect()
    await create(User)
    await create(Team)
    assert audit.seen == ["creating User.creating", "created User.created"]


async def test_subclasses_of_the_model_are_observed_too() -> None:
    audit = Audit().connect()
    await create(Admin)
    assert audit.seen == ["creating Admin.creating", "created Admin.created"]


async def test_an_observer_that_is_disconnected_gets_nothing() -> None:
    audit = Audit().connect()
    audit.disconnect()
    await create(User)
    assert audit.seen == []


async def test_connecting_twice_is_connecting_once() -> None:
    audit = Audit().connect().connect()
    await create(User)
    assert len(audit.seen) == 2


async def test_two_observers_of_one_class_are_two() -> None:
    first, second = Audit().connect(), Audit().connect()
    first.disconnect()
    await create(User)
    assert (first.seen, len(second.seen)) == ([], 2)


async def test_one_observer_may_observe_several_models() -> None:
    class Both(Audit):
        observes = (User, Team)

    both = Both().connect()
    await create(Team)
    await create(User)
    assert [each.split()[1] for each in both.seen] == ["Team.creating", "Team.created", "User.creating", "User.created"]


async def test_names_patterns_and_classes_go_to_handle() -> None:
    class Listener(Recorder):
        observes = ("report.*", Paid, Updated[User], re.compile("x+"))

        async def handle(self, event: Any) -> None:
            self.seen.append(event.name)

    listener = Listener().connect()
    for name in ("report.ready", "xx", "other"):
        await bzz.emit(name)
    await bzz.emit(Paid(amount=3))
    await create(User)
    assert listener.seen == ["report.ready", "xx", "Paid", "User.updated"]


async def test_a_method_can_listen_for_anything_with_options() -> None:
    class Service(Recorder):
        @bzz.Observer.on("job.finished", origin="here")
        @bzz.Observer.on("Post.updated.status", when=("draft", ...))
        async def note(self, event: Any) -> None:
            self.seen.append(event.name)

    service = Service().connect()
    await bzz.emit("job.finished", origin="here")
    await bzz.emit("job.finished", origin="there")
    await bzz.emit("Post.updated.status", old="draft", new="published")
    await bzz.emit("Post.updated.status", old="published", new="draft")
    assert service.seen == ["job.finished", "Post.updated.status"]


@pytest.mark.parametrize(
    ("observed", "said"),
    [(User, "no method creating or created"), ("a", "no method handle"), (Paid, "no method handle")],
)
def test_an_observer_without_a_method_for_what_it_observes_is_refused(observed: Any, said: str) -> None:
    class Empty(bzz.Observer):
        observes = observed

    with pytest.raises(ConfigurationError, match=said):
        Empty().connect()

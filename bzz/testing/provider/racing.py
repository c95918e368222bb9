"""Many writers at once, by two providers of one model: no write is lost, and each reports what it replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from bzz.errors import Conflict, Invalid, NotFound, PreconditionFailed
from bzz.providers.base import Stale
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["Racing"]

T = TypeVar("T")

WRITERS = 8


async def race(*writes: Coroutine[Any, Any, T]) -> tuple[list[T], list[type]]:
    """Run writes at once; return what succeeded, and the classes of what was raised."""
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    done = [each for each in outcomes if not isinstance(each, BaseException)]
    return done, [type(each) for each in outcomes if isinstance(each, BaseException)]


def chain(first: Any, pairs: Sequence[Any]) -> Any:
    """Return where the ``from``/``to`` pairs lead from ``first``, each taken once.

    :raises AssertionError: if they form no unbroken chain.
    """
    follows = {pair["from"]: pair["to"] for pair in pairs}
    assert len(follows) == len(pairs), f"two writes say that they replaced the same value: {pairs}"
    value = first
    for _ in pairs:
        assert value in follows, f"nobody says that {value!r} was replaced: {pairs}"
        value = follows[value]
    return value


class Racing(Suite):
    """Every verb of :class:`Provider`, called concurrently."""

    @pytest.fixture
    def clients(self, mount: Mount) -> list[Client]:
        """One client for each writer, of two providers."""
        both = [mount(self.models.person), mount(self.models.person)]
        return [both[number % 2] for number in range(WRITERS)]

    async def test_of_many_creates_each_stands_alone(self, clients: list[Client]) -> None:
        done, errors = await race(
            *(each.create("", {"name": str(age), "age": age if age != 3 else -1}) for age, each in enumerate(clients))
        )
        assert errors == [Invalid]
        shown = [await clients[0].shown(str(each.record.id)) for each in done]
        assert [each["age"] for each in shown] == [0, 1, 2, 4, 5, 6, 7]

    @requires("unique")
    async def test_of_many_creates_of_one_unique_value_one_succeeds(self, clients: list[Client]) -> None:
        done, errors = await race(*(each.create("", {"name": "Ann"}) for each in clients))
        assert (len(done), errors) == (1, [Conflict] * (WRITERS - 1))
        assert len(await clients[0].listed("")) == 1

    async def test_the_changes_of_a_field_form_one_chain(self, people: Client, clients: list[Client]) -> None:
        ann = await people.add(name="Ann", age=100)
        done, _ = await race(*(each.update(ann, {"age": number}) for number, each in enumerate(clients)))
        assert len(done) == WRITERS
        assert chain(100, [each.updated_fields["age"] for each in done]) == (await people.shown(ann))["age"]

    @requires("embedded")
    async def test_the_changes_of_an_item_form_one_chain(self, people: Client, clients: list[Client]) -> None:
        ann = await people.add(name="Ann", notes=[{"key": "a", "text": "first"}])
        done, _ = await race(
            *(each.update(f"{ann}/notes/a", {"text": str(number)}) for number, each in enumerate(clients))
        )
        last = (await people.shown(f"{ann}/notes/a"))["text"]
        assert chain("first", [each.updated_fields["text"] for each in done]) == last
        assert chain("first", [(each.change.diff or {})["notes.0.text"] for each in done]) == last

    @requires("maps")
    async def test_merges_lose_nothing(self, people: Client, clients: list[Client]) -> None:
        ann = await people.add(name="Ann", extra={})
        done, _ = await race(
            *(each.update(ann, {"extra": {str(number): number}}, merge=True) for number, each in enumerate(clients))
        )
        assert (await people.shown(ann))["extra"] == {str(number): number for number in range(WRITERS)}
        assert chain(0, [_sizes(each.updated_fields["extra"]) for each in done]) == WRITERS

    @requires("embedded")
    async def test_attached_items_are_all_there(self, people: Client, clients: list[Client]) -> None:
        ann = await people.add(name="Ann")
        await race(*(each.create(f"{ann}/notes", {"key": str(number)}) for number, each in enumerate(clients)))
        assert sorted(each["key"] for each in await people.listed(f"{ann}/notes")) == list("01234567")

    @requires("embedded")
    async def test_items_are_edited_while_others_are_removed(self, people: Client, clients: list[Client]) -> None:
        ann = await people.add(name="Ann", notes=[{"key": str(number), "text": "old"} for number in range(WRITERS)])
        await race(
            *(
                each.delete(f"{ann}/notes/{number}")
                if number % 2
                else each.update(f"{ann}/notes/{number}", {"text": "new"})
                for number, each in enumerate(clients)
            )
        )
        assert [(each["key"], each["text"]) for each in await people.listed(f"{ann}/notes")] == [
            (key, "new") for key in "0246"
        ]

    @requires("links")
    async def test_links_are_all_there_and_each_is_reported_once(
        self, people: Client, teams: Client, mount: Mount
    ) -> None:
        keys = [people.key(await people.add(name=str(number))) for number in range(4)]
        await teams.add(code="red")
        other = mount(self.models.team)
        done, _ = await race(*(each.link("red/members", [key]) for key in keys for each in (teams, other)))
        reported = sorted(str(written.record.id) for linked in done for written in linked)
        assert reported == sorted(str(key) for key in keys)
        assert len(await teams.listed("red/members")) == len(keys)

    async def test_of_many_deletes_one_succeeds(self, people: Client, clients: list[Client]) -> None:
        ann = await people.add(name="Ann")
        done, errors = await race(*(each.delete(ann) for each in clients))
        assert len(done) == 1
        assert all(issubclass(each, NotFound) for each in errors)

    @pytest.mark.parametrize(("condition", "error"), [("precondition", PreconditionFailed), ("expected", Stale)])
    async def test_of_many_writes_on_one_condition_one_succeeds(
        self, people: Client, clients: list[Client], condition: str, error: type
    ) -> None:
        ann = await people.add(name="Ann", age=100)
        record = await people.get(ann)
        on: dict[str, Any] = {condition: record if condition == "expected" else record.state.__eq__}
        done, errors = await race(*(each.update(ann, {"age": number}, **on) for number, each in enumerate(clients)))
        assert (len(done), errors) == (1, [error] * (WRITERS - 1))
        assert (await people.shown(ann))["age"] == done[0].updated_fields["age"]["to"]


def _sizes(pair: dict[str, Any]) -> dict[str, int]:
    return {side: len(value or {}) for side, value in pair.items()}

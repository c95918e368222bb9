"""Recording events and expecting them."""

from __future__ import annotations

import asyncio
import threading
import unittest
from collections.abc import Coroutine
from typing import Any

import pytest

import bzz
from bzz import signals
from bzz.events import Created, Updated
from bzz.testing import capture, expect
from tests.events.conftest import Calls


class User: ...


class Team: ...


async def create(model: type) -> None:
    await signals.pre_create_instance.notify(model, arguments=[model.__name__.lower()], handler=None)
    await signals.post_create_instance.report(model, instance=model(), handler=None)


async def update(model: type) -> None:
    diff = {"email": {"from": "a", "to": "b"}}
    await signals.post_update_instance.report(model, instance=model(), updated_fields=diff, handler=None)


async def test_what_matches_is_recorded_in_order() -> None:
    with capture("User.*") as seen:
        await create(User)
        await create(Team)
        await update(User)
    assert seen.names == ["User.creating", "User.created", "User.updated", "User.updated.email"]


async def test_events_of_a_class_are_recorded_as_such() -> None:
    with capture(Updated[User]) as seen:
        await update(User)
        await update(Team)
    assert [event.diff["email"]["to"] for event in seen] == ["b"]


async def test_everything_is_recorded_unless_said_otherwise() -> None:
    with capture() as seen:
        await create(Team)
        await bzz.emit("report.ready")
    assert seen.names == ["Team.creating", "Team.created", "report.ready"]


async def test_a_cause_is_recorded_before_what_it_caused() -> None:
    @bzz.on("a")
    async def answer(event: bzz.Event) -> None:
        await bzz.emit("b")

    with capture() as seen:
        await bzz.emit("a")
    assert seen.names == ["a", "b"]


async def test_recordings_nest_and_leave_nothing_behind() -> None:
    with capture("*") as outer:
        with capture("b") as inner:
            await bzz.emit("b")
        await bzz.emit("c")
    await bzz.emit("d")
    assert (outer.names, inner.names) == (["b", "c"], ["b"])
    assert not signals.post_create_instance.has_receivers_for(User)


async def test_a_recording_ends_where_the_block_raises() -> None:
    with pytest.raises(KeyError), capture("a") as seen:
        raise KeyError
    await bzz.emit("a")
    assert seen == []


async def test_listeners_run_unless_they_are_silenced(calls: Calls) -> None:
    bzz.on("a")(calls.listener("x"))
    with capture("a", silence=True) as seen:
        with capture("a"):
            await bzz.emit("a")
        await bzz.emit("a")
    assert (calls.made, len(seen)) == ([], 2)
    await bzz.emit("a")
    assert calls.made == ["x"]


async def test_who_is_silenced_can_still_register(calls: Calls) -> None:
    with capture(silence=True):
        bzz.on("a")(calls.listener("x"))
    await bzz.emit("a")
    assert calls.made == ["x"]


async def test_events_of_other_tasks_and_loops_are_recorded_too() -> None:
    with capture("*") as seen:
        await asyncio.create_task(bzz.emit("task"))
        thread = threading.Thread(target=lambda: asyncio.run(bzz.emit("loop")))
        thread.start()
        await asyncio.to_thread(thread.join)
    assert seen.names == ["task", "loop"]


async def test_what_is_expected_and_comes_is_no_failure() -> None:
    with expect("User.created", times=1) as seen:
        await create(User)
    with expect(Created, User):
        await create(User)
        await create(User)
    with expect("User.created", times=0):
        await create(Team)
    assert seen.names == ["User.created"]


async def failure(target: Any, *sendings: Coroutine[Any, Any, Any], times: int | None = None) -> list[str]:
    """The lines of the failure where ``target`` is expected and something else is sent."""

    async def send() -> None:
        with expect(target, times=times):
            for sending in sendings:
                await sending

    with pytest.raises(AssertionError) as raised:
        await send()
    return str(raised.value).splitlines()


async def test_a_missing_event_is_named_with_what_came_instead_nearest_first() -> None:
    others = [bzz.emit("mail.sent"), create(Team), bzz.emit("User.create"), bzz.emit("mail.sent")]
    assert await failure("User.created", *others, times=1) == [
        "expected User.created once, it was sent never",
        "what came instead, nearest name first:",
        "  User.create",
        "  Team.created",
        "  Team.creating",
        "  mail.sent (twice)",
    ]


async def test_a_missing_class_of_events_is_named_in_the_same_way() -> None:
    lines = await failure(Updated[User], create(User), update(Team))
    assert lines[:3] == [
        "expected Updated[User] at least once, it was sent never",
        "what came instead, nearest name first:",
        "  User.created",
    ]


async def test_an_event_that_came_too_often_is_shown_each_time() -> None:
    assert await failure("a", bzz.emit("a", number=1), bzz.emit("a", number=2), times=1) == [
        "expected a once, it was sent twice",
        "  <a number=1>",
        "  <a number=2>",
        "nothing else was sent",
    ]


async def test_where_nothing_came_the_failure_says_so() -> None:
    assert await failure("a") == ["expected a at least once, it was sent never; no event was sent at all"]


async def test_an_error_in_the_block_is_not_hidden_by_what_it_kept_from_coming() -> None:
    with pytest.raises(KeyError), expect("a"):
        raise KeyError


async def test_expecting_can_silence_listeners(calls: Calls) -> None:
    bzz.on("a")(calls.listener("x"))
    with expect("a", silence=True):
        await bzz.emit("a")
    assert calls.made == []


def test_a_unittest_case_fails_like_any_other() -> None:
    class Case(unittest.IsolatedAsyncioTestCase):
        async def test_comes(self) -> None:
            with expect("a", times=1):
                await bzz.emit("a")

        async def test_does_not_come(self) -> None:
            with expect("a"):
                await bzz.emit("b")

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    ((_, failure),) = result.failures
    assert (result.testsRun, result.errors) == (2, [])
    assert "expected a at least once, it was sent never" in failure

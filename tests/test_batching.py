"""Requests that wait share a round trip; one that fails, fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bzz import batching
from bzz.batching import LONE_GROUPS, MAX_GROUP, Batcher
from bzz.errors import OutcomeUnknown, Unavailable
from bzz.request import current_id, request_context


class Database:
    """Answers groups when it is told to, and remembers them."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.senders: list[asyncio.Task[object] | None] = []
        self.gate = asyncio.Event()

    async def send(self, group: Sequence[int]) -> list[str | Exception]:
        self.groups.append(list(group))
        self.senders.append(asyncio.current_task())
        await self.gate.wait()
        return [ValueError(str(each)) if each < 0 else str(each) for each in group]


@pytest.fixture
def database() -> Database:
    return Database()


async def ask_alone(database: Database, batcher: Batcher[int, str], times: int) -> None:
    """So many lone questions, after which the database is as it was."""
    database.gate.set()
    for number in range(times):
        assert await batcher.ask(number) == str(number)
    database.groups.clear()
    database.senders.clear()
    database.gate.clear()


@pytest.fixture(params=[0, LONE_GROUPS], ids=["new", "used to lone questions"])
async def batcher(database: Database, request: pytest.FixtureRequest) -> Batcher[int, str]:
    made: Batcher[int, str] = Batcher(database.send)
    await ask_alone(database, made, request.param)
    return made


async def turn_until(database: Database, groups: int) -> None:
    """Let the loop turn until so many groups were sent."""
    for _ in range(1000):
        if len(database.groups) >= groups:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"only {database.groups} were sent")


async def ask_meanwhile(
    database: Database, batcher: Batcher[int, str], first: int, *others: int
) -> list[asyncio.Task[str]]:
    """Ask ``first``, and the others while it is on its way; the database answers from then on."""
    tasks = [asyncio.ensure_future(batcher.ask(first))]
    await turn_until(database, 1)
    tasks += [asyncio.ensure_future(batcher.ask(number)) for number in others]
    await asyncio.sleep(0)
    database.gate.set()
    return tasks


async def test_a_lone_request_goes_at_once(database: Database, batcher: Batcher[int, str]) -> None:
    database.gate.set()
    assert await batcher.ask(1) == "1"
    assert database.groups == [[1]]


async def test_requests_that_wait_go_together(database: Database, batcher: Batcher[int, str]) -> None:
    tasks = await ask_meanwhile(database, batcher, 1, 2, 3, 4)
    assert await asyncio.gather(*tasks) == ["1", "2", "3", "4"]
    assert database.groups == [[1], [2, 3, 4]]


async def test_a_request_never_joins_a_group_that_was_sent_before_it_came(
    database: Database, batcher: Batcher[int, str]
) -> None:
    await asyncio.gather(*await ask_meanwhile(database, batcher, 1, 1))
    assert database.groups == [[1], [1]]


async def test_one_bad_question_fails_alone(database: Database, batcher: Batcher[int, str]) -> None:
    database.gate.set()
    answers = await asyncio.gather(*(batcher.ask(number) for number in (1, -2, 3)), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["1", "-2", "3"]
    assert isinstance(answers[1], ValueError)


async def test_a_group_that_fails_as_a_whole_gives_each_asker_an_error_of_its_own() -> None:
    async def fail(group: Sequence[int]) -> list[str | Exception]:
        raise Unavailable("gone")

    batcher: Batcher[int, str] = Batcher(fail)
    errors = await asyncio.gather(batcher.ask(1), batcher.ask(2), return_exceptions=True)
    assert [str(error) for error in errors] == ["gone", "gone"]
    assert errors[0] is not errors[1]


async def test_after_a_failure_the_next_request_is_served(database: Database) -> None:
    outcomes: list[list[str | Exception]] = [["late"]]

    async def fail_once(group: Sequence[int]) -> list[str | Exception]:
        if outcomes:
            raise Unavailable(str(outcomes.pop()))
        return ["well"] * len(group)

    batcher: Batcher[int, str] = Batcher(fail_once)
    with pytest.raises(Unavailable):
        await batcher.ask(1)
    assert await batcher.ask(2) == "well"


async def test_an_asker_that_leaves_takes_nobody_with_it(database: Database, batcher: Batcher[int, str]) -> None:
    leaving, staying = asyncio.ensure_future(batcher.ask(1)), asyncio.ensure_future(batcher.ask(2))
    await turn_until(database, 1)
    leaving.cancel()
    database.gate.set()
    assert await staying == "2"
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_queue_that_is_full_refuses_at_once(database: Database) -> None:
    batcher: Batcher[int, str] = Batcher(database.send, max_waiting=1)
    sent = asyncio.ensure_future(batcher.ask(1))
    await turn_until(database, 1)
    waiting = asyncio.ensure_future(batcher.ask(2))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too many"):
        await batcher.ask(3)
    database.gate.set()
    assert [*await asyncio.gather(sent, waiting)] == ["1", "2"]


async def test_those_who_waited_too_long_are_refused(
    database: Database, batcher: Batcher[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MAX_WAIT_SECONDS", 0.0)
    first, second = await ask_meanwhile(database, batcher, 1, 2)
    assert await first == "1"
    with pytest.raises(Unavailable, match="too slow"):
        await second
    assert database.groups == [[1]]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on its way is late at once."""
    monkeypatch.setattr(batching, "LATE_SECONDS", 0.0)
    monkeypatch.setattr(batching, "LOOK_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
async def test_a_group_that_is_late_holds_nobody_up(database: Database, batcher: Batcher[int, str]) -> None:
    late = asyncio.ensure_future(batcher.ask(1))
    await turn_until(database, 1)
    gate, database.gate = database.gate, asyncio.Event()
    database.gate.set()
    assert [*await asyncio.gather(batcher.ask(2), batcher.ask(3))] == ["2", "3"]
    assert not late.done()
    gate.set()
    assert await late == "1"


@pytest.mark.usefixtures("impatient")
async def test_only_so_many_groups_are_late_at_once(
    database: Database, batcher: Batcher[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MAX_GROUPS", 2)
    asked = []
    for number in range(2):
        asked.append(asyncio.ensure_future(batcher.ask(number)))
        await turn_until(database, number + 1)
    asked += [asyncio.ensure_future(batcher.ask(number)) for number in (2, 3)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert database.groups == [[0], [1]]
    database.gate.set()
    assert await asyncio.gather(*asked) == ["0", "1", "2", "3"]
    assert database.groups == [[0], [1], [2, 3]]


async def test_those_who_wait_are_refused_while_the_group_before_is_still_on_its_way(
    database: Database, batcher: Batcher[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(batching, "MAX_WAIT_SECONDS", 0.0)
    sent = asyncio.ensure_future(batcher.ask(1))
    await turn_until(database, 1)
    with pytest.raises(Unavailable, match="too slow"):
        await batcher.ask(2)
    assert not sent.done()
    database.gate.set()
    assert await sent == "1"


@pytest.mark.parametrize(("writes", "error"), [(False, Unavailable), (True, OutcomeUnknown)])
async def test_what_was_sent_when_the_loop_ends_is_unknown_only_where_it_writes(
    database: Database, writes: bool, error: type[Exception]
) -> None:
    batcher: Batcher[int, str] = Batcher(database.send, writes=writes)
    sent = asyncio.ensure_future(batcher.ask(1))
    await turn_until(database, 1)
    sender = database.senders[0]
    assert sender is not None
    sender.cancel()
    with pytest.raises(error):
        await sent


@pytest.mark.parametrize(("lone", "by_itself"), [(LONE_GROUPS - 1, False), (LONE_GROUPS, True)])
async def test_an_asker_sends_its_own_question_after_some_lone_ones(
    database: Database, lone: int, by_itself: bool
) -> None:
    batcher: Batcher[int, str] = Batcher(database.send)
    await ask_alone(database, batcher, lone)
    database.gate.set()
    assert await batcher.ask(1) == "1"
    assert (database.senders == [asyncio.current_task()]) is by_itself


async def test_a_large_group_ends_that(database: Database) -> None:
    batcher: Batcher[int, str] = Batcher(database.send)
    await ask_alone(database, batcher, LONE_GROUPS)
    for _ in range(2):
        asked = asyncio.gather(*(batcher.ask(number) for number in range(3)))
        await turn_until(database, 1)
        database.gate.set()
        await asked
        database.gate.clear()
    assert database.groups == [[0], [1, 2], [0, 1, 2]]


async def test_an_asker_that_fails_alone_holds_nobody_up(database: Database, batcher: Batcher[int, str]) -> None:
    first, second = await ask_meanwhile(database, batcher, -1, 2)
    assert await second == "2"
    with pytest.raises(ValueError, match="-1"):
        await first


async def test_a_group_has_a_longest_length(database: Database) -> None:
    batcher: Batcher[int, str] = Batcher(database.send)
    database.gate.set()
    await asyncio.gather(*(batcher.ask(number) for number in range(MAX_GROUP + 1)))
    assert [len(group) for group in database.groups] == [MAX_GROUP, 1]


async def test_a_group_has_a_greatest_weight(database: Database) -> None:
    batcher: Batcher[int, str] = Batcher(database.send, weigh=lambda number: 9 * 1024 * 1024)
    database.gate.set()
    await asyncio.gather(batcher.ask(1), batcher.ask(2))
    assert database.groups == [[1], [2]]


async def test_a_group_is_sent_for_the_request_that_asks_and_for_none_where_several_do() -> None:
    sent: list[tuple[list[int], str | None]] = []

    async def send(group: Sequence[int]) -> list[str | Exception]:
        sent.append((list(group), current_id()))
        await asyncio.sleep(0)
        return [str(each) for each in group]

    batcher: Batcher[int, str] = Batcher(send)

    async def ask(number: int) -> None:
        with request_context(None, f"request-{number}"):
            await batcher.ask(number)

    await asyncio.gather(*(ask(number) for number in (1, 2)))
    await ask(3)
    assert sent == [([1, 2], None), ([3], "request-3")]

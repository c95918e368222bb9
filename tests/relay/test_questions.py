"""A question goes to everybody who answers it, and says who succeeded, who failed and who is missing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

import bzz
from bzz.relay.peers import MISSES
from tests.relay.conftest import MakeRelay, until
from tests.relay.server import RedisServer


async def test_everybody_who_answers_is_waited_for(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker, *workers = (relay(name) for name in ("asker", "one", "two", "idle"))
    for worker in workers[:2]:
        worker.answers("benchmark.*")(lambda question: question.n + 1)
    for each in (asker, *workers):
        await stack.enter_async_context(each)
    answers = await asker.ask("benchmark.start", {"n": 4})
    assert answers.all_ok
    assert sorted((answer.name, answer.value) for answer in answers.ok) == [("one", 5), ("two", 5)]
    assert (answers.failed, answers.late, answers.skipped) == ((), (), ())


async def test_the_asker_answers_too_where_it_can(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker = relay("asker")
    asker.answers("ping")(lambda question: "own")
    await stack.enter_async_context(asker)
    assert [answer.value for answer in (await asker.ask("ping")).ok] == ["own"]


async def test_nobody_who_answers_is_nobody_to_wait_for(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker = await stack.enter_async_context(relay("asker"))
    answers = await asker.ask("anybody", timeout=60)
    assert (answers.all_ok, answers.ok) == (True, ())


async def test_a_refusal_is_a_failure_without_a_traceback_and_an_exception_one_with(
    relay: MakeRelay, stack: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    asker, worker = relay("asker"), relay("worker")

    @worker.answers("refuse")
    async def refuse(question: Any) -> None:
        raise bzz.Refuse("not on a Sunday")

    @worker.answers("fail")
    async def fail(question: Any) -> None:
        raise KeyError("n")

    @worker.answers("object")
    def give_an_object(question: Any) -> object:
        return object()

    await stack.enter_async_context(asker)
    await stack.enter_async_context(worker)
    refused = await asker.ask("refuse")
    assert [answer.message for answer in refused.failed] == ["not on a Sunday"]
    assert not refused.all_ok
    assert caplog.records == []
    failed = await asker.ask("fail")
    assert [answer.message for answer in failed.failed] == ["KeyError: 'n'"]
    assert caplog.records[0].exc_info is not None
    unsendable = await asker.ask("object")
    assert [answer.message for answer in unsendable.failed] == ["the answer cannot be sent: object"]


async def test_names_that_are_expected_and_not_there_are_late(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker, worker = relay("asker"), relay("worker-1")
    worker.answers("go")(lambda question: None)
    await stack.enter_async_context(asker)
    await stack.enter_async_context(worker)
    answers = await asker.ask("go", timeout=0.2, expect=["worker-1", "worker-2"])
    assert ([answer.name for answer in answers.ok], answers.late) == (["worker-1"], ("worker-2",))
    assert not answers.all_ok


async def test_a_late_answer_does_not_count_for_the_next_question(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker, worker = relay("asker"), relay("worker")
    turns = [asyncio.Event(), asyncio.Event()]

    @worker.answers("go")
    async def work(question: Any) -> int:
        await turns[question.n].wait()
        return int(question.n)

    await stack.enter_async_context(asker)
    await stack.enter_async_context(worker)
    assert (await asker.ask("go", {"n": 0}, timeout=0.1)).late == ("worker",)
    second = asyncio.create_task(asker.ask("go", {"n": 1}, timeout=10))
    turns[0].set()
    await asyncio.sleep(0.05)
    turns[1].set()
    assert [answer.value for answer in (await second).ok] == [1]


async def test_who_misses_several_questions_is_not_waited_for_until_it_answers(
    relay: MakeRelay, stack: AsyncExitStack
) -> None:
    asker, worker = relay("asker"), relay("worker")
    awake = asyncio.Event()

    @worker.answers("go")
    async def work(question: Any) -> None:
        await awake.wait()

    await stack.enter_async_context(asker)
    await stack.enter_async_context(worker)
    for _ in range(MISSES):
        assert (await asker.ask("go", timeout=0.05)).late == ("worker",)
    answers = await asker.ask("go", timeout=30)
    assert (answers.skipped, answers.late, answers.all_ok) == (("worker",), (), True)
    assert (await asker.ask("go", timeout=0.05, expect=["worker"])).late == ("worker",)
    awake.set()
    peer = asker.running.peers.get(worker.running.process)
    await until(lambda: peer is not None and peer.misses == 0)
    assert [answer.name for answer in (await asker.ask("go")).ok] == ["worker"]


async def test_a_process_that_ends_is_not_waited_for_any_longer(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker, worker = relay("asker"), relay("worker")

    @worker.answers("go")
    async def work(question: Any) -> None:
        await asyncio.Event().wait()

    await stack.enter_async_context(asker)
    async with worker:
        asking = asyncio.create_task(asker.ask("go", timeout=60))
        await until(lambda: worker._settings.answering._tasks)
    answers = await asking
    assert (answers.ok, len(answers.late) + len(answers.failed)) == ((), 1)


async def test_a_question_whose_time_was_up_before_redis_came_back_is_not_put(
    own_redis: RedisServer, channel: str, stack: AsyncExitStack
) -> None:
    asker, worker = (bzz.RedisRelay(own_redis.url, name=name, channel=channel) for name in ("asker", "worker"))
    heard: list[int] = []
    worker.answers("go")(lambda question: heard.append(question.n))
    await stack.enter_async_context(asker)
    await stack.enter_async_context(worker)
    own_redis.kill()
    await until(lambda: not asker.healthy)
    assert (await asker.ask("go", {"n": 1}, timeout=0.1)).late == ("worker",)
    await asyncio.to_thread(own_redis.start)
    assert (await asker.ask("go", {"n": 2}, timeout=10)).all_ok
    assert heard == [2]


async def test_the_first_function_that_fits_answers(relay: MakeRelay, stack: AsyncExitStack) -> None:
    one = relay("one")
    one.answers("a.b")(lambda question: "exact")
    one.answers("a.*")(lambda question: "glob")
    await stack.enter_async_context(one)
    values = [(await one.ask(name)).ok[0].value for name in ("a.b", "a.c")]
    assert values == ["exact", "glob"]


async def test_a_function_added_later_is_known_at_once(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker, worker = relay("asker"), relay("worker")
    await stack.enter_async_context(asker)
    await stack.enter_async_context(worker)
    worker.answers("go")(lambda question: 1)
    await until(lambda: any(peer.answers("go") for peer in asker.running.peers))
    assert len((await asker.ask("go")).ok) == 1


async def test_what_a_question_causes_knows_its_cause(relay: MakeRelay, stack: AsyncExitStack) -> None:
    asker, worker = relay("asker"), relay("worker")
    caused: list[Any] = []
    bzz.on("caused")(caused.append)

    @worker.answers("go")
    async def work(question: Any) -> None:
        await bzz.emit("caused")

    await stack.enter_async_context(asker)
    await stack.enter_async_context(worker)

    @bzz.on("start")
    async def ask(event: Any) -> None:
        await asker.ask("go")

    await bzz.emit("start")
    assert [(event.depth, event.cause.name, event.cause.cause.name) for event in caused] == [(2, "go", "start")]


async def test_mistakes_are_told(relay: MakeRelay, stack: AsyncExitStack) -> None:
    one = relay("one")
    with pytest.raises(bzz.ConfigurationError, match="the relay is not running"):
        await one.ask("go")
    one.answers("go")(print)
    with pytest.raises(bzz.ConfigurationError, match="'go' is answered already"):
        one.answers("go")(print)
    await stack.enter_async_context(one)
    with pytest.raises(bzz.ConfigurationError, match="expect takes a list of names"):
        await one.ask("go", expect="worker-1")
    with pytest.raises(TypeError, match="not in the table of types"):
        await one.ask("go", {"what": object()})
    with pytest.raises(bzz.ConfigurationError, match="running already"):
        await one.__aenter__()

"""The protocol of state-signals, and what bzz does better with it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bzz
from bzz.relay.state_signals.protocol import (
    NO_RAS,
    SIGNALS,
    Response,
    Signal,
    name_of,
    read_response,
    read_signal,
    write_response,
    write_signal,
)
from bzz.relay.state_signals.subscribers import MISSES, OWED_SECONDS, Subscribers
from tests.relay.conftest import MakeRelay, subscribed, until

SIGNAL = Signal("fio-1", "fio", "start", "host", 0, "tag", {"deep": [1, {"a": None}]})
ONE, TWO = "one-00000000-0000-4000-8000-000000000001-resp", "two-00000000-0000-4000-8000-000000000002-resp"


def ok(responder: str, event: str = "go", ras: Any = 1) -> Response:
    return Response(responder, "p", event, ras)


class TestMessages:
    def test_a_signal_has_exactly_the_keys_that_the_package_takes(self) -> None:
        keys = {"publisher_id", "process_name", "event", "runner_host", "sample_no", "tag"}
        assert json.loads(write_signal(Signal("p", "n", "e", "h"))).keys() == keys
        assert json.loads(write_signal(SIGNAL)).keys() == keys | {"metadata"}

    def test_a_signal_travels(self) -> None:
        assert read_signal(write_signal(SIGNAL)) == SIGNAL
        assert json.loads(write_signal(SIGNAL))["sample_no"] == 0

    @pytest.mark.parametrize(
        "change",
        [{"extra": 1}, {"sample_no": "1"}, {"sample_no": True}, {"tag": None}, {"metadata": []}, {"event": 5}],
    )
    def test_anything_else_is_no_signal(self, change: dict[str, Any]) -> None:
        body = {**json.loads(write_signal(SIGNAL)), **change}
        with pytest.raises(ValueError, match=r"a signal has|whole number"):
            read_signal(json.dumps(body).encode())

    def test_a_response_leaves_out_what_is_not_set(self) -> None:
        body = {"responder_id": "r", "publisher_id": "p", "event": "e"}
        assert json.loads(write_response(Response("r", "p", "e"))) == body
        assert json.loads(write_response(Response("r", "p", "e", 1, "m"))) == {**body, "ras": 1, "message": "m"}

    @pytest.mark.parametrize("ras", [1, True, 1.0])
    def test_one_is_success(self, ras: Any) -> None:
        assert read_response(
            json.dumps({"responder_id": "r", "publisher_id": "p", "event": "e", "ras": ras}).encode()
        ).is_success

    @pytest.mark.parametrize("ras", [0, 2, False, None, "1", [1], {}])
    def test_anything_else_is_failure(self, ras: Any) -> None:
        response = read_response(
            json.dumps({"responder_id": "r", "publisher_id": "p", "event": "e", "ras": ras}).encode()
        )
        assert (response.is_answer, response.is_success) == (True, False)

    def test_no_ras_is_no_answer(self) -> None:
        assert not read_response(b'{"responder_id": "r", "publisher_id": "p", "event": "e"}').is_answer
        assert Response("r", "p", "e").ras is NO_RAS

    @given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda value: json.dumps(value).encode()))
    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a machine may stall for a second
    def test_rubbish_is_a_value_error(self, data: bytes) -> None:
        for read in (read_signal, read_response):
            with pytest.raises(ValueError, match=r".*"):
                read(data)

    def test_a_name_with_dashes_is_found_in_an_id(self) -> None:
        assert name_of("my-worker-2-00000000-0000-4000-8000-000000000001-resp") == "my-worker-2"
        assert name_of("no id") == "no id"


class TestLedger:
    @pytest.fixture
    def subscribers(self) -> Subscribers:
        it = Subscribers()
        it.subscribe(ONE)
        it.subscribe(TWO)
        return it

    def test_everybody_succeeded(self, subscribers: Subscribers) -> None:
        question = subscribers.ask("go")
        subscribers.answer(ok(ONE), 0)
        assert question.waiting == {TWO}
        subscribers.answer(ok(TWO), 0)
        assert question.is_complete
        assert subscribers.close("go", 0).code == 0

    def test_somebody_failed(self, subscribers: Subscribers) -> None:
        subscribers.ask("go")
        subscribers.answer(ok(ONE, ras=0), 0)
        subscribers.answer(ok(TWO), 0)
        result = subscribers.close("go", 0)
        assert (result.code, result.failed) == (1, (ONE,))

    def test_somebody_missing_weighs_more_than_somebody_who_failed(self, subscribers: Subscribers) -> None:
        subscribers.ask("go")
        subscribers.answer(ok(ONE, ras=0), 0)
        result = subscribers.close("go", 0)
        assert (result.code, result.failed, result.missing) == (2, (ONE,), (TWO,))

    def test_nobody_is_subscribed(self) -> None:
        it = Subscribers()
        it.ask("go")
        assert it.close("go", 0).code == 0

    def test_an_expected_name_that_is_not_there_is_missing(self, subscribers: Subscribers) -> None:
        subscribers.ask("go", ["one", "three"])
        subscribers.answer(ok(ONE), 0)
        subscribers.answer(ok(TWO), 0)
        result = subscribers.close("go", 0)
        assert (result.code, result.missing) == (2, ("three",))

    def test_a_late_answer_does_not_count_for_the_next_question(self, subscribers: Subscribers) -> None:
        subscribers.ask("go")
        subscribers.answer(ok(TWO), 0)
        assert subscribers.close("go", 0).missing == (ONE,)
        second = subscribers.ask("go")
        subscribers.answer(ok(TWO), 1)
        subscribers.answer(ok(ONE, ras=0), 1)  # to the first
        assert second.waiting == {ONE}
        subscribers.answer(ok(ONE), 2)
        assert subscribers.close("go", 2).code == 0

    def test_an_answer_that_is_owed_for_too_long_is_not_waited_for(self, subscribers: Subscribers) -> None:
        subscribers.ask("go")
        subscribers.answer(ok(TWO), 0)
        subscribers.close("go", 0)
        subscribers.ask("go")
        for responder in (ONE, TWO):
            subscribers.answer(ok(responder), OWED_SECONDS + 1)
        assert subscribers.close("go", OWED_SECONDS + 1).code == 0

    def test_an_answer_to_another_event_is_not_owed(self, subscribers: Subscribers) -> None:
        subscribers.ask("go")
        subscribers.close("go", 0)
        question = subscribers.ask("stop")
        for responder in (ONE, TWO):
            subscribers.answer(ok(responder, "stop"), 1)
        assert question.is_complete

    def test_who_misses_several_questions_is_skipped_until_it_answers_in_time(self, subscribers: Subscribers) -> None:
        for n in range(MISSES):
            subscribers.ask(f"e{n}")
            subscribers.answer(ok(TWO, f"e{n}"), 0)
            assert subscribers.close(f"e{n}", 0).missing == (ONE,)
        question = subscribers.ask("go")
        assert (question.waiting, question.skipped) == ({TWO}, (ONE,))
        subscribers.answer(ok(ONE), 0)
        subscribers.close("go", 0)
        assert subscribers.ask("next").skipped == ()

    def test_who_subscribes_again_begins_anew(self, subscribers: Subscribers) -> None:
        subscribers.ask("go")
        subscribers.close("go", 0)
        subscribers.subscribe(ONE)
        question = subscribers.ask("go")
        subscribers.answer(ok(ONE), 1)
        assert question.waiting == {TWO}

    def test_strangers_do_not_count(self, subscribers: Subscribers) -> None:
        question = subscribers.ask("go", ["three"])
        subscribers.answer(ok("three-00000000-0000-4000-8000-000000000003-resp"), 0)
        assert question.expected == {"three"}


async def answer(responder: Any, ras: dict[str, Any]) -> None:
    """Subscribe to everybody, and answer each event as ``ras`` says, if it does."""
    async for signal in responder.listen():
        if signal.event == "initialization":
            await responder.srespond(signal)
        elif signal.event in ras:
            await responder.srespond(signal, ras[signal.event], "told")


@pytest.fixture
async def sides(relay: MakeRelay, stack: AsyncExitStack) -> tuple[Any, Any]:
    """An exporter, and a responder on another relay."""
    ours = await stack.enter_async_context(relay("ours"))
    theirs = await stack.enter_async_context(relay("theirs"))
    return ours.state_signals("fio").exporter, theirs.state_signals("worker").responder


async def test_a_signal_is_answered(sides: tuple[Any, Any]) -> None:
    exporter, responder = sides
    answering = asyncio.create_task(answer(responder, {"good": 1, "bad": 0}))
    assert await exporter.initialize_and_wait(1, ["good", "bad", "lost"], periodic=True, timeout=10)
    good = await exporter.publish_signal("good", sample=0, metadata={"a": 1})
    assert (good.code, good.messages) == (0, {responder.responder_id: "told"})
    bad = await exporter.publish_signal("bad")
    assert (bad.code, bad.failed) == (1, (responder.responder_id,))
    lost = await exporter.publish_signal("lost", timeout=0.1)
    assert (lost.code, lost.missing) == (2, (responder.responder_id,))
    await exporter.shutdown()
    assert exporter.subscribers == []
    answering.cancel()


async def test_subscribers_that_do_not_come_are_not_waited_for_longer(sides: tuple[Any, Any]) -> None:
    exporter, _ = sides
    assert not await exporter.initialize_and_wait(1, ["go"], timeout=0.1)
    assert (await exporter.publish_signal("go", timeout=60)).code == 0


async def test_a_name_that_is_expected_must_be_there(sides: tuple[Any, Any]) -> None:
    exporter, responder = sides
    answering = asyncio.create_task(answer(responder, {"go": 1}))
    assert await exporter.initialize_and_wait(1, ["go"], expect=["worker", "another"], periodic=True, timeout=10)
    result = await exporter.publish_signal("go", timeout=0.3)
    assert (result.code, result.missing) == (2, ("another",))
    answering.cancel()


async def test_only_legal_events_are_sent(sides: tuple[Any, Any]) -> None:
    exporter, _ = sides
    await exporter.initialize(["go"])
    with pytest.raises(bzz.ConfigurationError, match="'stop' is none of the legal events: go"):
        await exporter.publish_signal("stop")
    with pytest.raises(bzz.ConfigurationError, match=r"sent by initialize\(\) and shutdown\(\) only"):
        await exporter.publish_signal("shutdown")
    with pytest.raises(bzz.ConfigurationError, match="is no list of names"):
        await exporter.initialize("go")


async def test_one_question_per_event_is_under_way(sides: tuple[Any, Any]) -> None:
    exporter, responder = sides
    heard: list[int] = []

    async def slow() -> None:
        async for signal in responder.listen():
            heard.append(signal.sample_no)
            await asyncio.sleep(0.05)
            await responder.srespond(signal, 1)

    answering = asyncio.create_task(slow())
    assert await exporter.initialize_and_wait(1, ["go"], periodic=True, timeout=10)
    heard.clear()
    results = await asyncio.gather(*(exporter.publish_signal("go", sample=n) for n in range(3)))
    assert [result.code for result in results] == [0, 0, 0]
    assert heard == [0, 1, 2]
    answering.cancel()


async def test_a_responder_hears_whom_it_locked_onto(relay: MakeRelay, stack: AsyncExitStack) -> None:
    ours = await stack.enter_async_context(relay("ours"))
    one, two = (ours.state_signals(name).exporter for name in ("one", "two"))
    responder = ours.state_signals("worker").responder
    heard: list[Signal] = []

    async def listen() -> None:
        async for signal in responder.listen():
            heard.append(signal)

    async def speak(last: int) -> list[tuple[str, str]]:
        """Every exporter with every tag, then an end that every lock lets through; gives what was heard before that."""
        heard.clear()
        for exporter in (one, two):
            for tag in ("x", "y"):
                await exporter.publish_signal("go", tag=tag)
        await one.publish_signal("end", tag="x", sample=last)
        await until(lambda: heard and heard[-1].sample_no == last)
        return [(signal.process_name, signal.tag) for signal in heard[:-1]]

    listening = asyncio.create_task(listen())
    await subscribed(ours, SIGNALS)
    responder.lock_id(one.publisher_id)
    assert await speak(1) == [("one", "x"), ("one", "y")]
    responder.lock_tag("x")
    assert await speak(2) == [("one", "x")]
    responder.unlock()
    assert await speak(3) == [("one", "x"), ("one", "y"), ("two", "x"), ("two", "y")]
    listening.cancel()

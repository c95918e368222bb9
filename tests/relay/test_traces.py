"""A trace goes on in the processes that a relay reaches."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from tornado.web import Application

import bzz
from bzz.events import Remote
from bzz.relay.events import read_event, write_event
from tests.relay.conftest import MakeRelay, remote, until
from tests.tracing.conftest import Traced
from tests.tracing.conftest import traced as traced


async def test_the_span_of_a_received_event_is_below_that_of_its_sender(
    relay: MakeRelay, stack: AsyncExitStack, traced: Traced
) -> None:
    arrived: list[Any] = []
    bzz.on("traced.paid")(remote(arrived))
    traced(Application())
    await stack.enter_async_context(relay("receiver"))
    sender = relay("sender")
    sender.forward("traced.*")
    await stack.enter_async_context(sender)
    await bzz.emit("traced.paid")
    await until(lambda: sum(each.name == "traced.paid" for each in traced.exporter.get_finished_spans()) == 2)
    events = [each for each in traced.exporter.get_finished_spans() if each.name == "traced.paid"]
    received = next(each for each in events if each.parent is not None)
    (sent,) = (each for each in events if each.parent is None)
    assert received.context.trace_id == sent.context.trace_id
    assert arrived[0].remote.traceparent.split("-")[1] == f"{sent.context.trace_id:032x}"


async def test_nothing_is_sent_of_a_trace_where_nobody_traces() -> None:
    assert "traceparent" not in (write_event(await bzz.emit("traced.not"), ()) or {})


async def test_a_traceparent_that_is_none_begins_a_new_trace(traced: Traced) -> None:
    traced(Application())
    body = write_event(await bzz.emit("traced.odd"), ())
    received = read_event({**orjson.loads(orjson.dumps(body)), "traceparent": "00-?"}, Remote("a", "b", 1))
    traced.exporter.clear()
    await bzz.emit(received)
    assert [each.parent for each in traced.exporter.get_finished_spans()] == [None]


async def test_a_traceparent_that_is_no_text_is_refused() -> None:
    body = write_event(await bzz.emit("traced.number"), ())
    with pytest.raises(ValueError, match="text is expected"):
        read_event({**orjson.loads(orjson.dumps(body)), "traceparent": 7}, Remote("a", "b", 1))

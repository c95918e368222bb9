"""The losses of a relay are told to Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from bzz.metrics.measures import Measures
from tests.relay.conftest import MakeRelay


async def test_what_a_relay_dropped_is_counted_by_its_name_and_reason(relay: MakeRelay) -> None:
    registry = CollectorRegistry()
    async with relay("measured") as measured:
        measured.running.counts.drop("inbox_full", 2)
        Measures(registry).relayed([measured])
    assert registry.get_sample_value("bzz_relay_dropped", {"relay": "measured", "reason": "inbox_full"}) == 2
    assert registry.get_sample_value("bzz_relay_lost", {"relay": "measured"}) == 0

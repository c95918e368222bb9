"""The count of requests in flight."""

from __future__ import annotations

import asyncio

from bzz.in_flight import InFlight


async def test_quiet_is_when_none_has_come_for_a_while() -> None:
    flight = InFlight(1)
    assert flight.begin()
    quiet = asyncio.ensure_future(flight.wait_until_quiet(0.01))
    await asyncio.sleep(0.05)
    assert not quiet.done()
    flight.end()
    await asyncio.wait_for(quiet, 5)


async def test_no_more_requests_are_counted_in_than_there_may_be() -> None:
    flight = InFlight(1)
    assert [flight.begin(), flight.begin()] == [True, False]
    flight.end()
    assert flight.begin()

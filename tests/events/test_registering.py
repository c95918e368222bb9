"""Listening once, and being registered once."""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

import bzz
from bzz.events.bus import Bus
from tests.events.conftest import Calls


async def test_who_listens_once_gets_one_event(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("a", once=True)(calls.listener("once"))
    own_bus.on("a")(calls.listener("always"))
    await own_bus.emit("a")
    await own_bus.emit("a")
    assert calls.made == ["once", "always", "always"]


async def test_an_event_that_is_not_meant_does_not_count(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("a", once=True, when=(..., 2))(calls.listener("once"))
    await own_bus.emit("a", old=0, new=1)
    await own_bus.emit("a", old=1, new=2)
    await own_bus.emit("a", old=1, new=2)
    assert calls.made == ["once"]


async def test_of_events_that_are_sent_at_once_it_gets_one(own_bus: Bus, calls: Calls) -> None:
    @own_bus.on("a")
    async def slow(event: Any) -> None:
        await asyncio.sleep(0)

    own_bus.on("a", once=True)(calls.listener("once"))
    await asyncio.gather(*(own_bus.emit("a") for _ in range(10)))
    assert calls.made == ["once"]


@pytest.mark.parametrize("background", [False, True])
async def test_one_that_fails_has_listened(own_bus: Bus, calls: Calls, background: bool) -> None:
    @own_bus.on("a", once=True, background=background)
    def broken(event: Any) -> None:
        calls.made.append("x")
        raise ValueError("no ink")

    await own_bus.emit("a")
    await own_bus.emit("a")
    await own_bus.drain()
    assert calls.made == ["x"]


async def test_who_is_told_to_stop_meanwhile_gets_nothing(own_bus: Bus, calls: Calls) -> None:
    later = calls.listener("once")

    @own_bus.on("a")
    def stop(event: Any) -> None:
        own_bus.off(later)

    own_bus.on("a", once=True)(later)
    await own_bus.emit("a")
    assert calls.made == []


async def test_a_registration_without_a_key_stays_where_one_with_it_is_replaced(own_bus: Bus, calls: Calls) -> None:
    listener = calls.listener("both")
    own_bus.on("a", key="x")(listener)
    own_bus.on("a")(listener)
    await own_bus.emit("a")
    assert calls.made == ["both"]
    own_bus.on("a", key="x")(calls.listener("new"))
    await own_bus.emit("a")
    assert sorted(calls.made) == ["both", "both", "new"]


async def test_a_later_registration_takes_the_place_of_that_with_its_key(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("a", key="x")(calls.listener("old"))
    own_bus.on("a")(calls.listener("other"))
    own_bus.on("a", key="x", when=None)(calls.listener("new"))
    await own_bus.emit("a")
    assert calls.made == ["new", "other"]


async def test_a_module_that_is_loaded_again_listens_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: Calls
) -> None:
    text = 'import bzz\n\n@bzz.on("a", key="again.listener")\ndef listener(event):\n    event.calls.append("x")\n'
    (tmp_path / "loaded_again.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("loaded_again")
    importlib.reload(module)
    del sys.modules["loaded_again"]
    importlib.import_module("loaded_again")
    await bzz.emit("a", calls=calls.made)
    assert calls.made == ["x"]


def test_a_follower_hears_whether_there_are_listeners_now_and_after_each_change(own_bus: Bus, calls: Calls) -> None:
    seen: list[bool] = []
    own_bus.follow(seen.append)
    listener = own_bus.on("a")(calls.listener("listener"))
    own_bus.off(listener)
    with own_bus.tap("*", None, lambda event: None, silence=False):
        pass
    assert seen == [False, True, False, True, False]


def test_signals_have_a_receiver_for_events_only_while_there_are_listeners(calls: Calls) -> None:
    signal, connected = bzz.signals.pre_get_instance, []
    connected.append(signal._last is not None)
    listener = bzz.on("Anything.fetching")(calls.listener("listener"))
    connected.append(signal._last is not None)
    bzz.off(listener)
    connected.append(signal._last is not None)
    assert connected == [False, True, False]

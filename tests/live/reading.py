"""A client of feeds: reads ``text/event-stream`` as https://html.spec.whatwg.org, section 9.2, says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

__all__ = ["Follower", "Frame", "following", "parse", "until"]

SECONDS = 60.0


class Frame(NamedTuple):
    """One event; ``id`` is None where the frame had none."""

    event: str
    data: str
    id: str | None


def parse(text: bytes) -> list[Frame]:
    """Return the frames of a whole stream."""
    found = []
    for block in text.decode().split("\n\n")[:-1]:
        event, data, position = "message", [], None
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                event = value
            elif name == "data":
                data.append(value)
            elif name == "id":
                position = value
        if data:
            found.append(Frame(event, "\n".join(data), position))
    return found


async def until(holds: Callable[[], object]) -> None:
    """Look again and again until something holds."""
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110  # nothing says when it does
            await asyncio.sleep(0.01)


@dataclass
class Follower:
    """What a client has been told: ``rows`` by id, as they follow from the frames, and all ``frames``."""

    answer: httpx.Response
    frames: list[Frame] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)
    position: str = ""
    is_ended: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Take frames until the stream ends."""
        left = b""
        try:
            async for chunk in self.answer.aiter_raw():
                whole, separator, left = (left + chunk).rpartition(b"\n\n")
                for frame in parse(whole + separator):
                    self._take(frame)
        finally:
            self.is_ended = True
            self._news.set()

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame.id is not None:
            self.position = frame.id
        data = json.loads(frame.data)
        if frame.event == "snapshot":
            self.rows.update(zip(data["ids"], data["rows"], strict=True))
        elif frame.event in ("created", "updated", "enter"):
            self.rows[data["id"]] = data["row"]
        elif frame.event in ("deleted", "leave"):
            self.rows.pop(data["id"], None)
        self._news.set()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, which may change with each frame."""
        async with asyncio.timeout(SECONDS):
            while not holds():
                if self.is_ended and not holds():
                    raise AssertionError(f"the feed ended with {self.told()[-3:]}")
                self._news.clear()
                await self._news.wait()

    async def next(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait for the next changes; return what they tell, ``kind`` among it."""
        seen = len(self.changes())
        await self.until(lambda: len(self.changes()) >= seen + count)
        return self.changes()[seen:]

    async def changed(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many changes were told in all; return them."""
        await self.until(lambda: len(self.changes()) >= count)
        return self.changes()

    def snapshot(self) -> dict[str, Any]:
        """Return the rows that were there at first."""
        found = [json.loads(each.data) for each in self.frames if each.event == "snapshot"]
        return {key: row for each in found for key, row in zip(each["ids"], each["rows"], strict=True)}

    def changes(self) -> list[dict[str, Any]]:
        """Return what the changes tell that have come."""
        known = ("created", "updated", "deleted", "enter", "leave")
        return [{"kind": each.event, **json.loads(each.data)} for each in self.frames if each.event in known]

    def told(self) -> list[str]:
        """Return the kinds of all frames, in order."""
        return [each.event for each in self.frames]

    def reason(self) -> str | None:
        """Return why the feed ended, if it said so."""
        found = [json.loads(each.data)["reason"] for each in self.frames if each.event == "reset"]
        return found[0] if found else None

    async def ended(self) -> str | None:
        """Wait for the end; return its reason."""
        await self.until(lambda: self.is_ended)
        return self.reason()


@asynccontextmanager
async def following(
    client: httpx.AsyncClient, url: str, *, ready: bool = True, **headers: str
) -> AsyncIterator[Follower]:
    """Follow a feed; enter when it is ready."""
    given = {"Accept": "text/event-stream", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with client.stream("GET", url, headers=given, timeout=None) as answer:
        if answer.status_code != 200:
            await answer.aread()
        assert answer.status_code == 200, answer.text
        follower = Follower(answer)
        reading = asyncio.create_task(follower.read())
        try:
            if ready:
                await follower.until(lambda: {"ready", "reset"} & set(follower.told()))
            yield follower
        finally:
            reading.cancel()
            await asyncio.wait([reading])

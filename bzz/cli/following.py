"""A feed that is followed for ever: frames, over as many connections as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from bzz.cli.client import Away, Client, refusal
from bzz.cli.console import Failure
from bzz.cli.frames import Frame, FrameReader

__all__ = ["follow"]

EVENT_STREAM = "text/event-stream"
SILENT_SECONDS = 45.0
"""After so long without a byte a connection is given up: feeds of bzz say something every 15 seconds."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 30.0
_BUSY = (429, 502, 503, 504)


class _Broken(Exception):
    """A connection ended, for this reason; another one may go on."""


async def follow(client: Client, tell: Callable[[str], None]) -> AsyncGenerator[Frame]:
    """Yield the frames of a feed. After a break it goes on where it was.

    :param tell: told in a sentence of each break.
    :raises Failure: if the first connection fails, a later one is refused, or the address is no feed.
    """
    reader, pause, has_begun = FrameReader(), FIRST_PAUSE_SECONDS, False
    while True:
        try:
            async for frame in _one_connection(client, reader):
                has_begun, pause = True, reader.retry_seconds or FIRST_PAUSE_SECONDS
                yield frame
            reason = "the feed ended"
        except (Away, _Broken) as error:
            if not has_begun:
                raise Failure(str(error)) from None
            reason = str(error)
        tell(f"{reason}; trying again in {pause:g} s")
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        reader = FrameReader(reader.last_id)  # what had come of a frame is told again


async def _one_connection(client: Client, reader: FrameReader) -> AsyncGenerator[Frame]:
    """Yield the frames of one connection until it ends."""
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
    head: list[str] = []
    headers = {"Accept": EVENT_STREAM, **({"Last-Event-ID": reader.last_id} if reader.last_id else {})}
    asked = asyncio.ensure_future(client.stream(headers, head.append, chunks.put_nowait))
    asked.add_done_callback(lambda _: chunks.put_nowait(None))
    seen = bytearray()
    try:
        while (chunk := await _next(chunks)) is not None:
            if _is_feed(head):
                for frame in reader.feed(chunk):
                    yield frame
            else:
                seen += chunk
        answer = await asked
        if answer.code in _BUSY:
            raise _Broken(str(refusal(answer, bytes(seen))))
        if answer.code != 200:
            raise refusal(answer, bytes(seen))
        if not _is_feed(head):
            raise Failure(f"{client.url} is no feed: it answers {answer.headers.get('Content-Type', 'nothing')}")
    finally:
        asked.cancel()
        await asyncio.wait([asked])


async def _next(chunks: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await chunks.get()
    except TimeoutError:
        raise _Broken(f"nothing came for {SILENT_SECONDS:g} s") from None


def _is_feed(head: list[str]) -> bool:
    """Return whether the lines of a head are those of a feed."""
    lines = [each.strip().lower() for each in head]
    is_ok = bool(lines) and lines[0].split()[1:2] == ["200"]
    return is_ok and any(each.startswith("content-type:") and EVENT_STREAM in each for each in lines)

"""One client of a feed on its connection: its rights, its answer, and its end."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from hashlib import blake2b
from typing import Any
from weakref import WeakValueDictionary

from tornado.iostream import StreamClosedError
from tornado.web import GZipContentEncoding

from bzz.errors import BadRequest
from bzz.in_flight import release
from bzz.live.channel import Channel
from bzz.live.frames import ResetReason, reset
from bzz.live.pings import Pings
from bzz.live.rights import Rights, forget
from bzz.live.settings import LiveSettings, settings_of
from bzz.live.stream import Stream
from bzz.live.view import View
from bzz.problem import ProblemHandler
from bzz.providers.changes import Position, Scope

__all__ = ["Client"]

logger = logging.getLogger("bzz.live")

LAST_EVENT_ID = "Bzz-Last-Event-ID"

_channels: WeakValueDictionary[str, Channel] = WeakValueDictionary()


class Client:
    """Answers one request with a feed. There are many, so it is small, and holds nothing that others hold too.

    :param handler: of the request.
    :param views: what it follows, all of one database.
    :param rights: whether the client may, asked now and then.
    """

    __slots__ = ("_rights", "_stream", "_views", "handler")

    def __init__(self, handler: ProblemHandler, views: Sequence[View], rights: Rights) -> None:
        self.handler: ProblemHandler = handler
        self._views = views
        self._rights = rights
        self._stream: Stream | None = None

    async def answer(self, last_event_id: str | None, snapshot: bool) -> None:
        """Send frames until the client leaves, may not be told more, or the server stops.

        :param last_event_id: the position where the client was; None to begin anew.
        :param snapshot: whether one that begins anew is sent what there is.
        :raises bzz.errors.RequestError: before anything is sent.
        """
        settings = settings_of(self.handler.application)
        counted = settings.count(self.handler)
        try:
            after = await self._join(last_event_id, settings)
            if self.handler.request.method == "HEAD":
                self.handler.finish()
            elif last_event_id is not None and after is None:
                self.handler.finish(reset("position"))
            else:
                await self._send(after, snapshot)
        finally:
            settings.uncount(counted)
            forget(self)
            if self._stream is not None:
                self._stream.leave()

    async def _join(self, last_event_id: str | None, settings: LiveSettings) -> Position | None:
        """Follow from now on, and prepare the head of the answer; return where the client was, if that can be known."""
        channels = [self._channel(*each) for each in zip(self._views, await self.scopes(), strict=True)]
        changes = self._views[0].provider.changes()
        if any(view.provider.changes() is not changes for view in self._views):
            raise BadRequest("These models are stored in several databases; follow each by itself.")
        subject = _hash("\n".join(sorted(channel.subject for channel in channels)))
        sealer = await settings.sealer(changes)
        after = None if last_event_id is None else sealer.open(last_event_id, subject)
        self._stream = Stream(changes, channels, sealer, subject)
        begins = await self._stream.join()
        self._set_headers(begins if after is None or last_event_id is None else last_event_id)
        self._rights.watch(self, [channel.scope.key for channel in channels])
        return after

    async def _send(self, after: Position | None, snapshot: bool) -> None:
        try:
            await self._send_beginning(after, snapshot)
            await self._send_changes()
        except StreamClosedError:
            return
        except Exception:
            logger.exception("a feed of %s failed", self.handler.request.path)
            self.handler.write(reset("incomplete"))
        self.handler.finish()

    async def _send_beginning(self, after: Position | None, snapshot: bool) -> None:
        assert self._stream is not None
        pings = Pings(self._write)
        async with aclosing(self._stream.beginning(after, snapshot)) as frames:
            try:
                async for chunk in frames:
                    pings.stop()
                    await self._write(chunk)
                    pings.restart()
            finally:
                pings.stop()

    async def _send_changes(self) -> None:
        assert self._stream is not None
        take, is_last = self._stream.take, False
        send = self._sender()
        while not is_last:
            chunk, is_last = await take()
            waiting = send(chunk)
            del chunk  # of which a slow connection has a copy
            await waiting

    def _sender(self) -> Callable[[bytes], Awaitable[None]]:
        """Return what sends what follows the beginning: without Tornado where a connection can do that."""
        plain: Callable[[bytes], Awaitable[None]] = self._write
        if self.handler._transforms:
            return plain
        return getattr(self.handler.request.connection, "send", plain)

    def _write(self, chunk: bytes) -> Awaitable[None]:
        self.handler.write(chunk)
        return self.handler.flush()

    async def scopes(self) -> list[Scope]:
        """Return what the client may see and wants to see, as it is now."""
        return [await view.provider.scope(view.path, view.query, self.handler) for view in self._views]

    async def check(self) -> None:
        """Raise where the client may not follow any more."""
        await self._rights.check(self.handler)

    def end(self, reason: ResetReason) -> None:
        """Tell the client why, and nothing more."""
        if self._stream is not None:
            self._stream.end(reason)

    def _channel(self, view: View, scope: Scope) -> Channel:
        """Return the channel of a view, the same for all who see the same."""
        subject = _hash("\n".join([*view.subject, scope.key]))
        key = f"{subject} {id(view.provider)} {id(self.handler) if view.is_personal else ''}"
        found = _channels.get(key)
        if found is None:
            found = _channels[key] = Channel(view, scope, subject, key)
        return found

    def _set_headers(self, position: str) -> None:
        """Prepare the head of the answer."""
        handler = self.handler
        handler.set_header("Content-Type", "text/event-stream")
        handler.set_header("Cache-Control", "no-store")
        handler.set_header("X-Accel-Buffering", "no")  # which nginx obeys
        handler.set_header(LAST_EVENT_ID, position)
        handler._transforms = [each for each in handler._transforms if not isinstance(each, GZipContentEncoding)]
        connection: Any = handler.request.connection
        release(connection)
        connection.set_close_callback(self._left)

    def _left(self) -> None:
        """Called when the client has left."""
        self.handler.on_connection_close()
        self.end("shutdown")


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()

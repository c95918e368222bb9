"""Redis as the transport, by redis-py's asyncio client (https://redis.readthedocs.io/); the only import of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bzz.errors import ConfigurationError
from bzz.extras import needs
from bzz.relay.base import Relay
from bzz.relay.queue import Policy
from bzz.relay.transport import Message, Transport, TransportError

with needs("relay"):
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

__all__ = ["ANSWER_SECONDS", "RedisRelay", "RedisTransport"]

ANSWER_SECONDS = 5.0
"""How long Redis may take to connect, and to answer."""


class RedisTransport(Transport):
    """Pub/sub on one Redis server.

    redis-py is kept from reconnecting and subscribing again by itself, since messages that are published in between
    are lost, and that must be noticed.

    :param url: as for ``redis.Redis.from_url``.
    """

    def __init__(self, url: str) -> None:
        try:
            self._client: Redis = Redis.from_url(
                url,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
            )
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"this is no URL of a Redis server: {error}") from None
        self._pubsub: Any = None
        self._early: list[Message] = []
        self._confirming: dict[str, asyncio.Future[None]] = {}

    async def open(self, channels: Sequence[str]) -> float:
        with _transport_errors():
            await asyncio.wait_for(self._subscribe(channels), ANSWER_SECONDS)
            seconds, microseconds = await self._client.time()
        return float(seconds) + microseconds / 1e6

    async def _subscribe(self, channels: Sequence[str]) -> None:
        self._pubsub = self._client.pubsub()
        await self._pubsub.subscribe(*channels)
        missing = set(channels)
        while missing:
            kind, channel, data = await self._pubsub.parse_response(block=True)
            if kind == b"subscribe":
                missing.discard(channel.decode())
            else:
                self._early.append((channel.decode(), data))

    async def subscribe(self, channel: str) -> None:
        if self._pubsub is None:
            raise TransportError("it is not open")
        confirmed = self._confirming.setdefault(channel, asyncio.get_running_loop().create_future())
        with _transport_errors():
            await self._pubsub.subscribe(channel)
            await asyncio.wait_for(asyncio.shield(confirmed), ANSWER_SECONDS)

    async def receive(self) -> Message:
        if self._early:
            return self._early.pop(0)
        with _transport_errors():
            while True:
                kind, channel, data = await self._pubsub.parse_response(block=True)
                if kind == b"message":
                    return channel.decode(), data
                self._confirm(channel.decode())

    def _confirm(self, channel: str) -> None:
        waiting = self._confirming.pop(channel, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    async def send(self, messages: Sequence[Message]) -> list[int]:
        with _transport_errors():
            if not messages:
                return []
            if len(messages) == 1:
                return [await self._client.publish(*messages[0])]
            pipeline = self._client.pipeline(transaction=False)
            for channel, data in messages:
                pipeline.publish(channel, data)
            return await pipeline.execute()

    async def subscribers(self, channel: str) -> int:
        with _transport_errors():
            ((_, count),) = await self._client.pubsub_numsub(channel)
        return int(count)

    async def close(self) -> None:
        for waiting in self._confirming.values():
            waiting.set_exception(TransportError("the connection was closed"))
            waiting.exception()  # so that asyncio does not log it if no task waits
        self._confirming.clear()
        self._early.clear()
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            with contextlib.suppress(RedisError, OSError):
                await pubsub.aclose()
        with contextlib.suppress(RedisError, OSError):
            await self._client.connection_pool.disconnect()


@contextlib.contextmanager
def _transport_errors() -> Iterator[None]:
    """Raise errors of redis-py as :class:`TransportError`."""
    try:
        yield
    except (TimeoutError, RedisError, OSError) as error:
        raise TransportError(f"{type(error).__name__}: {error}") from error
    except (AttributeError, RuntimeError) as error:  # from redis-py if a connection is closed while it is used
        raise TransportError(f"the connection was closed: {error}") from error


class RedisRelay(Relay):
    """Events between processes, and questions with answers, over a Redis server. An async context manager.

    ::

        relay = bzz.RedisRelay("redis://localhost:6379", name="api")
        relay.forward("User.*", AuditEvent)
        relay.attach(app)  # or: async with relay: ...

    :param url: the server, such as ``redis://localhost:6379``, ``rediss://...`` for TLS or ``unix://...``. The number
        of a database has no effect on Redis pub/sub.
    :param name: the name of this kind of process: ``event.remote.name`` elsewhere, and what ``expect`` of :meth:`ask`
        means. Several processes may share it.
    :param channel: relays on the same channel get each other's messages.
    :param keys: secrets by id, ``{"2026-11": secret}``, of at least 16 bytes each. The first one signs; messages that
        none of them has signed are dropped. None: messages are not signed, and all who can publish are trusted.
    :param queue_size: how many messages are queued at most, while Redis cannot be reached and while listeners are slow.
    :param policy: which message is dropped if there are more: ``"drop_oldest"`` or ``"drop_newest"``.
    :raises bzz.errors.ConfigurationError: if an argument is invalid.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        channel: str = "bzz",
        keys: Mapping[str, bytes | str] | None = None,
        queue_size: int = 10_000,
        policy: Policy = "drop_oldest",
    ) -> None:
        super().__init__(
            RedisTransport(url), name=name, channel=channel, keys=keys, queue_size=queue_size, policy=policy
        )

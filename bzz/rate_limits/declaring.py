"""``bzz.RateLimits``: how many requests of each client are let in."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler

from bzz.addresses import network_of
from bzz.calling import call, check_takes
from bzz.errors import ConfigurationError, RequestError, TooManyRequests
from bzz.problem import RATE_LIMITS, ProblemHandler
from bzz.rate_limits.counters import MEMORY, counter_at
from bzz.rate_limits.quota import Quota, quotas_of, whole_seconds
from bzz.users import name_of

__all__ = ["RateLimits"]

Key = Callable[[RequestHandler], str | Awaitable[str | None] | None]

_READING = ("GET", "HEAD", "QUERY")


class RateLimits:
    """Lets so many requests of each client in; further ones are answered 429 with ``Retry-After``.

    ::

        limits = bzz.RateLimits("100/minute", "5/second", storage="redis://localhost:6379")
        limits.attach(app)

    A client is the user who is signed in, else the address (for IPv6 its /64 network). A request is counted after the
    guard and before anything else of it is looked at. One that the guard refuses counts for its address. ``OPTIONS`` is
    not counted.

    :param limits: for all requests: ``"100/minute"``, ``"5 per 2 seconds"``; a request has to keep all of them.
    :param reads: limits for GET, HEAD and QUERY alone.
    :param writes: limits for all other methods alone.
    :param storage: where requests are counted: ``"memory://"``, by each process for itself, or the URL of a Redis, for
        all processes that use it.
    :param key: returns what a request is counted for, in place of the user or the address; None for these. It is given
        the handler, and may be a coroutine.
    :raises bzz.errors.ConfigurationError: if an argument is invalid, or there is no limit.
    """

    def __init__(
        self,
        *limits: str,
        reads: str | Sequence[str] = (),
        writes: str | Sequence[str] = (),
        storage: str = MEMORY,
        key: Key | None = None,
    ) -> None:
        every, reading, writing = quotas_of("", limits), quotas_of("reads", reads), quotas_of("writes", writes)
        if not (every or reading or writing):
            raise ConfigurationError("RateLimits needs a limit, such as RateLimits('100/minute')")
        if key is not None:
            check_takes(key, ("handler",), "key")
        self._reads, self._writes = _by_length(every + reading), _by_length(every + writing)
        self._key = key
        self._counter = counter_at(storage)

    def attach(self, app: Application) -> None:
        """Limit the requests to all routes of bzz in an application, but for those of models with limits of their own.

        :raises bzz.errors.ConfigurationError: if the application has limits already.
        """
        if RATE_LIMITS in app.settings:
            raise ConfigurationError("this application has rate limits already: name all of them in one RateLimits")
        app.settings[RATE_LIMITS] = self

    async def admit(self, handler: ProblemHandler, guard: Callable[..., Any] | None, scope: str) -> None:
        """Ask the guard, if there is one, and let the request in if it keeps the limits.

        :param scope: what is counted together.
        :raises bzz.errors.TooManyRequests: if it does not, whatever the guard says.
        :raises Exception: what the guard raises.
        """
        try:
            if guard is not None:
                await call(guard, handler)
        except (RequestError, HTTPError):
            await self._count(handler, scope, _address(handler))  # whatever else it says of its client is not believed
            raise
        if handler.request.method != "OPTIONS":
            await self._count(handler, scope, await self._client(handler))

    async def _client(self, handler: RequestHandler) -> str:
        own = None if self._key is None else await call(self._key, handler)
        if own is not None:
            return f"key:{own}"
        user = name_of(handler.current_user)
        return _address(handler) if user is None else f"user:{user}"

    async def _count(self, handler: ProblemHandler, scope: str, client: str) -> None:
        quotas = self._reads if handler.request.method in _READING else self._writes
        digest = hashlib.blake2b(client.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        states = []
        for quota in quotas:
            counted = await self._counter.add(f"{scope}|{quota.name}|{digest}", quota.seconds)
            if counted is None:
                return
            states.append(quota.state(*counted))
            if counted[0] > quota.amount:
                _tell(handler, quotas, states)
                raise _refusal(quota, counted[1])
        _tell(handler, quotas, states)


def _by_length(quotas: list[Quota]) -> tuple[Quota, ...]:
    """Return each once, the shortest window first: what that refuses does not count for the longer ones."""
    return tuple(sorted(dict.fromkeys(quotas), key=attrgetter("seconds")))


def _address(handler: RequestHandler) -> str:
    return f"address:{network_of(handler.request.remote_ip or '')}"


def _tell(handler: ProblemHandler, quotas: Sequence[Quota], states: Sequence[str]) -> None:
    if states:
        handler.keep_header("RateLimit-Policy", ", ".join(quota.policy for quota in quotas))
        handler.keep_header("RateLimit", ", ".join(states))


def _refusal(quota: Quota, left: float) -> TooManyRequests:
    seconds = whole_seconds(left)
    return TooManyRequests(f"The limit of {quota.name} is reached; come back in {seconds} s.", retry_after=seconds)

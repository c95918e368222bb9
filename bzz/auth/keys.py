"""The public keys of an OpenID Connect server: found by discovery, cached, and fetched again when they are rotated."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from bzz.auth.idtoken import Keys, read_keys
from bzz.auth.upstream import ask
from bzz.errors import BadGateway

__all__ = ["KeyCache"]

MAX_AGE_SECONDS = 3600.0
REFRESHES = 10
REFRESH_SECONDS = 60.0


class KeyCache:
    """The keys of one issuer. Requests that wait for them share one fetch."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._keys: Keys = []
        self._fetched_at: float | None = None
        self._refreshed: deque[float] = deque(maxlen=REFRESHES)
        self._fetching: asyncio.Task[None] | None = None

    async def current(self, proxy_info: Mapping[str, Any] | None) -> Keys:
        """The keys, at most an hour old.

        :raises bzz.errors.BadGateway: discovery or the keys are not what they should be.
        :raises bzz.errors.Unavailable: the server cannot be reached.
        """
        if self._is_old():
            await self._fetch(proxy_info)
        return self._keys

    async def refreshed(self, proxy_info: Mapping[str, Any] | None) -> Keys:
        """The keys, fetched again for a token that none of them signed: they may have been rotated.

        Strangers who invent tokens get no more than ``REFRESHES`` of those fetches in ``REFRESH_SECONDS``.

        :raises bzz.errors.RequestError: as :meth:`current`.
        """
        if self._may_refresh():
            await self._fetch(proxy_info)
        return self._keys

    def _is_old(self) -> bool:
        return self._fetched_at is None or time.monotonic() - self._fetched_at > MAX_AGE_SECONDS

    def _may_refresh(self) -> bool:
        now = time.monotonic()
        if len(self._refreshed) == REFRESHES and now - self._refreshed[0] < REFRESH_SECONDS:
            return False
        self._refreshed.append(now)
        return True

    async def _fetch(self, proxy_info: Mapping[str, Any] | None) -> None:
        task = self._fetching
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self._fetching = asyncio.create_task(self._load(proxy_info))
        await asyncio.shield(task)

    async def _load(self, proxy_info: Mapping[str, Any] | None) -> None:
        discovered = await ask(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", proxy_info) or {}
        if discovered.get("issuer") != self._issuer or not isinstance(discovered.get("jwks_uri"), str):
            raise BadGateway("The discovery document of the provider does not fit its issuer.")
        keys = read_keys(await ask(discovered["jwks_uri"], proxy_info) or {})
        if not keys:
            raise BadGateway("The provider publishes no usable key.")
        self._keys, self._fetched_at = keys, time.monotonic()

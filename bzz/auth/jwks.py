"""The public keys of an OpenID Connect server: found by discovery, cached, and fetched again when they are rotated."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from bzz.auth.http import fetch_json
from bzz.auth.idtoken import TENANT, Keys, read_jwks
from bzz.errors import BadGateway, RequestError

__all__ = ["KeyCache"]

logger = logging.getLogger("bzz.auth")

MAX_AGE_SECONDS = 3600.0
STALE_SECONDS = 86400.0
"""How long keys are used while they cannot be fetched again."""
RETRY_SECONDS = 30.0
REFRESHES = 10
REFRESH_SECONDS = 60.0


class KeyCache:
    """The keys of one issuer. Requests that wait for them share one fetch.

    :ivar issuer: the issuer in the discovery document, which for several tenants has ``{tenantid}`` in it.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = self._issuer = issuer
        self._keys: Keys = []
        self._fetched_at: float | None = None
        self._refreshed: deque[float] = deque(maxlen=REFRESHES)
        self._fetching: asyncio.Task[None] | None = None
        self._retry_at = 0.0

    async def current(self, proxy_info: Mapping[str, Any] | None) -> Keys:
        """Return the keys, at most an hour old, or at most a day if they cannot be fetched again.

        :raises bzz.errors.BadGateway: if the discovery document or the keys are malformed.
        :raises bzz.errors.Unavailable: if the server cannot be reached.
        """
        age = self._age()
        if age > STALE_SECONDS:
            await self._fetch(proxy_info)
        elif age > MAX_AGE_SECONDS and time.monotonic() >= self._retry_at:
            await self._try_to_fetch(proxy_info)
        return self._keys

    async def refreshed(self, proxy_info: Mapping[str, Any] | None) -> Keys:
        """Fetch the keys again, since they may have been rotated: none of them signed a token.

        There are at most ``REFRESHES`` of these fetches in ``REFRESH_SECONDS``, however many tokens are forged.

        :raises bzz.errors.RequestError: as :meth:`current`.
        """
        if self._may_refresh():
            await self._fetch(proxy_info)
        return self._keys

    def _age(self) -> float:
        return math.inf if self._fetched_at is None else time.monotonic() - self._fetched_at

    async def _try_to_fetch(self, proxy_info: Mapping[str, Any] | None) -> None:
        try:
            await self._fetch(proxy_info)
        except RequestError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            logger.warning("the keys of %s stay in use, since they cannot be fetched again: %s", self._issuer, error)

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
        discovered = await fetch_json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", proxy_info) or {}
        issuer = discovered.get("issuer")
        if not _stands_for(issuer, self._issuer) or not isinstance(discovered.get("jwks_uri"), str):
            raise BadGateway("The discovery document of the provider does not fit its issuer.")
        keys = read_jwks(await fetch_json(discovered["jwks_uri"], proxy_info) or {})
        if not keys:
            raise BadGateway("The provider publishes no usable key.")
        self._keys, self._fetched_at, self.issuer = keys, time.monotonic(), str(issuer)


def _stands_for(discovered: Any, issuer: str) -> bool:
    """Return whether ``discovered``, the issuer of a discovery document, is or covers ``issuer``.

    >>> _stands_for("https://login.example/{tenantid}/v2.0", "https://login.example/common/v2.0")
    True
    >>> _stands_for("https://evil.example/{tenantid}/v2.0", "https://login.example/common/v2.0")
    False
    """
    pattern = re.escape(str(discovered)).replace(re.escape(TENANT), "[^/]+")
    return re.fullmatch(pattern, issuer) is not None

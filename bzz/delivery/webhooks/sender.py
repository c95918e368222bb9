"""What a webhook does with an event: the body is written, signed and posted, and the answer judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bzz.delivery.listener import RetryLater, SwitchOff
from bzz.delivery.webhooks import payload
from bzz.delivery.webhooks.answer import Undelivered, check
from bzz.delivery.webhooks.endpoint import Endpoint
from bzz.delivery.webhooks.posting import TIMEOUT_SECONDS, post
from bzz.delivery.webhooks.public import Network
from bzz.delivery.webhooks.resolver import GuardedResolver
from bzz.delivery.webhooks.signature import Signer
from bzz.providers.base import Provider

__all__ = ["FAILING", "Sender"]

FAILING = timedelta(days=5)
"""How long an endpoint may fail without any success before it is switched off, as with Svix
(https://docs.svix.com/retries)."""


class Sender:
    """Sends events to one endpoint.

    :param allow: networks of the application's own.
    :param orm: as :meth:`bzz.ModelHive.routes_for` takes it.
    :param seconds: the time for one attempt.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        signer: Signer,
        allow: Sequence[Network] = (),
        *,
        orm: str | type[Provider] = "mongoengine",
        seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._endpoint = endpoint
        self._signer = signer
        self._resolver = GuardedResolver(allow, only_allowed=not endpoint.is_secure)
        self._orm = orm
        self._seconds = seconds

    def __eq__(self, other: object) -> bool:
        """Whether another one sends to the same endpoint: then it is this one, of a module that is loaded again."""
        return isinstance(other, Sender) and self._endpoint == other._endpoint

    __hash__ = object.__hash__

    async def send(self, event: Any) -> None:
        """Make one attempt to send an event, and return if it was received.

        An event about a hidden field is not sent at all.

        :raises bzz.delivery.listener.SwitchOff: if the receiver wants no more, or has failed for days.
        :raises bzz.delivery.listener.RetryLater: if it asks for time.
        :raises bzz.delivery.webhooks.answer.Undelivered: if the attempt failed.
        """
        body = await payload.write(event, self._orm)
        if body is None:
            return
        try:
            await self._attempt(payload.id_of(event), body)
        except (Undelivered, RetryLater) as error:
            since = event.failing_since
            if since is not None and datetime.now(UTC) - since > FAILING:
                raise SwitchOff(f"nothing was received since {since:%Y-%m-%d %H:%M} UTC; at last: {error}") from error
            raise

    async def _attempt(self, id: str, body: bytes) -> None:
        signed = self._signer.headers(id, int(time.time()), body)
        headers = {"Content-Type": "application/json", "User-Agent": "bzz", **signed}
        answer = await post(self._endpoint, headers, body, self._resolver, seconds=self._seconds)
        check(answer, self._endpoint.host, datetime.now(UTC))

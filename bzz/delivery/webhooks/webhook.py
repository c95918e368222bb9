"""``bzz.webhook``: stored changes sent to another server, by Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from bzz.delivery.listener import durable
from bzz.delivery.webhooks.endpoint import read_endpoint
from bzz.delivery.webhooks.posting import TIMEOUT_SECONDS
from bzz.delivery.webhooks.public import networks
from bzz.delivery.webhooks.sender import Sender
from bzz.delivery.webhooks.signature import Secret, Signer
from bzz.events.targets import parse
from bzz.providers.base import Provider

__all__ = ["SCHEDULE", "webhook"]

_MINUTES, _HOURS = 60.0, 3600.0

SCHEDULE = (0.0, 5.0, 5 * _MINUTES, 30 * _MINUTES, *(each * _HOURS for each in (2, 5, 10, 14, 20, 24)))
"""The seconds before each attempt: the first at once, each other one after the failure before it. It is the schedule
of Standard Webhooks ("Deliverability and reliability"), over three days."""

_BESIDES_SECONDS = 15.0  # to show an instance, which may ask the database


def webhook(
    url: str,
    target: Any,
    model: type | None = None,
    /,
    *,
    secret: Secret | Sequence[Secret],
    when: Any = None,
    name: str | None = None,
    allow: Iterable[Any] = (),
    concurrency: int = 16,
    start: Any = "now",
    orm: str | type[Provider] = "mongoengine",
) -> Callable[[Any], Awaitable[None]]:
    """Send each matching event to ``url``, at least once, in order per document, whatever dies meanwhile.

    ::

        bzz.webhook("https://example.org/orders", "Order.updated.status", when=("open", "paid"), secret=SECRET)

    :param url: ``https://``; an attempt is one POST, which has 15 seconds.
    :param target: what is sent, and ``model`` and ``when``: as for :func:`bzz.on`.
    :param secret: ``whsec_`` and base64, or 24 to 64 bytes. A list of secrets while receivers still have an old one:
        each message is signed with all of them.
    :param name: of this webhook among the durable listeners, where it must be the only one. By default it is made of
        the host, and of the URL and the target: who may want to change these gives it a name.
    :param allow: networks of your own (``'10.0.0.0/8'``), which it may lead to although they are not public. Only there
        may the URL begin with ``http://``.
    :param concurrency: how many events are sent at a time, of different documents.
    :param start: where to begin, as for durable listeners.
    :param orm: as :meth:`bzz.ModelHive.routes_for` takes it.
    :returns: the function that makes one attempt to send an event.
    :raises bzz.errors.ConfigurationError: for a mistake in any of these. No message holds a secret.
    """
    allowed = networks(allow)
    endpoint = read_endpoint(url, allowed)
    sender = Sender(endpoint, Signer(secret), allowed, orm=orm)
    register = durable(
        target,
        model,
        name=name or _name(endpoint.host, url, target, model),
        when=when,
        timeout=TIMEOUT_SECONDS + _BESIDES_SECONDS,
        concurrency=concurrency,
        max_attempts=len(SCHEDULE),
        schedule=SCHEDULE[1:],
        start=start,
        orm=orm,
    )
    send = sender.send
    register(send)
    return send


def _name(host: str, url: str, target: Any, model: type | None) -> str:
    """Return a name that is the same in every process that makes this webhook."""
    digest = hashlib.sha256(f"{url} {parse(target, model)}".encode()).hexdigest()
    return f"webhook-{re.sub('[^a-z0-9.]', '-', host)}-{digest[:8]}"

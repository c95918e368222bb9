"""What the answer to a webhook means. Pure.

By Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, "Delivery success and failure"): only 2xx
is success, redirects are not followed, and 410 says that no more is wanted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tornado.httputil import HTTPHeaders

from bzz.delivery.listener import RetryLater, SwitchOff

__all__ = ["MAX_RETRY_SECONDS", "Answer", "Undelivered", "check"]

MAX_RETRY_SECONDS = 24 * 3600
"""The longest time that ``Retry-After`` may ask for."""

SHOWN_CHARACTERS = 200
SHOWN_BYTES = 4 * SHOWN_CHARACTERS
"""How much of an answer's body an error shows, and how many bytes of it that can be."""

_SECONDS = re.compile(r"[0-9]+")
_LONG_AGO = "9" * 8  # seconds; more digits than this are not worth reading


class Undelivered(Exception):
    """An attempt failed. The message says what failed, in words, and holds no secret."""


@dataclass(frozen=True)
class Answer:
    """What a receiver answered.

    :param headers: by name, whatever its case.
    :param body: its beginning.
    """

    status: int
    headers: HTTPHeaders
    body: bytes = b""


def check(answer: Answer, host: str, now: datetime) -> None:
    """Return if an answer says that the event was received.

    :param host: for the messages.
    :param now: with its zone; ``Retry-After`` may be a date.
    :raises bzz.delivery.listener.SwitchOff: for 410.
    :raises bzz.delivery.listener.RetryLater: for 429 and 503 with ``Retry-After`` (RFC 9110, section 10.2.3).
    :raises Undelivered: for any other status but 2xx.
    """
    if 200 <= answer.status < 300:
        return
    said = f"{host} answered {answer.status}{_shown(answer.body)}"
    if answer.status == 410:
        raise SwitchOff(f"{said}: it wants no more")
    if 300 <= answer.status < 400:
        raise Undelivered(f"{said}: redirects are not followed; give the webhook the new URL")
    seconds = retry_after(answer.headers.get("Retry-After", ""), now) if answer.status in (429, 503) else None
    if seconds is not None:
        raise RetryLater(seconds, f"{said}, and asks for {seconds:.0f} seconds")
    raise Undelivered(said)


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, between 0 and a day; None for what cannot be read.

    >>> now = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    >>> [retry_after(each, now) for each in ("120", "9" * 99, "Fri, 27 Nov 2026 09:01:00 GMT", "soon", "-1")]
    [120.0, 86400.0, 60.0, None, None]
    """
    if _SECONDS.fullmatch(value):
        return float(min(int(value if len(value) < len(_LONG_AGO) else _LONG_AGO), MAX_RETRY_SECONDS))
    try:
        date = parsedate_to_datetime(value)
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return min(max(seconds, 0.0), float(MAX_RETRY_SECONDS))


def _shown(body: bytes) -> str:
    """Return the beginning of a body as one line of text that cannot pass for anything else in a log."""
    text = body[:SHOWN_BYTES].decode("utf-8", "replace")
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return f": {line[:SHOWN_CHARACTERS]}" if line else ""

"""Signatures of Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, version 1.0.0). Pure.

What is signed is ``{webhook-id}.{webhook-timestamp}.{body}``, by HMAC-SHA256 (RFC 2104, FIPS 180-4).

- A full stop in the id could shift the borders between the three parts, so :func:`message_id` leaves none in it.
- During a rotation a message has one signature for each secret; a receiver accepts it if it knows any of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any

from bzz.errors import ConfigurationError

__all__ = ["Secret", "Signer", "message_id"]

Secret = str | bytes
"""``whsec_`` and base64, as receivers are given it, or the bytes themselves."""

PREFIX = "whsec_"
MIN_BYTES, MAX_BYTES = 24, 64

_HOW = "python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\" makes one"
_UNSAFE = re.compile(rb"[^A-Za-z0-9_:-]")


class Signer:
    """Signs messages with one secret, or with several during a rotation.

    :param secret: a secret of 24 to 64 bytes; a sequence of them while receivers still have an old one.
    :raises bzz.errors.ConfigurationError: for anything else. No message holds a secret.
    """

    __slots__ = ("_keys",)

    def __init__(self, secret: Secret | Sequence[Secret]) -> None:
        secrets: Sequence[Any] = [secret] if isinstance(secret, str | bytes) else _listed(secret)
        self._keys = [_key(each) for each in secrets]

    def headers(self, id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """Return the three headers of a message.

        :param id: without full stops, see :func:`message_id`.
        :param timestamp: of this attempt, in seconds since the epoch.

        >>> signer = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        >>> signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')["webhook-signature"]
        'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
        """
        content = f"{id}.{timestamp}.".encode() + body
        signatures = (_base64(hmac.digest(key, content, hashlib.sha256)) for key in self._keys)
        return {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
        }


def message_id(text: str) -> str:
    """Return a text as a ``webhook-id``: ``.`` as ``~``, what is no letter, digit or one of ``_:-`` as percent and hex.

    Different texts have different ids, and each can be read back.

    >>> message_id("orders:1795770859.4.1"), message_id("día~:1.2.3")
    ('orders:1795770859~4~1', 'd%C3%ADa%7E:1~2~3')
    """
    return _UNSAFE.sub(lambda found: _safe(found[0]), text.encode("utf-8", "surrogatepass")).decode("ascii")


def _safe(byte: bytes) -> bytes:
    return b"~" if byte == b"." else b"%%%02X" % byte[0]


def _listed(secrets: Any) -> Sequence[Any]:
    if not isinstance(secrets, Sequence) or not secrets:
        raise ConfigurationError(f"secret: one secret, or a list of them, is expected; {_HOW}")
    return secrets


def _key(secret: Any) -> bytes:
    key = secret if isinstance(secret, bytes) else _decoded(secret)
    if not MIN_BYTES <= len(key) <= MAX_BYTES:
        raise ConfigurationError(f"secret: it has {len(key)} bytes; {MIN_BYTES} to {MAX_BYTES} are expected; {_HOW}")
    return key


def _decoded(secret: Any) -> bytes:
    if not isinstance(secret, str) or not secret.startswith(PREFIX):
        raise ConfigurationError(f"secret: {PREFIX!r} and base64, or bytes, are expected; {_HOW}")
    text = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some hand them out without padding
    except (binascii.Error, ValueError):
        raise ConfigurationError(f"secret: what follows {PREFIX!r} is no base64; {_HOW}") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

"""One message as bytes: a version, the process that sent it, a signature, and a JSON object.

::

    bzz/1 <process> -                       unsigned
    bzz/1 <process> <key id>:<signature>    HMAC-SHA-256 (RFC 2104) in hexadecimal digits
    {"kind": "event", ...}

This module converts bytes to objects and back, without I/O. It raises :class:`Unreadable` with a reason, by which
dropped messages are counted.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any

import orjson

from bzz.errors import ConfigurationError

__all__ = ["MAX_BYTES", "MAX_SKEW_SECONDS", "Envelope", "Unreadable"]

MAX_BYTES = 256 * 1024
"""The maximum length of a message, all included."""

MAX_SKEW_SECONDS = 300
"""The maximum age of a signed message, and difference between the clocks of two machines."""

MIN_KEY_BYTES = 16

_PREFIX = b"bzz/"
_VERSION = b"bzz/1"
_PROCESS = re.compile(rb"[0-9a-f]{32}")
_KEY_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


class Unreadable(Exception):
    """A message is to be dropped. The argument is the reason, one word."""


class Envelope:
    """Encodes and signs the messages of one channel, and decodes and checks them.

    :param keys: secrets by their ids; the first signs, all are accepted. None or empty: nothing is signed or checked.
    :raises bzz.errors.ConfigurationError: if an id has other characters than letters, digits and ``._-``, or a key is
        shorter than 16 bytes.
    """

    def __init__(self, channel: str, keys: Mapping[str, bytes | str] | None = None) -> None:
        self._channel = channel.encode()
        self._keys = {_checked_id(name): _checked_key(name, key) for name, key in (keys or {}).items()}
        self._signing = next(iter(self._keys), None)

    def seal(self, process: str, body: Mapping[str, Any]) -> bytes:
        """Return the bytes of a message.

        :param process: 32 hexadecimal digits.
        :raises bzz.relay.envelope.Unreadable: if they are more than :data:`MAX_BYTES`.
        """
        if self._signing is None:
            data = b"%b %b -\n%b" % (_VERSION, process.encode(), orjson.dumps(body))
        else:
            text = orjson.dumps({**body, "sent": time.time()})
            name = self._signing
            data = b"%b %b %b:%b\n%b" % (
                _VERSION,
                process.encode(),
                name,
                self._sign(name, process.encode(), text),
                text,
            )
        if len(data) > MAX_BYTES:
            raise Unreadable("too_large")
        return data

    def open(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Return the process that sent a message, and its JSON object.

        :raises bzz.relay.envelope.Unreadable: for anything that :meth:`seal` does not make.
        """
        if len(data) > MAX_BYTES:
            raise Unreadable("too_large")
        header, _, text = data.partition(b"\n")
        parts = header.split(b" ")
        if parts[0] != _VERSION:
            raise Unreadable("unknown_version" if data.startswith(_PREFIX) else "malformed")
        if len(parts) != 3 or not _PROCESS.fullmatch(parts[1]):
            raise Unreadable("malformed")
        if self._keys:
            self._check(parts[1], parts[2], text)
        return parts[1].decode(), self._read(text)

    def _check(self, process: bytes, signature: bytes, text: bytes) -> None:
        if signature == b"-":
            raise Unreadable("unsigned")
        name, _, digest = signature.partition(b":")
        if name not in self._keys:
            raise Unreadable("unknown_key")
        if not hmac.compare_digest(digest, self._sign(name, process, text)):
            raise Unreadable("bad_signature")

    def _read(self, text: bytes) -> dict[str, Any]:
        try:
            body = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Unreadable("malformed") from None
        if not isinstance(body, dict):
            raise Unreadable("malformed")
        if self._keys and not _is_recent(body.get("sent")):
            raise Unreadable("stale")
        return body

    def _sign(self, name: bytes, process: bytes, text: bytes) -> bytes:
        signed = b"%b\n%b %b\n%b" % (self._channel, _VERSION, process, text)
        return hmac.digest(self._keys[name], signed, hashlib.sha256).hex().encode()


def _is_recent(sent: Any) -> bool:
    return isinstance(sent, float) and abs(time.time() - sent) <= MAX_SKEW_SECONDS


def _checked_id(name: Any) -> bytes:
    if not isinstance(name, str) or not _KEY_ID.fullmatch(name):
        raise ConfigurationError(f"keys: the id {name!r} must be made of letters, digits and ._- only")
    return name.encode()


def _checked_key(name: str, key: Any) -> bytes:
    secret = key.encode() if isinstance(key, str) else key
    if not isinstance(secret, bytes) or len(secret) < MIN_KEY_BYTES:
        raise ConfigurationError(f"keys: the key {name!r} must have at least {MIN_KEY_BYTES} bytes")
    return secret

"""Positions as clients see them: ``v1.<seconds>.<increment>.<number>.<mac>``.

A database's own resume tokens hold ids in clear, and are accepted wherever they come from. A sealed position can be
read by anybody, but made only here, and holds only for the feed that it was made for: the MAC covers the model, the
filter and the scope too.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from hashlib import blake2b

from bzz.errors import BadRequest
from bzz.providers.changes import Position
from bzz.providers.store import Store

__all__ = ["MAX_LENGTH", "Sealer", "shared_key"]

MAX_LENGTH = 100
"""Characters of a position at the most: three numbers of ten digits, and the MAC."""

KEY_BYTES = 32
_MAC_BYTES = 16
_FORM = re.compile(r"v1\.(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})\.([A-Za-z0-9_-]{22})")
_STORED_UNDER = "live positions"


class Sealer:
    """Seals positions, and opens them again.

    :param key: the same in all processes.

    >>> sealer = Sealer(b"0" * 32)
    >>> sealer.open(sealer.seal(Position(7, 1), "user"), "user")
    Position(seconds=7, increment=1, number=0)
    >>> sealer.open(sealer.seal(Position(7, 1), "user"), "team") is None
    True
    """

    def __init__(self, key: bytes) -> None:
        self._key = key if len(key) <= blake2b.MAX_KEY_SIZE else blake2b(key).digest()

    def seal(self, position: Position, subject: str) -> str:
        """Return a position as text.

        :param subject: names the feed: the model, the filter, and the scope.
        """
        text = "v1.{}.{}.{}".format(*position)
        return f"{text}.{self._mac(text, subject)}"

    def open(self, text: str, subject: str) -> Position | None:
        """Return the position that :meth:`seal` made a text of; None if it was made for another subject, or elsewhere.

        :raises bzz.errors.BadRequest: for what does not look like a position.
        """
        found = _FORM.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if found is None:
            raise BadRequest("The last event id is not one that a feed gave.")
        body, _, mac = text.rpartition(".")
        if not hmac.compare_digest(mac, self._mac(body, subject)):
            return None
        seconds, increment, number, _ = found.groups()
        return Position(int(seconds), int(increment), int(number))

    def _mac(self, text: str, subject: str) -> str:
        # Keyed BLAKE2 is a MAC by itself (RFC 7693). HMAC takes five times as long, for each audience and change.
        digest = blake2b(f"{text}\0{subject}".encode(), key=self._key, digest_size=_MAC_BYTES).digest()
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


async def shared_key(store: Store) -> bytes:
    """Return the key that all processes of a database share; the first to ask makes it.

    :raises bzz.errors.Unavailable: where the database is away.
    """
    while True:
        entry = (await store.get([_STORED_UNDER])).get(_STORED_UNDER)
        if entry is not None:
            return base64.b64decode(entry.value["key"])
        made = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")
        await store.put(_STORED_UNDER, {"key": made}, None)

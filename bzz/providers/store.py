"""The small store of a provider, for what bzz itself has to keep: counts, revoked sessions, accounts, leases.

It knows nothing of models. Those who use it speak of keys, values and seconds, and never to a driver.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

__all__ = ["Entry", "Store"]


class Entry(NamedTuple):
    """What is stored under a key.

    :param value: texts, numbers, booleans and nulls by name.
    :param expires: seconds since the epoch; None for an entry that stays.
    :param version: what :meth:`Store.put` compares. It belongs to the provider; nobody else looks at it.
    """

    value: Mapping[str, Any]
    expires: float | None
    version: Any


class Store(ABC):
    """Keeps entries by key, the same for every process. Every method is atomic, and may be called concurrently.

    An entry that has expired is not found any more, and is removed some time later.

    Every method may raise :class:`~bzz.errors.Unavailable`; all but :meth:`get` :class:`~bzz.errors.OutcomeUnknown`.
    """

    @abstractmethod
    async def get(self, keys: Collection[str]) -> dict[str, Entry]:
        """Return the entries of those of ``keys`` that have one, in one round trip; reads see earlier writes."""

    @abstractmethod
    async def put(
        self, key: str, value: Mapping[str, Any], expected: Entry | None, *, expires: float | None = None
    ) -> Entry | None:
        """Compare and put: store ``value`` only while ``expected`` is what is stored.

        :param value: replaces the whole of what was there.
        :param expected: from :meth:`get`, or from an earlier put; None where nothing may be there.
        :param expires: seconds since the epoch; None to keep it for good.
        :returns: what is stored now; None if something else than ``expected`` was, and nothing was put.
        """

    @abstractmethod
    async def count(self, key: str, amount: int, window: float) -> tuple[int, float]:
        """Add ``amount`` to a count, which never falls below 0 and begins anew when its window has ended.

        :param window: how long the window lasts that begins with the first, in seconds.
        :returns: the count, and the seconds until its window ends.
        """

    @abstractmethod
    async def lease(self, key: str, holder: str, seconds: float) -> int | None:
        """Take a lease, or prolong one's own, by the clock of the store. Leases do not share keys with entries.

        :param holder: who asks; no other process uses the name.
        :param seconds: how long it lasts from now on; 0 gives it back.
        :returns: the fencing number, which grows with each lease of ``key`` and stays while one is prolonged, so that
            what a late holder writes can be told from what the next one has written; None while another holds it.
        """

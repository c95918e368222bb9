"""Keyset paging: a page is found by comparison with the item before it, never by counting.

So page 10,000 costs what page 1 costs (https://use-the-index-luke.com/no-offset). A cursor is the sort values of one
item, which the client hands back. How a provider compares, and what its values are, is not known here: see
:class:`Listing`.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from bzz.errors import BadRequest
from bzz.providers.base import ListQuery, Page, Record

__all__ = ["Beyond", "Key", "Listing", "beyond", "read_page", "reverse", "total_order"]

_BAD_CURSOR = "The cursor is not one that this list gave in its Link header."

Row = TypeVar("Row")


class Key(NamedTuple):
    """One sort key: a path, as the provider writes it, and 1 or -1."""

    path: str
    direction: int


class Listing(ABC, Generic[Row]):
    """A list as its provider holds it, narrowed to what the filters of a request let through.

    :ivar order: the sort keys, such that no two items are alike in all of them: see :func:`total_order`.
    """

    order: Sequence[Key]

    @abstractmethod
    async def fetch(
        self, order: Sequence[Key], after: Sequence[Any] | None, *, skip: int, limit: int
    ) -> tuple[list[Row], bool]:
        """Return the first items in an order, and whether they are cut: they are too large to be read at once.

        :param order: :attr:`order`, or the reverse of it.
        :param after: the sort values of an item, beyond which to begin: see :func:`beyond`.
        :param skip: how many items to leave out before the first.
        """

    @abstractmethod
    async def count(self) -> int:
        """Return how many items there are, exactly."""

    @abstractmethod
    def record(self, row: Row) -> Record:
        """Return the record of an item."""

    @abstractmethod
    def dump(self, row: Row) -> bytes:
        """Return the sort values of an item, for a cursor."""

    @abstractmethod
    def load(self, dumped: bytes) -> list[Any]:
        """Return the sort values that :meth:`dump` gave.

        :raises ValueError: for anything that it could not have given for :attr:`order`.
        """


async def read_page(listing: Listing[Row], query: ListQuery) -> Page:
    """Return the page of a list that a request asks for.

    :raises bzz.errors.BadRequest: for a cursor that this list did not give.
    """
    back = query.before is not None
    cursor = query.before if back else query.after
    after = None if cursor is None else _decode(listing, cursor)
    order = reverse(listing.order) if back else listing.order
    skip = 0 if cursor else (query.page - 1) * query.per_page
    found, cut = await listing.fetch(order, after, skip=skip, limit=query.per_page + 1)
    more = cut or len(found) > query.per_page
    shown = found[: query.per_page][:: -1 if back else 1]
    started_later = cursor is not None or query.page > 1
    has_previous, has_next = (more, True) if back else (started_later, more)
    return Page(
        records=[listing.record(each) for each in shown],
        next=_encode(listing, shown[-1]) if shown and has_next else None,
        previous=_encode(listing, shown[0]) if shown and has_previous else None,
        total=await listing.count() if query.count else None,
        cut=cut,
    )


def _encode(listing: Listing[Row], row: Row) -> str:
    return base64.urlsafe_b64encode(listing.dump(row)).decode("ascii").rstrip("=")


def _decode(listing: Listing[Row], text: str) -> list[Any]:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return listing.load(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        raise BadRequest(_BAD_CURSOR) from None


def total_order(keys: Sequence[Key], last: str) -> list[Key]:
    """Return sort keys that leave no two items alike: up to and with the path ``last``, whose values are unique.

    >>> total_order([Key("name", -1)], "id")
    [Key(path='name', direction=-1), Key(path='id', direction=-1)]
    >>> total_order([Key("id", 1), Key("name", 1)], "id")
    [Key(path='id', direction=1)]
    """
    paths = [key.path for key in keys]
    if last in paths:
        return list(keys[: paths.index(last) + 1])
    return [*keys, Key(last, keys[-1].direction if keys else 1)]


def reverse(keys: Sequence[Key]) -> list[Key]:
    """Return the opposite order."""
    return [Key(key.path, -key.direction) for key in keys]


class Beyond(NamedTuple):
    """One way in which an item comes after another: it is the same in some keys, and later in the next one.

    :ivar same: paths and the values that they have.
    :ivar key: the path whose value is later than ``value``.
    :ivar is_last: whether that is the last key, whose values are unique and never null.
    """

    same: Sequence[tuple[str, Any]]
    key: Key
    value: Any
    is_last: bool


def beyond(keys: Sequence[Key], values: Sequence[Any]) -> Iterator[Beyond]:
    """Return the ways in which items come after the one with these sort values; each takes exactly one of them."""
    pairs = [(key.path, value) for key, value in zip(keys, values, strict=True)]
    for rank, (key, value) in enumerate(zip(keys, values, strict=True)):
        yield Beyond(pairs[:rank], key, value, rank == len(keys) - 1)

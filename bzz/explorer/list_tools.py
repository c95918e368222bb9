"""The ways to order, filter and count a list: the same for all who ask for the same list, and so made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bzz.explorer.addresses import Address
from bzz.explorer.columns import Column
from bzz.explorer.counts import countable
from bzz.explorer.inputs import Choice
from bzz.explorer.wording import OPERATORS, label
from bzz.shape import Shape
from bzz.shape.shown import paths_shown

__all__ = ["Tools", "tools_of"]

REMEMBERED = 256  # lists: clients ask for the same ones again and again
MAX_DEPTH = 3  # of embedded documents whose fields the filter form offers
REMEMBERED_LENGTH = 500  # characters of a query


@dataclass(frozen=True)
class Heading:
    """The head of a column.

    :param href: the list sorted by it, in the other direction if it is already; None if it cannot be.
    :param direction: ``ascending``, ``descending`` or empty.
    """

    column: Column
    label: str
    href: str | None
    direction: str


@dataclass(frozen=True)
class Chip:
    """A filter that holds, and the list without it."""

    text: str
    href: str


@dataclass(frozen=True)
class Filterable:
    """A field that the filter form offers."""

    name: str
    label: str
    operators: list[Choice]


@dataclass(frozen=True)
class Tools:
    """What stands above and at the head of a list.

    :param choosable: each field that may be a column: its name, its words, and whether it is one.
    :param countable: each field whose values can be counted: its words, and the URL that counts them.
    """

    headings: list[Heading]
    chips: list[Chip]
    filterables: list[Filterable]
    choosable: list[tuple[str, str, bool]]
    countable: list[tuple[str, str]]


def tools_of(shape: Shape, columns: tuple[Column, ...], path: str, query: str) -> Tools:
    """Return the tools of a list; those of long queries are not remembered, for they hold the query many times.

    :param query: of the JSON twin.
    """
    make = _tools_of if len(query) <= REMEMBERED_LENGTH else _tools_of.__wrapped__
    return make(shape, columns, path, query)


@lru_cache(REMEMBERED)
def _tools_of(shape: Shape, columns: tuple[Column, ...], path: str, query: str) -> Tools:
    address = Address(path, query)
    return Tools(
        [_heading(address, each) for each in columns],
        _chips(address),
        _filterables(shape),
        _choosable(shape, columns),
        countable(shape, address),
    )


def _heading(address: Address, column: Column) -> Heading:
    first = (address.value("sort") or "").split(",")[0]
    direction = {column.name: "ascending", f"-{column.name}": "descending"}.get(first, "")
    href = address.sorted_by(column.name, direction == "ascending") if column.is_sortable else None
    return Heading(column, label(column.name), href, direction)


def _chips(address: Address) -> list[Chip]:
    searched = address.value("q")
    chips = [] if searched is None else [Chip(f"Has the words {searched}", address.url(address.without("q")))]
    for name, value in address.filters:
        path, mark, operator = name.rpartition("__")
        known = mark and operator in OPERATORS
        words = f"{label(path if known else name)} {OPERATORS[operator] if known else 'is'} {value}"
        chips.append(Chip(words, address.without_filter(name, value)))
    return chips


def _filterables(shape: Shape) -> list[Filterable]:
    return [
        Filterable(
            name,
            label(name),
            [Choice(each, words) for each, words in OPERATORS.items() if each in field.kind.operators],
        )
        for name, field in paths_shown(shape, MAX_DEPTH)
        if field.kind.operators and (field.link is None or field.link.is_reference)
    ]


def _choosable(shape: Shape, columns: Sequence[Column]) -> list[tuple[str, str, bool]]:
    chosen = {each.name for each in columns}
    return [(name, label(name), name in chosen) for name in shape.visible]

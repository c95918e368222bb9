"""The ways to order, filter and count a list: the same for all who ask for the same list, and so made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import NamedTuple

from bzz.explorer.addresses import REMEMBERED, REMEMBERED_LENGTH, Address
from bzz.explorer.columns import Column
from bzz.explorer.counts import countable
from bzz.explorer.inputs import Choice
from bzz.explorer.rendering import render
from bzz.explorer.wording import OPERATORS, label
from bzz.model.query import MAX_SEARCH
from bzz.shape import Shape
from bzz.shape.shown import paths_shown

__all__ = ["Tools", "tools_of"]

_IN_PLACE = ("string", "integer", "float", "decimal", "boolean", "date", "reference", "duration", "uuid")

MAX_RENEWED = 20  # rows in one request
MAX_DEPTH = 3  # of embedded documents whose fields the filter form offers


@dataclass(frozen=True)
class Heading:
    """The head of a column.

    :param href: the list sorted by it, in the other direction if it is already; None if it cannot be.
    :param direction: ``ascending``, ``descending`` or empty.
    :param in_place: whether its cells are edited where they stand.
    """

    column: Column
    label: str
    href: str | None
    direction: str
    in_place: bool


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


class Renewal(NamedTuple):
    """Where rows are read again that have changed.

    :param url: of a list with the same columns, to which the id of each is added.
    :param name: of the parameter that names an id.
    :param most: how many ids there may be at a time.
    """

    url: str
    name: str
    most: int


@dataclass(frozen=True)
class Tools:
    """What stands above and at the head of a list, as HTML.

    :param chips: the filters that hold, each to be taken away.
    :param forms: those that search, filter and choose columns.
    :param cells: the opening tag of a cell of each column.
    :param renewal: None where rows are known by their place in the whole list only.
    :param is_narrowed: whether any filter holds.
    :param in_place: whether any column can be edited where it stands.
    """

    chips: bytes
    forms: bytes
    head: bytes
    cells: tuple[str, ...]
    renewal: Renewal | None
    is_narrowed: bool
    in_place: bool


def tools_of(
    shape: Shape, columns: tuple[Column, ...], address: Address, *, searchable: bool, writable: bool, most: int
) -> Tools:
    """Return the tools of a list; those of long queries are not remembered, for they hold the query many times.

    :param searchable: whether the list takes ``q=``.
    :param writable: whether its rows are documents of its own that may be written.
    :param most: how many rows a page of it has at the most.
    """
    make = _tools_of if len(address.query) <= REMEMBERED_LENGTH else _tools_of.__wrapped__
    return make(shape, columns, address.path, address.query, searchable, writable, most)


@lru_cache(REMEMBERED)
def _tools_of(
    shape: Shape, columns: tuple[Column, ...], path: str, query: str, searchable: bool, writable: bool, most: int
) -> Tools:
    address = Address(path, query)
    chips = _chips(address)
    headings = [_heading(address, each, writable) for each in columns]
    forms = render(
        "list_forms.html",
        address=address,
        kept=address.without(),
        searchable=searchable,
        searched=address.value("q") or "",
        longest=MAX_SEARCH,
        filterables=_filterables(shape),
        choosable=_choosable(shape, columns),
        countable=countable(shape, address),
    )
    return Tools(
        render("list_chips.html", chips=chips, address=address),
        forms,
        render("list_head.html", headings=headings),
        tuple(f'<td data-label="{escape(each.label)}"{_class_of(each.column)}>' for each in headings),
        _renewal(shape, address, min(MAX_RENEWED, most)),
        bool(chips),
        any(each.in_place for each in headings),
    )


def _renewal(shape: Shape, address: Address, most: int) -> Renewal | None:
    own = shape.url_id
    if own is None or own.name not in shape.visible:
        return None
    kept = [(name, value) for name, value in address.given if name in ("fields", "expand")]
    return Renewal(address.url([*kept, ("per_page", str(most))]), own.name, most)


def _class_of(column: Column) -> str:
    return ' class="number"' if column.is_number else ""


def _heading(address: Address, column: Column, writable: bool) -> Heading:
    first = (address.value("sort") or "").split(",")[0]
    direction = {column.name: "ascending", f"-{column.name}": "descending"}.get(first, "")
    href = address.sorted_by(column.name, direction == "ascending") if column.is_sortable else None
    return Heading(column, label(column.name), href, direction, writable and _is_editable(column))


def _is_editable(column: Column) -> bool:
    """Return whether a cell can be edited where it stands: one value of the document itself."""
    field = column.field
    return field.kind.name in _IN_PLACE and not (column.is_id or field.read_only or "." in column.name)


def _chips(address: Address) -> list[Chip]:
    searched = address.value("q")
    chips = [] if searched is None else [Chip(f"Has the words {searched}", address.url(address.without("q")))]
    for name, value in address.filters:
        path, mark, operator = name.rpartition("__")
        known = mark and operator in OPERATORS
        words = f"{label(path if known else name)} {OPERATORS[operator] if known else 'is'} {value}"
        chips.append(Chip(words, address.without_filter(name, value)))
    for name, value in address.trees:
        words = f"Any of {value}" if name == "or" else f"Meets {value}"
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

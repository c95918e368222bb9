"""The page of a list: its rows by columns, and the ways to filter, sort and page them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from bzz.codec import loads
from bzz.explorer.addresses import below
from bzz.explorer.cells import Cell, cell, point_of, text_of, value_at
from bzz.explorer.columns import Column, columns_of, display_field, filterable
from bzz.explorer.counts import countable, counted_columns, facets_of
from bzz.explorer.inputs import Choice
from bzz.explorer.page import Page
from bzz.explorer.plot import Plot, plot_of
from bzz.explorer.references import names_of
from bzz.explorer.rendering import finish_page
from bzz.explorer.snippets import snippets_of
from bzz.explorer.wording import OPERATORS, label
from bzz.model.parameters import find
from bzz.model.query import read_fields
from bzz.model.representations import EVENT_STREAM
from bzz.shape import Shape

__all__ = ["finish_list"]

_IN_PLACE = ("string", "integer", "float", "decimal", "boolean", "date", "reference", "duration", "uuid")

_LINK = re.compile(r'<([^>]*)>; rel="(\w+)"')


@dataclass(frozen=True)
class Heading:
    """The head of a column.

    :param href: the list sorted by it, in the other direction if it is already; None if it cannot be.
    :param direction: ``ascending``, ``descending`` or empty.
    :param target: the URL of the list that its references lead to; empty where there is none.
    """

    column: Column
    label: str
    href: str | None
    direction: str
    target: str


class Row(NamedTuple):
    """One row: its id and URL, and what each column shows.

    :param href: None where it cannot be told: an item without an id is known by its position in the whole list.
    """

    key: str
    href: str | None
    name: str
    cells: list[Cell]


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


async def finish_list(page: Page) -> None:
    """Answer with the page of a list. It reads what its JSON twin reads, and what its references are called."""
    handler, address = page.handler, page.address
    shape: Shape = handler.path.last.shape
    if "_count" in address.own:
        handler.request.headers["Prefer"] = "count=exact"
    body = await handler.read()
    if handler._finished:
        return
    found = loads(body, shape.limits.depth + 3)
    items, counted = (found["items"], found["facets"]) if isinstance(found, dict) else (found, {})
    rows = [each for each in items if isinstance(each, dict)]
    columns = columns_of(shape, read_fields(shape, address.query))
    values = [{name: each["value"]} for name, told in counted.items() for each in told]
    names = await names_of(handler, page.site, [*columns, *counted_columns(shape, counted)], [*rows, *values])
    shown = _rows(page, columns, rows, names)
    links = {rel: href for href, rel in _LINK.findall(handler._headers.get("Link", ""))}
    finish_page(
        handler,
        "list.html",
        page=page,
        headings=[_heading(page, each) for each in columns],
        rows=shown,
        links=links,
        total=handler._headers.get("X-Total-Count"),
        chips=_chips(page),
        filterables=_filterables(shape),
        kept=address.without(),
        plot=_plot(columns, rows, shown),
        editable=_is_editable,
        choosable=_choosable(shape, columns),
        live=_live_url(page),
        create=_may_create(page),
        facets=facets_of(shape, address, counted, names),
        countable=countable(shape, address),
        snippets=snippets_of(page.absolute_url(), bool(page.user)),
    )


def _heading(page: Page, column: Column) -> Heading:
    first = (page.address.value("sort") or "").split(",")[0]
    direction = {column.name: "ascending", f"-{column.name}": "descending"}.get(first, "")
    href = page.address.sorted_by(column.name, direction == "ascending") if column.is_sortable else None
    link = column.field.link
    target = page.site.of_model(link.shape.model) if link is not None and link.is_reference else None
    return Heading(column, label(column.name), href, direction, "" if target is None else f"{target.url}/")


def _rows(page: Page, columns: Sequence[Column], rows: list[dict[str, Any]], names: Any) -> list[Row]:
    shape = page.handler.path.last.shape
    own = None if shape.url_id is None else shape.url_id.name
    is_known = own is not None or not page.address.given
    display, url = display_field(shape), page.list_url
    shown = []
    for place, row in enumerate(rows):
        key = str(place if own is None else row.get(own))
        href = below(url, key) if is_known else None
        cells = [cell(each, row, names) for each in columns]
        if cells and is_known:
            cells[0] = Cell(cells[0].text or "Open", href, "key")
        name = text_of(row.get(display.name)) if display is not None else ""
        shown.append(Row(key if is_known else "", href, name or key, cells))
    return shown


def _chips(page: Page) -> list[Chip]:
    searched = page.address.value("q")
    chips = [] if searched is None else [Chip(f"Has the words {searched}", page.address.url(page.address.without("q")))]
    for name, value in page.address.filters:
        path, mark, operator = name.rpartition("__")
        known = mark and operator in OPERATORS
        words = f"{label(path if known else name)} {OPERATORS[operator] if known else 'is'} {value}"
        chips.append(Chip(words, page.address.without_filter(name, value)))
    return chips


@lru_cache(256)
def _filterables(shape: Shape) -> list[Filterable]:
    return [
        Filterable(
            name,
            label(name),
            [Choice(each, words) for each, words in OPERATORS.items() if each in field.kind.operators],
        )
        for name, field in filterable(shape)
    ]


def _choosable(shape: Shape, columns: Sequence[Column]) -> list[tuple[str, str, bool]]:
    chosen = {each.name for each in columns}
    return [(name, label(name), name in chosen) for name in shape.visible]


def _plot(columns: Sequence[Column], rows: list[dict[str, Any]], shown: list[Row]) -> Plot | None:
    for column in columns:
        if column.field.kind.name == "geo":
            places = [
                (*point, each.name, each.href, each.key)
                for row, each in zip(rows, shown, strict=True)
                if each.href is not None and (point := point_of(value_at(row, column.name))) is not None
            ]
            return plot_of(places)
    return None


def _live_url(page: Page) -> str | None:
    """Return the URL of the feed of the rows; None where there is none."""
    path, address = page.handler.path, page.address
    if EVENT_STREAM not in page.resource.served or any(each.is_reference for each in path.steps[1:]):
        return None
    if address.value("q") is not None or not all(_is_own(path.last.shape, name) for name, _ in address.filters):
        return None
    left = address.without("per_page", "facets", "expand")  # which feeds do not take
    return address.url([*left, ("snapshot", "false")])


def _is_own(shape: Shape, name: str) -> bool:
    """Return whether a filter is about the documents themselves, and not about those that they refer to."""
    path = name.removesuffix("[]").partition("[].")[0]
    return find(shape, path) is not None or find(shape, path.rpartition("__")[0]) is not None


def _is_editable(column: Column, page: Page) -> bool:
    """Return whether a cell can be edited where it stands: one value of the document itself."""
    step, field = page.handler.path.last, column.field
    is_own = not (column.is_id or field.read_only or "." in column.name)
    return is_own and field.kind.name in _IN_PLACE and not step.is_reference and "PUT" in page.resource.methods


def _may_create(page: Page) -> str:
    return page.address.url([], _view="new") if "POST" in page.methods else ""

"""The page of a list: its rows by columns, and the ways to filter, sort and page them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from bzz.codec import loads
from bzz.explorer.addresses import below
from bzz.explorer.cells import Cell, cell, point_of, text_of, value_at
from bzz.explorer.columns import Column, columns_of, display_field
from bzz.explorer.counts import counted_columns, facets_of
from bzz.explorer.list_tools import tools_of
from bzz.explorer.page import Page
from bzz.explorer.plot import Plot, plot_of
from bzz.explorer.references import names_of
from bzz.explorer.rendering import finish_page
from bzz.explorer.snippets import snippets_of
from bzz.model.parameters import find
from bzz.model.query import MAX_SEARCH, read_fields
from bzz.model.representations import has_feed
from bzz.shape import Shape

__all__ = ["finish_list"]

_IN_PLACE = ("string", "integer", "float", "decimal", "boolean", "date", "reference", "duration", "uuid")

MAX_RENEWED = 20  # rows in one request

_LINK = re.compile(r'<([^>]*)>; rel="(\w+)"')


class Row(NamedTuple):
    """One row: its id and URL, and what each column shows.

    :param href: None where it cannot be told: an item without an id is known by its position in the whole list.
    """

    key: str
    href: str | None
    name: str
    cells: list[Cell]


class Renewal(NamedTuple):
    """Where rows are read again that have changed.

    :param url: of a list with the same columns, to which the id of each is added.
    :param name: of the parameter that names an id.
    :param most: how many ids there may be at a time.
    """

    url: str
    name: str
    most: int


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
        tools=tools_of(shape, columns, address.path, address.query),
        rows=shown,
        links=links,
        total=handler._headers.get("X-Total-Count"),
        kept=address.without(),
        searchable=handler.provider.searches(handler.path),
        longest=MAX_SEARCH,
        searched=address.value("q") or "",
        plot=_plot(columns, rows, shown),
        editable={each.name for each in columns if _is_editable(each, page)},
        renewal=_renewal(page),
        live=_live_url(page),
        create=_may_create(page),
        facets=facets_of(shape, address, counted, names),
        snippets=snippets_of(page.absolute_url(), bool(page.user)),
    )


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


def _renewal(page: Page) -> Renewal | None:
    """Return where changed rows are read again; None where they are known by their place in the whole list only."""
    own = page.handler.path.last.shape.url_id
    if own is None or own.name not in page.handler.path.last.shape.visible:
        return None
    most = min(MAX_RENEWED, page.resource.max_per_page)
    kept = [(name, value) for name, value in page.address.given if name in ("fields", "expand")]
    return Renewal(page.address.url([*kept, ("per_page", str(most))]), own.name, most)


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
    """Return the URL of the feed of the rows; None for a list that is not live."""
    path, address = page.handler.path, page.address
    if not has_feed(page.resource, path):
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

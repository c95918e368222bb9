"""The page of a list: its rows by columns, and the ways to filter, sort and page them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bzz.codec import loads
from bzz.explorer.cells import point_of, value_at
from bzz.explorer.columns import Column, columns_of
from bzz.explorer.counts import counted_columns, facets_of
from bzz.explorer.list_rows import Row, rows_of
from bzz.explorer.list_tools import tools_of
from bzz.explorer.page import Page
from bzz.explorer.plot import Plot, plot_of
from bzz.explorer.references import names_of
from bzz.explorer.rendering import finish_page
from bzz.explorer.snippets import snippets_of
from bzz.model.filter_tree import read_trees
from bzz.model.filters import follows_references
from bzz.model.parameters import find
from bzz.model.query import read_fields
from bzz.model.representations import has_feed
from bzz.model.rights import needed, rights_of
from bzz.providers import rules
from bzz.shape import Shape

__all__ = ["finish_list"]

_LINK = re.compile(r'<([^>]*)>; rel="(\w+)"')


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
    writable = "PUT" in page.resource.methods and not handler.path.last.is_reference
    if writable and rules.DECLARED:  # authorize is asked about each document, and so on its own page
        writable = await rights_of(handler).may_all(needed(handler.path, "PUT"))
    tools = tools_of(
        shape,
        columns,
        address,
        searchable=handler.provider.searches(handler.path),
        writable=writable,
        most=page.resource.max_per_page,
    )
    shown = rows_of(page, columns, rows, names, tools)
    links = {rel: href for href, rel in _LINK.findall(handler._headers.get("Link", ""))}
    finish_page(
        handler,
        "list.html",
        page=page,
        tools=tools,
        rows=shown,
        links=links,
        total=handler._headers.get("X-Total-Count"),
        plot=_plot(columns, rows, shown),
        live=_live_url(page),
        create=_may_create(page),
        facets=facets_of(shape, address, counted, names),
        snippets=snippets_of(page.absolute_url(), bool(page.user)),
    )


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
    shape, declared = path.last.shape, page.resource.parameters
    if address.value("q") is not None:
        return None
    if not all(name in declared or _is_own(shape, name) for name, _ in address.filters):
        return None
    if any(map(follows_references, read_trees(shape, address.trees))):
        return None
    left = address.without("per_page", "facets", "expand")  # which feeds do not take
    return address.url([*left, ("snapshot", "false")])


def _is_own(shape: Shape, name: str) -> bool:
    """Return whether a filter is about the documents themselves, and not about those that they refer to."""
    path = name.removesuffix("[]").partition("[].")[0]
    return find(shape, path) is not None or find(shape, path.rpartition("__")[0]) is not None


def _may_create(page: Page) -> str:
    return page.address.new_url if "POST" in page.methods else ""

"""The rows of a list as HTML: written here and not by a template, for there are more cells than anything else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from bzz.explorer.addresses import below
from bzz.explorer.cells import Names, cell, plain_text, text_of
from bzz.explorer.columns import Column, display_field
from bzz.explorer.list_tools import Tools
from bzz.explorer.page import Page

__all__ = ["Row", "rows_of"]


class Row(NamedTuple):
    """One row: its id and URL, what people know it by, and its HTML.

    :param key: empty, and ``href`` None, where they cannot be told: an item without an id is known by its position in
        the whole list.
    """

    key: str
    href: str | None
    name: str
    html: str


def rows_of(
    page: Page, columns: Sequence[Column], rows: Sequence[dict[str, Any]], names: Names, tools: Tools
) -> list[Row]:
    """Return the rows of a page of a list."""
    shape = page.handler.path.last.shape
    own = None if shape.url_id is None else shape.url_id.name
    is_known = own is not None or not page.address.given
    display, url = display_field(shape), page.list_url
    openings = list(zip(tools.cells, columns, strict=True))
    leading = openings[:1] if is_known else []  # to the document
    others = openings[len(leading) :]
    shown = []
    for place, row in enumerate(rows):
        key = str(place if own is None else row.get(own))
        href = below(url, key) if is_known else None
        name = (text_of(row.get(display.name)) if display is not None else "") or key
        cells = [_html(opening, cell(each, row, names).text or "Open", href, "key") for opening, each in leading]
        cells += [_cell(opening, each, row, names) for opening, each in others]
        html = "".join(cells)
        shown.append(Row(key if is_known else "", href, name, _row(key if is_known else "", href, name, html, tools)))
    return shown


def _cell(opening: str, column: Column, row: Any, names: Names) -> str:
    if column.is_plain:
        return _html(opening, plain_text(row, column))
    return _html(opening, *cell(column, row, names))


def _row(key: str, href: str | None, name: str, cells: str, tools: Tools) -> str:
    if href is None:
        return f'<tr data-key="" data-name="{escape(name)}">{cells}<td class="row-actions"></td></tr>'
    href, name = escape(href), escape(name)
    edit = f'{_EDIT}aria-label="Edit {name} in the table">Edit</button>' if tools.in_place else ""
    return (
        f'<tr data-key="{escape(key)}" data-href="{href}" data-name="{name}">{cells}<td class="row-actions">'
        f'<span class="row-buttons">{edit}<a class="button" data-drawer href="{href}" aria-label="Open {name}">Open</a>'
        "</span></td></tr>"
    )


_EDIT = '<button class="button scripted" type="button" data-edit '


def _html(opening: str, text: str, href: str | None = None, look: str = "") -> str:
    """Return a cell as HTML.

    :param opening: its opening tag.
    """
    if href:
        return f'{opening}<a class="{look}" href="{escape(href)}">{escape(text)}</a></td>'
    if not text:
        return f'{opening}<span class="unset">—</span></td>'
    return f'{opening}<span class="{look}">{escape(text)}</span></td>' if look else f"{opening}{escape(text)}</td>"

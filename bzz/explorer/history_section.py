"""The history of a document on its page: when, who, and from what to what, with a button that undoes a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bzz.delivery.history.handlers import HistoryHandler
from bzz.delivery.history.reading import read_history
from bzz.explorer.cells import text_of
from bzz.explorer.page import Page
from bzz.explorer.wording import label
from bzz.routing import rules_of

__all__ = ["HistorySection", "Row", "history_of"]

SETTING = "bzz_explorer_histories"

MOST_ROWS = 20
MOST_FIELDS = 12


@dataclass(frozen=True)
class Row:
    """One change.

    :param fields: name, from and to, as texts; empty where nothing is set.
    :param more: how many fields are not shown.
    :param undo: where a form that undoes it is sent; empty if the reader may not.
    """

    at: str
    kind: str
    who: str
    fields: list[tuple[str, str, str]]
    more: int
    undo: str


@dataclass(frozen=True)
class HistorySection:
    """The newest changes.

    :param more: the URL of the whole history; empty where all is shown.
    """

    rows: list[Row]
    more: str


async def history_of(page: Page, document: Any) -> HistorySection | None:
    """Return the history of the document of a page; None where the application shows none.

    :param document: its JSON, as the reader is shown it.
    """
    handler = page.handler
    if len(handler.path.steps) > 1 or page.resource.url not in _recorded(handler.application):
        return None
    found = await read_history(handler, document, MOST_ROWS)
    url = f"{page.url}history/"
    return HistorySection([_row(page, url, each) for each in found.entries], url if found.next else "")


def _recorded(application: Any) -> frozenset[str]:
    """Return the URLs of the resources whose history has routes, looked for at the first page."""
    found: frozenset[str] | None = application.settings.get(SETTING)
    if found is None:
        rules = [
            each for each in rules_of(application.default_router) if getattr(each, "target", None) is HistoryHandler
        ]
        found = frozenset(each.target_kwargs["of"]["resource"].url for each in rules)
        application.settings[SETTING] = found
    return found


def _row(page: Page, url: str, entry: Mapping[str, Any]) -> Row:
    diff = entry["diff"] or {}
    fields = [(label(name), text_of(pair["from"]), text_of(pair["to"])) for name, pair in diff.items()]
    may_undo = "PUT" in page.methods and entry["kind"] == "updated" and fields
    undo = f"{url}{quote(entry['change'], safe='')}/revert" if may_undo else ""
    at = f"{entry['at']:%Y-%m-%d %H:%M:%S}"
    return Row(at, entry["kind"], entry["who"] or "", fields[:MOST_FIELDS], max(0, len(fields) - MOST_FIELDS), undo)

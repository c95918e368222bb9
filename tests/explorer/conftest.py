"""Applications whose models have pages, and pages as clients without JavaScript see them."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

import bzz
from bzz.routing import RouteList

__all__ = ["ACCEPT", "Seen", "explored", "seen"]

ACCEPT = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""What browsers say when they open a page."""


def explored(*routes: Iterable[Any]) -> RouteList:
    """Switch the explorer on for the models of these routes, and add its own."""
    found = bzz.flatten(list(routes))
    return bzz.flatten([found, bzz.DocsHive.routes_for(found, title="Tests", version="1", explorer=True)])


class Seen(HTMLParser):
    """What is on a page.

    :ivar elements: each tag with its attributes and the text right inside it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        texts: list[str] = []
        self.elements.append((tag, {name: value or "" for name, value in attrs}, texts))
        if tag not in ("input", "meta", "link"):
            self._open.append(texts)

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self._open[-1].append(data.strip())

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """The texts of the elements of a tag that have these attributes."""
        return [" ".join(texts) for _, texts in self._found(tag, attributes)]

    def attributes(self, tag: str, name: str, **attributes: str) -> list[str]:
        """The values of an attribute of the elements that have these others."""
        return [found[name] for found, _ in self._found(tag, attributes) if name in found]

    def entered(self) -> dict[str, list[str]]:
        """What a browser would send of the inputs of the page."""
        entered: dict[str, list[str]] = {}
        select = ""
        for tag, found, texts in self.elements:
            name = found.get("name", "")
            select = name if tag == "select" else select
            if tag == "option" and select:
                if "selected" in found or select not in entered:
                    entered[select] = [found["value"]]
            elif name and tag in ("input", "textarea"):
                entered.setdefault(name, []).append(" ".join(texts) if tag == "textarea" else found.get("value", ""))
        return entered

    def _found(self, tag: str, attributes: dict[str, str]) -> list[tuple[dict[str, str], list[str]]]:
        wanted = {name.strip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            (found, texts)
            for each, found, texts in self.elements
            if each == tag and all(found.get(name) == value for name, value in wanted.items())
        ]


def seen(html: str) -> Seen:
    """Read a page."""
    found = Seen()
    found.feed(html)
    return found

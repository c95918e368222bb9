"""URLs of pages: which parameters they have, and the same page with one of them changed.

Parameters of the explorer's own begin with an underscore; all others are those of the JSON twin, and are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from urllib.parse import quote, urlencode

from bzz.model.filter_tree import TREES
from bzz.model.query import MAX_FILTERS, RESERVED, pairs
from bzz.providers.base import Path

__all__ = ["REMEMBERED", "REMEMBERED_LENGTH", "Address", "address_of", "below", "step_urls"]

PLACE = ("page", "after", "before")
OWN = ("_view", "_count", "_field", "_op", "_value", "_columns")

MAX_PARAMETERS = MAX_FILTERS + len(RESERVED) + 64


REMEMBERED = 256  # addresses: clients ask for the same ones again and again
REMEMBERED_LENGTH = 500  # characters of a query


class Address:
    """The path and the parameters of a request. Nothing of it is changed: it is remembered.

    :ivar own: the explorer's own parameters, the last of each name.
    :ivar given: all others, in order.

    :raises bzz.errors.BadRequest: where the query cannot be read.
    """

    def __init__(self, path: str, query: str) -> None:
        self.path = path
        self._text = query
        found = pairs(query, limit=MAX_PARAMETERS) if query else []
        self.own = {name: value for name, value in found if name in OWN}
        self.columns = [value for name, value in found if name == "_columns"]
        self.given = [(name, value) for name, value in found if name not in OWN]

    @cached_property
    def query(self) -> str:
        """The query of the JSON twin: the request's own, where it has nothing of the explorer's."""
        return urlencode(self.given) if self.own or self.columns else self._text

    @cached_property
    def json_url(self) -> str:
        """The URL of the JSON twin, as a page of its own."""
        return self.url(_view="json")

    @cached_property
    def new_url(self) -> str:
        """The URL of the form for a new document."""
        return self.url([], _view="new")

    @cached_property
    def count_url(self) -> str:
        """The URL of this page with the number of all matches."""
        return self.url(_count="exact")

    def value(self, name: str) -> str | None:
        """Return the first value of a parameter."""
        return next((value for known, value in self.given if known == name), None)

    @property
    def filters(self) -> list[tuple[str, str]]:
        """The parameters that are filters."""
        return [(name, value) for name, value in self.given if name not in RESERVED]

    @property
    def trees(self) -> list[tuple[str, str]]:
        """The parameters that combine filters."""
        return [(name, value) for name, value in self.given if name in TREES]

    def url(self, given: Sequence[tuple[str, str]] | None = None, **own: str) -> str:
        """Return the URL with other parameters, the explorer's own included."""
        query = urlencode([*(self.given if given is None else given), *own.items()])
        return f"{self.path}?{query}" if query else self.path

    def without(self, *names: str) -> list[tuple[str, str]]:
        """Return the parameters without those of these names, and without the place in the list."""
        return [(name, value) for name, value in self.given if name not in (*names, *PLACE)]

    def sorted_by(self, name: str, descending: bool) -> str:
        """Return the URL of the first page in another order."""
        return self.url([*self.without("sort"), ("sort", f"-{name}" if descending else name)])

    def without_filter(self, name: str, value: str) -> str:
        """Return the URL of the first page without one filter."""
        return self.url([each for each in self.without() if each != (name, value)])

    def redirected(self) -> str | None:
        """Return where a form of the page leads that was sent without JavaScript; None for any other request."""
        if self.columns:
            return self.url([*self.without("fields"), ("fields", ",".join(self.columns))])
        if not self.own.get("_field"):
            return None
        name, operator, value = (self.own.get(each, "") for each in ("_field", "_op", "_value"))
        parameter = name if operator in ("", "eq") else f"{name}__{operator}"
        text = value or ("true" if operator == "exists" else "")
        return self.url([*self.without(), (parameter, text)])


def address_of(path: str, query: str) -> Address:
    """Return the address of a request; those with long queries are not remembered.

    :raises bzz.errors.BadRequest: where the query cannot be read.
    """
    return _remembered(path, query) if len(query) <= REMEMBERED_LENGTH else Address(path, query)


_remembered = lru_cache(REMEMBERED)(Address)


def below(url: str, *names: str) -> str:
    """Return the URL of what lies below another one.

    >>> below("/team/1/", "a/b")
    '/team/1/a%2Fb/'
    """
    return "/".join([url.rstrip("/"), *(quote(name, safe="") for name in names)]) + "/"


def step_urls(url: str, path: Path) -> Iterable[tuple[str, str]]:
    """Yield the words and the URL of each part of a path, from the list of the resource on.

    :param url: of the resource.
    """
    at = ""
    for step in path.steps:
        name = step.text if step.key is None else step.text.partition("/")[0]
        at = f"{url}/" if not at else below(at, name)
        yield name, at
        if step.key is not None:
            key = step.text.partition("/")[2]
            at = below(at, key)
            yield key, at

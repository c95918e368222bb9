"""The query string of a request, read against the shape of the model.

What a client may not ask for is answered in one way, whatever it is: an unknown parameter, an unknown or hidden field,
an operator that does not fit. So a hidden field cannot be told from one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from bzz.errors import BadRequest
from bzz.model.expansion import Tree, find_expanded, read_expand
from bzz.model.filter_tree import TREES, read_trees
from bzz.model.filters import read_filters
from bzz.model.parameters import MAX_VALUES, find, unknown, unreadable
from bzz.providers.base import Criterion, ListQuery, Sort
from bzz.shape import Shape

__all__ = [
    "check_item_query",
    "pairs",
    "project",
    "read_expansion",
    "read_facets",
    "read_fields",
    "read_list_query",
    "read_selection",
]

REMEMBERED = 256  # queries: clients ask for the same lists again and again

MAX_FILTERS = 32
MAX_SORT_KEYS = 8

OPTIONS = ("page", "per_page", "sort", "fields", "after", "before", "expand", "q", "facets")
RESERVED = (*OPTIONS, *TREES)
MAX_PARAMETERS = MAX_FILTERS + len(RESERVED) + 16
MAX_FACETS = 8
MAX_SEARCH = 200  # characters

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def pairs(text: str, limit: int) -> list[tuple[str, str]]:
    """Return the names and values of ``application/x-www-form-urlencoded`` text, strict UTF-8.

    It is read as browsers write it (https://url.spec.whatwg.org/#application/x-www-form-urlencoded).

    :param limit: how many there may be.
    :raises bzz.errors.BadRequest: for a malformed escape or encoding, or too many.

    >>> pairs("a=1+2&b%5B%5D=", limit=2)
    [('a', '1 2'), ('b[]', '')]
    """
    if text.count("&") >= limit:
        raise BadRequest(f"There are more than {limit} parameters.")
    if _BAD_ESCAPE.search(text):
        raise BadRequest("A '%' is not followed by two hexadecimal digits.")
    try:
        text.encode()
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeError:
        raise BadRequest("The parameters are not valid UTF-8.") from None


@lru_cache(REMEMBERED)
def read_list_query(shape: Shape, query: str, *, per_page: int, max_per_page: int, count: bool = False) -> ListQuery:
    """Return what a list request asks for.

    Values are ``path=text`` or ``path__operator=text``, with the operators of
    :data:`bzz.providers.base.Operator`; a repeated parameter means any of its values, for ``ne`` and ``nin`` none of
    them. A condition on a list is read by the list's items. A value that is none of a field's choices is refused, but
    for operators of order and of patterns.

    :param query: the raw query string.
    :param per_page: how many items a page has when the client does not say.
    :param max_per_page: how many it has at the most, whatever the client says.
    :param count: whether the client asks for the exact number of matches.
    :raises bzz.errors.BadRequest: naming the parameter that cannot be read.

    >>> from bzz.shape import Field
    >>> from bzz.shape.scalars import IntegerKind
    >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
    >>> read_list_query(user, "age__gte=18&sort=-age", per_page=20, max_per_page=100).sort[0].descending
    True
    """
    options, conditions, trees = _split(query)
    chosen = options.keys() & {"page", "after", "before"}
    if len(chosen) > 1:
        raise BadRequest("Of the parameters page, after and before only one can be given.")
    return ListQuery(
        page=_number(options, "page", 1),
        per_page=min(_number(options, "per_page", per_page), max_per_page),
        sort=_read_sort(shape, options["sort"]) if "sort" in options else (),
        filters=_criteria(shape, conditions, trees),
        after=_cursor(options, "after"),
        before=_cursor(options, "before"),
        count=count,
        search=_search(options),
    )


def read_selection(shape: Shape, query: str, *, limit: int) -> ListQuery:
    """Return the filters of a write to all that they select.

    :param limit: how many documents are read at the most.
    :raises bzz.errors.BadRequest: if there is anything else in the query.
    """
    options, conditions, trees = _split(query)
    if options:
        raise unreadable(next(iter(options)), "Only filters select what is written.")
    return ListQuery(per_page=limit, filters=_criteria(shape, conditions, trees))


def _criteria(
    shape: Shape, conditions: Sequence[tuple[str, str]], trees: Sequence[tuple[str, str]]
) -> tuple[Criterion, ...]:
    plain: tuple[Criterion, ...] = read_filters(shape, conditions)
    return (*plain, *read_trees(shape, trees)) if trees else plain


@lru_cache(REMEMBERED)
def read_fields(shape: Shape, query: str) -> tuple[str, ...] | None:
    """Return the dotted paths that ``fields=name,address.city`` asks to see; None if the client wants them all.

    :raises bzz.errors.BadRequest: for a name that is not declared and visible.
    """
    options = _split(query)[0]
    fields = options.get("fields")
    if fields is None:
        return None
    paths = _names("fields", fields, MAX_VALUES)
    tree = read_expand(shape, options["expand"]) if "expand" in options else {}
    for path in paths:
        if find(shape, path) is None and find_expanded(shape, path, tree) is None:
            raise unknown(path)
    return paths


@lru_cache(REMEMBERED)
def read_expansion(shape: Shape, query: str) -> Tree:
    """Return what ``expand=team,owner.org`` asks for; empty if nothing is to be expanded.

    :raises bzz.errors.BadRequest: for what is no reference.
    """
    text = _split(query)[0].get("expand")
    return {} if text is None else read_expand(shape, text)


@lru_cache(REMEMBERED)
def read_facets(shape: Shape, query: str) -> tuple[str, ...]:
    """Return the names of the fields whose values ``facets=status,team`` asks to count.

    :raises bzz.errors.BadRequest: for a name that is no visible field with values that can be compared.
    """
    text = _split(query)[0].get("facets")
    names = () if text is None else _names("facets", text, MAX_FACETS)
    if names and callable(getattr(shape.model, "to_dict", None)):
        raise unreadable("facets", f"{shape.name} shows what it likes of its values.")
    for name in names:
        field = find(shape, name)
        if field is None or not field.item.kind.is_scalar or _is_in_list(shape, name):
            raise unknown(name)
    return names


def _names(parameter: str, text: str, most: int) -> tuple[str, ...]:
    """Return names that are parted by commas, each once."""
    names = text.split(",")
    if len(names) > most:
        raise unreadable(parameter, f"Must be at most {most} names.")
    return tuple(dict.fromkeys(names))


def check_item_query(shape: Shape, query: str) -> tuple[str, ...] | None:
    """Return what :func:`read_fields` does, for a single instance: beside it, it takes ``expand`` only.

    :raises bzz.errors.BadRequest: for any other parameter, too.
    """
    if not query:
        return None
    options, conditions, trees = _split(query)
    for name in (*options, *(name for name, _ in (*conditions, *trees))):
        if name not in ("fields", "expand"):
            raise unknown(name)
    return read_fields(shape, query)


def project(representation: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """Return only the named paths, and the ``id``, of the JSON of an instance.

    >>> project({"id": "7", "name": "Ann", "homes": [{"city": "Rio", "zip": "1"}]}, ("homes.city",))
    {'id': '7', 'homes': [{'city': 'Rio'}]}
    """
    kept: dict[str, Any] = _keep(representation, (*paths, "id"))
    return kept


def _keep(value: Any, paths: Iterable[str]) -> Any:
    if isinstance(value, list):
        return [_keep(each, paths) for each in value]
    if not isinstance(value, dict):
        return value
    wanted: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        wanted.setdefault(name, []).append(rest)
    return {
        name: inner if "" in wanted[name] else _keep(inner, wanted[name])
        for name, inner in value.items()
        if name in wanted
    }


def _split(query: str) -> tuple[dict[str, str], list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the reserved parameters, and all others in order: conditions, and trees of them."""
    options: dict[str, str] = {}
    conditions: list[tuple[str, str]] = []
    trees: list[tuple[str, str]] = []
    for name, text in pairs(query, limit=MAX_FILTERS + len(RESERVED)) if query else ():
        if name not in OPTIONS:
            (trees if name in TREES else conditions).append((name, text))
            continue
        if name in options:
            raise BadRequest(f"The parameter {name!r} is given more than once.")
        options[name] = text
    if len(conditions) + len(trees) > MAX_FILTERS:
        raise BadRequest(f"There are more than {MAX_FILTERS} filters.")
    return options, conditions, trees


def _number(options: dict[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        raise unreadable(name, "Must be a number from 1 to 999999999.")
    return int(text)


def _search(options: dict[str, str]) -> str | None:
    text = options.get("q")
    if text is not None and not 0 < len(text.strip()) <= MAX_SEARCH:
        raise unreadable("q", f"Must be a text of 1 to {MAX_SEARCH} characters.")
    return text


def _cursor(options: dict[str, str], name: str) -> str | None:
    if options.get(name) == "":
        raise unreadable(name, "Must be a cursor from a Link header.")
    return options.get(name)


def _read_sort(shape: Shape, text: str) -> tuple[Sort, ...]:
    entries = text.split(",")
    if len(entries) > MAX_SORT_KEYS:
        raise BadRequest(f"The parameter 'sort' takes at most {MAX_SORT_KEYS} names.")
    keys = tuple(_sort_key(shape, entry) for entry in entries)
    if len({key.path for key in keys}) < len(keys):
        raise BadRequest("The parameter 'sort' names a field twice.")
    return keys


def _sort_key(shape: Shape, entry: str) -> Sort:
    path = entry.removeprefix("-")
    field = find(shape, path)
    if field is None or not field.kind.is_scalar or _is_in_list(shape, path):
        raise unknown(path)
    return Sort(path, field, descending=path != entry)


def _is_in_list(shape: Shape, path: str) -> bool:
    """Return whether a list lies on the way to ``path``, so that one instance has many values there."""
    names = path.split(".")
    ways = (find(shape, ".".join(names[:count])) for count in range(1, len(names)))
    return any(way is not None and way.is_list for way in ways)

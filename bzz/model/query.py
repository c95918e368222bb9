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
from bzz.providers.base import Condition, Filter, ListQuery, Operator, Sort
from bzz.shape import Field, Shape
from bzz.shape.keys import NamedDocument
from bzz.shape.numbers import BooleanKind
from bzz.shape.operators import EQUALITY, PATTERNS

__all__ = ["check_item_query", "pairs", "project", "read_fields", "read_list_query"]

REMEMBERED = 256  # queries: clients ask for the same lists again and again

MAX_FILTERS = 32
MAX_VALUES = 100
MAX_SORT_KEYS = 8
MAX_PATTERN = 1000  # characters; MongoDB compiles an operand of "contains" into a regular expression
MAX_PATH = 32  # names in one dotted path
MAX_CHOICES_TOLD = 20  # of a field's choices, in the answer to a value that is none

RESERVED = ("page", "per_page", "sort", "fields", "after", "before")

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def pairs(text: str, limit: int) -> list[tuple[str, str]]:
    """The names and values of ``application/x-www-form-urlencoded`` text (https://url.spec.whatwg.org), strict UTF-8.

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
    """What a list request asks for.

    Values are ``path=text`` or ``path__operator=text``, with the operators of
    :data:`bzz.providers.base.Operator`; a repeated parameter means any of its values, for ``ne`` and ``nin`` none of
    them. A condition on a list is read by the list's items. A value that is none of a field's choices is refused, but
    for operators of order and of patterns.

    :param query: the raw query string.
    :param per_page: how many items a page has when the client does not say.
    :param max_per_page: how many it has at the most, whatever the client says.
    :param count: whether the client asks for the exact number of matches.
    :raises bzz.errors.BadRequest: naming the parameter that cannot be read.

    >>> from bzz.shape.numbers import IntegerKind
    >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
    >>> read_list_query(user, "age__gte=18&sort=-age", per_page=20, max_per_page=100).sort[0].descending
    True
    """
    options, conditions = _split(query)
    chosen = options.keys() & {"page", "after", "before"}
    if len(chosen) > 1:
        raise BadRequest("Of the parameters page, after and before only one can be given.")
    return ListQuery(
        page=_number(options, "page", 1),
        per_page=min(_number(options, "per_page", per_page), max_per_page),
        sort=_read_sort(shape, options["sort"]) if "sort" in options else (),
        filters=_read_filters(shape, conditions),
        after=_cursor(options, "after"),
        before=_cursor(options, "before"),
        count=count,
    )


@lru_cache(REMEMBERED)
def read_fields(shape: Shape, query: str) -> tuple[str, ...] | None:
    """The dotted paths that ``fields=name,address.city`` asks to see; None where the client wants them all.

    :raises bzz.errors.BadRequest: for a name that is not declared and visible.
    """
    fields = _split(query)[0].get("fields")
    if fields is None:
        return None
    paths = tuple(dict.fromkeys(fields.split(",")))
    if len(paths) > MAX_VALUES:
        raise _unreadable("fields", f"Must be at most {MAX_VALUES} names.")
    for path in paths:
        if _find(shape, path) is None:
            raise _unknown(path)
    return paths


def check_item_query(shape: Shape, query: str) -> tuple[str, ...] | None:
    """:func:`read_fields` for a single instance, which takes no other parameter.

    :raises bzz.errors.BadRequest: for any other parameter, too.
    """
    if not query:
        return None
    options, conditions = _split(query)
    for name in (*options, *(name for name, _ in conditions)):
        if name != "fields":
            raise _unknown(name)
    return read_fields(shape, query)


def project(representation: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """Only the named paths of what a client would be shown, and its ``id``.

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


def _split(query: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The reserved parameters, and all others in order."""
    options: dict[str, str] = {}
    conditions = []
    for name, text in pairs(query, limit=MAX_FILTERS + len(RESERVED)) if query else ():
        if name not in RESERVED:
            conditions.append((name, text))
            continue
        if name in options:
            raise BadRequest(f"The parameter {name!r} is given more than once.")
        options[name] = text
    if len(conditions) > MAX_FILTERS:
        raise BadRequest(f"There are more than {MAX_FILTERS} filters.")
    return options, conditions


def _unknown(name: str) -> BadRequest:
    return BadRequest(f"Unknown parameter or field: {name!r}.")


def _unreadable(name: str, why: object) -> BadRequest:
    return BadRequest(f"The parameter {name!r} cannot be read. {why}")


def _number(options: dict[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        raise _unreadable(name, "Must be a number from 1 to 999999999.")
    return int(text)


def _cursor(options: dict[str, str], name: str) -> str | None:
    if options.get(name) == "":
        raise _unreadable(name, "Must be a cursor from a Link header.")
    return options.get(name)


def _find(shape: Shape, path: str) -> Field | None:
    return shape.find(path) if path.count(".") < MAX_PATH else None


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
    field = _find(shape, path)
    if field is None or not field.is_scalar or _is_in_list(shape, path):
        raise _unknown(path)
    return Sort(path, field, descending=path != entry)


def _is_in_list(shape: Shape, path: str) -> bool:
    """Whether a list lies on the way to ``path``, so that one instance has many values there."""
    names = path.split(".")
    ways = (shape.find(".".join(names[:count])) for count in range(1, len(names)))
    return any(way is not None and way.is_list for way in ways)


def _read_filters(shape: Shape, conditions: Sequence[tuple[str, str]]) -> tuple[Filter, ...]:
    texts: dict[tuple[str, Operator], list[str]] = {}
    fields: dict[tuple[str, Operator], tuple[Field, str]] = {}
    for name, text in conditions:
        path, operator, field = _resolve(shape, name)
        fields[path, operator] = field, name
        texts.setdefault((path, operator), []).extend(text.split(",") if operator in ("in", "nin") else [text])
    return tuple(
        Filter(path, _any_of(field, operator, texts[path, operator], name))
        for (path, operator), (field, name) in fields.items()
    )


def _resolve(shape: Shape, name: str) -> tuple[str, Operator, Field]:
    path, operator, field = name, "eq", _find(shape, name)
    if field is None:
        path, _, operator = name.rpartition("__")
        field = _find(shape, path)
    if field is None or operator not in field.kind.operators:
        raise _unknown(name)
    return path, operator, field


def _any_of(field: Field, operator: Operator, texts: list[str], name: str) -> tuple[Condition, ...]:
    if len(texts) > MAX_VALUES:
        raise _unreadable(name, f"Must be at most {MAX_VALUES} values.")
    try:
        values = [_read(field, operator, text) for text in texts]
    except ValueError as error:
        raise _unreadable(name, error) from None
    if operator == "ne" and len(values) > 1:
        return (Condition(field, "nin", values),)
    if operator in ("in", "nin"):
        return (Condition(field, operator, values),)
    return tuple(Condition(field, operator, value) for value in values)


_TRUTH = BooleanKind()


def _read(field: Field, operator: Operator, text: str) -> Any:
    if operator == "exists":
        return _TRUTH.from_text(text)
    if operator in PATTERNS and ("\0" in text or len(text) > MAX_PATTERN):
        raise ValueError(f"Must be at most {MAX_PATTERN} characters, none of them NUL.")
    value = field.item.kind.from_filter(text)
    if operator in EQUALITY:
        _check_choice(field, value)
    return value


def _check_choice(field: Field, value: Any) -> None:
    """Refuse a value that no instance can hold: a filter by it is a mistake, and would find nothing."""
    item = field.item
    choices = item.choices or field.choices
    if choices and value not in choices and not isinstance(value, NamedDocument):
        known = ", ".join(item.kind.to_text(each) for each in choices[:MAX_CHOICES_TOLD])
        raise ValueError(f"Must be one of: {known}{', ...' if len(choices) > MAX_CHOICES_TOLD else '.'}")

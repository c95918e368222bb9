"""Conditions that are combined: ``filter={"or": [...]}`` as JSON, and ``or=age__gte=18|name=Ann`` as its short form.

An object holds conditions, by the names that they have in a query string, or by a path with an object of operators;
all of them must hold. ``and``, ``or`` and ``not`` combine such objects. Values are of JSON's types, read by the kind of
the field as those of a body are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote

from bzz.codec import loads
from bzz.errors import BadRequest
from bzz.model.filters import (
    MAX_PATTERN,
    ONE_ITEM,
    check_choice,
    embedded_items,
    follows_references,
    read_filters,
    reference_in,
    resolve,
)
from bzz.model.parameters import MAX_VALUES, find, unknown, unreadable
from bzz.providers.asked import filters_in
from bzz.providers.base import AllOf, AnyOf, Condition, Criterion, Filter, Not, Operator
from bzz.shape import Field, Shape
from bzz.shape.geo import read_box, read_circle
from bzz.shape.operators import EQUALITY, LISTED, PATTERNS
from bzz.shape.values import find_field

__all__ = ["MAX_CONDITIONS", "MAX_NESTING", "TREES", "read_tree", "read_trees"]

TREES = ("or", "filter")
"""The parameters that combine conditions."""

MAX_CONDITIONS = 100  # in all trees of one request
MAX_MEMBERS = 4 * MAX_CONDITIONS  # of the objects in one tree: more are not even read, which would take 0.3 s of 64 KiB
MAX_PARTS = 16  # of these, on parts of text: of 50,000 texts of 200 characters each takes MongoDB about 0.2 s
MAX_FOLLOWED = 8  # of these, over references: each is a query of its own
MAX_NESTING = 8  # of and, or and not

_KEYWORDS = ("and", "or", "not")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_trees(shape: Shape, given: Sequence[tuple[str, str]]) -> list[Criterion]:
    """Return what the parameters :data:`TREES` of a query string ask for.

    :param given: their names and texts.
    :raises bzz.errors.BadRequest: naming what cannot be read, or if there is too much of it.
    """
    found: list[Criterion] = []
    for name, text in given:
        if name == "or":
            found.append(AnyOf(tuple(read for each in _alternatives(text) for read in read_filters(shape, [each]))))
            continue
        tree = _json(name, text)
        if _members(tree) > MAX_MEMBERS:
            raise _more_than(MAX_CONDITIONS, "conditions")
        found += read_tree(shape, tree, name)
    _check_size(found)
    return found


def _check_size(criteria: Iterable[Criterion]) -> None:
    filters = list(_all_filters(criteria))
    operators = [condition.operator for each in filters for condition in each.any_of]
    if len(operators) > MAX_CONDITIONS:
        raise _more_than(MAX_CONDITIONS, "conditions")
    if sum(each in PATTERNS for each in operators) > MAX_PARTS:
        raise _more_than(MAX_PARTS, "conditions on parts of text")
    if sum(map(follows_references, filters)) > MAX_FOLLOWED:
        raise _more_than(MAX_FOLLOWED, "conditions over references")


def _more_than(most: int, what: str) -> BadRequest:
    return BadRequest(f"There are more than {most} {what} in {' and '.join(TREES)}.")


def _members(value: Any) -> int:
    """Return how many members all objects in a JSON value have."""
    if isinstance(value, list):
        return sum(map(_members, value))
    return len(value) + sum(map(_members, value.values())) if isinstance(value, dict) else 0


def _all_filters(criteria: Iterable[Criterion]) -> Iterator[Filter]:
    """Yield the filters of a tree, those inside a ``match`` too."""
    for each in filters_in(criteria):
        yield each
        for condition in each.any_of:
            if condition.operator == "match":
                yield from _all_filters(condition.value)


def _json(name: str, text: str) -> Any:
    try:
        return loads(text.encode(), 2 * MAX_NESTING + 4)
    except BadRequest:
        raise unreadable(name, f"Must be a JSON object, nested at most {MAX_NESTING} levels.") from None


def _alternatives(text: str) -> list[tuple[str, str]]:
    """Return the names and texts of conditions that are parted by ``|``; each is percent-encoded by itself.

    >>> _alternatives("age__gte=18|name=a%7Cb")
    [('age__gte', '18'), ('name', 'a|b')]
    """
    found = []
    if text.count("|") >= MAX_CONDITIONS:
        raise unreadable("or", f"Must be at most {MAX_CONDITIONS} conditions.")
    for part in text.split("|"):
        name, mark, value = part.partition("=")
        if not mark:
            raise unreadable("or", "Must be conditions such as age__gte=18, parted by |.")
        if _BAD_ESCAPE.search(part):
            raise unreadable("or", "Write %25 for a percent sign and %7C for a | in a condition, before it is encoded.")
        try:
            found.append((unquote(name, errors="strict"), unquote(value, errors="strict")))
        except UnicodeDecodeError:
            raise unreadable("or", "A condition is not valid UTF-8.") from None
    return found


# -- JSON


def read_tree(shape: Shape, given: Any, place: str, depth: int = 1, *, may_follow: bool = True) -> list[Criterion]:
    """Return what an object of conditions asks for; all of it must hold.

    :param place: where it stands, for error messages: ``filter.or[1]``.
    :param may_follow: whether conditions may reach over a reference.
    :raises bzz.errors.BadRequest: naming the place of what cannot be read.
    """
    if not isinstance(given, Mapping) or not given:
        raise unreadable(place, "Must be an object with at least one condition.")
    if depth > MAX_NESTING:
        raise unreadable(place, f"Must not nest deeper than {MAX_NESTING} levels.")
    read = partial(read_tree, shape, depth=depth + 1, may_follow=may_follow)
    found: list[Criterion] = []
    if "and" in given:
        found += [criterion for each, at in _branches(given, "and", place) for criterion in read(each, at)]
    if "or" in given:
        found.append(AnyOf(tuple(_whole(read(each, at)) for each, at in _branches(given, "or", place))))
    if "not" in given:
        found.append(Not(_whole(read(given["not"], f"{place}.not"))))
    plain = {name: value for name, value in given.items() if name not in _KEYWORDS}
    return [*found, *_conditions(shape, plain, place, depth, may_follow)]


def _branches(given: Mapping[str, Any], word: str, place: str) -> list[tuple[Any, str]]:
    """Return the objects below ``and`` or ``or``, and where each stands."""
    branches, at = given[word], f"{place}.{word}"
    if not isinstance(branches, list | tuple) or not branches:
        raise unreadable(at, "Must be an array of at least one object.")
    return [(each, f"{at}[{number}]") for number, each in enumerate(branches)]


def _whole(criteria: Sequence[Criterion]) -> Criterion:
    return criteria[0] if len(criteria) == 1 else AllOf(tuple(criteria))


def _conditions(shape: Shape, given: Mapping[Any, Any], place: str, depth: int, may_follow: bool) -> Iterator[Filter]:
    """Yield the conditions of an object, those on one item or on one other document together.

    :param may_follow: whether conditions may reach over a reference: over one, and not out of an item.
    """
    of_items: dict[str, dict[str, Any]] = {}
    of_linked: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        at = f"{place}.{name}"
        if not isinstance(name, str):
            raise unknown(at)
        path, is_item, rest = name.partition(ONE_ITEM)
        link = reference_in(shape, name) if may_follow and not is_item else ""
        plain = name.removesuffix("[]")
        if is_item:
            of_items.setdefault(path, {})[rest] = value
        elif link:
            of_linked.setdefault(link, {})[name.removeprefix(f"{link}.")] = value
        elif plain != name and isinstance(value, Mapping) and embedded_items(shape, plain):
            field = _items(shape, plain, at)
            yield _match(plain, field, read_tree(_target(field), value, at, depth + 1, may_follow=False))
        else:
            yield from _leaves(shape, plain, value, at)
    for path, inner in of_items.items():
        field = _items(shape, path, f"{place}.{path}{ONE_ITEM}{next(iter(inner))}")
        yield _match(path, field, _conditions(_target(field), inner, f"{place}.{path}[]", depth, False))
    for path, inner in of_linked.items():
        linked = find_field(shape, path)
        assert linked is not None
        yield _match(path, linked, _conditions(_target(linked), inner, f"{place}.{path}", depth, False))


def _match(path: str, field: Field, criteria: Iterable[Criterion]) -> Filter:
    return Filter(path, (Condition(field, "match", tuple(criteria)),))


def _items(shape: Shape, path: str, place: str) -> Field:
    field = embedded_items(shape, path)
    if field is None:
        raise unknown(place)
    return field


def _target(field: Field) -> Shape:
    assert field.link is not None
    return field.link.shape


def _leaves(shape: Shape, name: str, value: Any, place: str) -> Iterator[Filter]:
    """Yield the filters of one name: with a value, or with an object of operators and values."""
    field = find(shape, name)
    if not isinstance(value, Mapping):
        if value is None and field is not None and "exists" in field.kind.operators:
            yield Filter(name, (Condition(field, "exists", False),))
            return
        path, operator, field = resolve(shape, name, place)
        yield Filter(path, (_condition(field, operator, value, place),))
        return
    if field is None:
        raise unknown(place)
    if not value:
        raise unreadable(place, "Must be a value, or an object of operators such as gte.")
    for word, operand in value.items():
        at = f"{place}.{word}"
        if word not in field.kind.operators:
            raise unknown(at)
        yield Filter(name, (_condition(field, word, operand, at),))


def _condition(field: Field, operator: Operator, value: Any, place: str) -> Condition:
    if value is None and operator in ("eq", "ne") and "exists" in field.kind.operators:
        return Condition(field, "exists", operator == "ne")
    try:
        if operator in LISTED:
            return Condition(field, operator, _listed(field, operator, value))
        values = _values(field, operator, value)
    except ValueError as error:
        raise unreadable(place, error) from None
    if len(values) == 1:
        return Condition(field, operator, values[0])
    return Condition(field, "nin" if operator == "ne" else "in", list(values))


def _listed(field: Field, operator: Operator, value: Any) -> list[Any]:
    least = 1 if operator == "all" else 0
    if not isinstance(value, list | tuple) or not least <= len(value) <= MAX_VALUES:
        raise ValueError(f"Must be an array of {least} to {MAX_VALUES} values.")
    return [read for each in value for read in _values(field, operator, each)]


def _values(field: Field, operator: Operator, value: Any) -> Sequence[Any]:
    read = _OWN_FORM.get(operator)
    if read is not None:
        return (read(value),)
    if value is None:
        raise ValueError("Must not be null; exists asks whether there is a value.")
    if operator in PATTERNS and (not isinstance(value, str) or "\0" in value or len(value) > MAX_PATTERN):
        raise ValueError(f"Must be a text of at most {MAX_PATTERN} characters, none of them NUL.")
    kind = field.item.kind
    values = kind.from_text(value) if field.name == "id" and isinstance(value, str) else None
    found = kind.filter_json(value) if values is None else (values,)
    if operator in EQUALITY:
        for each in found:
            check_choice(field, each)
    return found


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Must be true or false.")
    return value


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 999_999_999:
        raise ValueError("Must be a number from 0 to 999999999.")
    return value


def _circle(value: Any) -> Sequence[float]:
    return read_circle(value if isinstance(value, list | tuple) else ())


def _box(value: Any) -> Sequence[float]:
    return read_box(value if isinstance(value, list | tuple) else ())


_OWN_FORM: dict[Operator, Callable[[Any], Any]] = {"exists": _flag, "size": _size, "near": _circle, "within": _box}
"""Operators whose operand is not one of the field's values."""

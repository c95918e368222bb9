"""The filters of a query string: ``path=text``, ``path__operator=text``, and conditions on one item of a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

from bzz.errors import BadRequest
from bzz.model.parameters import MAX_PATH, MAX_VALUES, find, unknown, unreadable
from bzz.providers.asked import filters_in
from bzz.providers.base import Condition, Criterion, Filter, Operator, Provider
from bzz.shape import Field, Shape
from bzz.shape.choices import expected_choice
from bzz.shape.documents import NamedDocument
from bzz.shape.geo import read_box, read_circle
from bzz.shape.operators import EQUALITY, LISTED, PATTERNS
from bzz.shape.scalars import BooleanKind
from bzz.shape.values import find_field

__all__ = [
    "MAX_PATTERN",
    "ONE_ITEM",
    "check_choice",
    "embedded_items",
    "followed",
    "follows_references",
    "read_filters",
    "reference_in",
    "resolve",
]

ONE_ITEM = "[]."  # in a name: what follows is asked of one item of a list
MAX_PATTERN = 1000  # characters; MongoDB compiles an operand of "contains" into a regular expression
_OPERATORS = frozenset(get_args(Operator))
_SIZE = re.compile(r"0|[1-9][0-9]{0,8}")


def read_filters(shape: Shape, conditions: Sequence[tuple[str, str]], prefix: str = "") -> tuple[Filter, ...]:
    """Return the filters that parameters ask for.

    :param conditions: their names and texts.
    :param prefix: what stands before the names in error messages.
    :raises bzz.errors.BadRequest: naming the parameter that cannot be read.
    """
    own: list[tuple[str, str]] = []
    of_items: dict[str, list[tuple[str, str]]] = {}
    of_linked: dict[str, list[tuple[str, str]]] = {}
    for name, text in conditions:
        path, mark, rest = name.partition(ONE_ITEM)
        link = "" if mark else reference_in(shape, name)
        if mark:
            of_items.setdefault(path, []).append((rest, text))
        elif link and not prefix:
            of_linked.setdefault(link, []).append((name.removeprefix(f"{link}."), text))
        else:
            own.append((name.removesuffix("[]"), text))
    matches = [_item_filter(shape, path, each, f"{prefix}{path}{ONE_ITEM}") for path, each in of_items.items()]
    matches += [_linked_filter(shape, path, each) for path, each in of_linked.items()]
    return (*_plain_filters(shape, own, prefix), *matches)


def follows_references(wanted: Criterion) -> bool:
    """Return whether anything is asked of the documents that references lead to."""
    conditions = (condition for each in filters_in((wanted,)) for condition in each.any_of)
    return any(each.operator == "match" and _is_reference(each.field) for each in conditions)


def followed(filters: Sequence[Criterion], provider: Provider) -> list[Shape]:
    """Return the models whose documents filters ask for something, behind references; each once.

    :raises bzz.errors.BadRequest: if filters are combined in a way that the provider does not know.
    """
    if not provider.combines and not all(isinstance(each, Filter) for each in filters):
        raise BadRequest(f"The filters of {provider.shape.name} cannot be combined by or and not.")
    conditions = (condition for each in filters_in(filters) if follows_references(each) for condition in each.any_of)
    return list(dict.fromkeys(each.field.link.shape for each in conditions if each.field.link is not None))


def _is_reference(field: Field) -> bool:
    return field.link is not None and field.link.is_reference


def reference_in(shape: Shape, name: str) -> str:
    """Return the path of the reference that a name goes on behind; empty if there is none."""
    names = name.split(".", MAX_PATH)
    for end in range(1, len(names)):
        path = ".".join(names[:end])
        field = find_field(shape, path)
        if field is None:
            return ""
        if _is_reference(field):
            return path
    return ""


def _linked_filter(shape: Shape, path: str, conditions: Sequence[tuple[str, str]]) -> Filter:
    """Return the filter by which the document that a reference leads to has to meet conditions."""
    field = find_field(shape, path)
    assert field is not None
    assert field.link is not None
    return Filter(path, (Condition(field, "match", read_filters(field.link.shape, conditions, f"{path}.")),))


def _item_filter(shape: Shape, path: str, conditions: Sequence[tuple[str, str]], prefix: str) -> Filter:
    """Return the filter by which one item of a list of embedded documents has to meet several conditions."""
    field = embedded_items(shape, path)
    if field is None or field.link is None:
        raise unknown(prefix + conditions[0][0])
    return Filter(path, (Condition(field, "match", read_filters(field.link.shape, conditions, prefix)),))


def embedded_items(shape: Shape, path: str) -> Field | None:
    """Return the list of embedded documents at a dotted path; None if there is none."""
    field = find(shape, path)
    return field if field is not None and field.is_list and field.link and not field.link.is_reference else None


def _plain_filters(shape: Shape, conditions: Sequence[tuple[str, str]], prefix: str) -> tuple[Filter, ...]:
    texts: dict[tuple[str, Operator], list[str]] = {}
    fields: dict[tuple[str, Operator], tuple[Field, str]] = {}
    for name, text in conditions:
        path, operator, field = resolve(shape, name, prefix + name)
        fields[path, operator] = field, prefix + name
        texts.setdefault((path, operator), []).extend(text.split(",") if operator in LISTED else [text])
    return tuple(
        Filter(path, _any_of(field, operator, texts[path, operator], name))
        for (path, operator), (field, name) in fields.items()
    )


def resolve(shape: Shape, name: str, place: str) -> tuple[str, Operator, Field]:
    """Return the path, operator and field that a parameter names.

    What ends like an operator is one, and no key of a map, unless a field is declared by that very name.

    :param place: what the error calls it.
    :raises bzz.errors.BadRequest: if there is no such field, or it has no such operator.
    """
    path, mark, operator = name.rpartition("__")
    if not mark or operator not in _OPERATORS or find_field(shape, name) is not None:
        path, operator = name, "eq"
    field = find(shape, path)
    if field is None or operator not in field.kind.operators:
        raise unknown(place)
    return path, operator, field


def _any_of(field: Field, operator: Operator, texts: list[str], name: str) -> tuple[Condition, ...]:
    if len(texts) > MAX_VALUES:
        raise unreadable(name, f"Must be at most {MAX_VALUES} values.")
    values: list[Any] = []
    for text in texts:
        try:
            values += _values(field, operator, text)
        except ValueError as error:
            raise unreadable(name, f"{error}{_plus_hint(field, operator, text)}") from None
    if operator == "ne" and len(values) > 1:
        return (Condition(field, "nin", values),)
    if operator in LISTED:
        return (Condition(field, operator, values),)
    return tuple(Condition(field, operator, value) for value in values)


def _plus_hint(field: Field, operator: Operator, text: str) -> str:
    """Return how to write a plus, if the text can be read with one in place of a space, as which a query reads it."""
    if " " not in text:
        return ""
    try:
        _values(field, operator, text.replace(" ", "+"))
    except ValueError:
        return ""
    return " In a query, + stands for a space: write %2B for a plus sign."


def _size(text: str) -> int:
    if not _SIZE.fullmatch(text):
        raise ValueError("Must be a number from 0 to 999999999.")
    return int(text)


_OWN_FORM: dict[Operator, Callable[[str], Any]] = {
    "exists": BooleanKind().from_text,
    "size": _size,
    "near": read_circle,
    "within": read_box,
}
"""Operators whose text is not one of the field's values."""


def _values(field: Field, operator: Operator, text: str) -> Sequence[Any]:
    read = _OWN_FORM.get(operator)
    if read is not None:
        return (read(text),)
    if operator in PATTERNS and ("\0" in text or len(text) > MAX_PATTERN):
        raise ValueError(f"Must be at most {MAX_PATTERN} characters, none of them NUL.")
    values = field.item.kind.filter_values(text)
    if operator in EQUALITY:
        for value in values:
            check_choice(field, value)
    return values


def check_choice(field: Field, value: Any) -> None:
    """Refuse a value that no instance can hold: a filter by it is a mistake, and would find nothing.

    :raises ValueError: if it is none of the field's choices.
    """
    choices = field.item.choices or field.choices
    if choices and value not in choices and not isinstance(value, NamedDocument):
        raise ValueError(expected_choice(field))

"""How often each value of a field occurs, beside a list: what ``facets=`` answers, each value a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bzz.explorer.addresses import Address
from bzz.explorer.cells import Names, text_of
from bzz.explorer.columns import Column
from bzz.explorer.wording import label
from bzz.shape import Shape
from bzz.shape.values import find_value

__all__ = ["Count", "Facet", "countable", "counted_columns", "facets_of"]


class Count(NamedTuple):
    """One value, how many times it occurs, and the list narrowed to it."""

    text: str
    times: int
    href: str


class Facet(NamedTuple):
    """A field whose values are counted, and the list without these counts."""

    label: str
    values: list[Count]
    without: str


def countable(shape: Shape, address: Address) -> list[tuple[str, str]]:
    """Return the words and the URL that count the values of each field that can be counted."""
    counted = list(filter(None, (address.value("facets") or "").split(",")))
    ids = {each.name for each in (shape.pk, shape.url_id) if each is not None}
    fields = [(name, each) for name, each in shape.visible.items() if name not in ids and name not in counted]
    return [
        (label(name), address.url([*address.without("facets"), ("facets", ",".join([*counted, name]))]))
        for name, each in fields
        if each.item.kind.is_scalar
    ]


def counted_columns(shape: Shape, facets: Mapping[str, Any]) -> list[Column]:
    """Return a column for each field that is counted."""
    return [Column(name, field) for name in facets if (field := find_value(shape, name)) is not None]


def facets_of(shape: Shape, address: Address, facets: Mapping[str, Any], names: Names) -> list[Facet]:
    """Return the counts that a list answered.

    :param names: those of the documents that are counted by the references to them.
    """
    return [_facet(each, address, facets, names) for each in counted_columns(shape, facets)]


def _facet(column: Column, address: Address, facets: Mapping[str, Any], names: Names) -> Facet:
    left = ",".join(each for each in facets if each != column.name)
    without = address.url([*address.without("facets"), *([("facets", left)] if left else [])])
    values = [_count(column, each, address, names) for each in facets[column.name]]
    return Facet(label(column.name), values, without)


def _count(column: Column, told: Mapping[str, Any], address: Address, names: Names) -> Count:
    value = told["value"]
    link = column.field.link
    text = "true" if value is True else "false" if value is False else str(value)
    shown = text_of(value)
    if link is not None:
        shown = names.get((link.shape.model, text), (shown, ""))[0]
    parameter = (f"{column.name}__exists", "false") if value is None else (column.name, text)
    return Count(shown or "not set", told["count"], address.url([*address.without(column.name), parameter]))

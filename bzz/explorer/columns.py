"""Which fields a list shows, and in which order: by the shape of the model alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from bzz.shape import Field, Shape
from bzz.shape.values import find_value

__all__ = ["Column", "columns_of", "display_field"]

MAX_COLUMNS = 8

NAMES = ("name", "title", "label", "subject", "username", "email", "code")
"""What people know a document by, in the order in which it is looked for."""

_NUMBERS = ("integer", "float", "decimal")
_LAST = ("list", "map", "any", "binary", "embedded", "any_embedded")


@dataclass(frozen=True)
class Column:
    """One column of a list.

    :param name: the dotted name of the field.
    :param is_id: whether its value is the id in the URL of the row.
    """

    name: str
    field: Field
    is_id: bool = False

    @cached_property
    def is_plain(self) -> bool:
        """Whether the texts of its values are shown as they are."""
        return "." not in self.name and self.field.link is None and self.field.kind.name != "datetime"

    @cached_property
    def is_number(self) -> bool:
        """Whether its values stand at the right."""
        return self.field.kind.name in _NUMBERS

    @cached_property
    def is_sortable(self) -> bool:
        """Whether a list can be sorted by it."""
        return self.field.kind.is_scalar and "." not in self.name


@lru_cache(256)
def columns_of(shape: Shape, fields: tuple[str, ...] | None = None) -> tuple[Column, ...]:
    """Return the columns of a list: what people know a document by, and then the others as declared.

    An id that means nothing to people is among the others.

    :param fields: the dotted names that ``fields=`` asks for; None for those that fit on a page.
    """
    own_id = None if shape.url_id is None else shape.url_id.name
    if fields is not None:
        named = ((name, find_value(shape, name)) for name in dict.fromkeys((*filter(None, [own_id]), *fields)))
        return tuple(Column(name, field, name == own_id) for name, field in named if field is not None)
    best = display_field(shape)
    visible = list(shape.visible.items())

    def rank(item: tuple[str, Field]) -> int:
        name, field = item
        if name == own_id and (best is None or field.kind.name != "id"):
            return 0
        if best is not None and name == best.name:
            return 1
        return 3 if field.kind.name in _LAST or name == own_id else 2

    chosen = sorted(visible, key=rank)[:MAX_COLUMNS]
    return tuple(Column(name, field, name == own_id) for name, field in chosen)


@lru_cache(256)
def display_field(shape: Shape) -> Field | None:
    """Return the field by whose value people know a document; None where only the id tells."""
    texts = {name: each for name, each in shape.visible.items() if each.kind.name == "string"}
    for name in NAMES:
        if name in texts:
            return texts[name]
    own = {each.name for each in (shape.pk, shape.url_id) if each is not None}
    return next((each for name, each in texts.items() if each.required and name not in own), None)

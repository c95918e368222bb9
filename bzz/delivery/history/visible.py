"""What the routes of a model show of a change: nothing that GET of the document would not show, by any name.

Names in a diff are dotted: of fields, of fields in embedded documents, and of positions in lists of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bzz.change import Diff
from bzz.model.handler import ModelHandler
from bzz.providers.hidden import without_hidden
from bzz.providers.rules import UNRESTRICTED, has_read_rule
from bzz.shape import Field, Shape
from bzz.shape.types import TAG
from bzz.shape.walk import filtered

__all__ = ["Way", "of_user", "shown", "way_to"]


@dataclass(frozen=True)
class Way:
    """The way to a name in a document.

    :param parts: of the name; positions in lists are integers.
    :param fields: the declared fields on the way, the last of which it leads to.
    """

    parts: tuple[str | int, ...]
    fields: tuple[Field, ...]

    @property
    def to_list(self) -> int | None:
        """How many parts lead to the first list; None if there is none on the way."""
        return next((number for number, part in enumerate(self.parts) if isinstance(part, int)), None)


def way_to(shape: Shape, dotted: str) -> Way | None:
    """Return the way to a name; None where it leads through anything that these routes do not know, or hide.

    >>> from bzz.shape.scalars import StringKind
    >>> way_to(Shape("User", object, {"pin": Field("pin", StringKind(), hidden=True)}), "pin") is None
    True
    """
    parts: list[str | int] = []
    fields: list[Field] = []
    at: Field | None = None
    shapes: Sequence[Shape] = (shape,)
    for part in dotted.split("."):
        if at is not None and at.is_list and part.isdigit():
            parts.append(int(part))
            at = at.item
        else:
            at = _known_of(shapes, part)
            if at is None:
                return None
            parts.append(part)
            fields.append(at)
        shapes = [each for each in at.kind.leads_to() if each.embedded]
    return Way(tuple(parts), tuple(fields))


def shown(shape: Shape, diff: Diff) -> Diff:
    """Return what these routes show of a diff, inside its values too: less than that if other routes hide more.

    Of fields that only some users may see, the shape knows whether the one who asks may.
    """
    visible: Diff = {}
    for name, pair in without_hidden(shape.model, diff, has_read_rule).items():
        if name == TAG:
            visible[name] = pair
            continue
        way = way_to(shape, name)
        if way is None:
            continue
        sides = {side: filtered(way.fields[-1], value, _keeps) for side, value in pair.items()}
        if sides["from"] != sides["to"] or diff[name]["from"] == diff[name]["to"]:
            visible[name] = sides
    return visible


def of_user(handler: ModelHandler, diff: Diff) -> Diff:
    """Return a diff without the names that the rules of its model keep from who sent a request."""
    if handler.resource.restricted is None or handler.resource.restrictions == UNRESTRICTED:
        return diff
    shape, whole = handler.provider.shape, handler.resource.restricted(UNRESTRICTED).shape
    return {name: each for name, each in diff.items() if way_to(shape, name) or not way_to(whole, name)}


def _keeps(owner: Field, key: str | int) -> bool:
    """Whether a part of a value stays: neither a position in a list nor the key of a map is a name."""
    is_document = owner.item is owner
    return not is_document or key == TAG or _known_of(owner.kind.leads_to(), str(key)) is not None


def _known_of(shapes: Sequence[Shape], name: str) -> Field | None:
    """Return the field of a name in documents of any of these shapes, none of which may hide it."""
    found = [(each.fields.get(name) or each.fields_below.get(name), each) for each in shapes]
    if any(field is not None and field.hidden for field, _ in found):
        return None
    known = (shape.undeclared(name) if field is None else shape.known(name, written=True) for field, shape in found)
    return next((each for each in known if each is not None), None)

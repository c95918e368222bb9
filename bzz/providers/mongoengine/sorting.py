"""Items of sorted lists that are edited at their own paths: they move to their place."""

from __future__ import annotations

from typing import NamedTuple

import mongoengine as me

from bzz.errors import Invalid
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.compare_and_set import Edit
from bzz.providers.mongoengine.located import Located
from bzz.providers.mongoengine.raw import MISSING, Raw, differ, get_at, put_at

__all__ = ["Move", "moved"]


class Move(NamedTuple):
    """An edit of an item, and the position that it has afterwards."""

    edit: Edit
    position: int


def moved(located: Located, raw: Raw, after: Raw) -> Move | None:
    """Return the edit that leaves ``after`` in the place of an item whose position changes with it.

    :returns: None if its position stays, or if it is no item of a sorted list.
    :raises bzz.errors.Invalid: if ``after`` has no value to be sorted by.
    """
    subdocument = located.find_again(raw)
    if not subdocument.in_list:
        return None
    holder, name = located.holder(raw)
    field = holder.codec.fields[name]
    if not isinstance(field.source, me.SortedListField) or not _sorts_anew(field, subdocument.raw, after):
        return None
    where, _, position = subdocument.where.rpartition(".")
    items = list(get_at(raw, where))
    items[int(position)] = after
    try:
        ordered = field.sorted(items)
    except ValueError as error:
        raise Invalid({"*": [str(error)]}) from None
    place = next(at for at, each in enumerate(ordered) if each is after)
    if place == int(position):
        return None
    rests_on = [*located.identities(raw), where]
    return Move(Edit(lambda root: put_at(root, where, ordered), {"$set": {where: ordered}}, rests_on), place)


def _sorts_anew(field: FieldCodec, before: Raw, after: Raw) -> bool:
    """Whether the value that an item is sorted by is another one."""
    key, _ = internals.item_order(field.source)
    return key is not None and differ(before.get(key, MISSING), after.get(key, MISSING))

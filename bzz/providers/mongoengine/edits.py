"""Edits to one field inside a document: items pushed and taken out, references linked and unlinked, properties set.

Each is a function ``(field, value, where) -> (value, change)``: given what the field holds, what it will hold and the
MongoDB update that makes it so. :func:`at` turns one into the edit of a whole document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

import mongoengine as me

from bzz.errors import Conflict, Invalid, NotFound
from bzz.providers.base import Step
from bzz.providers.compare_and_set import Conditions
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.references import ReferenceCodec, reference_key
from bzz.providers.mongoengine.conditional_writes import Edit
from bzz.providers.mongoengine.located import Located, Subdocument, find_item, linked_keys
from bzz.providers.mongoengine.raw import MISSING, Raw, differ
from bzz.providers.mongoengine.updates import MAX_REMOVAL_DEPTH, applied, assignments, get_at, put_at, removal

__all__ = ["Alteration", "add_links", "at", "attach", "pull_link", "push", "remove", "replace", "unset"]

Alteration = Callable[[FieldCodec, Any, str], "tuple[Any, Raw]"]


def replace(located: Located, raw: Raw, after: Raw, *, whole: bool) -> tuple[Edit, Located]:
    """Return the edit that leaves ``after`` in the place of the (embedded) document at ``located``.

    An item of a sorted list moves to its place there.

    :param whole: whether the edit rests on the whole document, and not only on what is changed.
    :returns: the edit, and where the document is afterwards.
    """
    move = _moved(located, raw, after)
    if move is not None:
        return move[0], located.at_position(move[1])
    subdocument = located.find_again(raw)
    change = assignments(subdocument.raw, after)
    placed = {
        operator: {subdocument.below(key): value for key, value in keys.items()} for operator, keys in change.items()
    }
    item = located.last_item(raw)
    if item is not None:
        rests_on: Collection[str] | None = [*located.identities(raw), item.where]
    elif whole:
        rests_on = None
    else:
        rests_on = {key.partition(".")[0] for keys in placed.values() for key in keys}
    return Edit(lambda root: applied(root, placed), placed, rests_on), located


def at(located: Located, step: Step, alter: Alteration) -> Callable[[Raw], Edit]:
    """Return the edit of a document that alters one field of the (embedded) document at ``located``."""

    def make(raw: Raw) -> Edit:
        subdocument = located.find_again(raw)
        field = subdocument.field(step)
        where = subdocument.below(field.stored)
        before = subdocument.raw.get(field.stored)
        value, change = alter(field, before, where)
        if change:
            field.require(value, before)
        rests_on = [*located.identities(raw), where]
        if subdocument.where and field.stored not in subdocument.raw:
            rests_on.append(
                subdocument.where
            )  # else the write could bring back an embedded document that was just removed
        after = MISSING if value is None else value
        return Edit(lambda root: put_at(root, where, after), change, rests_on)

    return make


def push(item: Raw) -> Alteration:
    """Add an embedded document to a list; 409 where its id is there already."""

    def alter(field: FieldCodec, value: Any, where: str) -> tuple[Any, Raw]:
        items = value if isinstance(value, list) else []
        assert field.item is not None
        codec = field.item.target(item)
        if codec.key_of(item) is not None:
            _refuse_twin(field, items, codec.key_of(item))
        after = _sorted(field, [*items, item])
        if not isinstance(value, list) or after[-1] is not item:
            return after, {"$set": {where: after}}
        return after, {"$push": {where: item}}

    return alter


def _sorted(field: FieldCodec, items: list[Any]) -> list[Any]:
    try:
        return field.sorted(items)
    except ValueError as error:
        raise Invalid({field.name: [str(error)]}) from None


def _refuse_twin(field: FieldCodec, items: list[Any], key: Any) -> None:
    try:
        find_item(field, items, key)
    except NotFound:
        return
    raise Conflict("An item with this id is there already.")


def attach(item: Any, in_place_of: Any = None) -> Alteration:
    """Fill a single property; 409 where it is occupied by anything else.

    :param in_place_of: a stored reference that may be replaced, for it leads nowhere.
    """

    def alter(field: FieldCodec, value: Any, where: str) -> tuple[Any, Raw]:
        if isinstance(field, ReferenceCodec) and value is not None and reference_key(value) == reference_key(item):
            return value, {}  # linking twice is linking once
        if value is not None and value != in_place_of:
            raise Conflict("Something is there already; delete it first.")
        return item, {"$set": {where: item}}

    return alter


def remove(located: Located, conditions: Conditions) -> Callable[[Raw], Edit]:
    """Return the edit that takes the embedded document at the end of ``located`` away: exactly this one.

    It rests on that document alone, so that it holds neither the list nor what else is in it.
    """

    def make(raw: Raw) -> Edit:
        subdocument = located.find_again(raw)
        located.require(conditions, subdocument.record)
        left = _without(raw, subdocument)
        _judge_rest(located, raw, left)
        change, touched = _removal(subdocument, raw, left)
        return Edit(lambda root: _without(root, subdocument), change, [*located.identities(raw), touched])

    return make


def _removal(subdocument: Subdocument, raw: Raw, left: Raw) -> tuple[Any, str]:
    """Return the update that removes what is at ``subdocument``, and the path that it touches."""
    if not subdocument.in_list:
        return {"$unset": {subdocument.where: ""}}, subdocument.where
    if subdocument.where.count(".") <= MAX_REMOVAL_DEPTH:
        return removal(raw, subdocument.where), subdocument.where
    listed = subdocument.where.rpartition(".")[0]
    return {"$set": {listed: get_at(left, listed)}}, listed


def _judge_rest(located: Located, raw: Raw, after: Raw) -> None:
    """Let the model judge what a removal leaves of the list or single property."""
    holder, name = located.holder(raw)
    field = holder.codec.fields[name]
    left = get_at(after, holder.below(field.stored))
    field.require(None if left is MISSING else left, holder.raw[field.stored])


def _without(root: Raw, subdocument: Subdocument) -> Raw:
    """Return a copy of a root document without the embedded document at ``subdocument``."""
    if not subdocument.in_list:
        return cast("Raw", put_at(root, subdocument.where, MISSING))
    where, _, position = subdocument.where.rpartition(".")
    items = list(get_at(root, where))
    del items[int(position)]
    return cast("Raw", put_at(root, where, items))


def unset() -> Alteration:
    """Empty a single reference; 404 where it is empty."""

    def alter(field: FieldCodec, value: Any, where: str) -> tuple[Any, Raw]:
        if value is None:
            raise NotFound()
        return None, {"$unset": {where: ""}}

    return alter


def add_links(references: Sequence[Any]) -> Alteration:
    """Add stored references to a list; those that are there already stay as they are."""

    def alter(field: FieldCodec, value: Any, where: str) -> tuple[Any, Raw]:
        held = value if isinstance(value, list) else []
        known = linked_keys(held)
        new = [each for each in references if reference_key(each) not in known]
        if not new:
            return value, {}
        after = _sorted(field, [*held, *new])
        if not isinstance(value, list) or after[len(held) :] != new:
            return after, {"$set": {where: after}}
        return after, {"$addToSet": {where: {"$each": new}}}

    return alter


def pull_link(key: Any) -> Alteration:
    """Take a reference out of a list, by the raw primary key that it holds."""

    def alter(field: FieldCodec, value: Any, where: str) -> tuple[Any, Raw]:
        gone = [each for each in value or () if reference_key(each) == key]
        if not gone:
            raise NotFound()
        return [each for each in value if reference_key(each) != key], {"$pull": {where: {"$in": gone}}}

    return alter


# -- sorted lists


def _moved(located: Located, raw: Raw, after: Raw) -> tuple[Edit, int] | None:
    """Return the edit of an item of a sorted list whose position changes with it, and that position.

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
    return Edit(lambda root: put_at(root, where, ordered), {"$set": {where: ordered}}, rests_on), place


def _sorts_anew(field: FieldCodec, before: Raw, after: Raw) -> bool:
    """Return whether the value that an item is sorted by is another one."""
    key, _ = internals.item_order(field.source)
    return key is not None and differ(before.get(key, MISSING), after.get(key, MISSING))

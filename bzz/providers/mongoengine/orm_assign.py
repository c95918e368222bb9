"""Setting attributes of an instance so that MongoEngine saves exactly what an update has changed.

An embedded document is changed inside, so that it knows in its ``clean()`` which of its fields have changed.
"""

from __future__ import annotations

from typing import Any

import mongoengine as me

from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.declared import overrides
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.instance import documents_in, unset_in
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.updates import assignments

__all__ = ["assign", "changed_keys", "saved_attribute"]


def changed_keys(before: Raw, after: Raw) -> set[str]:
    """Return the stored keys in which two raw documents differ."""
    return {key for keys in assignments(before, after).values() for key in keys}


def assign(instance: Any, field: FieldCodec, before: Any, after: Any) -> None:
    """Set an attribute so that this very value is saved: MongoEngine makes None the default, and takes True for 1.

    :param before: what is stored.
    :param after: what is to be stored.
    """
    name = field.declared.name
    known = internals.values(instance).get(name)
    if _assign_inside(known, field, before, after):
        return
    if after is None:
        internals.values(instance)[name] = None
    else:
        attribute = _as_stored(saved_attribute(field, after))
        setattr(instance, name, _with_known(attribute, known, field, before, after))
    internals.mark_changed(instance, name)


def saved_attribute(field: FieldCodec, value: Any) -> Any:
    """Return what an attribute holds for the class's own hooks: its references can be followed."""
    loaded = field.to_saved_attribute(value)
    for document in documents_in(loaded):
        internals.take_fields(document)
    return loaded


def _assign_inside(attribute: Any, field: FieldCodec, before: Any, after: Any) -> bool:
    """Change embedded documents inside, if the same ones are there before and after; return whether they are."""
    item = field.item
    if item is None:
        item, beside = field, [(attribute, before, after)]
    else:
        places = [_places(item, each) for each in (before, after)]
        if places[0] is None or places[1] is None or list(places[0]) != list(places[1]):
            return False
        beside = [(_at(attribute, at), before[at], after[at]) for at in places[0].values()]
    if not all(_can_assign(item, *each) for each in beside):
        return False
    for each in beside:
        _assign_inner(item, *each)
    return True


def _places(item: FieldCodec, held: Any) -> dict[Any, Any] | None:
    """Return where in a list or map each item is, by what tells it from its neighbours; None where nothing does."""
    if isinstance(held, dict):
        return {key: key for key in held}
    if not isinstance(held, list):
        return None
    try:
        places = {item.identity(each): at for at, each in enumerate(held)}
    except TypeError:  # others have stored a list or an object for an id
        return None
    return None if None in places or len(places) < len(held) else places


def _at(held: Any, at: Any) -> Any:
    """Return what an attribute holds at a place of what is stored; None where it is of another form."""
    try:
        return held[at]
    except (LookupError, TypeError):
        return None


def _with_known(attribute: Any, known: Any, field: FieldCodec, before: Any, after: Any) -> Any:
    """Return a list or map that is written whole with those documents, changed inside, that were in it before."""
    if field.item is None or type(before) is not type(after):
        return attribute
    old, new = _places(field.item, before) or {}, _places(field.item, after) or {}
    for key in old.keys() & new.keys():
        document, was, now = _at(known, old[key]), before[old[key]], after[new[key]]
        if _can_assign(field.item, document, was, now):
            _assign_inner(field.item, _as_stored(document), was, now)
            attribute[new[key]] = document
    return attribute


def _can_assign(field: FieldCodec, embedded: Any, before: Any, after: Any) -> bool:
    if not isinstance(embedded, me.EmbeddedDocument) or field.target_of(before) is not field.target_of(after):
        return False
    target = field.target_of(after)
    if target is None or target.model is not type(embedded):
        return False
    return bool(changed_keys(before, after) <= target.by_stored.keys())


def _assign_inner(field: FieldCodec, embedded: Any, before: Raw, after: Raw) -> None:
    target = field.target_of(after)
    for stored in changed_keys(before, after):
        assign(embedded, target.by_stored[stored], before.get(stored), after.get(stored))


def _as_stored(attribute: Any) -> Any:
    """Take back the defaults of embedded documents that are written whole: what is unset in them stays so."""
    for document in documents_in(attribute):
        if not overrides(type(document), "__init__"):
            values = internals.values(document)
            values.update(dict.fromkeys(unset_in(document)))
    return attribute

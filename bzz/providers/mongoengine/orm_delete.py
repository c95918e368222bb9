"""Deleting through MongoEngine, but only what was read, and knowing what was found.

``Document.delete`` takes no condition and does not tell how many documents it removed: an instance that is about to be
deleted gets a way of its own to remove the document, by the condition. What ``save`` and ``update`` of the instance
write, which the model's own code may call before, is conditional in the same way.

The order differs from MongoEngine's own, which applies the rules before it removes the document: here the document goes
first, and the rules are applied only once it is gone, so a delete that came too late has done nothing at all. What
refuses a delete (DENY, also of a document that would be deleted in cascade) is asked before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mongoengine as me
from mongoengine.context_managers import set_write_concern
from mongoengine.errors import SaveConditionError
from mongoengine.queryset import OperationError

from bzz.providers.mongoengine import internals, queryset_internals
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.updates import unchanged

__all__ = ["Outrun", "delete_unchanged"]


class Outrun(Exception):
    """What is stored is not what was read. It leaves the model's own ``delete()``, whose end must not be reached."""


def delete_unchanged(instance: Any, before: Raw, *, in_any_state: bool = False, scope: Raw | None = None) -> Raw | None:
    """Call ``delete()`` of an instance; what it removes must be what was read.

    An own ``delete()`` and receivers of ``pre_delete`` may save or update the instance first. An own ``delete()`` that
    never gets to MongoEngine's is taken at its word.

    :param before: the document as it was read.
    :param in_any_state: whether the document is removed whatever has become of it.
    :param scope: a query that it has to match even then.
    :returns: what was removed; None where something else is stored, or nothing.
    """
    removal = _Removal(instance, before, in_any_state, scope or {})
    queryset_internals.write_by(instance, removal.remove, removal.update)
    instance.__dict__["save"] = removal.save
    try:
        instance.delete()
    except Outrun:
        return None
    return removal.outcome()


class _Removal:
    """The removal of one document: its condition, and what became of it."""

    def __init__(self, instance: Any, before: Raw, in_any_state: bool, scope: Raw) -> None:
        self._in_any_state = in_any_state
        self._scope = scope
        self._instance = instance
        self._known = before
        self._loaded = instance.to_mongo()
        self._is_saved = False
        self._is_reached = False
        self._gone: Raw | None = None

    def remove(self, query: Raw, write_concern: dict[str, Any]) -> int:
        """Remove the document, then apply the rules of those that refer to it.

        :raises Outrun: where it is not what was read.
        """
        instance, self._is_reached = self._instance, True
        _require_allowed(type(instance), [instance], {(type(instance), instance.pk)})
        with set_write_concern(internals.collection(instance), write_concern) as collection:
            if self._in_any_state:
                self._gone = collection.find_one_and_delete({"$and": [query, self._scope]})
            elif collection.delete_one({"$and": [query, self._condition()]}).deleted_count:
                self._gone = self._known
        if self._gone is None:
            raise Outrun
        _apply_rules(instance, write_concern)
        return 1

    def save(self, *args: Any, **options: Any) -> Any:
        """Save the instance, as the model's own code asks for it, if what is stored is what was read.

        MongoEngine's own would store anew a document that is gone.

        :raises Outrun: where it is not.
        """
        try:
            condition = {"save_condition": {"__raw__": self._condition()}}
            saved = type(self._instance).save(self._instance, *args, **{**condition, **options})
        except SaveConditionError:
            self._is_reached = True
            raise Outrun from None
        self._note_saved()
        return saved

    def update(self, update_if: Callable[[Raw], int]) -> int:
        """Update the document, as the model's own code asks for it, if what is stored is what was read.

        Afterwards the instance no longer knows what is stored.

        :raises Outrun: where it is not.
        """
        updated = update_if(self._condition())
        self._is_reached, self._in_any_state = self._is_reached or updated == 0, True
        if updated == 0:
            raise Outrun
        return updated

    def _note_saved(self) -> None:
        now, loaded = self._instance.to_mongo(), self._loaded
        own = {key for key in {*now, *loaded} if now.get(key) != loaded.get(key)}
        kept = {key: each for key, each in self._known.items() if key not in own}
        self._known = {**kept, **{key: now[key] for key in own if key in now}}
        self._loaded, self._is_saved = now, True

    def _condition(self) -> Raw:
        """That what is stored is what was read, or what the instance has saved since."""
        if self._in_any_state:
            return self._scope
        return unchanged(self._known, self._known if self._is_saved else None)  # a save may leave another order of keys

    def outcome(self) -> Raw | None:
        """Return what was removed; None if it was something else than was read, and ``delete()`` did not raise."""
        return self._gone if self._is_reached else self._known


def _require_allowed(model: Any, documents: list[Any], seen: set[Any]) -> None:
    """Raise where a DENY rule forbids to delete these documents, or those that would be deleted in cascade.

    :raises OperationError: as MongoEngine itself does.
    """
    for referring, field, rule in internals.delete_rules(model):
        found = referring.objects(**{f"{field}__in": documents})
        if rule == me.DENY and found.limit(1).count():
            raise OperationError(f"Could not delete document ({referring.__name__}.{field} refers to it)")
        if rule == me.CASCADE and internals.meta(referring).get("delete_rules"):
            more = [each for each in found.only(internals.id_field(referring)) if (referring, each.pk) not in seen]
            seen |= {(referring, each.pk) for each in more}
            if more:
                _require_allowed(referring, more, seen)


def _apply_rules(instance: Any, write_concern: dict[str, Any]) -> None:
    """Do to what refers to a document that is gone what its rules say."""
    for referring, field, rule in internals.delete_rules(type(instance)):
        found = referring.objects(**{f"{field}__in": [instance]})
        if rule == me.CASCADE:
            found.delete(write_concern=write_concern)
        elif rule == me.NULLIFY:
            found.update(write_concern=write_concern, **{f"unset__{field}": 1})
        elif rule == me.PULL:
            found.update(write_concern=write_concern, **{f"pull_all__{field}": [instance]})

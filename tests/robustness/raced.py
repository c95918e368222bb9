"""Models whose documents MongoEngine deletes, each for another reason, and one with exclusive transitions."""

from __future__ import annotations

from typing import Any

import mongoengine as me

import bzz
from bzz.errors import Conflict
from bzz.signals import pre_update_instance

__all__ = ["DELETED", "ISSUES", "MODELS", "Ruled", "RuledPart", "listen", "stop"]


class Owned(me.Document):
    """Has a ``delete()`` of its own."""

    number = me.IntField()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return super().delete(*args, **kwargs)


class SavedBefore(me.Document):
    """Its own ``delete()`` saves the document first."""

    number = me.IntField()
    ending = me.BooleanField()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        self.ending = True
        self.save()
        return super().delete(*args, **kwargs)


class Updating(me.Document):
    """Its own ``delete()`` updates the document first, to another state each time."""

    number = me.IntField()
    tries = me.IntField()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        self.update(inc__tries=1)
        return super().delete(*args, **kwargs)


class Heard(me.Document):
    """A receiver of MongoEngine's ``pre_delete`` listens to it."""

    number = me.IntField()


class Ruled(me.Document):
    """Others refer to it by a rule."""

    number = me.IntField()


class RuledPart(me.Document):
    ruled = me.ReferenceField(Ruled, reverse_delete_rule=me.CASCADE)


class Issue(me.Document):
    """An open issue is taken once, by one."""

    status = me.StringField(default="open")


class SavedIssue(me.Document):
    """As an issue, but saved by MongoEngine."""

    status = me.StringField(default="open")

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


class AskedIssue(me.Document):
    """As an issue, but watched by a receiver of a signal."""

    status = me.StringField(default="open")


DELETED = [Owned, SavedBefore, Updating, Heard, Ruled]
ISSUES = [Issue, SavedIssue, AskedIssue]
MODELS = [*DELETED, RuledPart, *ISSUES]


def listen() -> None:
    """Connect what listens to these models; it stays connected."""
    me.signals.pre_delete.connect(_look_on, sender=Heard)
    pre_update_instance.connect(_refuse_what_is_taken, sender=AskedIssue)
    for model in (Issue, SavedIssue):
        bzz.on(f"{model.__name__}.updating.status")(_refuse)


def stop() -> None:
    """Undo :func:`listen`."""
    me.signals.pre_delete.disconnect(_look_on, sender=Heard)
    pre_update_instance.disconnect(_refuse_what_is_taken, sender=AskedIssue)
    bzz.off(_refuse)


def _look_on(sender: Any, document: Any, **kwargs: Any) -> None:
    """Do nothing: that somebody listens is enough."""


async def _refuse(event: Any) -> None:
    if event.old != "open":
        raise Conflict("It is taken.")


async def _refuse_what_is_taken(sender: Any, handler: Any) -> None:
    if (await handler.stored()).status != "open":
        raise Conflict("It is taken.")

"""The models that the harnesses write to: one is written by the driver, one is saved by MongoEngine.

MongoEngine finds classes by their names, so no other test has any of these.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import mongoengine as me

__all__ = ["KEYED", "MODELS", "Dwelling", "Jotting", "KeyedPlain", "KeyedSaving", "Plain", "Saving"]


class Dwelling(me.EmbeddedDocument):
    city = me.StringField()
    zip = me.StringField(max_length=5)


class Jotting(me.EmbeddedDocument):
    id = me.UUIDField(default=uuid.uuid4, primary_key=True)
    text = me.StringField()


class _Written(me.Document):
    """What both have.

    :cvar token: the client's own name for it, by which it is found where no answer told its id.
    """

    meta: ClassVar[dict[str, Any]] = {"abstract": True}
    token = me.StringField(unique=True, required=True)
    run = me.StringField()
    text = me.StringField()
    age = me.IntField(min_value=0)
    tags = me.ListField(me.StringField())
    home = me.EmbeddedDocumentField(Dwelling)
    notes = me.ListField(me.EmbeddedDocumentField(Jotting))
    extra = me.DictField()


class Plain(_Written):
    """Plain: written by the asynchronous driver."""

    friend = me.ReferenceField("Plain")
    friends = me.ListField(me.ReferenceField("Plain"))


class Saving(_Written):
    """Brings a ``save`` and a ``delete`` of its own: written by MongoEngine in a worker thread."""

    friend = me.ReferenceField("Saving")
    friends = me.ListField(me.ReferenceField("Saving"))

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return super().delete(*args, **kwargs)


MODELS = {"plain": Plain, "saving": Saving}
"""By the name that their routes have."""


class KeyedPlain(me.Document):
    """Posted with keys: nothing but these keeps a second document of one token out."""

    token = me.StringField(required=True)


class KeyedSaving(me.Document):
    """The same, written by MongoEngine in a worker thread."""

    token = me.StringField(required=True)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


KEYED = {"keyed_plain": KeyedPlain, "keyed_saving": KeyedSaving}
"""By the name that their routes have."""

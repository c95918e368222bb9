"""The models that the harnesses write to: one is written by the driver, one is saved by MongoEngine."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import mongoengine as me

__all__ = ["MODELS", "Account", "Home", "Note", "Person"]


class Home(me.EmbeddedDocument):
    city = me.StringField()
    zip = me.StringField(max_length=5)


class Note(me.EmbeddedDocument):
    id = me.UUIDField(default=uuid.uuid4, primary_key=True)
    text = me.StringField()


class _Base(me.Document):
    """What both have.

    :cvar token: the client's own name for it, by which it is found where no answer told its id.
    """

    meta: ClassVar[dict[str, Any]] = {"abstract": True}
    token = me.StringField(unique=True, required=True)
    run = me.StringField()
    text = me.StringField()
    age = me.IntField(min_value=0)
    tags = me.ListField(me.StringField())
    home = me.EmbeddedDocumentField(Home)
    notes = me.ListField(me.EmbeddedDocumentField(Note))
    extra = me.DictField()


class Person(_Base):
    """Plain: written by the asynchronous driver."""

    friend = me.ReferenceField("Person")
    friends = me.ListField(me.ReferenceField("Person"))


class Account(_Base):
    """Brings a ``save`` and a ``delete`` of its own: written by MongoEngine in a worker thread."""

    friend = me.ReferenceField("Account")
    friends = me.ListField(me.ReferenceField("Account"))

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return super().delete(*args, **kwargs)


MODELS = {"person": Person, "account": Account}
"""By the name that their routes have."""

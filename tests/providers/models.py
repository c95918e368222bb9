"""The models of the contract as MongoEngine documents; some fields are stored under other names."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine as me

from bzz.testing.provider import Models

__all__ = ["BARE_MODELS", "MODELS", "SAVED_MODELS"]


class Residence(me.EmbeddedDocument):
    city = me.StringField(db_field="c", required=True)
    zip = me.StringField(max_length=5)


class Handset(me.EmbeddedDocument):
    label = me.StringField(db_field="l")
    number = me.IntField()
    secret = me.StringField()


class Answer(me.EmbeddedDocument):
    text = me.StringField(db_field="t")


class Memorandum(me.EmbeddedDocument):
    key = me.StringField(primary_key=True)
    text = me.StringField(db_field="t")
    secret = me.StringField()
    replies = me.ListField(me.EmbeddedDocumentField(Answer), db_field="r")


class Described(me.Document):
    """What a person is."""

    meta: ClassVar[dict[str, Any]] = {"abstract": True}
    name = me.StringField(db_field="n", required=True, unique=True)
    age = me.IntField(db_field="a", min_value=0)
    height = me.FloatField()
    active = me.BooleanField(default=True)
    born = me.DateTimeField()
    secret = me.StringField(db_field="s")
    tags = me.ListField(me.StringField())
    extra = me.DictField(db_field="x")
    home = me.EmbeddedDocumentField(Residence, db_field="h")
    phones = me.ListField(me.EmbeddedDocumentField(Handset), db_field="p")
    notes = me.EmbeddedDocumentListField(Memorandum)


class Citizen(Described):
    """Is written by the asynchronous driver."""


class SavedCitizen(Described):
    """Is written and deleted by MongoEngine itself."""

    def clean(self) -> None:
        """Nothing of its own."""

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return super().delete(*args, **kwargs)


class Guild(me.Document):
    code = me.StringField(primary_key=True)
    lead = me.ReferenceField(Citizen, db_field="l")
    members = me.ListField(me.ReferenceField(Citizen), db_field="m")


class SavedGuild(me.Document):
    code = me.StringField(primary_key=True)
    lead = me.ReferenceField(SavedCitizen)
    members = me.ListField(me.ReferenceField(SavedCitizen))

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


class Confidant(me.Document):
    """A request sees only those whose names begin with its context."""

    name = me.StringField()
    friend = me.ReferenceField("self")
    friends = me.ListField(me.ReferenceField("self"))

    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset if handler is None else queryset.filter(name__startswith=handler)

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        return queryset if handler is None else queryset.filter(name__startswith=handler)


class Subscriber(me.Document):
    """Has a password."""

    name = me.StringField(db_field="n")
    password = me.StringField(db_field="p", required=True)
    meta: ClassVar[dict[str, Any]] = {"bzz": {"write_only": ["password"]}}


class SavedSubscriber(me.Document):
    name = me.StringField()
    password = me.StringField(required=True)
    meta: ClassVar[dict[str, Any]] = {"bzz": {"write_only": ["password"]}}

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


class Loner(me.Document):
    """Has nothing of what a provider may lack."""

    name = me.StringField(required=True)
    age = me.IntField(min_value=0)
    height = me.FloatField()
    active = me.BooleanField(default=True)
    born = me.DateTimeField()
    secret = me.StringField()


class Component(me.EmbeddedDocument):
    meta: ClassVar[dict[str, Any]] = {"allow_inheritance": True}
    key = me.StringField(primary_key=True)
    label = me.StringField(db_field="l")


class Motor(Component):
    power = me.IntField(db_field="p")


class Conveyance(me.Document):
    meta: ClassVar[dict[str, Any]] = {"allow_inheritance": True}
    name = me.StringField(db_field="n")
    parts = me.ListField(me.EmbeddedDocumentField(Component), db_field="p")
    spare = me.EmbeddedDocumentField(Component)


class HeavyConveyance(Conveyance):
    axles = me.IntField(db_field="a", max_value=9)
    trailer = me.EmbeddedDocumentField(Component, db_field="t")


class SavedConveyance(me.Document):
    """Is written by MongoEngine itself."""

    meta: ClassVar[dict[str, Any]] = {"allow_inheritance": True}
    name = me.StringField()
    parts = me.ListField(me.EmbeddedDocumentField(Component))
    spare = me.EmbeddedDocumentField(Component)

    def clean(self) -> None:
        """Nothing of its own."""


class HeavySavedConveyance(SavedConveyance):
    axles = me.IntField(max_value=9)
    trailer = me.EmbeddedDocumentField(Component)


class Membership(me.Document):
    """Is named by its slug."""

    number = me.IntField(primary_key=True)
    slug = me.StringField(db_field="s", unique=True)
    sponsor = me.ReferenceField("self", db_field="b")
    peers = me.ListField(me.ReferenceField("self"), db_field="p")

    @staticmethod
    def get_id_field_name() -> str:
        return "slug"


class SavedMembership(me.Document):
    """Is named by its slug, and written by MongoEngine itself."""

    number = me.IntField(primary_key=True)
    slug = me.StringField(unique=True)
    sponsor = me.ReferenceField("self")
    peers = me.ListField(me.ReferenceField("self"))

    @staticmethod
    def get_id_field_name() -> str:
        return "slug"

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


MODELS = Models(person=Citizen, team=Guild, scoped=Confidant, vehicle=Conveyance, member=Membership, account=Subscriber)
SAVED_MODELS = Models(
    person=SavedCitizen, team=SavedGuild, scoped=Confidant, vehicle=SavedConveyance, member=SavedMembership,
    account=SavedSubscriber,
)  # fmt: skip
BARE_MODELS = Models(person=Loner)

"""The models of these tests: plain ones, one that overrides ``save``, one that nests itself, one with every field."""

from __future__ import annotations

import enum
import uuid
from typing import Any, ClassVar

import mongoengine as me


class Address(me.EmbeddedDocument):
    city = me.StringField(max_length=200)
    zip = me.StringField(db_field="z")
    secret = me.StringField()


class Note(me.EmbeddedDocument):
    """An embedded document with an id of its own."""

    id = me.UUIDField(default=uuid.uuid4, primary_key=True)
    text = me.StringField()


class Person(me.Document):
    """Plain: written by the asynchronous driver."""

    name = me.StringField()
    age = me.IntField()
    email = me.StringField(unique=True, sparse=True)
    address = me.EmbeddedDocumentField(Address)
    addresses = me.EmbeddedDocumentListField(Address)
    notes = me.ListField(me.EmbeddedDocumentField(Note))
    tags = me.ListField(me.StringField())
    extra = me.DictField()
    friend = me.ReferenceField("Person")
    friends = me.ListField(me.ReferenceField("Person"))
    password = me.StringField()


class Account(me.Document):
    """Brings a ``save`` of its own: written by MongoEngine in a worker thread."""

    name = me.StringField()
    age = me.IntField()
    email = me.StringField(unique=True, sparse=True)
    address = me.EmbeddedDocumentField(Address)
    addresses = me.EmbeddedDocumentListField(Address)
    notes = me.ListField(me.EmbeddedDocumentField(Note))
    tags = me.ListField(me.StringField())
    owner = me.ReferenceField(Person)
    friends = me.ListField(me.ReferenceField(Person))

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return super().delete(*args, **kwargs)


class Team(me.Document):
    name = me.StringField(required=True)
    members = me.ListField(me.ReferenceField(Person))
    lead = me.ReferenceField(Person)


class Labelled(me.Document):
    """Its id is text that the client chooses."""

    name = me.StringField(primary_key=True)
    size = me.IntField()


class Cog(me.EmbeddedDocument):
    """Holds itself, singly and in a list."""

    label = me.StringField()
    part = me.EmbeddedDocumentField("self")
    parts = me.ListField(me.EmbeddedDocumentField("self"))


class Machine(me.Document):
    part = me.EmbeddedDocumentField(Cog)
    parts = me.ListField(me.EmbeddedDocumentField(Cog))


class Animal(me.Document):
    meta: ClassVar[dict[str, Any]] = {"allow_inheritance": True}
    name = me.StringField()
    secret = me.StringField()


class Dog(Animal):
    tricks = me.ListField(me.StringField())


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


class Everything(me.Document):
    """Every field class that can be served."""

    string = me.StringField()
    limited = me.StringField(regex=r"[a-z]*", min_length=1, max_length=10)
    choice = me.StringField(choices=("a", "b"))
    url = me.URLField()
    email = me.EmailField()
    integer = me.IntField()
    bounded = me.IntField(min_value=0, max_value=10)
    float = me.FloatField()
    decimal = me.DecimalField()
    decimal_text = me.DecimalField(force_string=True, precision=10)
    decimal128 = me.Decimal128Field()
    boolean = me.BooleanField()
    datetime = me.DateTimeField()
    complex_datetime = me.ComplexDateTimeField()
    date = me.DateField()
    uuid = me.UUIDField(binary=True)
    uuid_text = me.UUIDField(binary=False)
    binary = me.BinaryField(max_bytes=100)
    object_id = me.ObjectIdField()
    colour = me.EnumField(Colour)
    size = me.EnumField(Size)
    embedded = me.EmbeddedDocumentField(Address)
    any_embedded = me.GenericEmbeddedDocumentField(choices=(Address, Note, Cog))
    reference = me.ReferenceField(Person)
    dbref = me.ReferenceField(Person, dbref=True)
    lazy = me.LazyReferenceField(Person)
    generic = me.GenericReferenceField(choices=(Person, Team))
    generic_lazy = me.GenericLazyReferenceField(choices=(Person, Team))
    strings = me.ListField(me.StringField())
    sorted = me.SortedListField(me.IntField())
    ordered = me.SortedListField(me.EmbeddedDocumentField(Address), ordering="city")
    embeddeds = me.EmbeddedDocumentListField(Address)
    matrix = me.ListField(me.ListField(me.FloatField()))
    anything = me.ListField()
    references = me.ListField(me.ReferenceField(Person))
    generics = me.ListField(me.GenericReferenceField(choices=(Person, Team)))
    map = me.MapField(me.IntField())
    map_embedded = me.MapField(me.EmbeddedDocumentField(Address))
    map_lists = me.MapField(me.ListField(me.DecimalField()))
    dict = me.DictField()
    dynamic = me.DynamicField()
    geo_point = me.GeoPointField()
    point = me.PointField()
    line = me.LineStringField()
    polygon = me.PolygonField()
    multi_point = me.MultiPointField()
    multi_line = me.MultiLineStringField()
    multi_polygon = me.MultiPolygonField()


class Copied(me.Document):
    """Copied into what refers to it; MongoEngine listens to it for that, and so saves it itself."""

    name = me.StringField()


class Cleaned(me.Document):
    """Brings a ``clean`` of its own, and the fields that ask the database while they are saved."""

    number = me.SequenceField()
    friend = me.CachedReferenceField(Copied, fields=["name"])
    any = me.DynamicField()
    decimal = me.DecimalField()
    embedded = me.EmbeddedDocumentField(Address)
    point = me.PointField()
    geo_point = me.GeoPointField()
    map = me.MapField(me.IntField())

    def clean(self) -> None:
        if self.any == "refused":
            raise me.ValidationError("refused", errors={"any": me.ValidationError("refused")})


class Scoped(me.Document):
    """Its hooks ask the database themselves."""

    name = me.StringField()
    age = me.IntField()

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        return queryset.filter(name__in=[each.name for each in queryset.limit(10)])

    @classmethod
    def get_instance_queryset(cls, model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset.filter(name__in=[each.name for each in queryset.limit(10)])


class Shown(me.Document):
    """Shows what it refers to."""

    name = me.StringField()
    age = me.IntField()
    friend = me.ReferenceField(Person)

    def to_dict(self) -> dict[str, Any]:
        return {"id": str(self.id), "friend": self.friend and self.friend.name, "people": Person.objects.count()}

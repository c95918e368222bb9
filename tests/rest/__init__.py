"""Documents of a seafaring application: every kind of nesting, and no name stored as it is declared."""

from __future__ import annotations

from typing import Any

import mongoengine as me

__all__ = ["Berth", "Cabin", "Engine", "Fleet", "Harbour", "Part", "Sailor", "Ship"]


class Harbour(me.Document):
    """Its primary key is a code, and its URL the same."""

    code = me.StringField(primary_key=True)
    name = me.StringField(db_field="n")


class Berth(me.EmbeddedDocument):
    """Has no id: a position names it."""

    label = me.StringField(db_field="l", max_length=10)
    deck = me.IntField(db_field="d")


class Cabin(me.EmbeddedDocument):
    """Has an id of its own."""

    code = me.StringField(primary_key=True)
    size = me.IntField(db_field="s", min_value=1)
    berths = me.ListField(me.EmbeddedDocumentField(Berth), db_field="b")
    steward = me.ReferenceField("Sailor", db_field="st")


class Part(me.EmbeddedDocument):
    """Holds parts of its own kind."""

    name = me.StringField(db_field="n", required=True)
    maker = me.ReferenceField(Harbour, db_field="m")
    inner = me.EmbeddedDocumentField("self", db_field="i")
    parts = me.ListField(me.EmbeddedDocumentField("self"), db_field="p")


class Engine(me.EmbeddedDocument):
    power = me.IntField(db_field="pw")
    fuel = me.StringField(db_field="f", default="oil")
    main = me.EmbeddedDocumentField(Part, db_field="m")
    parts = me.EmbeddedDocumentListField(Part, db_field="p")
    builders = me.ListField(me.ReferenceField(Harbour), db_field="bl")


class Sailor(me.Document):
    name = me.StringField(db_field="n", required=True)
    age = me.IntField(db_field="a")
    home = me.ReferenceField(Harbour, db_field="h")
    boss = me.ReferenceField("self", db_field="bo")
    friends = me.ListField(me.ReferenceField("self"), db_field="fr")


class Ship(me.Document):
    name = me.StringField(db_field="n", required=True, unique=True)
    tons = me.IntField(db_field="t")
    engine = me.EmbeddedDocumentField(Engine, db_field="e")
    cabins = me.ListField(me.EmbeddedDocumentField(Cabin), db_field="c")
    captain = me.ReferenceField(Sailor, db_field="cp")
    crew = me.ListField(me.ReferenceField(Sailor), db_field="cr")
    ports = me.ListField(me.ReferenceField(Harbour), db_field="po")
    tags = me.ListField(me.StringField(), db_field="tg")
    log = me.DictField(db_field="lg")


class Fleet(me.Document):
    name = me.StringField(db_field="n")
    flagship = me.ReferenceField(Ship, db_field="fs")
    ships = me.ListField(me.ReferenceField(Ship), db_field="sh")


def raw(document: Any) -> dict[str, Any]:
    """What MongoDB holds of a document now."""
    found: dict[str, Any] = type(document)._get_collection().find_one({"_id": document.pk})
    return found

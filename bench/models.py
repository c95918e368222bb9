"""The user as a MongoEngine document."""

from __future__ import annotations

import mongoengine as me

from bench.data import COLLECTION

__all__ = ["Address", "User"]


class Address(me.EmbeddedDocument):
    street = me.StringField(max_length=200)
    zip = me.StringField(max_length=20)
    country = me.StringField(max_length=60)


class User(me.Document):
    name = me.StringField(required=True, max_length=100)
    email = me.StringField(required=True, max_length=200)
    age = me.IntField(min_value=0, max_value=150)
    city = me.StringField(max_length=60)
    active = me.BooleanField(default=True)
    score = me.FloatField()
    joined = me.DateTimeField()
    tags = me.ListField(me.StringField(max_length=30))
    address = me.EmbeddedDocumentField(Address)

    meta = {"collection": COLLECTION, "indexes": ["city"]}  # noqa: RUF012  # as MongoEngine wants it

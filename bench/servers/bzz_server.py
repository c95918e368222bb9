"""bzz, as its README has it."""

from __future__ import annotations

import mongoengine as me
from tornado.web import Application

import bzz
from bench.data import COLLECTION
from bench.servers.setting import DATABASE, URI, run


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

    meta = {"collection": COLLECTION, "indexes": ["city"]}  # noqa: RUF012  # MongoEngine's own way


def make() -> Application:
    """The application: three lines."""
    me.connect(DATABASE, host=URI, uuidRepresentation="standard")
    return Application(bzz.ModelHive.routes_for("mongoengine", User))


if __name__ == "__main__":
    run(make)

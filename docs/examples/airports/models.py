"""What the demo stores: airports, the countries that they refer to, and airlines with every kind of nesting."""

from __future__ import annotations

import mongoengine as me


class Country(me.Document):
    """A country, by its ISO 3166 code."""

    code = me.StringField(primary_key=True, regex=r"[A-Z]{2}\Z")
    name = me.StringField(required=True)


class Airport(me.Document):
    """An airport, by its ICAO code; one without a city is refused."""

    icao = me.StringField(primary_key=True, regex=r"[A-Z0-9_]{4}\Z")
    iata = me.StringField(max_length=3)
    name = me.StringField(required=True)
    city = me.StringField(required=True)
    subdivision = me.StringField()
    country = me.ReferenceField(Country, required=True)
    elevation = me.FloatField()  # feet
    position = me.PointField(required=True)  # GeoJSON: longitude, latitude
    timezone = me.StringField()

    meta = {"indexes": ["country", "city", "elevation"]}  # noqa: RUF012  # MongoEngine reads it as it is


class Time(me.EmbeddedDocument):
    """When a flight goes; without an id, so its position in the list stands in the URL."""

    departs = me.StringField(required=True, regex=r"[0-2][0-9]:[0-5][0-9]\Z")
    arrives = me.StringField(required=True, regex=r"[0-2][0-9]:[0-5][0-9]\Z")
    days = me.ListField(me.IntField(min_value=1, max_value=7))  # ISO 8601: Monday is 1


class Route(me.EmbeddedDocument):
    """A flight between two airports, by its number."""

    flight = me.StringField(primary_key=True)
    origin = me.ReferenceField(Airport, required=True)
    destination = me.ReferenceField(Airport, required=True)
    times = me.EmbeddedDocumentListField(Time)


class Airline(me.Document):
    """An airline, by its ICAO code, with references (hubs) and embedded documents (routes)."""

    icao = me.StringField(primary_key=True, regex=r"[A-Z]{3}\Z")
    name = me.StringField(required=True)
    country = me.ReferenceField(Country, required=True)
    hubs = me.ListField(me.ReferenceField(Airport))
    routes = me.EmbeddedDocumentListField(Route)


class Loading(me.Document):
    """A finished load: that it is there tells the next start that nothing is left to do."""

    source = me.StringField(primary_key=True)
    stored = me.IntField(required=True)
    refused = me.IntField(required=True)


class Review(me.Document):
    """What somebody who signed in says of an airport."""

    airport = me.ReferenceField(Airport, required=True)
    text = me.StringField(required=True, max_length=200)
    by = me.StringField(required=True)  # from the session, not from the client

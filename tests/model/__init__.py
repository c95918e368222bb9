"""Shapes drawn by hand, with every kind of field and of nesting, for tests without an ORM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bzz.shape import Field, Kind, Shape


def no_rules(shape: Shape, values: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Stand in for a provider whose models have no rules."""
    return {}


def parse_even(text: str) -> int:
    """Stand in for a provider's ids: even numbers."""
    number = int(text)
    if number % 2 or str(number) != text:
        raise ValueError(text)
    return number


ID = Field("id", Kind.ID, parse=parse_even)
CODE = Field("code", Kind.STRING)
NUMBER = Field("id", Kind.INTEGER)

CITY = Shape("City", object, {"code": CODE, "mayor": Field("mayor", Kind.REFERENCE, target=lambda: USER)})
CITY.pk = CITY.url_id = CODE

ORDER = Shape("Order", object, {"id": NUMBER, "total": Field("total", Kind.DECIMAL)}, pk=NUMBER, url_id=NUMBER)

ADDRESS: Shape = Shape(
    "Address",
    object,
    {
        "street": Field("street", Kind.STRING),
        "zip": Field("zip", Kind.INTEGER),
        "secret": Field("secret", Kind.STRING, hidden=True),
        "verified": Field("verified", Kind.BOOLEAN, read_only=True),
        "city": Field("city", Kind.REFERENCE, target=lambda: CITY),
        "children": Field("children", Kind.LIST, item=Field("", Kind.EMBEDDED, target=lambda: ADDRESS)),
    },
    embedded=True,
)

PHONE_ID = Field("key", Kind.STRING)
PHONE = Shape(
    "Phone",
    object,
    {"key": PHONE_ID, "digits": Field("digits", Kind.STRING)},
    pk=PHONE_ID,
    url_id=PHONE_ID,
    embedded=True,
)


def many(name: str, item: Field) -> Field:
    """A list field."""
    return Field(name, Kind.LIST, item=item)


USER: Shape = Shape(
    "User",
    object,
    {
        each.name: each
        for each in (
            ID,
            Field("name", Kind.STRING),
            Field("age", Kind.INTEGER),
            Field("height", Kind.FLOAT),
            Field("balance", Kind.DECIMAL),
            Field("active", Kind.BOOLEAN),
            Field("born", Kind.DATE),
            Field("seen", Kind.DATETIME),
            Field("token", Kind.UUID),
            Field("photo", Kind.BINARY),
            Field("page", Kind.INTEGER),
            Field("password", Kind.STRING, hidden=True),
            Field("old_password", Kind.LIST, item=Field("", Kind.STRING), hidden=True),
            Field("created", Kind.DATETIME, read_only=True),
            Field("notes", Kind.ANY),
            Field("meta", Kind.MAP),
            Field("scores", Kind.MAP, item=Field("", Kind.INTEGER)),
            Field("where", Kind.GEO, geometry="Point"),
            Field("area", Kind.GEO, geometry="Polygon"),
            Field("grid", Kind.LIST, item=many("", Field("", Kind.INTEGER))),
            Field("bag", Kind.LIST),
            many("tags", Field("", Kind.STRING)),
            many("ranks", Field("", Kind.INTEGER)),
            Field("address", Kind.EMBEDDED, target=lambda: ADDRESS),
            many("addresses", Field("", Kind.EMBEDDED, target=lambda: ADDRESS)),
            Field("phone", Kind.EMBEDDED, target=lambda: PHONE),
            many("phones", Field("", Kind.EMBEDDED, target=lambda: PHONE)),
            Field("boss", Kind.REFERENCE, target=lambda: USER),
            Field("enemy", Kind.REFERENCE, target=lambda: USER, hidden=True),
            many("friends", Field("", Kind.REFERENCE, target=lambda: USER)),
            many("orders", Field("", Kind.REFERENCE, target=lambda: ORDER)),
            Field("home", Kind.REFERENCE, target=lambda: CITY),
            Field("thing", Kind.ANY_EMBEDDED, variants=lambda: {"Phone": PHONE, "Address": ADDRESS}),
            Field("link", Kind.ANY_REFERENCE, variants=lambda: {"City": CITY, "Order": ORDER}),
        )
    },
    pk=ID,
    url_id=ID,
)

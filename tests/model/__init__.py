"""Shapes drawn by hand, with every kind of field and of nesting, for tests without an ORM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bzz.shape import Field, Limits, Shape
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import AnyEmbeddedKind, AnyReferenceKind, EmbeddedKind, ReferenceKind
from bzz.shape.free import AnyKind
from bzz.shape.geo import GeoKind
from bzz.shape.scalars import BooleanKind, FloatKind, IdKind, IntegerKind, StringKind
from bzz.shape.texts import BinaryKind, DecimalKind, UUIDKind
from bzz.shape.times import DateKind, DateTimeKind

LIMITS = Limits(
    depth=32,
    decimal_digits=34,
    decimal_exponents=(-6143, 6144),
    allows_key=lambda key: key != "_cls" and key[0] != "$" and not {".", "\0"} & set(key),
)
"""As strict as those of a provider that ships with bzz."""


def no_rules(shape: Shape, values: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Stand in for a provider whose models have no rules."""
    return {}


def parse_even(text: str) -> int:
    """Stand in for a provider's ids: even numbers."""
    number = int(text)
    if number % 2 or str(number) != text:
        raise ValueError(text)
    return number


ID = Field("id", IdKind(parse_even))
CODE = Field("code", StringKind())
NUMBER = Field("id", IntegerKind())

CITY = Shape("City", object, {"code": CODE, "mayor": Field("mayor", ReferenceKind(lambda: USER))})
CITY.pk = CITY.url_id = CODE

ORDER = Shape("Order", object, {"id": NUMBER, "total": Field("total", DecimalKind(LIMITS))}, pk=NUMBER, url_id=NUMBER)

ADDRESS: Shape = Shape(
    "Address",
    object,
    {
        "street": Field("street", StringKind()),
        "zip": Field("zip", IntegerKind()),
        "secret": Field("secret", StringKind(), hidden=True),
        "verified": Field("verified", BooleanKind(), read_only=True),
        "city": Field("city", ReferenceKind(lambda: CITY)),
        "children": Field("children", ListKind(Field("", EmbeddedKind(lambda: ADDRESS)))),
    },
    embedded=True,
)

PHONE_ID = Field("key", StringKind())
PHONE = Shape(
    "Phone",
    object,
    {"key": PHONE_ID, "digits": Field("digits", StringKind())},
    pk=PHONE_ID,
    url_id=PHONE_ID,
    embedded=True,
)


def many(name: str, item: Field) -> Field:
    """A list field."""
    return Field(name, ListKind(item))


USER: Shape = Shape(
    "User",
    object,
    {
        each.name: each
        for each in (
            ID,
            Field("name", StringKind()),
            Field("age", IntegerKind()),
            Field("height", FloatKind()),
            Field("balance", DecimalKind(LIMITS)),
            Field("active", BooleanKind()),
            Field("born", DateKind()),
            Field("seen", DateTimeKind()),
            Field("token", UUIDKind()),
            Field("photo", BinaryKind()),
            Field("page", IntegerKind()),
            Field("password", StringKind(), hidden=True),
            Field("old_password", ListKind(Field("", StringKind())), hidden=True),
            Field("created", DateTimeKind(), read_only=True),
            Field("notes", AnyKind(LIMITS)),
            Field("meta", MapKind(limits=LIMITS)),
            Field("scores", MapKind(Field("", IntegerKind()), LIMITS)),
            Field("where", GeoKind("Point")),
            Field("area", GeoKind("Polygon")),
            many("grid", many("", Field("", IntegerKind()))),
            Field("bag", AnyKind(LIMITS)),
            many("tags", Field("", StringKind())),
            many("ranks", Field("", IntegerKind())),
            Field("address", EmbeddedKind(lambda: ADDRESS)),
            many("addresses", Field("", EmbeddedKind(lambda: ADDRESS))),
            Field("phone", EmbeddedKind(lambda: PHONE)),
            many("phones", Field("", EmbeddedKind(lambda: PHONE))),
            Field("boss", ReferenceKind(lambda: USER)),
            Field("enemy", ReferenceKind(lambda: USER), hidden=True),
            many("friends", Field("", ReferenceKind(lambda: USER))),
            many("orders", Field("", ReferenceKind(lambda: ORDER))),
            Field("home", ReferenceKind(lambda: CITY)),
            Field("thing", AnyEmbeddedKind(lambda: {"Phone": PHONE, "Address": ADDRESS})),
            Field("link", AnyReferenceKind(lambda: {"City": CITY, "Order": ORDER})),
        )
    },
    pk=ID,
    url_id=ID,
    limits=LIMITS,
)

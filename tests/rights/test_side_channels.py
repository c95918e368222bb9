"""What an answer could tell beside its text: sizes, orders, and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest

import bzz
from bzz import signals
from bzz.errors import ConfigurationError
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.codecs.unseen import unseen_paths
from bzz.providers.rules import Restrictions
from bzz.shape import Kind
from bzz.shape.scalars import IntegerKind
from tests.providers.sqlite import SQLiteProvider, Table
from tests.rights.conftest import ANN, EDITOR, Serving, as_user

pytestmark = pytest.mark.usefixtures("database_name")

MEBIBYTE = 1024 * 1024


class Verdict(me.EmbeddedDocument):
    label = me.StringField()
    points = me.IntField(db_field="p")


class Dossier(me.Document):
    name = me.StringField(primary_key=True)
    text = me.StringField()
    annex = me.StringField()
    verdicts = me.EmbeddedDocumentListField(Verdict)


class Larder(me.Document):
    name = me.StringField(primary_key=True)
    verdict = me.EmbeddedDocumentField(Verdict)
    verdicts = me.ListField(me.EmbeddedDocumentField(Verdict))
    by_name = me.MapField(me.EmbeddedDocumentField(Verdict))


class Ranking(me.Document):
    verdicts = me.SortedListField(me.EmbeddedDocumentField(Verdict), ordering="p")


class Rankings(me.Document):
    by_year = me.MapField(me.SortedListField(me.EmbeddedDocumentField(Verdict), ordering="p"))


class Session(me.EmbeddedDocument):
    verdicts = me.SortedListField(me.EmbeddedDocumentField(Verdict), ordering="p")


class Sessions(me.Document):
    by_year = me.MapField(me.ListField(me.EmbeddedDocumentField(Session)))


class Court(me.Document):
    name = me.StringField(primary_key=True)
    seal = me.StringField(unique=True)
    org = me.StringField()


class Case(me.Document):
    court = me.ReferenceField(Court, reverse_delete_rule=me.DENY)
    org = me.StringField()


# -- lists that are written whole


@pytest.mark.parametrize("points", [None, 3])
async def test_a_refusal_to_write_a_list_tells_nothing_of_its_items(serving: Serving, points: int | None) -> None:
    bzz.rules(Dossier, allow="anyone")
    bzz.rules(Verdict, fields={"points": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Dossier))
    Dossier(name="d", verdicts=[Verdict(label="a", points=points)]).save()
    body = {"verdicts": [{"label": "a"}, {"label": "b"}]}
    assert (await client.put("/dossier/d/", json=body, headers=as_user(ANN))).status_code == 409
    same = await client.put("/dossier/d/", json={"verdicts": [{"label": "a"}]}, headers=as_user(ANN))
    assert (same.status_code, Dossier.objects.get(name="d").verdicts[0].points) == (200, points)
    assert (await client.put("/dossier/d/", json=body, headers=as_user(EDITOR))).status_code == 200


# -- what others have stored in the place of something else


@pytest.mark.parametrize("odd", [[{"label": "a", "p": 3}], {"_cls": "Nobody", "p": 3}, [[{"p": 3}]]])
async def test_what_stands_in_the_place_of_an_embedded_document_is_shown_to_nobody(serving: Serving, odd: Any) -> None:
    bzz.rules(Larder, allow="anyone")
    bzz.rules(Verdict, fields={"points": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Larder))
    Larder(name="l").save()
    Larder._get_collection().update_one(
        {"_id": "l"}, {"$set": {"verdict": odd, "verdicts": [odd], "by_name": {"a": odd}}}
    )
    for path in ("/larder/", "/larder/l/"):
        assert "3" not in (await client.get(path, headers=as_user(ANN))).text


# -- the order of a list


@pytest.mark.parametrize("model", [Ranking, Rankings, Sessions])
def test_no_list_is_sorted_by_what_only_some_users_may_see(model: type) -> None:
    bzz.rules(Verdict, fields={"points": {"read": "editor"}})
    with pytest.raises(ConfigurationError, match=r"is sorted by Verdict\.points, which only some users may see"):
        bzz.ModelHive.routes_for("mongoengine", model)


def test_a_list_is_sorted_by_what_all_may_see() -> None:
    bzz.rules(Verdict, fields={"label": {"read": "editor"}, "points": {"write": "editor"}})
    assert bzz.ModelHive.routes_for("mongoengine", Ranking)


# -- the size of a page


async def test_a_page_ends_by_what_its_user_may_see(serving: Serving) -> None:
    bzz.rules(Dossier, allow="anyone", fields={"annex": {"read": "editor"}})
    bzz.rules(Verdict, fields={"label": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Dossier))
    for number in range(4):
        verdicts = [Verdict(label="x" * 3 * MEBIBYTE, points=1)]
        Dossier(name=f"d{number}", text="t", annex="x" * 4 * MEBIBYTE, verdicts=verdicts).save()
    seen = await client.get("/dossier/", headers=as_user(ANN))
    assert (len(seen.json()), "X-Page-Cut" in seen.headers, 'rel="next"' in seen.headers["Link"]) == (4, False, False)
    whole = await client.get("/dossier/", headers=as_user(EDITOR))
    assert (len(whole.json()), whole.headers["X-Page-Cut"]) == (2, "size")


@pytest.mark.parametrize("hidden", [0, 5])
async def test_a_page_of_large_documents_ends_where_it_would_without_what_is_hidden(
    serving: Serving, hidden: int
) -> None:
    bzz.rules(Dossier, allow="anyone", fields={"annex": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Dossier))
    for number in range(4):
        Dossier(name=f"d{number}", text="t" * 7 * MEBIBYTE, annex="x" * hidden * MEBIBYTE or None).save()
    page = await client.get("/dossier/", headers=as_user(ANN))
    assert (len(page.json()), page.headers["X-Page-Cut"]) == (2, "size")
    assert [each["name"] for each in (await client.get(next_of(page), headers=as_user(ANN))).json()] == ["d2", "d3"]


class Basket(me.EmbeddedDocument):
    label = me.StringField()
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is


class OpenBasket(Basket):
    note = me.StringField(db_field="n")


class ShutBasket(Basket):
    secret = me.StringField(db_field="n")
    lock = me.StringField()


class Shelving(me.EmbeddedDocument):
    price = me.IntField()
    parts = me.EmbeddedDocumentListField("Shelving")


class Pantry(me.Document):
    name = me.StringField(primary_key=True)
    annex = me.StringField(db_field="a")
    verdict = me.EmbeddedDocumentField(Verdict)
    verdicts = me.ListField(me.ListField(me.EmbeddedDocumentField(Verdict)))
    by_name = me.MapField(me.EmbeddedDocumentField(Verdict))
    baskets = me.EmbeddedDocumentListField(Basket)
    shelves = me.EmbeddedDocumentListField(Shelving, db_field="s")


def test_what_mongodb_leaves_out_of_large_pages_is_what_no_class_shows() -> None:
    hidden = {(Pantry, "annex"), (Verdict, "points"), (ShutBasket, "secret"), (ShutBasket, "lock"), (Shelving, "price")}
    found = unseen_paths(Registry(Pantry, (), (), Restrictions(frozenset(hidden))).root)
    assert sorted(found) == ["a", "baskets.lock", "s.price", "verdict.p", "verdicts.p"]


class MarketStall(me.Document):
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is


class NamedStall(MarketStall):
    code = me.StringField(unique=True)

    @classmethod
    def get_id_field_name(cls) -> str:
        return "code"


class ShutStall(MarketStall):
    secret = me.StringField(db_field="code")
    lock = me.StringField()


def test_what_names_documents_of_one_class_stays_though_another_hides_what_it_stores_there() -> None:
    hidden = {(ShutStall, "secret"), (ShutStall, "lock")}
    found = unseen_paths(Registry(MarketStall, (), (), Restrictions(frozenset(hidden))).root)
    assert found == ["lock"]


class Rumour(me.Document):
    name = me.StringField(primary_key=True)
    annex = me.StringField()


async def test_a_receiver_of_a_list_gets_documents_whole(serving: Serving) -> None:
    bzz.rules(Rumour, allow="anyone", fields={"annex": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Rumour))
    for number in range(4):
        Rumour(name=f"d{number}", annex="x" * 7 * MEBIBYTE).save()
    seen: list[int] = []

    def look(sender: Any, items: list[Any], handler: Any) -> None:
        seen.extend(len(each.annex) for each in items)

    with signals.post_get_list.connected_to(look, sender=Rumour):
        page = await client.get("/rumour/", headers=as_user(ANN))
    assert (len(page.json()), page.headers["X-Page-Cut"], seen) == (2, "size", [7 * MEBIBYTE] * 2)


class Pamphlet(me.Document):
    name = me.StringField(primary_key=True)
    annex = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "length": len(self.annex)}


async def test_to_dict_gets_documents_whole(serving: Serving) -> None:
    bzz.rules(Pamphlet, allow="anyone", fields={"annex": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Pamphlet))
    for number in range(4):
        Pamphlet(name=f"d{number}", annex="x" * 7 * MEBIBYTE).save()
    page = await client.get("/pamphlet/", headers=as_user(ANN))
    assert ([each["length"] for each in page.json()], page.headers["X-Page-Cut"]) == ([7 * MEBIBYTE] * 2, "size")


async def test_what_is_hidden_in_a_map_cuts_a_page(serving: Serving) -> None:
    bzz.rules(Larder, allow="anyone")
    bzz.rules(Verdict, fields={"label": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Larder))
    for number in range(4):
        Larder(name=f"d{number}", by_name={"a": Verdict(label="x" * 7 * MEBIBYTE, points=1)}).save()
    page = await client.get("/larder/", headers=as_user(ANN))
    assert (len(page.json()), page.headers["X-Page-Cut"]) == (2, "size")


def next_of(page: httpx.Response) -> str:
    return page.links["next"]["url"]


# -- what is told all the same, as docs/rights.md says


async def test_that_a_value_is_taken_beyond_the_scope_is_told(serving: Serving) -> None:
    bzz.rules(Court, allow="anyone", scope=lambda user: {"org": user["org"]})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Court))
    Court(name="c", seal="lion", org="blue").save()
    for body in ({"name": "d", "seal": "lion"}, {"name": "c", "seal": "eagle"}):
        answer = await client.post("/court/", json={**body, "org": "red"}, headers=as_user(ANN))
        assert (answer.status_code, Court.objects.count()) == (409, 1)


async def test_that_something_beyond_the_scope_refers_to_a_document_is_told_where_the_rules_say_so(
    serving: Serving,
) -> None:
    bzz.rules(Court, allow="anyone")
    bzz.rules(Case, allow="anyone", scope=lambda user: {"org": user["org"]}, fields={"court": {"denies": True}})
    client = serving(*(bzz.ModelHive.routes_for("mongoengine", each) for each in (Court, Case)))
    Case(court=Court(name="c").save(), org="blue").save()
    answer = await client.delete("/court/c/", headers=as_user(ANN))
    assert (answer.status_code, Court.objects.count()) == (409, 1)


async def test_that_a_document_would_be_too_large_with_what_may_not_be_seen_is_told(serving: Serving) -> None:
    bzz.rules(Dossier, allow="anyone", fields={"annex": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Dossier))
    for name, size in (("small", 0), ("large", 15 * MEBIBYTE + 1000)):
        Dossier(name=name, annex="x" * size).save()
    text = {"text": "t" * (MEBIBYTE - 100)}
    told = [
        (await client.put(f"/dossier/{each}/", json=text, headers=as_user(ANN))).status_code
        for each in ("small", "large")
    ]
    assert told == [200, 400]


# -- what forbids to delete


class Yard(me.Document):
    name = me.StringField(primary_key=True)


class Kennel(me.Document):
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is

    yard = me.ReferenceField(Yard, reverse_delete_rule=me.CASCADE)


class DogKennel(Kennel):
    pass


class Groom(me.Document):
    kennel = me.ReferenceField(DogKennel, reverse_delete_rule=me.DENY)


class Leaflet(Table):
    kinds: ClassVar[Mapping[str, Kind]] = {"id": IntegerKind()}


class Tollgate(me.Document):
    pass


class Gatehouse(me.Document):
    pass


class Porter(me.Document):
    gatehouse = me.ReferenceField(Gatehouse, reverse_delete_rule=me.DENY)
    meta: dict[str, Any] = {"allow_inheritance": True}  # noqa: RUF012  # as above


class NightPorter(Porter):
    meta = {"bzz": {"rules": {"allow": "editor"}}}  # noqa: RUF012  # as above


class Boathouse(me.Document):
    pass


class Rower(me.Document):
    boathouse = me.ReferenceField(Boathouse, reverse_delete_rule=me.DENY)
    meta: dict[str, Any] = {"allow_inheritance": True}  # noqa: RUF012  # as above


class NightRower(Rower):
    meta = {"bzz": {"rules": {"allow": "anyone"}}}  # noqa: RUF012  # as above


class Patrol(me.Document):
    tollgate = me.ReferenceField(Tollgate, reverse_delete_rule=me.DENY)
    org = me.StringField()
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is


class NightPatrol(Patrol):
    pass


class Guard(me.Document):
    kennel = me.ReferenceField(Kennel, reverse_delete_rule=me.DENY)
    org = me.StringField()


def is_trusted(user: object) -> bool:
    return bool(user)


def _own_org(user: dict[str, str]) -> dict[str, str]:
    return {"org": user["org"]}


Given = dict[str, Any]

HIDING: list[tuple[Given | None, Given]] = [
    (None, {"get": "editor"}),
    ({"allow": "anyone"}, {"allow": "anyone", "scope": _own_org}),
    ({"allow": "anyone"}, {"allow": "authenticated"}),
    ({"allow": "anyone"}, {"allow": "anyone", "fields": {"kennel": {"read": "editor"}}}),
    ({"delete": "chief"}, {"allow": "editor"}),
    ({"delete": ["editor", "chief"]}, {"allow": "editor"}),
    ({"delete": is_trusted}, {"allow": "authenticated"}),
    ({"delete": "editor"}, {}),
]
SHOWING: list[tuple[Given | None, Given]] = [
    (None, {"allow": "anyone"}),
    (None, {"list": "anyone"}),
    ({"allow": "authenticated"}, {"get": "anyone"}),
    ({"delete": "editor"}, {"allow": "authenticated"}),
    ({"delete": "editor"}, {"list": ["editor", "chief"]}),
    ({"delete": "editor"}, {"allow": "anyone", "fields": {"kennel": {"read": "editor"}}}),
    ({"delete": is_trusted}, {"allow": is_trusted}),
    ({"delete": []}, {"allow": "editor", "scope": _own_org}),
    ({"allow": "anyone"}, {"allow": "editor", "fields": {"kennel": {"denies": True}}}),
]


@pytest.mark.parametrize("model", [Kennel, Yard])
@pytest.mark.parametrize(("deleted", "referring"), HIDING)
def test_no_delete_tells_of_what_refers_to_a_document_and_may_not_be_seen(
    model: type, deleted: Given | None, referring: Given
) -> None:
    if deleted is not None:
        bzz.rules(model, **deleted)
    bzz.rules(Guard, **referring)
    with pytest.raises(ConfigurationError, match=r"Guard\.kennel has reverse_delete_rule=DENY: the 409 of a DELETE of"):
        bzz.ModelHive.routes_for("mongoengine", model)


@pytest.mark.parametrize(("deleted", "referring"), SHOWING)
def test_a_delete_may_tell_of_what_refers_to_a_document_where_all_who_may_delete_it_see_that(
    deleted: Given | None, referring: Given
) -> None:
    if deleted is not None:
        bzz.rules(Kennel, **deleted)
    bzz.rules(Guard, **referring)
    assert bzz.ModelHive.routes_for("mongoengine", Kennel)


def test_no_delete_tells_of_what_refers_to_documents_of_a_class_below() -> None:
    bzz.rules(Groom, allow="editor")
    with pytest.raises(ConfigurationError, match=r"Groom\.kennel has .*=DENY: the 409 of a DELETE of DogKennel would"):
        bzz.ModelHive.routes_for("mongoengine", Kennel)


def test_what_refers_to_a_document_may_get_its_rules_and_routes_after_it() -> None:
    bzz.ModelHive.routes_for("mongoengine", Kennel)
    bzz.rules(Guard, allow="editor")
    with pytest.raises(ConfigurationError, match=r"Guard\.kennel has reverse_delete_rule=DENY"):
        bzz.ModelHive.routes_for("mongoengine", Guard)


def test_where_nothing_is_deleted_nothing_is_told() -> None:
    bzz.rules(Guard, allow="editor")
    assert bzz.ModelHive.routes_for("mongoengine", Kennel, methods=["GET", "PUT"])
    assert bzz.ModelHive.routes_for("mongoengine", Guard)


def test_models_of_another_provider_are_deleted_beside_these() -> None:
    assert bzz.ModelHive.routes_for(SQLiteProvider, Leaflet)
    assert bzz.ModelHive.routes_for("mongoengine", Kennel)


def test_that_a_reference_of_a_class_below_may_be_told_says_nothing_of_those_above() -> None:
    bzz.rules(Patrol, allow="anyone", scope=_own_org)
    bzz.rules(NightPatrol, allow="anyone", fields={"tollgate": {"denies": True}})
    with pytest.raises(ConfigurationError, match=r"Patrol\.tollgate has reverse_delete_rule=DENY"):
        bzz.ModelHive.routes_for("mongoengine", Tollgate)


def test_the_rules_of_classes_below_what_refers_are_read_from_their_meta() -> None:
    with pytest.raises(ConfigurationError, match=r"Porter\.gatehouse has reverse_delete_rule=DENY"):
        bzz.ModelHive.routes_for("mongoengine", Gatehouse)


def test_rules_of_a_class_below_that_hide_nothing_are_no_mistake() -> None:
    assert bzz.ModelHive.routes_for("mongoengine", Boathouse)


def test_a_mistake_in_what_may_be_told_speaks_at_start() -> None:
    with pytest.raises(ConfigurationError, match=r"fields\['kennel'\]: denies is True or False, not 'yes'"):
        bzz.rules(Guard, fields={"kennel": {"denies": "yes"}})

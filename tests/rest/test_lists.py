"""Lists: pages, order, cursors, filters, fields and counts, of collections and nested ones."""

from __future__ import annotations

import math
import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import mongoengine as me
import pytest
from bson import Decimal128
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bzz
from tests.conftest import Serve
from tests.rest import Berth, Cabin, Engine, Harbour, Part, Sailor, Ship
from tests.rest.conftest import Api


class Cargo(me.Document):
    """One field of every kind that is sorted by, null and doubled values among them."""

    label = me.StringField(db_field="l")
    weight = me.FloatField(db_field="w")
    count = me.IntField(db_field="c")
    price = me.DecimalField(db_field="p")
    exact = me.Decimal128Field(db_field="x")
    loaded = me.DateTimeField(db_field="d")
    fragile = me.BooleanField(db_field="f")
    home = me.ReferenceField(Harbour, db_field="h", dbref=True)
    engine = me.EmbeddedDocumentField(Engine, db_field="e")


def links(answer: httpx.Response) -> dict[str, str]:
    """The ways that a list's Link header shows, by their relation."""
    return {rel: url for url, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["Link"])}


async def walk(client: httpx.AsyncClient, place: str, rel: str) -> list[list[Any]]:
    """The pages from ``place`` on, following one relation to its end."""
    pages = []
    for _ in range(100):
        answer = await client.get(place)
        assert (place, answer.status_code) == (place, 200)
        pages.append(answer.json())
        if rel not in links(answer):
            return pages
        place = links(answer)[rel]
    raise AssertionError("the list has no end")


async def last_place(client: httpx.AsyncClient, place: str) -> str:
    """The address of the last page."""
    while True:
        ways = links(await client.get(place))
        if "next" not in ways:
            return place
        place = ways["next"]


def ids(pages: list[list[Any]]) -> list[str]:
    return [each["id"] for page in pages for each in page]


# -- pages


async def test_a_page_has_20_items_unless_asked_and_100_at_most(api: Api) -> None:
    Sailor.objects.insert([Sailor(name=str(number)) for number in range(105)])
    client = api(Sailor)
    for query, length in (("", 20), ("?per_page=7", 7), ("?per_page=999999", 100), ("?page=6", 5), ("?page=7", 0)):
        answer = await client.get(f"/sailor/{query}")
        assert (query, len(answer.json())) == (query, length)


async def test_the_application_chooses_the_length_of_pages(api: Api) -> None:
    Sailor.objects.insert([Sailor(name=str(number)) for number in range(9)])
    client = api(Sailor, per_page=2, max_per_page=3)
    assert [len((await client.get(f"/sailor/{query}")).json()) for query in ("", "?per_page=9")] == [2, 3]


async def test_page_numbers_and_cursors_give_the_same_pages(api: Api) -> None:
    Sailor.objects.insert([Sailor(name=str(number), age=number % 3) for number in range(11)])
    client = api(Sailor)
    numbered = [(await client.get(f"/sailor/?sort=-age&per_page=4&page={page}")).json() for page in (1, 2, 3)]
    assert await walk(client, "/sailor/?sort=-age&per_page=4", "next") == numbered


async def test_a_page_past_the_end_is_empty_and_leads_to_the_first(api: Api) -> None:
    Sailor(name="Ann").save()
    answer = await api(Sailor).get("/sailor/?page=9&sort=name")
    assert (answer.status_code, answer.json(), links(answer)) == (200, [], {"first": "/sailor/?sort=name"})


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.0", "01", "+1", "1e3", "٣", "9" * 5000])
async def test_a_page_that_is_no_number_of_at_least_1_is_400(alone: Api, value: str) -> None:
    client = alone(Sailor)
    for name in ("page", "per_page"):
        answer = await client.get("/sailor/", params={name: value})
        assert (answer.status_code, name in answer.json()["detail"]) == (400, True)


async def test_a_page_far_beyond_the_end_is_empty(api: Api) -> None:
    answer = await api(Sailor).get("/sailor/?page=999999999&per_page=100")
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("cursor", ["x", "%00", "AAAA", "eyJhIjoxfQ", "9" * 3000, "DAAAABAwAAEAAAAB"])
async def test_a_cursor_that_no_list_gave_is_400(alone: Api, cursor: str) -> None:
    client = alone(Sailor)
    for way in ("after", "before"):
        answer = await client.get(f"/sailor/?{way}={cursor}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


async def test_a_cursor_of_another_order_is_400(api: Api) -> None:
    Sailor.objects.insert([Sailor(name=str(number)) for number in range(3)])
    client = api(Sailor)
    way = links(await client.get("/sailor/?per_page=1"))["next"]
    assert (await client.get(way + "&sort=name")).status_code == 400


async def test_a_link_keeps_the_filters_and_the_order(api: Api) -> None:
    Sailor.objects.insert([Sailor(name="a&b", age=number) for number in range(5)])
    first = await api(Sailor).get("/sailor/", params={"name": "a&b", "sort": "-age", "per_page": 2, "fields": "age"})
    second = await api(Sailor).get(links(first)["next"])
    assert [[each["age"] for each in page.json()] for page in (first, second)] == [[4, 3], [2, 1]]


# -- cursors

SORTS = ["label", "weight", "count", "price", "exact", "loaded", "fragile", "home", "engine.power"]

CARGO = st.fixed_dictionaries(
    {
        "l": st.sampled_from([None, "", "a", "A", "b", "é"]),
        "w": st.sampled_from([None, math.nan, -math.inf, math.inf, -1.5, 0, 0.0, 2, 2.5]),
        "c": st.sampled_from([None, -1, 0, 1, 2**40]),
        "p": st.sampled_from([None, 1.25, 1.5]),
        "x": st.sampled_from([None, *map(Decimal128, ("NaN", "-Infinity", "1.5", "2", "1E+100"))]),
        "d": st.sampled_from([None, datetime(1960, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1000)]),
        "f": st.sampled_from([None, True, False]),
        "e": st.sampled_from([None, {}, {"pw": None}, {"pw": 1}, {"pw": 2}]),
    }
)


def without_some_nulls(number: int, row: dict[str, Any]) -> dict[str, Any]:
    """Every second row has its nulls missing instead: to a client, and to MongoDB's order, that is the same."""
    return {key: each for key, each in row.items() if each is not None or number % 2}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(CARGO, max_size=12),
    sort=st.lists(st.sampled_from([*SORTS[:7], "engine.power"]), max_size=3, unique=True),
    signs=st.lists(st.booleans(), min_size=3, max_size=3),
    per_page=st.integers(1, 5),
)
async def test_following_the_links_gives_each_item_exactly_once_both_ways(
    serve: Serve, database_name: str, rows: list[dict[str, Any]], sort: list[str], signs: list[bool], per_page: int
) -> None:
    collection = Cargo._get_collection()
    collection.delete_many({})
    if rows:
        collection.insert_many([without_some_nulls(number, row) for number, row in enumerate(rows)])
    client = serve(bzz.ModelHive.routes_for("mongoengine", Cargo))
    keys = ",".join("-" * sign + name for name, sign in zip(sort, signs, strict=False))
    place = f"/cargo/?per_page={per_page}" + (f"&sort={keys}" if keys else "")
    whole = ids([(await client.get(place.replace(f"per_page={per_page}", "per_page=100"))).json()])
    assert ids(await walk(client, place, "next")) == whole
    backwards = await walk(client, await last_place(client, place), "prev")
    assert ids(backwards[::-1]) == whole


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("name", SORTS)
async def test_each_kind_of_value_is_walked_in_both_directions(alone: Api, name: str, sign: str) -> None:
    rio, olinda = Harbour(code="RIO").save(), Harbour(code="OLI").save()
    for number in range(3):
        Cargo().save()
        Cargo(
            label="ab"[number % 2],
            weight=(math.nan, 1.5, 2)[number],
            count=number // 2,
            price=Decimal(number),
            exact=(Decimal("NaN"), Decimal(1), Decimal(2))[number],
            loaded=datetime(2026, 1, 1 + number),
            fragile=bool(number % 2),
            home=(rio, olinda, None)[number],
            engine=Engine(power=number),
        ).save()
    client = alone(Cargo)
    whole = ids([(await client.get(f"/cargo/?sort={sign}{name}")).json()])
    place = f"/cargo/?sort={sign}{name}&per_page=1"
    assert (len(whole), ids(await walk(client, place, "next"))) == (6, whole)
    assert ids((await walk(client, await last_place(client, place), "prev"))[::-1]) == whole


async def test_items_that_come_and_go_do_not_move_the_others_over_a_cursor(api: Api) -> None:
    sailors = [Sailor(name=str(number)).save() for number in range(6)]
    client = api(Sailor)
    first = await client.get("/sailor/?per_page=2")
    sailors[0].delete()
    sailors[1].delete()
    second = await client.get(links(first)["next"])
    assert [each["name"] for each in second.json()] == ["2", "3"]


# -- order


async def test_null_sorts_before_values_and_ties_by_id(api: Api) -> None:
    for name, age in (("a", 2), ("b", None), ("c", 1), ("d", None), ("e", 1)):
        Sailor(name=name, age=age).save()
    client = api(Sailor)
    up = [each["name"] for each in (await client.get("/sailor/?sort=age")).json()]
    down = [each["name"] for each in (await client.get("/sailor/?sort=-age")).json()]
    assert (up, down) == (["b", "d", "c", "e", "a"], ["a", "e", "c", "d", "b"])


@pytest.mark.parametrize("key", ["", "x", "friends", "n", "-", "age,age", "age,-age", "password", "--age", "home.name"])
async def test_a_sort_key_that_is_no_scalar_field_is_400(alone: Api, key: str) -> None:
    assert (await alone(Sailor).get("/sailor/", params={"sort": key})).status_code == 400


class Lock(me.Document):
    """Ordered by its own meta, through an embedded document and by the primary key's alias."""

    gate = me.IntField(db_field="g")
    engine = me.EmbeddedDocumentField(Engine, db_field="e")
    meta = {"ordering": ["-gate", "engine.power", "-pk"]}  # noqa: RUF012  # as MongoEngine's manual writes it


async def test_the_ordering_in_a_models_meta_is_the_default(api: Api) -> None:
    made = [Lock(gate=g, engine=Engine(power=p)).save() for g, p in ((1, 1), (2, 3), (1, 1), (2, 9), (1, 0))]
    client = api(Lock)
    wanted = [str(made[index].id) for index in (1, 3, 4, 2, 0)]
    assert ids([(await client.get("/lock/")).json()]) == wanted
    assert ids(await walk(client, "/lock/?per_page=2", "next")) == wanted
    assert ids([(await client.get("/lock/?sort=gate,-id")).json()]) == [str(made[i].id) for i in (4, 2, 0, 3, 1)]


# -- filters


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("age=30", "b"),
        ("age__eq=30", "b"),
        ("age=30&age=40", "bc"),
        ("age__ne=30", "acd"),
        ("age__ne=30&age__ne=40", "ad"),
        ("age__gt=30", "c"),
        ("age__gte=30", "bc"),
        ("age__lt=30", "a"),
        ("age__lte=30", "ab"),
        ("age__in=20,40", "ac"),
        ("age__nin=20,40", "bd"),
        ("age__exists=true", "abc"),
        ("age__exists=false", "d"),
        ("age__gte=20&age__lt=40", "ab"),
        ("name__contains=.", "d"),
        ("name__icontains=A", "a"),
        ("name__startswith=b", "b"),
        ("name__istartswith=B", "b"),
        ("name__endswith=.x", "d"),
        ("name__iendswith=.X", "d"),
        ("name__contains=%5E", ""),
        ("home=RIO", "a"),
        ("home__in=RIO,OLI", "ab"),
        ("home__exists=false", "cd"),
        ("boss__exists=true", "b"),
        ("friends__exists=true&age=30", "b"),
    ],
)
async def test_a_filter_selects(alone: Api, query: str, names: str) -> None:
    Harbour(code="RIO").save()
    ann = Sailor(name="a", age=20, home="RIO").save()
    Sailor(name="b", age=30, home="OLI", boss=ann, friends=[ann]).save()
    Sailor(name="c", age=40).save()
    Sailor(name="d.x").save()
    answer = await alone(Sailor).get(f"/sailor/?{query}")
    assert (answer.status_code, "".join(each["name"][0] for each in answer.json())) == (200, names)


async def test_references_and_ids_are_filtered_by_id_strings(api: Api) -> None:
    ann = Sailor(name="a").save()
    bea = Sailor(name="b", boss=ann, friends=[ann]).save()
    client = api(Sailor)
    for query in (f"boss={ann.id}", f"friends={ann.id}", f"id={bea.id}", f"id__gt={ann.id}", f"friends__in={ann.id}"):
        assert (query, ids([(await client.get(f"/sailor/?{query}")).json()])) == (query, [str(bea.id)])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("engine.power=1", "a"),
        ("engine.power__gte=1", "ab"),
        ("engine.main.name=shaft", "b"),
        ("engine.main.inner.name=core", "b"),
        ("engine.parts.name=gear", "b"),
        ("engine.builders=RIO", "a"),
        ("cabins.code=B2", "a"),
        ("cabins.berths.deck=3", "a"),
        ("cabins.berths.label__istartswith=X", "a"),
        ("tags=x", "ab"),
        ("tags=x&tags=z", "ab"),
        ("tags__in=z", "b"),
        ("tags__ne=z", "ac"),
        ("ports=RIO", "c"),
        ("engine__exists=false", "c"),
        ("log__exists=true&name=c", "c"),
    ],
)
async def test_a_filter_reaches_into_embedded_documents_and_lists(alone: Api, query: str, names: str) -> None:
    rio = Harbour(code="RIO").save()
    Ship(
        name="a",
        tags=["x", "y"],
        engine=Engine(power=1, builders=[rio]),
        cabins=[Cabin(code="A1"), Cabin(code="B2", berths=[Berth(label="xy", deck=3)])],
    ).save()
    inner = Part(name="shaft", inner=Part(name="core"))
    Ship(name="b", tags=["x", "z"], engine=Engine(power=2, main=inner, parts=[Part(name="gear")])).save()
    Ship(name="c", ports=[rio], log={"a": 1}).save()
    answer = await alone(Ship).get(f"/ship/?{query}")
    assert (answer.status_code, "".join(each["name"] for each in answer.json())) == (200, names)


@pytest.mark.parametrize(
    "query",
    [
        "zz=1", "a=3", "age=x", "age=", "age=1.0", "age=true", f"age={2**63}", "age__zz=1", "age__exists=1",
        "age__regex=1", "age__contains=1", "name__gt__gt=1", "name__where=1", "$where=1", "age[$gt]=1", "home.x=1",
        "boss=x", "id=x", "friends__gt=5f0000000000000000000000", "age__in=1,x", "boss.boss.x=1", "fields=zz",
        "fields=", "sort=age&sort=name", "page=1&after=x", "_cls=x", "pk=x", "__raw__=1", "name=%FF", "name=%zz",
        "&".join(["age=1"] * 33), "age__in=" + ",".join(["1"] * 101),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_400(alone: Api, query: str) -> None:
    answer = await alone(Sailor).get(f"/sailor/?{query}")
    assert (query, answer.status_code) == (query, 400)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("value", ["1e30", "123456789012345678901234567890.5", "-1e300"])
async def test_a_decimal_that_the_model_cannot_hold_selects_nothing_or_is_400(api: Api, value: str) -> None:
    answer = await api(Cargo).get("/cargo/", params={"price": value})
    assert answer.status_code in (200, 400)


# -- fields


async def test_fields_shows_only_what_is_named_and_the_id(api: Api) -> None:
    ship = Ship(name="Argo", engine=Engine(power=1, main=Part(name="shaft")), cabins=[Cabin(code="A", size=2)]).save()
    query, wanted = "?fields=name,engine.main.name,cabins.size", {
        "id": str(ship.id), "name": "Argo", "engine": {"main": {"name": "shaft"}}, "cabins": [{"size": 2}],
    }  # fmt: skip
    client = api(Ship)
    assert (await client.get(f"/ship/{query}")).json() == [wanted]
    assert (await client.get(f"/ship/{ship.id}/{query}")).json() == wanted


@pytest.mark.parametrize("query", ["page=1", "age=1", "sort=age", "zz=1", "fields=zz"])
async def test_a_single_instance_takes_no_parameter_but_fields(alone: Api, query: str) -> None:
    sailor = Sailor(name="a").save()
    assert (await alone(Sailor).get(f"/sailor/{sailor.id}/?{query}")).status_code == 400


# -- counting


async def test_the_exact_count_is_given_when_it_is_preferred(api: Api) -> None:
    Sailor.objects.insert([Sailor(name=str(number), age=number % 2) for number in range(9)])
    client = api(Sailor)
    for query, total in (("", "9"), ("?per_page=2", "9"), ("?age=1&per_page=1&page=3", "4"), ("?page=99", "9")):
        answer = await client.get(f"/sailor/{query}", headers={"Prefer": "respond-async, count=exact"})
        assert (answer.headers["X-Total-Count"], answer.headers["Preference-Applied"]) == (total, "count=exact")
    assert "X-Total-Count" not in (await client.get("/sailor/")).headers


# -- nested lists


@pytest.fixture
def ship() -> Ship:
    sailors = [Sailor(name=name, age=number % 3).save() for number, name in enumerate("abcdefg")]
    Sailor(name="z", age=1).save()
    cabins = [Cabin(code=f"C{number}", size=1 + number % 3) for number in range(6)]
    cabins[0].berths = [Berth(label="abc"[number % 3], deck=None if number == 4 else number) for number in range(7)]
    made: Ship = Ship(name="Argo", crew=sailors, cabins=cabins).save()
    return made


@pytest.mark.parametrize("place", ["crew", "cabins", "cabins/C0/berths"])
async def test_nested_lists_are_walked_in_every_order(api: Api, ship: Ship, place: str) -> None:
    sorts = {
        "crew": ["age", "-age,name"],
        "cabins": ["size", "-size,code"],
        "cabins/C0/berths": ["deck", "-deck", "label"],
    }
    for sort in ("", *sorts[place]):
        for per_page in (1, 2, 3):
            client = api(Ship)
            path = f"/ship/{ship.id}/{place}/?" + (f"sort={sort}&" if sort else "")
            whole = (await client.get(f"{path}per_page=100")).json()
            pages = await walk(client, f"{path}per_page={per_page}", "next")
            assert [each for page in pages for each in page] == whole
            back = await walk(client, await last_place(client, f"{path}per_page={per_page}"), "prev")
            assert [each for page in back[::-1] for each in page] == whole


async def test_nested_lists_filter_sort_and_count(api: Api, ship: Ship) -> None:
    client, prefer = api(Ship), {"Prefer": "count=exact"}
    rows: dict[str, tuple[str, list[Any], str]] = {
        "crew/?age=1&sort=-name&per_page=1": ("name", ["e"], "2"),
        "cabins/?size__gte=2&sort=-size,code&per_page=3": ("code", ["C2", "C5", "C1"], "4"),
        "cabins/?code__in=C1,C3,XX": ("code", ["C1", "C3"], "2"),
        "cabins/?berths.deck=3": ("code", ["C0"], "1"),
        "cabins/C0/berths/?label=a&sort=-deck": ("deck", [6, 3, 0], "3"),
        "cabins/C0/berths/?deck__exists=false": ("label", ["b"], "1"),
        "cabins/C0/berths/?page=2&per_page=3": ("deck", [3, None, 5], "7"),
        "cabins/C1/berths/": ("deck", [], "0"),
    }
    for place, (name, values, total) in rows.items():
        answer = await client.get(f"/ship/{ship.id}/{place}", headers=prefer)
        assert (place, [each[name] for each in answer.json()]) == (place, values)
        assert (place, answer.headers["X-Total-Count"]) == (place, total)


async def test_nested_lists_refuse_what_top_level_lists_refuse(api: Api, ship: Ship) -> None:
    client = api(Ship)
    for place in (
        "crew/?zz=1",
        "crew/?page=0",
        "crew/?sort=friends",
        "cabins/?s=1",
        "cabins/?after=x",
        "crew/?after=x",
    ):
        assert (place, (await client.get(f"/ship/{ship.id}/{place}")).status_code) == (place, 400)


async def test_a_list_has_an_entity_tag(api: Api, ship: Ship) -> None:
    client = api(Ship)
    for place in ("/ship/", f"/ship/{ship.id}/crew/", f"/ship/{ship.id}/cabins/"):
        tag = (await client.get(place)).headers["ETag"]
        assert (await client.get(place, headers={"If-None-Match": tag})).status_code == 304

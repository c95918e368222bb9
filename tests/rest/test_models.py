"""What a model may say about itself: ids, inheritance, hooks, to_dict, overrides, delete rules; and route options."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from typing import Any, ClassVar

import mongoengine as me
import pytest
from bson import ObjectId
from mongoengine.queryset import QuerySet

import bzz
from bzz import signals
from bzz.errors import ConfigurationError
from tests.conftest import Serve
from tests.rest import Fleet, Harbour, Part, Sailor, Ship, raw
from tests.rest.conftest import Api

# -- primary keys


class Gauge(me.Document):
    number = me.IntField(primary_key=True)
    unit = me.StringField()
    twins = me.ListField(me.ReferenceField("self"))


class Token(me.Document):
    key = me.UUIDField(primary_key=True)
    note = me.StringField()
    twin = me.ReferenceField("self")


class Numbered(me.Document):
    id = me.IntField(primary_key=True)
    note = me.StringField()


@pytest.mark.parametrize(
    "code",
    [
        "RIO",
        "a b",
        "a/b",
        "a//b",
        "é漢",
        "50%",
        "%2F",
        "a+b",
        "?x=1&y",
        "#",
        "a.b",
        "..a",
        "'\"<>",
        "a\tb",
        "null",
        "0",
    ],
)
async def test_a_string_key_of_any_characters_stands_percent_encoded_in_the_url(alone: Api, code: str) -> None:
    client = alone(Harbour, Sailor)
    created = await client.post("/harbour/", json={"code": code, "name": "x"})
    place = created.headers["Location"]
    assert (created.status_code, Harbour.objects.get().pk) == (201, code)
    assert (await client.get(place)).json() == {"code": code, "name": "x"} == created.json()
    assert (await client.put(place, json={"name": "y"})).json()["name"] == "y"
    sailor = (await client.post("/sailor/", json={"name": "Ann", "home": code})).headers["Location"]
    nested = place.replace("/harbour/", f"{sailor}home/")
    assert (await client.get(nested)).json()["name"] == "y"
    assert (await client.delete(place)).status_code == 204


@pytest.mark.parametrize("code", ["", ".", ".."])
async def test_a_key_that_cannot_stand_in_a_url_is_refused(api: Api, code: str) -> None:
    answer = await api(Harbour).post("/harbour/", json={"code": code})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["code"])


async def test_a_missing_key_is_named(api: Api) -> None:
    answer = await api(Harbour).post("/harbour/", json={"name": "x"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["code"])


async def test_an_integer_key_is_an_integer_in_bodies_and_text_in_urls(api: Api) -> None:
    client = api(Gauge)
    created = await client.post("/gauge/", json={"number": -7, "unit": "bar"})
    assert (created.headers["Location"], created.headers["X-Created-Id"]) == ("/gauge/-7/", "-7")
    assert (await client.get("/gauge/-7/")).json() == {"number": -7, "unit": "bar", "twins": created.json()["twins"]}
    assert (await client.post("/gauge/-7/twins/", json={"twins": ["-7", -7]})).status_code == 200
    assert (await client.get("/gauge/-7/twins/-7/")).json()["twins"] == [-7]
    for wrong in ("x", "07", "+7", "-0", "1.0", "9" * 30, "%20-7"):
        assert (wrong, (await client.get(f"/gauge/{wrong}/")).status_code) == (wrong, 404)


async def test_an_integer_key_that_is_named_id_is_shown_as_an_integer_and_read_from_text_too(api: Api) -> None:
    client = api(Numbered)
    assert (await client.post("/numbered/", json={"id": 1})).json() == {"id": 1, "note": None}
    assert (await client.post("/numbered/", json={"id": "2"})).json() == {"id": 2, "note": None}
    assert (await client.put("/numbered/2/", json={"id": "2", "note": "x"})).json() == {"id": 2, "note": "x"}
    assert [each["id"] for each in (await client.get("/numbered/?id__gte=2")).json()] == [2]


async def test_a_uuid_key_is_served(api: Api) -> None:
    client, key = api(Token), str(uuid.uuid4())
    created = await client.post("/token/", json={"key": key, "note": "x", "twin": None})
    assert created.headers["Location"] == f"/token/{key}/"
    assert (await client.post(f"/token/{key}/twin/", json={"twin": key})).json() == {"twin": key}
    assert (await client.get(f"/token/{key}/twin/twin/{key}/")).json() == {"key": key, "note": "x", "twin": key}
    for wrong in (f"%7B{key}%7D", f"urn:uuid:{key}", key.replace("-", ""), "x"):
        assert (wrong, (await client.get(f"/token/{wrong}/")).status_code) == (wrong, 404)


# -- get_id_field_name


class Lagoon(me.Document):
    slug = me.StringField(db_field="sl", unique=True)
    depth = me.IntField()
    next = me.ReferenceField("self", db_field="nx")
    others = me.ListField(me.ReferenceField("self"), db_field="ot")

    @classmethod
    def get_id_field_name(cls) -> Any:
        return cls.slug


class Creek(me.Document):
    slug = me.StringField(db_field="sl")

    @classmethod
    def get_id_field_name(cls) -> str:
        return "slug"


async def test_a_model_chooses_what_stands_in_its_urls(api: Api) -> None:
    client = api(Lagoon)
    created = await client.post("/lagoon/", json={"slug": "blue/1", "depth": 3})
    assert (created.headers["Location"], created.headers["X-Created-Id"]) == ("/lagoon/blue%2F1/", "blue/1")
    shown = (await client.get("/lagoon/blue%2F1/")).json()
    assert (shown["id"], shown["slug"]) == (str(Lagoon.objects.get().id), "blue/1")
    assert (await client.get(f"/lagoon/{shown['id']}/")).status_code == 404
    assert (await client.put("/lagoon/blue%2F1/", json={"depth": 4})).json()["depth"] == 4
    assert (await client.put("/lagoon/blue%2F1/", json={"slug": "other"})).status_code == 400


async def test_what_get_shows_put_takes_back_where_the_url_is_no_primary_key(api: Api) -> None:
    client = api(Lagoon)
    await client.post("/lagoon/", json={"slug": "a"})
    shown = (await client.get("/lagoon/a/")).json()
    back = await client.put("/lagoon/a/", json=shown)
    assert (back.status_code, back.json()) == (200, shown)
    other = await client.put("/lagoon/a/", json={**shown, "id": str(ObjectId())})
    assert (other.status_code, list(other.json()["errors"])) == (400, ["id"])


async def test_what_get_shows_of_a_single_property_put_takes_back(api: Api) -> None:
    bea = Sailor(name="Bea").save()
    ann = Sailor(name="Ann", boss=bea).save()
    client = api(Sailor)
    shown = (await client.get(f"/sailor/{ann.id}/boss/")).json()
    assert (await client.put(f"/sailor/{ann.id}/boss/", json=shown)).status_code == 200
    refused = await client.put(f"/sailor/{ann.id}/boss/", json={"id": str(ann.id)})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["id"])


async def test_references_are_linked_by_primary_key_and_addressed_by_the_chosen_field(api: Api) -> None:
    a, b = Lagoon(slug="a").save(), Lagoon(slug="b").save()
    client = api(Lagoon)
    assert (await client.post("/lagoon/a/others/", json={"others": [str(b.id)]})).status_code == 200
    assert (await client.post("/lagoon/a/next/", json={"next": str(b.id)})).status_code == 200
    for place in ("others/b/", "next/", "next/b/"):
        assert (place, (await client.get(f"/lagoon/a/{place}")).json()["slug"]) == (place, "b")
    for place in ("others/b/", "next/b/"):
        assert (place, (await client.delete(f"/lagoon/a/{place}")).status_code) == (place, 204)
    assert raw(a) == {"_id": a.id, "sl": "a", "ot": []}


async def test_the_field_may_be_given_by_its_name(api: Api) -> None:
    client = api(Creek)
    await client.post("/creek/", json={"slug": "x"})
    assert (await client.get("/creek/x/")).json()["slug"] == "x"


# -- inheritance


class Creature(me.Document):
    name = me.StringField(db_field="n")
    friend = me.ReferenceField("self", db_field="f")
    meta = {"allow_inheritance": True}  # noqa: RUF012  # as MongoEngine's manual writes it


class Hound(Creature):
    trick = me.StringField(db_field="t", required=True)


class Puppy(Hound):
    weeks = me.IntField(db_field="w")


class Shell(me.EmbeddedDocument):
    size = me.IntField(db_field="s")
    meta = {"allow_inheritance": True}  # noqa: RUF012


class Spiral(Shell):
    turns = me.IntField(db_field="t")


class Beach(me.Document):
    first = me.EmbeddedDocumentField(Shell, db_field="f")
    shells = me.ListField(me.EmbeddedDocumentField(Shell), db_field="sh")


async def test_documents_of_subclasses_are_shown_with_their_own_fields_and_without_cls(api: Api) -> None:
    Creature(name="a").save()
    hound = Hound(name="b", trick="sit").save()
    Puppy(name="c", trick="roll", weeks=9, friend=hound).save()
    client = api(Creature)
    shown = (await client.get("/creature/?sort=name")).json()
    assert [each.keys() for each in shown] == [
        {"id", "name", "friend"},
        {"id", "name", "friend", "trick"},
        {"id", "name", "friend", "trick", "weeks"},
    ]
    assert (await client.get(f"/creature/{shown[2]['id']}/friend/")).json()["trick"] == "sit"


async def test_each_class_serves_its_own_documents_and_their_subclasses(api: Api) -> None:
    creature, hound, puppy = (
        Creature(name="a").save(),
        Hound(name="b", trick="x").save(),
        Puppy(name="c", trick="y").save(),
    )
    client = api(Creature, Hound, Puppy)
    for place, wanted in (("creature", [creature, hound, puppy]), ("hound", [hound, puppy]), ("puppy", [puppy])):
        found = (await client.get(f"/{place}/")).json()
        assert (place, [each["id"] for each in found]) == (place, [str(each.id) for each in wanted])
    assert (await client.get(f"/hound/{creature.id}/")).status_code == 404
    assert (await client.delete(f"/puppy/{hound.id}/")).status_code == 404
    assert (await client.put(f"/hound/{creature.id}/", json={"name": "x"})).status_code == 404


async def test_cls_is_stored_and_is_neither_shown_nor_writable(api: Api) -> None:
    client = api(Hound)
    created = await client.post("/hound/", json={"name": "a", "trick": "sit"})
    assert raw(Hound.objects.get())["_cls"] == "Creature.Hound"
    assert created.json().keys() == {"id", "name", "friend", "trick"}
    for verb, place in (
        ("POST", "/hound/"),
        ("PUT", created.headers["Location"]),
        ("PATCH", created.headers["Location"]),
    ):
        answer = await client.request(verb, place, json={"trick": "x", "_cls": "Creature"})
        assert (answer.status_code, answer.json()["errors"]) == (400, {"_cls": ["Unknown field."]})
    assert (await client.get("/hound/?_cls=Creature")).status_code == 400
    assert (await client.get("/hound/?sort=_cls")).status_code == 400
    assert (await client.get("/hound/?fields=_cls")).status_code == 400


async def test_an_update_through_the_base_class_leaves_the_class_alone(api: Api) -> None:
    puppy = Puppy(name="c", trick="y", weeks=3).save()
    answer = await api(Creature).put(f"/creature/{puppy.id}/", json={"name": "d"})
    assert (answer.status_code, answer.json()["weeks"], raw(puppy)["_cls"]) == (200, 3, "Creature.Hound.Puppy")


async def test_embedded_documents_may_inherit_too(api: Api) -> None:
    beach = Beach(first=Spiral(size=1, turns=2), shells=[Shell(size=3), Spiral(size=4, turns=5)]).save()
    client = api(Beach)
    shown = (await client.get(f"/beach/{beach.id}/")).json()
    assert (shown["first"], shown["shells"]) == ({"size": 1, "turns": 2}, [{"size": 3}, {"size": 4, "turns": 5}])
    assert (await client.get(f"/beach/{beach.id}/shells/1/")).json() == {"size": 4, "turns": 5}
    assert (await client.put(f"/beach/{beach.id}/first/", json={"size": 9})).json() == {"size": 9, "turns": 2}
    assert (await client.post(f"/beach/{beach.id}/shells/", json={"size": 7})).json() == {"size": 7}
    assert (await client.put(f"/beach/{beach.id}/", json={"first": {"_cls": "Shell"}})).status_code == 400
    assert raw(beach)["f"] == {"_cls": Spiral._class_name, "s": 9, "t": 2}
    assert raw(beach)["sh"][2] == {"_cls": "Shell", "s": 7}


# -- hooks that choose documents


class Club(me.Document):
    name = me.StringField(db_field="n")
    open = me.BooleanField(db_field="o", default=True)
    best = me.ReferenceField("self", db_field="b")
    friends = me.ListField(me.ReferenceField("self"), db_field="fr")

    @classmethod
    def get_instance_queryset(cls, model: Any, queryset: QuerySet, instance_id: str, handler: Any) -> QuerySet:
        assert model is Club
        assert Club.seen_from is None or threading.get_ident() != Club.seen_from
        return queryset.filter(open=True) if "X-Member" not in handler.request.headers else queryset

    @classmethod
    def get_list_queryset(cls, queryset: QuerySet, handler: Any) -> QuerySet:
        chosen = queryset if "X-Member" in handler.request.headers else queryset.filter(open=True)
        return chosen.order_by("-name")

    seen_from: int | None = None


@pytest.fixture
def clubs(database_name: str) -> dict[str, Club]:
    """An open club, a closed one, and one that refers to both."""
    a, z = Club(name="a").save(), Club(name="z", open=False).save()
    return {"a": a, "z": z, "m": Club(name="m", best=z, friends=[a, z]).save()}


async def test_get_instance_queryset_holds_for_every_verb(api: Api, clubs: dict[str, Club]) -> None:
    client, closed = api(Club), f"/club/{clubs['z'].id}/"
    for verb in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        answer = await client.request(verb, closed, json={} if verb in ("PUT", "PATCH") else None)
        assert (verb, answer.status_code) == (verb, 404)
    assert (await client.get(closed, headers={"X-Member": "1"})).json()["name"] == "z"
    assert (await client.put(closed, json={"name": "y"}, headers={"X-Member": "1"})).json()["name"] == "y"


async def test_get_instance_queryset_holds_at_every_hop(api: Api, clubs: dict[str, Club]) -> None:
    client, member = api(Club), {"X-Member": "1"}
    start, closed = f"/club/{clubs['m'].id}", clubs["z"].id
    for place in (f"{start}/best/", f"{start}/friends/{closed}/", f"{start}/best/friends/", f"/club/{closed}/friends/"):
        assert (place, (await client.get(place)).status_code) == (place, 404)
        assert (place, (await client.get(place, headers=member)).status_code) == (place, 200)
    for place in (f"{start}/best/", f"{start}/friends/{closed}/"):
        assert (place, (await client.delete(place)).status_code) == (place, 404)
    assert (await client.put(f"{start}/best/", json={"name": "x"})).status_code == 404
    assert len(raw(clubs["m"])["fr"]) == 2


async def test_get_instance_queryset_holds_for_references_named_in_bodies(api: Api, clubs: dict[str, Club]) -> None:
    client, closed = api(Club), str(clubs["z"].id)
    place = f"/club/{clubs['a'].id}/"
    for verb, where, body in (
        ("POST", "/club/", {"best": closed}),
        ("POST", "/club/", {"friends": [closed]}),
        ("PUT", place, {"best": closed}),
        ("PATCH", place, {"friends": [closed]}),
        ("POST", f"{place}best/", {"best": closed}),
        ("POST", f"{place}friends/", {"friends": [str(clubs["m"].id), closed]}),
    ):
        answer = await client.request(verb, where, json=body)
        assert (verb, where, answer.status_code) == (verb, where, 400)
        allowed = await client.request(verb, where, json=body, headers={"X-Member": "1"})
        assert (verb, where, allowed.status_code // 100) == (verb, where, 2)


async def test_get_list_queryset_chooses_and_orders_lists_and_nested_lists(api: Api, clubs: dict[str, Club]) -> None:
    client, start = api(Club), f"/club/{clubs['m'].id}"
    rows = {"/club/": ("ma", "zma"), "/club/?sort=name": ("am", "amz"), f"{start}/friends/": ("a", "za")}
    for place, wanted in rows.items():
        answers = [await client.get(place, headers=headers) for headers in ({}, {"X-Member": "1"})]
        assert (place, tuple("".join(each["name"] for each in answer.json()) for answer in answers)) == (place, wanted)
    counted = await client.get("/club/?per_page=1", headers={"Prefer": "count=exact"})
    assert counted.headers["X-Total-Count"] == "2"
    second = await client.get(counted.links["next"]["url"])
    assert [each["name"] for each in second.json()] == ["a"]


async def test_plain_hooks_run_off_the_loop(api: Api, clubs: dict[str, Club], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Club, "seen_from", threading.get_ident())
    assert (await api(Club).get(f"/club/{clubs['a'].id}/")).status_code == 200


class Locked(me.Document):
    """Has a hook, whose queryset would make the indexes, and a value that only an index keeps unique."""

    code = me.StringField(unique=True)

    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset

    @classmethod
    def ensure_indexes(cls) -> None:
        time.sleep(0.3)  # as a large collection takes
        super().ensure_indexes()


async def test_no_write_comes_before_the_indexes_are_made(api: Api) -> None:
    client = api(Locked)
    reads = [client.get(f"/locked/{'0' * 24}/") for _ in range(5)]
    answers = await asyncio.gather(*reads, *(client.post("/locked/", json={"code": "x"}) for _ in range(20)))
    assert sorted(each.status_code for each in answers) == [201, *[404] * 5, *[409] * 19]
    assert Locked.objects.count() == 1


# -- to_dict


class Rudder(me.EmbeddedDocument):
    angle = me.IntField()

    def to_dict(self) -> dict[str, Any]:
        return {"turned": self.angle * 2}


class Dinghy(me.Document):
    name = me.StringField()
    owner = me.ReferenceField(Sailor)
    secret = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "label": f"{self.name} of {self.owner.name if self.owner else None}",
            "secret": self.secret,
            "loop": threading.get_ident() == threading.main_thread().ident,
        }


class GrabHook(me.EmbeddedDocument):
    width = me.IntField()
    weight = me.IntField()


class LiftMagnet(me.EmbeddedDocument):
    weight = me.IntField()


class Crane(me.Document):
    load = me.GenericEmbeddedDocumentField(choices=(GrabHook, LiftMagnet))


class Raft(me.Document):
    name = me.StringField()
    rudder = me.EmbeddedDocumentField(Rudder)
    spare = me.ListField(me.EmbeddedDocumentField(Rudder))
    boats = me.ListField(me.ReferenceField(Dinghy))
    gear = me.GenericEmbeddedDocumentField(choices=(Rudder, Shell))
    gears = me.ListField(me.GenericEmbeddedDocumentField(choices=(Rudder, Shell)))
    named = me.MapField(me.EmbeddedDocumentField(Rudder))


async def test_to_dict_replaces_what_is_shown_everywhere(api: Api) -> None:
    ann = Sailor(name="Ann").save()
    dinghy = Dinghy(name="d", owner=ann, secret="x").save()
    raft = Raft(name="r", boats=[dinghy]).save()
    client, wanted = api(Dinghy, Raft), {"id": str(dinghy.id), "label": "d of Ann", "secret": "x", "loop": False}
    place = f"/dinghy/{dinghy.id}/"
    for answer in (
        await client.get(place),
        await client.put(place, json={"name": "d"}),
        await client.patch(place, json={}),
        await client.get(f"/raft/{raft.id}/boats/{dinghy.id}/"),
    ):
        assert (answer.status_code, answer.json()) == (200, wanted)
    assert (await client.get("/dinghy/")).json() == (await client.get(f"/raft/{raft.id}/boats/")).json() == [wanted]
    created = await client.post("/dinghy/", json={"name": "e", "owner": str(ann.id)})
    assert (created.status_code, created.json()["label"]) == (201, "e of Ann")
    assert (await client.get(f"{place}?fields=name")).json() == {"id": str(dinghy.id)}


async def test_to_dict_shows_no_hidden_field(api: Api) -> None:
    dinghy = Dinghy(name="d", secret="x").save()
    client = api(Dinghy, hidden=["secret"])
    for shown in ((await client.get(f"/dinghy/{dinghy.id}/")).json(), (await client.get("/dinghy/")).json()[0]):
        assert "secret" not in shown


class TreatyClause(me.EmbeddedDocument):
    text = me.StringField()
    fine = me.IntField()
    code = me.StringField()
    meta: ClassVar = {"bzz": {"hidden": ["fine"], "write_only": ["code"]}}


class Treaty(me.Document):
    one = me.EmbeddedDocumentField(TreatyClause)
    some = me.EmbeddedDocumentListField(TreatyClause)
    by_name = me.MapField(me.ListField(me.EmbeddedDocumentField(TreatyClause)))
    any = me.GenericEmbeddedDocumentField(choices=(TreatyClause, Rudder))

    def to_dict(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"any": {"fine": 4, "text": "d"}, "fine": "no field here", "whole": self.one}
        shown["one"] = {name: self.one[name] for name in ("text", "fine", "code")}
        shown["some"] = [{"text": each.text, "fine": each.fine} for each in self.some]
        shown["by_name"] = {name: [*each] for name, each in self.by_name.items()}
        return shown


async def test_what_is_hidden_in_embedded_documents_is_taken_out_of_to_dict(alone: Api) -> None:
    clause = TreatyClause(text="a", fine=1, code="x")
    treaty = Treaty(one=clause, some=[clause], by_name={"k": [clause]}, any=clause).save()
    shown = (await alone(Treaty).get(f"/treaty/{treaty.id}/")).json()
    seen = {"text": "a"}
    assert shown.pop("whole") == seen
    assert shown.pop("fine") == "no field here"
    assert shown == {"one": seen, "some": [seen], "by_name": {"k": [seen]}, "any": {"text": "d"}}


async def test_to_dict_of_embedded_documents_is_shown_inside_and_alone(api: Api) -> None:
    raft = Raft(name="r", rudder=Rudder(angle=3), spare=[Rudder(angle=4)]).save()
    client = api(Raft)
    shown = (await client.get(f"/raft/{raft.id}/")).json()
    assert (shown["rudder"], shown["spare"], shown["name"]) == ({"turned": 6}, [{"turned": 8}], "r")
    assert (await client.get(f"/raft/{raft.id}/rudder/")).json() == {"turned": 6}
    assert (await client.get(f"/raft/{raft.id}/spare/")).json() == [{"turned": 8}]
    assert (await client.post(f"/raft/{raft.id}/spare/", json={"angle": 5})).json() == {"turned": 10}
    assert (await client.put(f"/raft/{raft.id}/spare/0/", json={"angle": 1})).json() == {"turned": 2}


async def test_to_dict_is_shown_in_maps_and_generic_fields_too(api: Api) -> None:
    gears = [Rudder(angle=2), Shell(size=5)]
    raft = Raft(gear=Rudder(angle=1), gears=gears, named={"a": Rudder(angle=3)}).save()
    shown = (await api(Raft).get(f"/raft/{raft.id}/")).json()
    assert shown["gear"] == {"turned": 2}
    assert shown["gears"] == [{"turned": 4}, {"@type": "Shell", "size": 5}]
    assert shown["named"] == {"a": {"turned": 6}}


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_a_generic_embedded_document_is_edited_field_by_field(api: Api, verb: str) -> None:
    crate = Crane(load=GrabHook(width=1, weight=2)).save()
    client, place = api(Crane), f"/crane/{crate.id}/"
    answer = await client.request(verb, place, json={"load": {"@type": "GrabHook", "weight": 3}})
    assert answer.json()["load"] == {"@type": "GrabHook", "width": 1, "weight": 3}
    answer = await client.request(verb, place, json={"load": {"@type": "GrabHook", "weight": None}})
    assert answer.json()["load"] == {"@type": "GrabHook", "width": 1, "weight": None}
    answer = await client.request(verb, place, json={"load": {"@type": "LiftMagnet", "weight": 5}})
    assert answer.json()["load"] == {"@type": "LiftMagnet", "weight": 5}


async def test_an_instance_that_to_dict_shows_has_a_tag_of_its_own(api: Api) -> None:
    dinghy = Dinghy(name="d").save()
    client, place = api(Dinghy), f"/dinghy/{dinghy.id}/"
    tag = (await client.get(place)).headers["ETag"]
    assert (await client.get(place, headers={"If-None-Match": tag})).status_code == 304
    assert (await client.put(place, json={"name": "e"}, headers={"If-Match": tag})).status_code == 200
    assert (await client.put(place, json={"name": "f"}, headers={"If-Match": tag})).status_code == 412


# -- documents that bring code of their own

CALLS: list[tuple[str, bool]] = []


def called(name: str) -> None:
    CALLS.append((name, threading.current_thread() is threading.main_thread()))


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


class Oar(me.EmbeddedDocument):
    length = me.IntField()
    maker = me.ReferenceField(Harbour)

    def clean(self) -> None:
        called("oar.clean")
        if self.length and self.length > 10:
            raise me.ValidationError("too long", errors={"length": me.ValidationError("too long")})
        if self.maker is not None and self.maker.name == "closed":
            raise me.ValidationError("the maker is closed")


class Canoe(me.Document):
    name = me.StringField(db_field="n")
    shouted = me.StringField(db_field="s")
    oar = me.EmbeddedDocumentField(Oar, db_field="o")
    oars = me.ListField(me.EmbeddedDocumentField(Oar), db_field="os")
    harbours = me.ListField(me.ReferenceField(Harbour), db_field="h")

    def clean(self) -> None:
        called("clean")
        if self.name == "bad":
            raise me.ValidationError("no such name", errors={"name": me.ValidationError("no such name")})

    def save(self, *args: Any, **kwargs: Any) -> Any:
        called("save")
        self.shouted = (self.name or "").upper()
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        called("delete")
        return super().delete(*args, **kwargs)


async def test_save_clean_and_delete_of_a_document_really_run_off_the_loop(api: Api) -> None:
    client = api(Canoe)
    created = await client.post("/canoe/", json={"name": "a"})
    assert (created.status_code, created.json()["shouted"]) == (201, "A")
    put = await client.put(created.headers["Location"], json={"name": "b"})
    assert (put.json()["shouted"], raw(Canoe.objects.get())["s"]) == ("B", "B")
    assert (await client.delete(created.headers["Location"])).status_code == 204
    assert [name for name, _ in CALLS] == ["save", "clean", "save", "clean", "delete"]
    assert not any(in_main_thread for _, in_main_thread in CALLS)


async def test_what_save_changes_is_told_as_updated(api: Api) -> None:
    client, seen = api(Canoe), []
    place = (await client.post("/canoe/", json={"name": "a"})).headers["Location"]

    def listen(sender: Any, updated_fields: dict[str, Any]) -> None:
        seen.append(updated_fields)

    with signals.post_update_instance.connected_to(listen):
        await client.put(place, json={"name": "b"})
    assert seen == [{"name": {"from": "a", "to": "b"}, "shouted": {"from": "A", "to": "B"}}]


async def test_hooks_run_for_every_nested_write(api: Api) -> None:
    rio = Harbour(code="RIO").save()
    client = api(Canoe)
    place = (await client.post("/canoe/", json={"name": "a"})).headers["Location"]
    for verb, where, body in (
        ("POST", "oar/", {"length": 1}),
        ("PUT", "oar/", {"length": 2}),
        ("DELETE", "oar/", None),
        ("POST", "oars/", {"length": 1, "maker": "RIO"}),
        ("PATCH", "oars/0/", {"length": 2}),
        ("DELETE", "oars/0/", None),
        ("POST", "harbours/", {"harbours": [rio.code]}),
        ("DELETE", "harbours/RIO/", None),
    ):
        CALLS.clear()
        answer = await client.request(verb, place + where, json=body)
        assert (verb, where, answer.status_code // 100) == (verb, where, 2)
        assert (verb, where, ("save", False) in CALLS, ("clean", False) in CALLS) == (verb, where, True, True)
        assert [name for name, in_main in CALLS if in_main] == []


async def test_a_clean_that_refuses_is_400_and_names_the_field(api: Api) -> None:
    Harbour(code="RIO", name="closed").save()
    client = api(Canoe)
    refused = await client.post("/canoe/", json={"name": "bad"})
    assert (refused.status_code, refused.json()["errors"]) == (400, {"name": ["no such name"]})
    place = (await client.post("/canoe/", json={"name": "a"})).headers["Location"]
    for verb, where, body in (
        ("PUT", "", {"name": "bad"}),
        ("POST", "oar/", {"length": 11}),
        ("POST", "oars/", {"length": 11}),
        ("PUT", "", {"oar": {"length": 11}}),
        ("POST", "oar/", {"length": 1, "maker": "RIO"}),
        ("POST", "oars/", {"maker": "RIO"}),
    ):
        answer = await client.request(verb, place + where, json=body)
        assert (verb, where, body, answer.status_code) == (verb, where, body, 400)
        assert answer.json()["errors"]
    assert raw(Canoe.objects.get()).keys() == {"_id", "n", "s", "os", "h"}


class Kayak(me.Document):
    name = me.StringField(unique=True)


async def test_receivers_of_mongoengines_own_signals_run_off_the_loop(api: Api) -> None:
    def listen(sender: Any, document: Any, **kwargs: Any) -> None:
        called(document.name)

    client = api(Kayak)
    with (
        me.signals.pre_save.connected_to(listen, sender=Kayak),
        me.signals.post_delete.connected_to(listen, sender=Kayak),
    ):
        place = (await client.post("/kayak/", json={"name": "a"})).headers["Location"]
        await client.put(place, json={"name": "b"})
        taken = await client.post("/kayak/", json={"name": "b"})
        assert (taken.status_code, list(taken.json()["errors"])) == (409, ["name"])
        await client.delete(place)
    await client.post("/kayak/", json={"name": "unheard"})
    assert CALLS == [("a", False), ("b", False), ("b", False), ("b", False)]


def test_a_save_that_cannot_be_told_to_insert_is_refused() -> None:
    class Ferry(me.Document):
        def save(self) -> Any:  # that is the mistake
            return super().save()

    with pytest.raises(ConfigurationError, match=r"Ferry.save must take \*\*kwargs"):
        bzz.ModelHive.routes_for("mongoengine", Ferry)


# -- delete rules


class Dock(me.Document):
    name = me.StringField()


class Boat(me.Document):
    denied = me.ReferenceField(Dock, reverse_delete_rule=me.DENY)
    cascaded = me.ReferenceField(Dock, reverse_delete_rule=me.CASCADE)
    nullified = me.ReferenceField(Dock, reverse_delete_rule=me.NULLIFY)
    pulled = me.ListField(me.ReferenceField(Dock, reverse_delete_rule=me.PULL))


async def test_a_delete_that_is_denied_is_409(api: Api) -> None:
    dock = Dock().save()
    boat = Boat(denied=dock).save()
    client = api(Dock)
    refused = await client.delete(f"/dock/{dock.id}/")
    assert (refused.status_code, refused.headers["Content-Type"]) == (409, "application/problem+json")
    assert "boat" not in refused.text.lower()
    boat.delete()
    assert (await client.delete(f"/dock/{dock.id}/")).status_code == 204


async def test_a_delete_cascades_nullifies_and_pulls(api: Api) -> None:
    dock, other = Dock().save(), Dock().save()
    Boat(cascaded=dock).save()
    boat = Boat(nullified=dock, pulled=[dock, other]).save()
    assert (await api(Dock).delete(f"/dock/{dock.id}/")).status_code == 204
    assert [raw(each) for each in Boat.objects] == [{"_id": boat.id, "pulled": [other.id]}]


# -- options


async def test_read_only_fields_are_shown_and_cannot_be_written(api: Api) -> None:
    sailor, client = Sailor(name="Ann", age=3).save(), api(Sailor, read_only=["age"])
    for verb, place in (("POST", "/sailor/"), ("PUT", f"/sailor/{sailor.id}/"), ("PATCH", f"/sailor/{sailor.id}/")):
        answer = await client.request(verb, place, json={"name": "x", "age": 4})
        assert (answer.status_code, answer.json()["errors"]) == (400, {"age": ["This field is read-only."]})
    assert (await client.get("/sailor/?age=3&sort=age")).json()[0]["age"] == 3


async def test_what_lies_below_a_read_only_field_is_only_read(api: Api) -> None:
    sailor = Sailor(name="Ann").save()
    ship = Ship(name="Argo", engine={"power": 1}, crew=[sailor], captain=sailor).save()
    client = api(Ship, read_only=["engine", "crew", "captain"])
    for place in ("engine/", "engine/main/", "engine/parts/", "crew/", f"crew/{sailor.id}/", "captain/"):
        where = f"/ship/{ship.id}/{place}"
        allow = (await client.options(where)).headers["Allow"]
        is_list = place in ("engine/parts/", "crew/")
        assert (place, allow) == (place, "GET, HEAD, QUERY, OPTIONS" if is_list else "GET, HEAD, OPTIONS")
        for verb in ("POST", "PUT", "PATCH", "DELETE"):
            assert (verb, place, (await client.request(verb, where, json={})).status_code) == (verb, place, 405)
    assert (await client.get(f"/ship/{ship.id}/crew/")).json()[0]["name"] == "Ann"


async def test_a_dotted_read_only_field_counts_wherever_the_model_is_reached(api: Api) -> None:
    ship = Ship(name="Argo", engine={"power": 1, "main": Part(name="x")}).save()
    client = api(Ship, read_only=["engine.main.name"])
    assert (await client.put(f"/ship/{ship.id}/", json={"engine": {"main": {"name": "y"}}})).status_code == 400
    assert (await client.put(f"/ship/{ship.id}/engine/main/", json={"name": "y"})).status_code == 400
    assert (await client.put(f"/ship/{ship.id}/engine/", json={"power": 2})).json()["main"]["name"] == "x"


async def test_only_the_methods_that_are_named_are_answered(api: Api) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor, methods=["GET", "PUT"])
    assert (await client.options("/sailor/")).headers["Allow"] == "GET, HEAD, QUERY, OPTIONS"
    assert (await client.options(f"/sailor/{sailor.id}/")).headers["Allow"] == "GET, HEAD, PUT, OPTIONS"
    assert (await client.post("/sailor/", json={"name": "x"})).status_code == 405
    assert (await client.delete(f"/sailor/{sailor.id}/")).status_code == 405
    assert (await client.put(f"/sailor/{sailor.id}/", json={"age": 1})).status_code == 200
    assert (await client.head("/sailor/")).status_code == 200


async def test_a_prefix_and_a_name_say_where_a_model_is(api: Api) -> None:
    client = api(Sailor, prefix="/api/v1", resource_name="crew.members")
    created = await client.post("/api/v1/crew.members/", json={"name": "Ann"})
    assert created.headers["Location"].startswith("/api/v1/crew.members/")
    assert (await client.get(created.headers["Location"])).status_code == 200
    assert (await client.get("/api/v1/crewXmembers/")).status_code == 404


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": ["zz"]}, {"hidden": ["n"]}, {"hidden": ["engine.zz"]}, {"hidden": ["name.x"]}, {"hidden": "name"},
        {"read_only": ["zz"]}, {"read_only": ["crew.zz"]}, {"read_only": "name"}, {"methods": ["FETCH"]},
        {"methods": "GET"}, {"methods": ["get"]}, {"per_page": 0}, {"per_page": 101}, {"max_per_page": 0},
        {"resource_name": "/"}, {"hidden": [1]},
    ],
)  # fmt: skip
def test_a_mistake_in_an_option_is_told_when_the_routes_are_made(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        bzz.ModelHive.routes_for("mongoengine", Ship, **options)


def test_an_option_that_there_is_not_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="hiden"):
        bzz.ModelHive.routes_for("mongoengine", Ship, hiden=["name"])  # type: ignore[call-arg]


@pytest.mark.parametrize("orm", ["sqlalchemy", "", "bzz.nothing.Here", "bzz.errors.NotFound", "os.path", dict])
def test_an_orm_that_is_not_known_is_told_with_those_that_are(orm: Any) -> None:
    with pytest.raises(ConfigurationError, match="'mongoengine'"):
        bzz.ModelHive.routes_for(orm, Ship)


@pytest.mark.parametrize("model", [dict, Part, me.Document, None, "Ship"])
def test_a_model_that_is_no_document_is_told(model: Any) -> None:
    with pytest.raises(ConfigurationError):
        bzz.ModelHive.routes_for("mongoengine", model)


def test_a_reference_to_a_class_that_does_not_exist_is_told() -> None:
    class Lost(me.Document):
        other = me.ReferenceField("NoSuchDocument")

    with pytest.raises(ConfigurationError, match="other"):
        bzz.ModelHive.routes_for("mongoengine", Lost)


def test_an_id_field_name_that_names_no_field_is_told() -> None:
    class Odd(me.Document):
        @classmethod
        def get_id_field_name(cls) -> str:
            return "zz"

    with pytest.raises(ConfigurationError, match="zz"):
        bzz.ModelHive.routes_for("mongoengine", Odd)


@pytest.mark.parametrize("as_class", [True, False])
async def test_a_provider_is_named_by_its_path_or_given_as_a_class(
    serve: Serve, database_name: str, as_class: bool
) -> None:
    from bzz.providers.mongoengine.provider import MongoEngineProvider

    orm: Any = MongoEngineProvider if as_class else "bzz.providers.mongoengine.provider.MongoEngineProvider"
    assert (await serve(bzz.ModelHive.routes_for(orm, Fleet)).get("/fleet/")).json() == []


class Sliced(me.Document):
    number = me.IntField()

    @classmethod
    def get_list_queryset(cls, queryset: QuerySet, handler: Any) -> QuerySet:
        return queryset[:2]


async def test_a_limit_in_a_list_hook_is_an_error_and_not_passed_over(alone: Api) -> None:
    Sliced.objects.insert([Sliced(number=number) for number in range(3)])
    assert (await alone(Sliced).get("/sliced/")).status_code == 500

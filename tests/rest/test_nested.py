"""Paths into documents: embedded ones, references, lists of both, single properties, at three levels and recursive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import mongoengine as me
import pytest

from tests.rest import Berth, Cabin, Engine, Fleet, Harbour, Part, Sailor, Ship, raw
from tests.rest.conftest import Api

JSON = {"Content-Type": "application/json"}


@dataclass
class World:
    """A fleet of one ship with everything on it, and a client of it."""

    client: httpx.AsyncClient
    fleet: Fleet
    ship: Ship
    ann: Sailor
    bea: Sailor

    @property
    def at_ship(self) -> str:
        """The ship, at the second level."""
        return f"/fleet/{self.fleet.id}/ships/{self.ship.id}"


@pytest.fixture
def world(api: Api) -> World:
    rio, olinda = Harbour(code="RIO", name="Rio").save(), Harbour(code="OLI", name="Olinda").save()
    ann = Sailor(name="Ann", age=40, home=rio).save()
    bea = Sailor(name="Bea", age=30, home=olinda, boss=ann, friends=[ann]).save()
    cabins = [
        Cabin(code="A1", size=4, berths=[Berth(label="x", deck=1), Berth(label="y", deck=2)]),
        Cabin(code="B2", size=2, steward=bea),
    ]
    engine = Engine(
        power=9,
        main=Part(name="shaft", maker=rio, inner=Part(name="core", parts=[Part(name="bolt")])),
        parts=[Part(name="gear"), Part(name="belt", inner=Part(name="band"))],
        builders=[rio],
    )
    ship = Ship(name="Argo", engine=engine, cabins=cabins, captain=ann, crew=[ann, bea], ports=[rio, olinda]).save()
    fleet = Fleet(name="First", flagship=ship, ships=[ship]).save()
    return World(api(Fleet, Ship, Sailor), fleet, ship, ann, bea)


async def test_every_kind_of_path_is_shown_at_three_levels(world: World) -> None:
    ship, ann, bea = world.at_ship, world.ann, world.bea
    shown: dict[str, Any] = {
        f"{ship}/": ("name", "Argo"),
        f"{ship}/cabins/A1/": ("size", 4),
        f"{ship}/cabins/A1/berths/1/": ("label", "y"),
        f"{ship}/cabins/B2/steward/": ("name", "Bea"),
        f"{ship}/cabins/B2/steward/home/": ("name", "Olinda"),
        f"{ship}/engine/": ("power", 9),
        f"{ship}/engine/main/": ("name", "shaft"),
        f"{ship}/engine/main/maker/": ("name", "Rio"),
        f"{ship}/engine/main/maker/RIO/": ("name", "Rio"),
        f"{ship}/engine/main/inner/": ("name", "core"),
        f"{ship}/engine/main/inner/parts/0/": ("name", "bolt"),
        f"{ship}/engine/parts/1/inner/": ("name", "band"),
        f"{ship}/engine/builders/RIO/": ("name", "Rio"),
        f"{ship}/captain/": ("name", "Ann"),
        f"{ship}/captain/{ann.id}/": ("name", "Ann"),
        f"{ship}/captain/{ann.id}/home/": ("name", "Rio"),
        f"{ship}/crew/{bea.id}/": ("name", "Bea"),
        f"{ship}/crew/{bea.id}/boss/": ("name", "Ann"),
        f"{ship}/crew/{bea.id}/boss/home/RIO/": ("name", "Rio"),
        f"{ship}/crew/{bea.id}/friends/{ann.id}/": ("age", 40),
        f"{ship}/ports/OLI/": ("name", "Olinda"),
        f"/fleet/{world.fleet.id}/flagship/crew/{bea.id}/home/": ("name", "Olinda"),
    }
    for place, (name, value) in shown.items():
        for each in (place, place.rstrip("/")):
            answer = await world.client.get(each)
            assert (each, answer.status_code, answer.json().get(name)) == (each, 200, value)


async def test_every_kind_of_list_is_shown_at_three_levels(world: World) -> None:
    lists: dict[str, tuple[str, list[Any]]] = {
        f"/fleet/{world.fleet.id}/ships/": ("name", ["Argo"]),
        f"{world.at_ship}/cabins/": ("code", ["A1", "B2"]),
        f"{world.at_ship}/cabins/A1/berths/": ("deck", [1, 2]),
        f"{world.at_ship}/cabins/B2/berths/": ("deck", []),
        f"{world.at_ship}/engine/parts/": ("name", ["gear", "belt"]),
        f"{world.at_ship}/engine/main/parts/": ("name", []),
        f"{world.at_ship}/engine/main/inner/parts/": ("name", ["bolt"]),
        f"{world.at_ship}/engine/builders/": ("code", ["RIO"]),
        f"{world.at_ship}/crew/": ("name", ["Ann", "Bea"]),
        f"{world.at_ship}/crew/{world.bea.id}/friends/": ("name", ["Ann"]),
        f"{world.at_ship}/ports/": ("code", ["OLI", "RIO"]),
    }
    for place, (name, values) in lists.items():
        answer = await world.client.get(place)
        assert (place, answer.status_code) == (place, 200)
        assert (place, [each[name] for each in answer.json()]) == (place, values)


async def test_anything_missing_on_the_way_is_404(world: World) -> None:
    other = Sailor(name="Cid").save()
    missing = [
        f"/fleet/{world.ann.id}/ships/",
        f"/fleet/{world.fleet.id}/ships/{world.ann.id}/",
        f"{world.at_ship}/cabins/Z9/",
        f"{world.at_ship}/cabins/Z9/berths/",
        f"{world.at_ship}/cabins/A1/berths/2/",
        f"{world.at_ship}/cabins/A1/berths/-1/",
        f"{world.at_ship}/cabins/A1/berths/01/",
        f"{world.at_ship}/cabins/A1/berths/x/",
        f"{world.at_ship}/cabins/A1/steward/",
        f"{world.at_ship}/cabins/A1/steward/home/",
        f"{world.at_ship}/crew/{other.id}/",
        f"{world.at_ship}/crew/x/",
        f"{world.at_ship}/captain/{world.bea.id}/",
        f"{world.at_ship}/engine/main/maker/OLI/",
        f"{world.at_ship}/engine/main/inner/inner/",
        f"{world.at_ship}/engine/nothing/",
        f"{world.at_ship}/name/",
        f"{world.at_ship}/name/x/",
        f"{world.at_ship}/cp/",
        f"{world.at_ship}/tags/0/",
    ]
    for place in missing:
        assert (place, (await world.client.get(place)).status_code) == (place, 404)
        for verb in ("PUT", "DELETE", "POST"):
            answer = await world.client.request(verb, place, content=b'{"ships": []}', headers=JSON)
            assert (verb, place, answer.status_code // 100) == (verb, place, 4)


async def test_writing_below_a_document_that_is_missing_is_404(world: World) -> None:
    nowhere = f"/ship/{world.ann.id}"
    for verb, place, body in (
        ("POST", "crew/", {"crew": [str(world.ann.id)]}),
        ("POST", "captain/", {"captain": str(world.ann.id)}),
        ("POST", "cabins/", {"code": "C"}),
        ("POST", "engine/main/", {"name": "x"}),
        ("PUT", "engine/", {"power": 1}),
        ("PUT", "cabins/A1/", {"size": 1}),
        ("PATCH", "captain/", {"age": 1}),
        ("DELETE", f"crew/{world.ann.id}/", None),
    ):
        answer = await world.client.request(verb, f"{nowhere}/{place}", json=body)
        assert (verb, place, answer.status_code) == (verb, place, 404)


async def test_a_reference_to_a_deleted_document_is_404(world: World) -> None:
    world.ann.delete()
    assert (await world.client.get(f"{world.at_ship}/captain/")).status_code == 404
    assert (await world.client.get(f"{world.at_ship}/crew/{world.ann.id}/")).status_code == 404
    assert [each["name"] for each in (await world.client.get(f"{world.at_ship}/crew/")).json()] == ["Bea"]


# -- writing embedded documents


async def test_an_occupied_single_property_is_409_also_for_an_embedded_document_of_the_same_id(api: Api) -> None:
    class Wheel(me.EmbeddedDocument):
        code = me.StringField(primary_key=True)
        spokes = me.IntField()

    class Cutter(me.Document):
        wheel = me.EmbeddedDocumentField(Wheel)

    cutter = Cutter(wheel=Wheel(code="w", spokes=8)).save()
    answer = await api(Cutter).post(f"/cutter/{cutter.id}/wheel/", json={"code": "w", "spokes": 9})
    assert (answer.status_code, raw(cutter)["wheel"]) == (409, {"_id": "w", "spokes": 8})


async def test_post_to_a_list_of_embedded_documents_attaches_one(world: World) -> None:
    answer = await world.client.post(f"{world.at_ship}/cabins/", json={"code": "C/3", "size": 7})
    assert (answer.status_code, answer.headers["X-Created-Id"]) == (201, "C/3")
    assert answer.headers["Location"] == f"{world.at_ship}/cabins/C%2F3/"
    assert (await world.client.get(answer.headers["Location"])).json() == answer.json()
    assert raw(world.ship)["c"][2] == {"_id": "C/3", "s": 7, "b": []}


async def test_an_embedded_document_without_an_id_is_named_by_its_position(world: World) -> None:
    for position in (2, 3):
        answer = await world.client.post(f"{world.at_ship}/cabins/A1/berths/", json={"label": "twin"})
        assert (answer.status_code, answer.headers["X-Created-Id"]) == (201, str(position))
        assert answer.headers["Location"] == f"{world.at_ship}/cabins/A1/berths/{position}/"


async def test_an_embedded_id_that_is_there_already_is_409(world: World) -> None:
    answer = await world.client.post(f"{world.at_ship}/cabins/", json={"code": "A1", "size": 7})
    assert (answer.status_code, answer.headers["Content-Type"]) == (409, "application/problem+json")
    assert len(raw(world.ship)["c"]) == 2


async def test_an_embedded_document_is_validated_before_it_is_attached(world: World) -> None:
    for place, body, wrong in (
        ("cabins/", {"code": "D", "size": 0}, "size"),
        ("cabins/A1/berths/", {"label": "much too long a label"}, "label"),
        ("engine/parts/", {}, "name"),
        ("engine/parts/", {"name": "x", "maker": "XXX"}, "maker"),
        ("engine/parts/", {"name": "x", "inner": {}}, "inner.name"),
        ("cabins/", {"code": "D", "_cls": "x"}, "_cls"),
    ):
        answer = await world.client.post(f"{world.at_ship}/{place}", json=body)
        assert (place, answer.status_code) == (place, 400)
        assert [each.rpartition(".")[2] for each in answer.json()["errors"]] == [wrong.rpartition(".")[2]]


async def test_post_to_a_free_single_property_creates_and_to_an_occupied_one_is_409(world: World) -> None:
    place = f"{world.at_ship}/engine/main/inner/inner/"
    answer = await world.client.post(place, json={"name": "atom"})
    assert (answer.status_code, answer.headers["Location"]) == (201, place)
    assert (await world.client.get(place)).json()["name"] == "atom"
    again = await world.client.post(place, json={"name": "atom"})
    assert (again.status_code, again.headers["Content-Type"]) == (409, "application/problem+json")


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_an_embedded_item_is_edited_in_its_place(world: World, verb: str) -> None:
    edits: dict[str, dict[str, Any]] = {
        "cabins/A1/": {"size": 8},
        "cabins/A1/berths/0/": {"deck": 7},
        "engine/": {"power": 10},
        "engine/main/inner/": {"name": "heart"},
        "engine/parts/1/inner/": {"name": "ring"},
        "engine/main/inner/parts/0/": {"name": "nut"},
    }
    for place, body in edits.items():
        answer = await world.client.request(verb, f"{world.at_ship}/{place}", json=body)
        assert (place, answer.status_code) == (place, 200)
        assert answer.json() == (await world.client.get(f"{world.at_ship}/{place}")).json()
        assert body.items() <= answer.json().items()
    stored = raw(world.ship)
    assert stored["c"][0]["s"] == 8
    assert stored["c"][0]["b"][0] == {"l": "x", "d": 7}
    assert stored["e"]["m"]["i"]["p"][0]["n"] == "nut"
    assert len(stored["c"]) == 2


async def test_put_and_patch_through_a_single_reference_edit_the_document_there(world: World) -> None:
    for verb, place in (
        ("PUT", "captain/"),
        ("PATCH", f"captain/{world.ann.id}/"),
        ("PUT", f"crew/{world.bea.id}/boss/"),
    ):
        age = len(place)
        answer = await world.client.request(verb, f"{world.at_ship}/{place}", json={"age": age})
        assert (answer.status_code, answer.json()["id"], answer.json()["age"]) == (200, str(world.ann.id), age)
        assert raw(world.ann)["a"] == age


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "POST"])
async def test_an_item_of_a_list_of_references_is_not_edited(world: World, verb: str) -> None:
    answer = await world.client.request(verb, f"{world.at_ship}/crew/{world.bea.id}/", json={"age": 1})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, DELETE, OPTIONS")


async def test_delete_removes_an_embedded_document(world: World) -> None:
    for place in ("cabins/A1/berths/0/", "cabins/B2/", "engine/parts/0/", "engine/main/inner/"):
        answer = await world.client.delete(f"{world.at_ship}/{place}")
        assert (place, answer.status_code, answer.content) == (place, 204, b"")
    stored = raw(world.ship)
    assert [each["_id"] for each in stored["c"]] == ["A1"]
    assert stored["c"][0]["b"] == [{"l": "y", "d": 2}]
    assert [each["n"] for each in stored["e"]["p"]] == ["belt"]
    assert "i" not in stored["e"]["m"]
    assert (await world.client.delete(f"{world.at_ship}/engine/main/inner/")).status_code == 404


async def test_a_required_property_cannot_be_deleted(api: Api) -> None:
    class Mast(me.EmbeddedDocument):
        height = me.IntField()

    class Yacht(me.Document):
        mast = me.EmbeddedDocumentField(Mast, required=True)

    yacht = Yacht(mast=Mast(height=3)).save()
    answer = await api(Yacht).delete(f"/yacht/{yacht.id}/mast/")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["mast"])


# -- linking


@pytest.mark.parametrize("body", ["json", "form"])
async def test_post_to_a_list_of_references_links_all_that_are_named(world: World, body: str) -> None:
    cid, dan = Sailor(name="Cid").save(), Sailor(name="Dan").save()
    ids = [str(cid.id), str(dan.id), str(cid.id), str(world.ann.id)]
    content: dict[str, Any] = {"json": {"crew": ids}} if body == "json" else {"data": {"crew[]": ids}}
    answer = await world.client.post(f"{world.at_ship}/crew/", **content)
    assert answer.status_code == 200
    assert raw(world.ship)["cr"] == [world.ann.id, world.bea.id, cid.id, dan.id]


async def test_linking_twice_is_linking_once(world: World) -> None:
    for _ in range(2):
        answer = await world.client.post(f"{world.at_ship}/crew/", json={"crew": [str(world.ann.id)]})
        assert answer.status_code == 200
    assert raw(world.ship)["cr"] == [world.ann.id, world.bea.id]


@pytest.mark.parametrize(
    "body",
    [
        {"crew": ["5f0000000000000000000000"]},
        {"crew": ["x"]},
        {"crew": []},
        {"crew": None},
        {"crew": [None]},
        {"crew": {}},
        {},
        {"other": []},
        {"crew": [], "name": "x"},
    ],
)
async def test_linking_is_all_or_nothing(world: World, body: dict[str, Any]) -> None:
    cid = Sailor(name="Cid").save()
    if body.get("crew"):
        body = {"crew": [str(cid.id), *body["crew"]]}
    answer = await world.client.post(f"{world.at_ship}/crew/", json=body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"]
    assert raw(world.ship)["cr"] == [world.ann.id, world.bea.id]


async def test_a_single_reference_is_linked_once_and_then_occupied(world: World) -> None:
    place = f"/sailor/{world.ann.id}/boss/"
    answers = [
        await world.client.post(place, json={"boss": str(each.id)}) for each in (world.bea, world.bea, world.ann)
    ]
    assert [each.status_code for each in answers] == [200, 200, 409]
    assert raw(world.ann)["bo"] == world.bea.id


async def test_delete_only_unlinks_a_reference(world: World) -> None:
    for place in (f"crew/{world.bea.id}/", "captain/", "ports/RIO/", "engine/main/maker/", "engine/builders/RIO/"):
        answer = await world.client.delete(f"{world.at_ship}/{place}")
        assert (place, answer.status_code, answer.content) == (place, 204, b"")
        assert (place, (await world.client.delete(f"{world.at_ship}/{place}")).status_code) == (place, 404)
    stored = raw(world.ship)
    assert (stored["cr"], stored["po"], stored["e"]["bl"]) == ([world.ann.id], ["OLI"], [])
    assert "cp" not in stored
    assert "m" not in stored["e"]["m"]
    assert (Sailor.objects.count(), Harbour.objects.count()) == (2, 2)


# -- preconditions


async def test_nested_instances_have_entity_tags_that_guard_them(world: World) -> None:
    edits: dict[str, Any] = {
        f"{world.at_ship}/cabins/A1/": {"size": 5},
        f"{world.at_ship}/cabins/A1/berths/0/": {"deck": 5},
        f"{world.at_ship}/engine/main/": {"name": "axle"},
        f"{world.at_ship}/captain/": {"age": 5},
    }
    for place, body in edits.items():
        tag = (await world.client.get(place)).headers["ETag"]
        assert (await world.client.get(place, headers={"If-None-Match": tag})).status_code == 304
        changed = await world.client.put(place, json=body, headers={"If-Match": tag})
        assert (place, changed.status_code) == (place, 200)
        assert changed.headers["ETag"] == (await world.client.get(place)).headers["ETag"] != tag
        for verb in ("PUT", "PATCH", "DELETE"):
            content = b"{}" if verb != "DELETE" else b""
            headers = {"If-Match": tag, **(JSON if content else {})}
            stale = await world.client.request(verb, place, content=content, headers=headers)
            assert (verb, place, stale.status_code) == (verb, place, 412)
    for place in reversed(edits):
        tag = (await world.client.get(place)).headers["ETag"]
        assert (place, (await world.client.delete(place, headers={"If-Match": tag})).status_code) == (place, 204)


async def test_the_path_may_not_be_longer_than_32_steps(world: World) -> None:
    long = f"/sailor/{world.bea.id}" + "/boss" * 40
    assert (await world.client.get(long)).status_code == 404


async def test_a_recursive_reference_is_followed_as_often_as_it_leads_on(world: World) -> None:
    world.ann.update(boss=world.ann)
    assert (await world.client.get(f"/sailor/{world.bea.id}" + "/boss" * 20)).json()["name"] == "Ann"

"""``updated_fields``: real changes only, by full dotted path, typed, and of one shape on both sides."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bzz
from bzz import signals
from tests.conftest import Serve
from tests.rest import Berth, Cabin, Engine, Harbour, Part, Sailor, Ship
from tests.rest.conftest import Api
from tests.signals.conftest import Connect

Diffs = list[dict[str, Any]]


def change(old: Any, new: Any) -> dict[str, Any]:
    return {"from": old, "to": new}


@pytest.fixture
def diffs(connect: Connect) -> Diffs:
    """The ``updated_fields`` of every update from now on."""
    told: Diffs = []

    def listen(sender: Any, updated_fields: dict[str, Any]) -> None:
        told.append(updated_fields)

    connect(signals.post_update_instance, listen)
    return told


@pytest.fixture
def ship(database_name: str) -> Ship:
    rio = Harbour(code="RIO").save()
    made: Ship = Ship(
        name="Argo",
        tons=3,
        engine=Engine(power=1, fuel="oil", main=Part(name="shaft", maker=rio, inner=Part(name="core"))),
        cabins=[Cabin(code="A", size=1, berths=[Berth(deck=1)])],
        tags=["x"],
        log={"a": 1},
    ).save()
    return made


# What is sent to the ship, and what receivers are told.
ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"tons": 4}, {"tons": change(3, 4)}),
    ({"tons": 3}, {}),
    ({}, {}),
    ({"tons": None}, {"tons": change(3, None)}),
    ({"name": "Argo", "tons": 5}, {"tons": change(3, 5)}),
    ({"engine": {"power": 2}}, {"engine.power": change(1, 2)}),
    ({"engine": {"main": {"inner": {"name": "x"}}}}, {"engine.main.inner.name": change("core", "x")}),
    ({"engine": {"main": {"maker": None}}}, {"engine.main.maker": change("RIO", None)}),
    (
        {"engine": {"main": {"inner": None}}},
        {"engine.main.inner.name": change("core", None), "engine.main.inner.parts": change([], None)},
    ),
    ({"engine": {}}, {}),
    ({"tags": ["x", "y"]}, {"tags": change(["x"], ["x", "y"])}),
    ({"tags": []}, {"tags": change(["x"], [])}),
    ({"tags": None}, {"tags": change(["x"], None)}),
    ({"log": {"a": 2}}, {"log": change({"a": 1}, {"a": 2})}),
    ({"log": {"a": True}}, {"log": change({"a": 1}, {"a": True})}),
    ({"ports": ["RIO"]}, {"ports": change([], ["RIO"])}),
    (
        {"cabins": [{"code": "A", "size": 2}]},
        {
            "cabins": change(
                [Cabin(code="A", size=1, berths=[Berth(deck=1)])],
                [Cabin(code="A", size=2)],
            )
        },
    ),
]


@pytest.mark.parametrize(("body", "wanted"), ROWS, ids=lambda each: str(each))
async def test_an_update_tells_what_it_changed(
    api: Api, diffs: Diffs, ship: Ship, body: dict[str, Any], wanted: dict[str, Any]
) -> None:
    answer = await api(Ship).put(f"/ship/{ship.id}/", json=body)
    assert (answer.status_code, diffs) == (200, [wanted])
    assert isinstance(diffs[0], dict)


async def test_a_whole_embedded_document_comes_and_goes_field_by_field(api: Api, diffs: Diffs) -> None:
    ship = Ship(name="Argo").save()
    client = api(Ship)
    await client.put(f"/ship/{ship.id}/", json={"engine": {"power": 1, "main": {"name": "a"}}})
    await client.put(f"/ship/{ship.id}/", json={"engine": None})
    came = {name: each for name, each in diffs[0].items() if each["to"] != []}
    assert came == {
        "engine.power": change(None, 1),
        "engine.fuel": change(None, "oil"),
        "engine.main.name": change(None, "a"),
    }
    assert diffs[1] == {name: change(each["to"], None) for name, each in diffs[0].items()}


async def test_references_are_told_as_ids(api: Api, diffs: Diffs) -> None:
    ann, bea = Sailor(name="Ann").save(), Sailor(name="Bea").save()
    client = api(Sailor)
    for boss in (str(bea.id), str(ann.id), None):
        await client.put(f"/sailor/{ann.id}/", json={"boss": boss})
    await client.put(f"/sailor/{ann.id}/", json={"friends": [str(bea.id)]})
    assert diffs == [
        {"boss": change(None, bea.id)},
        {"boss": change(bea.id, ann.id)},
        {"boss": change(ann.id, None)},
        {"friends": change([], [bea.id])},
    ]
    assert isinstance(diffs[0]["boss"]["to"], ObjectId)


async def test_a_nested_update_tells_what_changed_in_that_instance(api: Api, diffs: Diffs, ship: Ship) -> None:
    client = api(Ship)
    for place, body, wanted in (
        ("engine/main/inner/", {"name": "x"}, {"name": change("core", "x")}),
        ("engine/", {"main": {"name": "y"}}, {"main.name": change("shaft", "y")}),
        ("cabins/A/", {"size": 3}, {"size": change(1, 3)}),
        ("cabins/A/berths/0/", {"deck": None}, {"deck": change(1, None)}),
        ("cabins/A/berths/0/", {}, {}),
    ):
        diffs.clear()
        assert (await client.put(f"/ship/{ship.id}/{place}", json=body)).status_code == 200
        assert (place, diffs) == (place, [wanted])


async def test_an_update_that_changes_nothing_writes_nothing_and_tells_so(api: Api, diffs: Diffs, ship: Ship) -> None:
    client, place = api(Ship), f"/ship/{ship.id}/"
    shown = (await client.get(place)).json()
    for verb in ("PUT", "PATCH"):
        answer = await client.request(verb, place, json=shown)
        assert (answer.status_code, answer.json()) == (200, shown)
    assert diffs == [{}, {}]


class Probe(me.Document):
    """Floats that are no numbers, and times of finer grain than is stored."""

    level = me.FloatField()
    at = me.DateTimeField()
    note = me.StringField()
    log = me.DictField()


async def test_a_stored_nan_is_no_change(api: Api, diffs: Diffs) -> None:
    probe = Probe(level=math.nan, log={"x": math.nan}).save()
    client = api(Probe)
    await client.put(f"/probe/{probe.id}/", json={"note": "a"})
    await client.patch(f"/probe/{probe.id}/", json={"note": "b", "log": {}})
    assert diffs == [{"note": change(None, "a")}, {"note": change("a", "b")}]


async def test_times_are_told_as_they_are_stored(api: Api, diffs: Diffs) -> None:
    client = api(Probe)
    place = (await client.post("/probe/", json={"at": "2026-01-01T00:00:00.123456Z"})).headers["Location"]
    shown = (await client.put(place, json={"at": "2026-01-01T01:00:00.123999+01:00"})).json()
    await client.put(place, json={"at": "2026-01-01T00:00:00.124Z"})
    assert diffs == [{}, {"at": change(datetime(2026, 1, 1, 0, 0, 0, 123000), datetime(2026, 1, 1, 0, 0, 0, 124000))}]
    assert shown["at"] == "2026-01-01T00:00:00.123000Z"


async def test_the_instance_of_an_update_is_the_new_state(alone: Api, connect: Connect, ship: Ship) -> None:
    seen: list[Any] = []

    def listen(sender: Any, instance: Any) -> None:
        seen.append((instance.tons, instance.engine.power))

    connect(signals.post_update_instance, listen)
    await alone(Ship).put(f"/ship/{ship.id}/", json={"tons": 9, "engine": {"power": 8}})
    assert seen == [(9, 8)]


def applied(state: Any, diff: dict[str, Any], side: str) -> Any:
    """``state`` with one side of a diff put in, for a flat document."""
    return {**state, **{name: each[side] for name, each in diff.items()}}


BODIES = st.fixed_dictionaries(
    {},
    optional={
        "level": st.one_of(st.none(), st.floats(-10, 10), st.integers(-3, 3)),
        "note": st.one_of(st.none(), st.sampled_from(["", "a", "b"])),
        "log": st.dictionaries(st.sampled_from("xy"), st.one_of(st.booleans(), st.integers(0, 1), st.none())),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(BODIES, min_size=1, max_size=4))
async def test_each_diff_leads_from_one_state_to_the_next(
    serve: Serve, database_name: str, bodies: list[dict[str, Any]]
) -> None:
    told: Diffs = []
    receiver: Callable[..., None] = lambda sender, updated_fields: told.append(updated_fields)  # noqa: E731
    client = serve(bzz.ModelHive.routes_for("mongoengine", Probe))
    state = (await client.post("/probe/", json={})).json()
    with signals.post_update_instance.connected_to(receiver):
        for body in bodies:
            after = (await client.put(f"/probe/{state['id']}/", json=body)).json()
            assert applied(state, told[-1], "from") == state
            assert applied(state, told[-1], "to") == after
            assert all(repr(each["from"]) != repr(each["to"]) for each in told[-1].values())
            state = after

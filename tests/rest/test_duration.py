"""A span of time, which MongoDB has no type for, in requests, in the database and in signals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import mongoengine as me
import pytest

from bzz import signals
from bzz.change import storable
from bzz.providers.mongoengine.duration import DurationField
from tests.rest import raw
from tests.rest.conftest import Api


class Leg(me.EmbeddedDocument):
    takes = DurationField(db_field="t")


class Journey(me.Document):
    takes = DurationField(db_field="t", required=True)
    breaks = me.ListField(DurationField(), db_field="b")
    leg = me.EmbeddedDocumentField(Leg, db_field="l")
    waits = DurationField(choices=(timedelta(minutes=5), timedelta(hours=1)))


async def test_it_is_shown_as_iso_8601_and_stored_in_microseconds(api: Api) -> None:
    body = {"takes": "PT90M", "breaks": ["PT0.5S", "-P1D"], "leg": {"takes": "P1W"}, "waits": "PT5M"}
    answer = await api(Journey).post("/journey/", json=body)
    shown = answer.json()
    assert answer.status_code == 201
    stored = raw(Journey(id=shown.pop("id")))
    assert shown == {**body, "takes": "PT1H30M", "leg": {"takes": "P7D"}}
    assert stored["t"] == 5_400_000_000
    assert stored["b"] == [500_000, -86_400_000_000]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("takes=PT60M", ["PT1H"]),
        ("takes__gt=PT1H&sort=takes", ["P1D", "P2D"]),
        ("takes__in=PT1H,P2D&sort=-takes", ["P2D", "PT1H"]),
        ("leg.takes__lt=PT1M", ["P1D"]),
        ("breaks=PT1S", ["P2D"]),
    ],
)
async def test_it_is_compared_and_sorted(api: Api, query: str, expected: list[str]) -> None:
    client = api(Journey)
    for body in (
        {"takes": "P1D", "leg": {"takes": "PT1S"}},
        {"takes": "PT1H"},
        {"takes": "P2D", "breaks": ["PT1S"]},
    ):
        await client.post("/journey/", json=body)
    answer = await client.get(f"/journey/?{query}")
    assert [each["takes"] for each in answer.json()] == expected


async def test_a_page_goes_on_after_a_cursor_of_it(api: Api) -> None:
    client = api(Journey)
    for takes in ("PT3S", "PT1S", "PT2S"):
        await client.post("/journey/", json={"takes": takes})
    first = await client.get("/journey/?sort=takes&per_page=2")
    second = await client.get(first.links["next"]["url"])
    assert [each["takes"] for each in second.json()] == ["PT3S"]


@pytest.mark.parametrize(
    ("takes", "message"),
    [
        ("an hour", "Must be a duration by ISO 8601 without years and months, such as P1DT2H30M."),
        (3600, "Must be a duration by ISO 8601 without years and months, such as P1DT2H30M."),
        ("P106751992D", "Must be at most 106751991 days."),
    ],
)
async def test_what_is_no_duration_or_too_long_is_refused(api: Api, takes: Any, message: str) -> None:
    answer = await api(Journey).post("/journey/", json={"takes": takes})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"takes": [message]}


@pytest.mark.parametrize("query", ["takes=soon", "takes=P106751992D", "takes__contains=P1D"])
async def test_a_filter_by_no_duration_is_refused(api: Api, query: str) -> None:
    answer = await api(Journey).get(f"/journey/?{query}")
    assert answer.status_code == 400


async def test_choices_are_told_as_they_are_written(api: Api) -> None:
    answer = await api(Journey).get("/journey/?waits=PT6M")
    assert answer.json()["detail"].endswith("Must be one of: PT5M, PT1H.")


async def test_receivers_are_given_timedeltas(api: Api) -> None:
    heard: list[Any] = []

    async def note(sender: Any, instance: Any, updated_fields: Any, **arguments: Any) -> None:
        heard.append((instance.takes, updated_fields))

    client = api(Journey)
    key = (await client.post("/journey/", json={"takes": "PT1H"})).json()["id"]
    with signals.post_update_instance.connected_to(note):
        await client.put(f"/journey/{key}/", json={"takes": "PT2H", "leg": {"takes": "PT1S"}})
    ((takes, diff),) = heard
    assert takes == timedelta(hours=2)
    assert diff["takes"] == {"from": timedelta(hours=1), "to": timedelta(hours=2)}
    assert storable(diff)["leg.takes"] == {"from": None, "to": "PT1S"}


async def test_mongoengine_itself_finds_and_loads_it(api: Api) -> None:
    client = api(Journey)
    await client.post("/journey/", json={"takes": "PT1H"})
    found = Journey.objects.get(takes__gte=timedelta(minutes=59))
    assert found.takes == timedelta(hours=1)
    found.takes = timedelta(hours=3)
    found.save()
    assert (await client.get("/journey/")).json()[0]["takes"] == "PT3H"


def test_mongoengine_itself_refuses_what_is_none() -> None:
    with pytest.raises(me.ValidationError, match="Must be a timedelta"):
        Journey(takes="PT1H").validate()

"""Parameters of lists that an application declares: ``bzz.QueryParameter``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.signals import pre_get_list
from tests.rest.conftest import Api


class TramCall(me.EmbeddedDocument):
    at = me.IntField()


class TramStop(me.Document):
    name = me.StringField(primary_key=True)
    zone = me.IntField()
    opened = me.DateTimeField()
    line = me.StringField()
    calls = me.EmbeddedDocumentListField(TramCall)

    @classmethod
    def get_list_queryset(cls, queryset: Any, handler: Any) -> Any:
        line = handler.parameters.get("line_of")
        return queryset if line is None else queryset.filter(line=line)


def around(value: int, handler: Any) -> dict[str, Any]:
    if value < 0:
        raise ValueError("Must be at least 0.")
    return {"or": [{"zone": value}, {"zone": value + 1}]}


OWN = [
    bzz.QueryParameter("around", int, around, "The zone, and the next."),
    bzz.QueryParameter("line_of", description="The name of the line."),
    bzz.QueryParameter("since", date, lambda day, handler: {"opened": {"gte": day.isoformat()}}),
    bzz.QueryParameter("everything", bool, lambda value, handler: None),
]


@pytest.fixture
def empty(alone: Api) -> httpx.AsyncClient:
    return alone(TramStop, parameters=OWN)


@pytest.fixture
async def client(empty: httpx.AsyncClient) -> httpx.AsyncClient:
    rows = [
        {"name": "A", "zone": 1, "line": "red", "opened": "2020-01-01T00:00:00Z", "calls": [{"at": 1}]},
        {"name": "B", "zone": 2, "line": "red", "opened": "2021-01-01T00:00:00Z"},
        {"name": "C", "zone": 3, "line": "blue"},
    ]
    assert (await empty.post("/tram_stop/", json=rows)).status_code == 201
    return empty


def names(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return "".join(each["name"] for each in answer.json())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("around=1", "AB"),
        ("around=2&line_of=blue", "C"),
        ("line_of=red", "AB"),
        ("since=2020-06-01", "B"),
        ("everything=true", "ABC"),
        ("everything=false&zone__gte=2&sort=-zone", "CB"),
        ("around=1&or=zone=2|zone=3", "B"),
        ("%61round=1&per_page=1", "A"),
    ],
)
async def test_the_list_is_narrowed(client: httpx.AsyncClient, query: str, found: str) -> None:
    assert names(await client.get(f"/tram_stop/?{query}")) == found


async def test_links_keep_it(client: httpx.AsyncClient) -> None:
    first = await client.get("/tram_stop/?around=1&per_page=1", headers={"Prefer": "count=exact"})
    assert (names(first), first.headers["X-Total-Count"]) == ("A", "2")
    second = await client.get(first.links["next"]["url"])
    assert (names(second), "next" in second.links) == ("B", False)


async def test_a_query_takes_it_in_its_body(client: httpx.AsyncClient) -> None:
    body = {"around": 2, "line_of": "blue", "filter": {"zone": {"gte": 1}}}
    assert names(await client.request("QUERY", "/tram_stop/", json=body)) == "C"


async def test_what_is_counted_and_written_is_narrowed_too(client: httpx.AsyncClient) -> None:
    counted = await client.get("/tram_stop/?around=1&facets=line")
    assert counted.json()["facets"] == {"line": [{"value": "red", "count": 2}]}
    written = await client.patch("/tram_stop/?around=2", json={"line": "green"}, headers={"Prefer": "max-affected=9"})
    assert [each["id"] for each in written.json()] == ["B", "C"]


@pytest.mark.parametrize("query", ["", "everything=true", "line_of=red"])
async def test_a_write_needs_a_filter_all_the_same(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.delete(f"/tram_stop/?{query}", headers={"Prefer": "max-affected=9"})
    assert (answer.status_code, "at least one filter" in answer.json()["detail"]) == (400, True)


async def test_a_receiver_reads_the_value(client: httpx.AsyncClient) -> None:
    seen: list[Any] = []
    with pre_get_list.connected_to(lambda sender, handler: seen.append(handler.parameters), sender=TramStop):
        await client.get("/tram_stop/?since=2020-06-01&around=1")
        await client.get("/tram_stop/")
    assert seen == [{"since": date(2020, 6, 1), "around": 1}, {}]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("/tram_stop/?around=x", "The parameter 'around' cannot be read. Must be an integer within 64 bits."),
        ("/tram_stop/?around=-1", "The parameter 'around' cannot be read. Must be at least 0."),
        ("/tram_stop/?around=1&around=2", "The parameter 'around' is given more than once."),
        ("/tram_stop/?around__gte=1", "Unknown parameter or field: 'around__gte'."),
        ("/tram_stop/?beside=1", "Unknown parameter or field: 'beside'."),
        ("/tram_stop/?or=around=1", "Unknown parameter or field: 'around'."),
        ("/tram_stop/A/?around=1", "Unknown parameter or field: 'around'."),
        ("/tram_stop/A/calls/?around=1", "Unknown parameter or field: 'around'."),
    ],
)
async def test_what_cannot_be_asked_is_named(empty: httpx.AsyncClient, url: str, told: str) -> None:
    answer = await empty.get(url)
    assert (answer.status_code, answer.json()["detail"]) == (400, told)


async def test_conditions_that_the_model_cannot_meet_are_a_mistake_of_the_application(
    alone: Api, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = bzz.QueryParameter("wrong", narrow=lambda value, handler: {"nothing": value})
    answer = await alone(TramStop, parameters=[wrong]).get("/tram_stop/?wrong=1")
    assert (answer.status_code, "nothing" in answer.text) == (500, False)
    assert "narrow returned conditions that fail: Unknown parameter or field: 'wrong.nothing'." in caplog.text


async def _later(value: Any, handler: Any) -> None: ...


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: bzz.QueryParameter("_view"), "a name of letters"),
        (lambda: bzz.QueryParameter("a__gte"), "a name of letters"),
        (lambda: bzz.QueryParameter(""), "a name of letters"),
        (lambda: bzz.QueryParameter("near", list), "type is one of str, int"),
        (lambda: bzz.QueryParameter("near", narrow=lambda value: None), "called with (value, handler)"),  # type: ignore[misc,arg-type]
        (lambda: bzz.QueryParameter("near", narrow=_later), "plain function"),  # type: ignore[arg-type]
        (lambda: bzz.QueryParameter("near", description=3), "description is a text"),  # type: ignore[arg-type]
        (lambda: declared("near"), "a list of bzz.QueryParameter"),
        (lambda: declared(bzz.QueryParameter("zone")), "'zone' is a field of TramStop"),
        (lambda: declared(bzz.QueryParameter("sort")), "'sort' is a parameter that lists have already"),
        (lambda: declared(bzz.QueryParameter("or")), "'or' is a parameter that lists have already"),
        (lambda: declared(bzz.QueryParameter("snapshot")), "'snapshot' is a parameter that lists have already"),
        (lambda: declared(bzz.QueryParameter("near"), bzz.QueryParameter("near", int)), "'near' is declared twice"),
    ],
)
def test_a_mistake_is_told_when_the_routes_are_made(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert told in str(caught.value)


def declared(*parameters: Any) -> Any:
    return bzz.ModelHive.routes_for("mongoengine", TramStop, parameters=parameters)


async def test_a_hidden_field_is_no_name_for_one() -> None:
    with pytest.raises(ConfigurationError):
        bzz.ModelHive.routes_for("mongoengine", TramStop, hidden=["zone"], parameters=[bzz.QueryParameter("zone")])

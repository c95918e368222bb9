"""``require_if_match``: a change that does not say which state it changes is a 428."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine as me
import pytest
from tornado.web import Application

import bzz
from bzz.cli.application import mounted
from bzz.cli.routes import _rows
from tests.conftest import Serve


class CoasterBallast(me.EmbeddedDocument):
    tons = me.IntField()


class CoasterPilot(me.Document):
    name = me.StringField()


class Coaster(me.Document):
    name = me.StringField()
    ballast = me.EmbeddedDocumentField(CoasterBallast)
    loads = me.ListField(me.EmbeddedDocumentField(CoasterBallast))
    pilots = me.ListField(me.ReferenceField(CoasterPilot))


@pytest.fixture
def client(serve: Serve, database_name: str) -> httpx.AsyncClient:
    return serve(bzz.ModelHive.routes_for("mongoengine", Coaster, require_if_match=True))


@pytest.fixture
def place(database_name: str) -> str:
    pilot = CoasterPilot(name="Ann").save()
    coaster = Coaster(name="a", ballast=CoasterBallast(tons=1), loads=[CoasterBallast(tons=2)], pilots=[pilot]).save()
    return f"/coaster/{coaster.pk}/"


CHANGES: list[tuple[str, str, Any]] = [
    ("PUT", "", {"name": "b"}),
    ("PATCH", "", {"name": "b"}),
    ("DELETE", "", None),
    ("PUT", "ballast/", {"tons": 3}),
    ("DELETE", "ballast/", None),
    ("PATCH", "loads/0/", {"tons": 3}),
    ("DELETE", "loads/0/", None),
]


@pytest.mark.parametrize(("method", "inside", "body"), CHANGES)
async def test_a_change_needs_the_tag_of_what_it_changes(
    client: httpx.AsyncClient, place: str, method: str, inside: str, body: Any
) -> None:
    url = f"{place}{inside}"
    tag = (await client.get(url)).headers["ETag"]
    refused = await client.request(method, url, json=body)
    assert (refused.status_code, refused.json()["title"]) == (428, "Precondition Required")
    assert "GET this first" in refused.json()["detail"]
    assert (await client.get(url)).headers["ETag"] == tag
    assert (await client.request(method, url, json=body, headers={"If-Match": '"other"'})).status_code == 412
    assert (await client.request(method, url, json=body, headers={"If-Match": tag})).is_success


async def test_a_link_is_taken_away_by_the_tag_of_its_document(client: httpx.AsyncClient, place: str) -> None:
    url = f"{place}pilots/{CoasterPilot.objects.get().pk}/"
    assert (await client.delete(url)).status_code == 428
    tag = (await client.get(url)).headers["ETag"]
    assert (await client.delete(url, headers={"If-Match": tag})).status_code == 204


async def test_a_link_whose_document_is_gone_is_taken_away_in_any_state(client: httpx.AsyncClient, place: str) -> None:
    pilot = CoasterPilot.objects.get()
    pilot.delete()
    url = f"{place}pilots/{pilot.pk}/"
    assert (await client.delete(url)).status_code == 428
    assert (await client.delete(url, headers={"If-Match": "*"})).status_code == 204


@pytest.mark.parametrize("headers", [{"If-None-Match": '"a"'}, {"Prefer": "return=minimal"}], ids=str)
async def test_no_other_header_will_do(client: httpx.AsyncClient, place: str, headers: dict[str, str]) -> None:
    assert (await client.put(place, json={"name": "b"}, headers=headers)).status_code == 428


async def test_what_changes_no_document_needs_none(client: httpx.AsyncClient, place: str) -> None:
    for method, url in (("GET", place), ("HEAD", place), ("OPTIONS", place), ("GET", "/coaster/")):
        assert (await client.request(method, url)).is_success
    for url, body in (("/coaster/", {"name": "b"}), (f"{place}loads/", {"tons": 1})):
        assert (await client.post(url, json=body)).status_code == 201


async def test_what_filters_select_needs_none(client: httpx.AsyncClient, place: str) -> None:
    answer = await client.patch("/coaster/?name=a", json={"name": "b"}, headers={"Prefer": "max-affected=1"})
    assert [each["status"] for each in answer.json()] == [200]


async def test_it_is_refused_before_any_receiver_is_called(client: httpx.AsyncClient, place: str) -> None:
    calls: list[int] = []
    with bzz.signals.pre_update_instance.connected_to(lambda sender: calls.append(1), Coaster):
        await client.put(place, json={"name": "b"})
    assert calls == []


async def test_routes_that_do_not_ask_for_it_take_a_change_without(serve: Serve, place: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Coaster))
    assert (await client.put(place, json={"name": "b"})).status_code == 200


def test_bzz_routes_tells_where_it_is_asked_for(database_name: str) -> None:
    app = Application(list(bzz.ModelHive.routes_for("mongoengine", Coaster, require_if_match=True)))
    told = {row["url"]: "if-match" in row["hooks"] for route in mounted(app) for row in _rows(app, route)}
    assert (told["/coaster/"], told["/coaster/<id>/"], told["/coaster/<id>/ballast/"]) == (False, True, True)


def test_anything_but_a_truth_value_is_a_mistake(database_name: str) -> None:
    with pytest.raises(bzz.ConfigurationError, match="require_if_match: True or False is expected, not 'yes'"):
        bzz.ModelHive.routes_for("mongoengine", Coaster, require_if_match="yes")  # type: ignore[arg-type]

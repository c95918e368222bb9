"""The method QUERY (RFC 10008): a list that is asked for by a body."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import mongoengine as me
import pytest
from tornado.web import Application

import bzz
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.signals import pre_get_list
from tests.conftest import Serve
from tests.rest.conftest import Api


class QueryBoat(me.Document):
    name = me.StringField(primary_key=True)
    length = me.IntField()
    kind = me.StringField()
    secret = me.StringField()
    meta = {"indexes": ["$kind"]}  # noqa: RUF012


class QueryMooring(me.EmbeddedDocument):
    port = me.StringField()


class QueryFleet(me.Document):
    name = me.StringField(primary_key=True)
    moorings = me.EmbeddedDocumentListField(QueryMooring)
    members = me.ListField(me.ReferenceField(QueryBoat))


NAMES = ["Alba", "Brisa", "Cisne", "Duna"]
JSON = {"Content-Type": "application/json"}


async def filled(client: httpx.AsyncClient) -> httpx.AsyncClient:
    kinds = ["gaff", "gaff sail"]
    rows = [{"name": name, "length": 10 * at, "kind": kinds[at % 2]} for at, name in enumerate(NAMES)]
    assert (await client.post("/query_boat/", json=rows)).status_code == 201
    return client


@pytest.fixture
async def client(alone: Api) -> httpx.AsyncClient:
    return await filled(alone(QueryBoat, QueryFleet, hidden=[]))


@pytest.fixture
def hiding(alone: Api) -> httpx.AsyncClient:
    """A client of a list that is empty: what it refuses, it refuses before it reads."""
    return alone(QueryBoat, hidden=["secret"])


async def query(client: httpx.AsyncClient, body: Any, url: str = "/query_boat/", **headers: str) -> httpx.Response:
    return await client.request(
        "QUERY", url, json=body, headers={name.replace("_", "-"): headers[name] for name in headers}
    )


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()]


@pytest.mark.parametrize(
    ("body", "twin"),
    [
        ({}, ""),
        ({"filter": {"length": {"gte": 20}}}, "length__gte=20"),
        ({"filter": {"or": [{"length": 0}, {"name": "Duna"}]}}, "or=length=0|name=Duna"),
        ({"sort": ["-length", "name"]}, "sort=-length,name"),
        ({"sort": "-length"}, "sort=-length"),
        ({"fields": ["name"], "per_page": 2, "page": 2}, "fields=name&per_page=2&page=2"),
        ({"facets": ["kind"], "q": "sail"}, "facets=kind&q=sail"),
    ],
    ids=json.dumps,
)
async def test_it_is_answered_as_the_get_that_asks_for_the_same(
    client: httpx.AsyncClient, body: dict[str, Any], twin: str
) -> None:
    asked, got = await query(client, body), await client.get(f"/query_boat/?{twin}")
    assert (asked.status_code, asked.json()) == (200, got.json())
    assert asked.headers["ETag"] == got.headers["ETag"]


async def test_location_is_the_get_that_repeats_it_and_links_lead_on_from_there(client: httpx.AsyncClient) -> None:
    answer = await query(client, {"filter": {"length": {"gt": 0}}, "per_page": 2}, Prefer="count=exact")
    assert answer.headers["X-Total-Count"] == "3"
    assert names(await client.get(answer.headers["Location"])) == names(answer) == ["Brisa", "Cisne"]
    assert names(await client.get(answer.links["next"]["url"])) == ["Duna"]


async def test_the_cursor_of_a_link_goes_on_in_a_body(client: httpx.AsyncClient) -> None:
    body = {"filter": {"not": {"name": {"in": ["x" * 99] * 9}}}, "per_page": 3}
    answer = await query(client, body)
    assert "Location" not in answer.headers  # it would be too long for a header
    url = httpx.URL(answer.links["next"]["url"])
    assert names(await query(client, {**body, "after": url.params["after"]})) == ["Duna"]
    refused = await client.get(str(url))
    assert (refused.status_code, "'filter' cannot be read" in refused.text) == (400, True)


async def test_a_client_that_has_the_answer_already_gets_a_304(client: httpx.AsyncClient) -> None:
    body = {"filter": {"length": 10}}
    tag = (await query(client, body)).headers["ETag"]
    answer = await query(client, body, If_None_Match=tag)
    assert (answer.status_code, answer.content) == (304, b"")


async def test_lists_inside_documents_take_it_too(client: httpx.AsyncClient) -> None:
    fleet = {"name": "red", "moorings": [{"port": "Rio"}, {"port": "Natal"}]}
    assert (await client.post("/query_fleet/", json=fleet)).status_code == 201
    assert (await client.post("/query_fleet/red/members/", json={"members": NAMES[:2]})).status_code == 200
    assert (await query(client, {"filter": {"port": "Rio"}}, "/query_fleet/red/moorings/")).json() == [{"port": "Rio"}]
    assert names(await query(client, {"filter": {"not": {"name": "Alba"}}}, "/query_fleet/red/members")) == ["Brisa"]


@pytest.mark.parametrize("url", ["/query_boat/", "/query_fleet/red/moorings/", "/query_fleet/red/members/"])
async def test_options_of_a_list_says_so(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.options(url)
    assert "QUERY" in answer.headers["Allow"].split(", ")
    assert answer.headers["Accept-Query"] == "application/json"


async def test_an_instance_does_not_take_it(client: httpx.AsyncClient) -> None:
    answer = await query(client, {}, "/query_boat/Alba/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
    assert "Accept-Query" not in (await client.options("/query_boat/Alba/")).headers


async def test_it_is_there_where_get_is(alone: Api) -> None:
    client = alone(QueryBoat, methods=["POST"])
    answer = await query(client, {})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"filter": {"or": [{"length": 1}, {"secret": {"startswith": "x"}}]}},
         "Unknown parameter or field: 'filter.or[1].secret'."),
        ({"filter": {"or": [{"length": 1}, {"length": {"gte": "2"}}]}},
         "The parameter 'filter.or[1].length.gte' cannot be read. Must be an integer within 64 bits."),
        ({"after": "x"}, "The cursor is not one that this list gave in its Link header."),
    ],
    ids=str,
)  # fmt: skip
async def test_what_cannot_be_asked_is_named_by_its_place(hiding: httpx.AsyncClient, body: Any, told: str) -> None:
    answer = await query(hiding, body)
    assert (answer.status_code, answer.json().get("detail")) == (400, told)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"{}", 400),
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"name=Alba", 415),
        (JSON, b"", 400),
        (JSON, b"{", 400),
        (JSON, b'{"q": "' + b"x" * 70_000 + b'"}', 413),
        ({"Content-Type": "application/json; charset=latin-1"}, b"{}", 415),
    ],
)
async def test_a_body_that_is_no_query_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = await client.request("QUERY", "/query_boat/", content=body, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}], ids=str)
async def test_an_answer_to_a_body_of_no_known_type_names_the_type(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.request("QUERY", "/query_boat/", content=b"{}", headers=headers)
    assert answer.headers["Accept-Query"] == "application/json"


async def test_the_query_string_must_be_empty(client: httpx.AsyncClient) -> None:
    answer = await query(client, {}, "/query_boat/?length=3")
    assert (answer.status_code, "in its body" in answer.json()["detail"]) == (400, True)


async def test_guard_authorize_and_receivers_take_it_for_a_get(serve: Serve, database_name: str) -> None:
    asked: list[Any] = []

    async def guard(handler: Any) -> None:
        asked.append(handler.request.method)

    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        asked.append((method, model, instance_id))
        return True

    def configure(app: Application) -> None:
        app.settings["bzz_guard"] = guard

    client = serve(bzz.ModelHive.routes_for("mongoengine", QueryBoat, authorize=authorize), configure)

    def listing(sender: type, handler: Any) -> None:
        asked.append((handler.request.method, handler.sent_method))

    with pre_get_list.connected_to(listing, sender=QueryBoat):
        assert (await query(client, {"filter": {"length": 1}})).json() == []
    assert asked == ["GET", ("GET", QueryBoat, None), ("GET", "QUERY")]


async def test_a_user_who_may_not_list_may_not_query(alone: Api) -> None:
    client = alone(QueryBoat, authorize=lambda method, model, instance_id, user: method != "GET")
    assert (await query(client, {})).status_code == 403


async def test_a_handler_of_ones_own_that_overrides_get_is_asked(alone: Api) -> None:
    class Closed(bzz.ModelHandler):
        async def get(self) -> None:
            raise bzz.errors.Forbidden("No.")

    assert (await query(alone(QueryBoat, handler=Closed), {})).status_code == 403


async def test_it_needs_no_token_against_forged_requests(serve: Serve, database_name: str) -> None:
    routes = bzz.ModelHive.routes_for("mongoengine", QueryBoat)
    client = serve(routes, xsrf_cookies=True, cross_origin_protection=True)
    assert (await query(client, {}, Origin="https://elsewhere.example")).json() == []


async def test_the_log_says_query(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tornado.access"):
        await query(client, {"q": "sail"})
    assert any("200 QUERY /query_boat/ " in each for each in caplog.messages)


async def test_the_access_log_says_query_without_what_it_asks_for(
    serve: Serve, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", QueryBoat), bzz.access_log)
    with caplog.at_level(logging.INFO, "bzz.access"):
        await query(client, {"filter": {"name": "private"}})
    (line,) = [each for each in caplog.messages if "/query_boat/" in each]
    assert line.startswith("200 QUERY /query_boat/ ")
    assert "private" not in line


async def test_a_write_takes_combined_filters_too(client: httpx.AsyncClient) -> None:
    few = {"Prefer": "max-affected=2"}
    changed = await client.patch("/query_boat/?or=length=0|length=30", json={"kind": "lug"}, headers=few)
    assert [each["id"] for each in changed.json()] == ["Alba", "Duna"]
    tree = {"filter": json.dumps({"not": {"kind": "lug"}})}
    deleted = await client.delete("/query_boat/", params=tree, headers=few)
    assert [each["id"] for each in deleted.json()] == ["Brisa", "Cisne"]
    assert names(await client.get("/query_boat/")) == ["Alba", "Duna"]


async def test_facets_count_what_a_tree_selects(client: httpx.AsyncClient) -> None:
    answer = await query(client, {"filter": {"or": [{"length": 0}, {"length": 20}]}, "facets": ["kind"]})
    assert answer.json()["facets"] == {"kind": [{"value": "gaff", "count": 2}]}


async def test_a_filter_over_a_reference_asks_whether_the_other_list_may_be_read(alone: Api) -> None:
    client = alone(QueryFleet, authorize=lambda method, model, instance_id, user: model is not QueryBoat)
    for body in ({"members.length": 3}, {"not": {"or": [{"members.length": 3}, {"name": "x"}]}}):
        answer = await query(client, {"filter": body}, "/query_fleet/")
        assert (answer.status_code, answer.json()["detail"]) == (403, "You may not filter by QueryBoat.")


async def test_conditions_over_references_are_few(client: httpx.AsyncClient) -> None:
    tree = {"or": [{"members.length": number} for number in range(9)]}
    answer = await query(client, {"filter": tree}, "/query_fleet/")
    assert (answer.status_code, "more than 8 conditions over references" in answer.json()["detail"]) == (400, True)


async def test_a_provider_that_cannot_combine_filters_says_so(serve: Serve, database_name: str) -> None:
    class Plain(MongoEngineProvider):
        combines = False

    client = serve(bzz.ModelHive.routes_for(Plain, QueryBoat))
    assert (await query(client, {"filter": {"length": {"gte": 1, "lt": 9}}})).status_code == 200
    answer = await query(client, {"filter": {"not": {"length": 1}}})
    told = "The filters of QueryBoat cannot be combined by or and not."
    assert (answer.status_code, answer.json()["detail"]) == (400, told)

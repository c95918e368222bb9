"""The OpenAPI document says what the routes do."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from tornado.web import RequestHandler

import bzz
from bzz.auth import MemoryPasswords, PasswordProvider
from bzz.errors import ConfigurationError
from bzz.openapi import document
from bzz.openapi.older import as_3_0
from tests.conftest import Serve


class Keel(me.EmbeddedDocument):
    length = me.FloatField(required=True, min_value=1)
    ribs = me.ListField(me.StringField(max_length=3))


class Shipper(me.Document):
    name = me.StringField(primary_key=True)


class Scow(me.Document):
    """A boat for goods.

    It has no engine.
    """

    name = me.StringField(required=True, max_length=9)
    kind = me.StringField(choices=("flat", "round"), default="flat")
    tons = me.IntField(min_value=0)
    built = me.DateTimeField()
    key = me.StringField()
    code = me.StringField()
    pin = me.StringField()
    hull = me.EmbeddedDocumentField(Keel)
    repairs = me.EmbeddedDocumentListField(Keel)
    owner = me.ReferenceField(Shipper)
    crew = me.ListField(me.ReferenceField(Shipper))
    meta = {"bzz": {"hidden": ["key"], "read_only": ["code"], "write_only": ["pin"]}}  # noqa: RUF012


class Painted(me.Document):
    name = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {"shown": self.name}


def routes(**options: Any) -> bzz.RouteList:
    return bzz.ModelHive.routes_for("mongoengine", Scow, **options)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(routes(live=True), title="Boats", version="2")


def schema(made: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = made["components"]["schemas"][name]
    return found


def names(made: dict[str, Any], path: str, method: str, place: str) -> list[str]:
    parameters = made["paths"][path][method]["parameters"]
    resolved = [made["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                for each in parameters]  # fmt: skip
    return [each["name"] for each in resolved if each["in"] == place]


@pytest.mark.parametrize("older", [False, True])
def test_it_is_a_valid_document(made: dict[str, Any], older: bool) -> None:
    openapi_spec_validator.validate(as_3_0(made) if older else made)


def test_it_has_a_path_for_everything_that_is_nested(made: dict[str, Any]) -> None:
    assert {path: sorted(operations) for path, operations in made["paths"].items()} == {
        "/scow/": ["delete", "get", "patch", "post", "x-query"],
        "/scow/{id}/": ["delete", "get", "patch", "put"],
        "/scow/{id}/hull/": ["delete", "get", "patch", "post", "put"],
        "/scow/{id}/owner/": ["delete", "get", "patch", "post", "put"],
        "/scow/{id}/crew/": ["get", "post", "x-query"],
        "/scow/{id}/crew/{crew_id}/": ["delete", "get"],
        "/scow/{id}/repairs/": ["get", "post", "x-query"],
        "/scow/{id}/repairs/{repairs_id}/": ["delete", "get", "patch", "put"],
    }


@pytest.mark.parametrize("path", ["/scow/", "/scow/{id}/hull/", "/scow/{id}/repairs/", "/scow/{id}/crew/"])
def test_a_post_may_have_an_idempotency_key(made: dict[str, Any], path: str) -> None:
    assert "Idempotency-Key" in names(made, path, "post", "header")
    assert {"409", "422"} <= made["paths"][path]["post"]["responses"].keys()


def test_a_key_is_not_offered_where_no_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bzz.openapi.operations.keeps_answers", lambda provider: False)
    made = document(routes(), title="Boats", version="2")
    assert "Idempotency-Key" not in names(made, "/scow/", "post", "header")
    assert "422" not in made["paths"]["/scow/"]["post"]["responses"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("required", [True, False])
def test_a_tag_is_required_where_the_routes_ask_for_it(method: str, required: bool) -> None:
    made = document(routes(require_if_match=required), title="Boats", version="2")
    found = made["paths"]["/scow/{id}/"][method]
    name = "If-Match-required" if required else "If-Match"
    assert {"$ref": f"#/components/parameters/{name}"} in found["parameters"]
    assert ("428" in found["responses"]) == required
    openapi_spec_validator.validate(made)


def test_methods_that_are_switched_off_are_not_in_it() -> None:
    made = document(routes(methods=["GET"]), title="Boats", version="2")
    assert {method for operations in made["paths"].values() for method in operations} == {"get", "x-query"}


def test_each_operation_has_an_id_of_its_own(made: dict[str, Any]) -> None:
    ids = [each["operationId"] for operations in made["paths"].values() for each in operations.values()]
    assert len(ids) == len(set(ids))
    assert "list_scow" in ids


def test_rights_of_fields_are_in_the_schemas(made: dict[str, Any]) -> None:
    shown, sent = schema(made, "Scow")["properties"], schema(made, "ScowCreate")["properties"]
    assert "key" not in str(made)
    assert ("code" in shown, "code" in sent) == (True, False)
    assert ("pin" in shown, "pin" in sent) == (False, True)
    assert not any(name.startswith("pin") for name in names(made, "/scow/", "get", "query"))


def test_bounds_and_required_fields_are_in_the_schema_of_a_post(made: dict[str, Any]) -> None:
    sent = schema(made, "ScowCreate")
    assert sent["required"] == ["name"]
    assert sent["properties"]["name"] == {"type": "string", "maxLength": 9}
    assert sent["properties"]["tons"]["anyOf"][0]["minimum"] == 0
    assert sent["additionalProperties"] is False
    assert "required" not in schema(made, "ScowUpdate")


def test_a_list_has_the_filters_of_its_fields(made: dict[str, Any]) -> None:
    found = names(made, "/scow/", "get", "query")
    for name in ("page", "after", "sort", "fields", "name", "name__icontains", "tons__gte", "hull.length__lt", "owner"):
        assert name in found
    assert "tons__icontains" not in found


def test_what_is_live_is_also_a_feed_but_for_what_lies_behind_references(made: dict[str, Any]) -> None:
    live = [path for path, operations in made["paths"].items() if operations["get"].get("x-live")]
    inside = ["/scow/{id}/hull/", "/scow/{id}/repairs/", "/scow/{id}/repairs/{repairs_id}/"]
    assert live == ["/scow/", "/scow/{id}/", *inside]
    assert "text/event-stream" in made["paths"]["/scow/"]["get"]["description"]
    plain = document(routes(), title="Boats", version="2")
    assert "text/event-stream" not in str(plain)


def test_the_first_line_about_a_model_is_that_of_its_tag(made: dict[str, Any]) -> None:
    assert made["tags"] == [{"name": "scow", "description": "A boat for goods."}]


@pytest.mark.parametrize("name", ["ScowCreate", "ScowUpdate", "KeelCreate"])
def test_examples_are_valid(made: dict[str, Any], name: str) -> None:
    (example,) = schema(made, name)["examples"]
    validator = Draft202012Validator({**schema(made, name), "components": made["components"]})
    validator.validate(example)
    assert example


async def test_an_example_can_be_posted(serve: Serve, database_name: str) -> None:
    client = serve(bzz.flatten([routes(), bzz.ModelHive.routes_for("mongoengine", Shipper)]))
    Shipper(name="string").save()
    made = document(routes(), title="Boats", version="2")
    (example,) = schema(made, "ScowCreate")["examples"]
    answer = await client.post("/scow/", json=example)
    assert answer.status_code == 201, answer.text
    shown = Draft202012Validator({**schema(made, "Scow"), "components": made["components"]})
    shown.validate(answer.json())


def test_what_to_dict_shows_is_not_known() -> None:
    made = document(bzz.ModelHive.routes_for("mongoengine", Painted), title="A", version="1")
    assert "properties" not in schema(made, "Painted")
    assert "name" in schema(made, "PaintedCreate")["properties"]


def test_sign_in_is_described_where_it_is_mounted() -> None:
    auth = bzz.AuthHive.routes_for([PasswordProvider(MemoryPasswords())])
    made = document([routes(), auth], title="Boats", version="2")
    openapi_spec_validator.validate(made)
    assert {"/auth/signin/", "/auth/me/", "/auth/signout/", "/auth/renew/", "/auth/password/signup/"} <= set(
        made["paths"]
    )
    assert set(made["components"]["securitySchemes"]) == {"bearer", "cookie"}


def test_a_handler_of_the_application_says_itself_what_it_does() -> None:
    class Health(RequestHandler):
        openapi = {"get": {"operationId": "health", "responses": {"200": {"description": "It lives."}}}}  # noqa: RUF012

    class Other(RequestHandler): ...

    made = document([routes(), ("/health", Health), ("/other", Other)], title="Boats", version="2")
    assert made["paths"]["/health/"]["get"]["operationId"] == "health"
    assert "/other/" not in made["paths"]


async def test_the_document_is_served_in_both_versions(serve: Serve, database_name: str) -> None:
    models = routes()
    client = serve([*models, *bzz.DocsHive.routes_for(models, title="Boats", version="2")])
    newer, older = await client.get("/openapi.json"), await client.get("/openapi.json?openapi=3.0")
    assert (newer.json()["openapi"][:3], older.json()["openapi"][:3]) == ("3.1", "3.0")
    assert newer.json() == document(models, title="Boats", version="2")
    refused = await client.get("/openapi.json?openapi=2")
    assert (refused.status_code, "3.0 or 3.1" in refused.json()["detail"]) == (400, True)


async def test_the_page_with_swagger_ui_loads_nothing_from_elsewhere(serve: Serve, database_name: str) -> None:
    models = routes()
    client = serve([*models, *bzz.DocsHive.routes_for(models, title="<Boats>", version="2", swagger=True)])
    page = await client.get("/swagger/")
    assert "&lt;Boats&gt;" in page.text
    assert "http" not in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    for file in ("/swagger/files/swagger-ui.css", "/swagger/files/swagger-ui-bundle.js", "/swagger/start.js"):
        assert file in page.text
        assert (await client.get(file)).status_code == 200


async def test_the_mock_hive_serves_the_same_shapes(serve: Serve) -> None:
    made = document(routes(), title="Boats", version="2")
    client = serve(bzz.MockHive.from_openapi(made))
    shown = (await client.get("/scow/")).json()
    validator = Draft202012Validator({**schema(made, "Scow"), "components": made["components"]})
    assert shown
    for each in shown:
        validator.validate(each)
    created = await client.post("/scow/", json={"name": "a"}, headers={"Prefer": "code=201"})
    assert created.status_code == 201
    validator.validate(created.json())


def test_mistakes_are_errors_when_the_routes_are_made() -> None:
    with pytest.raises(ConfigurationError, match="no model"):
        bzz.DocsHive.routes_for([], title="A", version="1")
    with pytest.raises(ConfigurationError, match="title"):
        bzz.DocsHive.routes_for(routes(), title="", version="1")


def test_a_list_of_documents_takes_csv_and_no_other_address_does(made: dict[str, Any]) -> None:
    taking = [
        (path, method)
        for path, found in made["paths"].items()
        for method, each in found.items()
        if isinstance(each, dict) and "text/csv" in each.get("requestBody", {}).get("content", {})
    ]
    assert ("/scow/", "post") in taking
    assert all(method == "post" and path.count("/") == 2 for path, method in taking)
    assert made["paths"]["/scow/"]["post"]["requestBody"]["content"]["text/csv"]["schema"]["type"] == "string"


def test_a_query_is_described_beside_the_get_that_asks_for_the_same(made: dict[str, Any]) -> None:
    found = made["paths"]["/scow/"]
    asked = found["x-query"]["requestBody"]["content"]["application/json"]["schema"]
    assert asked == {"$ref": "#/components/schemas/Query"}
    assert found["x-query"]["responses"]["200"] == found["get"]["responses"]["200"]
    assert "415" in found["x-query"]["responses"]


@pytest.mark.parametrize(
    ("tree", "holds"),
    [
        ({"or": [{"tons": 3}, {"not": {"name": {"contains": "x"}}}]}, True),
        ({"tons": 3}, True),
        ({}, False),
        ({"or": []}, False),
        ({"not": []}, False),
    ],
)
def test_the_schema_of_a_filter_takes_trees_of_conditions(made: dict[str, Any], tree: Any, holds: bool) -> None:
    validator = Draft202012Validator({"$ref": "#/components/schemas/Query", "components": made["components"]})
    assert validator.is_valid({"filter": tree}) is holds


def test_parameters_of_the_application_stand_in_the_operations_of_the_list() -> None:
    near = bzz.QueryParameter("near_me", float, description="In kilometres.")
    made = document(routes(parameters=[near]), title="Boats", version="2")
    (found,) = [each for each in made["paths"]["/scow/"]["get"]["parameters"] if each.get("name") == "near_me"]
    assert (found["schema"]["type"], found["description"]) == ("number", "In kilometres.")
    assert "near_me" in str(made["paths"]["/scow/"]["x-query"]["requestBody"])
    assert "near_me" not in names(made, "/scow/{id}/repairs/", "get", "query")
    openapi_spec_validator.validate(made)


# -- bodies that the schemas let through, and the routes


class Pontoon(me.Document):
    tags = me.ListField(me.StringField(max_length=3), max_length=2)
    floats = me.EmbeddedDocumentListField(Keel, max_length=1)
    loads = me.MapField(me.IntField(max_value=9))
    extra = me.DictField()


@pytest.mark.parametrize(
    "body",
    [
        {"tags": ["a", "b"]},
        {"tags": ["a", "b", "c"]},
        {"tags": ["four"]},
        {"floats": [{"length": 1}]},
        {"floats": [{"length": 1}, {"length": 2}]},
        {"loads": {"a": 9}},
        {"loads": {"a": 10}},
        {"loads": {"a": None}},
        *(
            {name: {key: 1}}
            for name in ("loads", "extra")
            for key in ("a", "a.b", "$a", "", "_cls", "_clsx", "a\0", "a$")
        ),
        {"extra": {"a": None}},
    ],
    ids=repr,
)
async def test_the_schema_of_a_body_lets_through_what_the_route_takes(
    serve: Serve, database_name: str, body: Any
) -> None:
    made = bzz.ModelHive.routes_for("mongoengine", Pontoon)
    schemas = document(made, title="Boats", version="1")["components"]["schemas"]
    whole = {"$ref": "#/components/schemas/PontoonCreate", "components": {"schemas": schemas}}
    answer = await serve(made).post("/pontoon/", json=body)
    assert Draft202012Validator(whole).is_valid(body) == (answer.status_code == 201), answer.text


def test_the_schema_of_what_is_shown_leaves_out_what_older_values_need_not_keep() -> None:
    made = document(bzz.ModelHive.routes_for("mongoengine", Pontoon), title="Boats", version="1")
    shown = made["components"]["schemas"]["Pontoon"]["properties"]
    assert shown["tags"]["anyOf"][0] == {"type": "array", "items": {"type": "string"}}
    integer = {"type": "integer", "format": "int64"}
    loads = {"type": "object", "additionalProperties": {"anyOf": [integer, {"type": "null"}]}}
    assert shown["loads"]["anyOf"][0] == loads

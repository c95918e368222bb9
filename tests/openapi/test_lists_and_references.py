"""The document says what references, searches, counts and subclasses do."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from tornado.web import Application

import bzz
from bzz.openapi import document
from bzz.openapi.older import as_3_0
from tests.conftest import Serve


class Wharf(me.Document):
    name = me.StringField()
    depth = me.IntField()
    secret = me.StringField()
    meta = {"bzz": {"hidden": ["secret"]}}  # noqa: RUF012


class DocMooring(me.EmbeddedDocument):
    wharf = me.ReferenceField(Wharf)


class DocDinghy(me.Document):
    name = me.StringField()
    home = me.ReferenceField(Wharf)
    visits = me.ListField(me.ReferenceField(Wharf))
    mooring = me.EmbeddedDocumentField(DocMooring)
    anything = me.GenericReferenceField(choices=[Wharf])
    meta = {"allow_inheritance": True, "indexes": [{"fields": ["$name"], "cls": False}]}  # noqa: RUF012


class SailingDinghy(DocDinghy):
    sails = me.IntField()
    rigger = me.ReferenceField(Wharf)
    code = me.StringField()
    meta = {"bzz": {"hidden": ["code"]}}  # noqa: RUF012


def routes() -> bzz.RouteList:
    return bzz.ModelHive.routes_for("mongoengine", DocDinghy)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(routes(), title="Boats", version="2")


def parameters(made: dict[str, Any], path: str) -> dict[str, Any]:
    shared = made["components"]["parameters"]
    given = made["paths"][path]["get"]["parameters"]
    resolved = [shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in given]
    return {each["name"]: each for each in resolved}


def validator(made: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({"$ref": "#/components/schemas/DocDinghy", "components": made["components"]})


@pytest.mark.parametrize("older", [False, True])
def test_it_is_a_valid_document(made: dict[str, Any], older: bool) -> None:
    openapi_spec_validator.validate(as_3_0(made) if older else made)


@pytest.mark.parametrize("path", ["/doc_dinghy/", "/doc_dinghy/{id}/"])
def test_the_references_that_can_be_expanded_are_listed(made: dict[str, Any], path: str) -> None:
    found = parameters(made, path)["expand"]["schema"]["items"]["enum"]
    assert {"home", "visits", "mooring.wharf", "anything"} <= set(found)
    assert "name" not in found


def test_a_list_has_filters_over_one_reference_without_what_is_hidden(made: dict[str, Any]) -> None:
    found = parameters(made, "/doc_dinghy/")
    assert {"home.name", "home.depth__gte", "mooring.wharf.name"} <= set(found)
    assert not any("secret" in name for name in found)


def test_fields_reach_into_what_is_expanded(made: dict[str, Any]) -> None:
    assert {"home.name", "mooring.wharf.depth"} <= set(
        parameters(made, "/doc_dinghy/")["fields"]["schema"]["items"]["enum"]
    )


def test_a_list_can_be_searched_where_the_model_has_a_text_index(made: dict[str, Any]) -> None:
    assert parameters(made, "/doc_dinghy/")["q"]["schema"]["maxLength"] == 200
    assert "q" not in parameters(made, "/doc_dinghy/{id}/")
    assert "q" not in parameters(made, "/doc_dinghy/{id}/visits/")


def test_the_fields_whose_values_are_counted_are_listed(made: dict[str, Any]) -> None:
    listed = made["paths"]["/doc_dinghy/"]["get"]
    assert {"name", "visits"} <= set(listed["x-facets"])
    assert "facets" in listed["description"]


def test_subclasses_are_shown_filtered_and_reached_by_their_own_fields(made: dict[str, Any]) -> None:
    shown = made["components"]["schemas"]["DocDinghy"]["properties"]
    assert "sails" in shown
    assert "@type" not in shown
    assert "sails__gte" in parameters(made, "/doc_dinghy/")
    assert "/doc_dinghy/{id}/rigger/" in made["paths"]
    assert "code" not in shown


@pytest.mark.slow
async def test_expanded_documents_are_what_the_schema_says(
    serve: Serve, database_name: str, made: dict[str, Any]
) -> None:
    wharf = Wharf(name="a", depth=3).save()
    SailingDinghy(
        name="b", home=wharf, visits=[wharf], mooring=DocMooring(wharf=wharf), anything=wharf, sails=2, rigger=wharf
    ).save()
    client = serve(routes())
    for query in ("", "?expand=home,visits,mooring.wharf,anything"):
        (shown,) = (await client.get(f"/doc_dinghy/{query}")).json()
        assert isinstance(shown["home"], dict if query else str)
        validator(made).validate(shown)


def test_what_stands_in_place_of_a_reference_has_to_be_its_document(made: dict[str, Any]) -> None:
    assert not validator(made).is_valid({"home": {"depth": "deep"}})
    assert not validator(made).is_valid({"visits": [{"depth": "deep"}]})


def test_the_rules_of_an_application_are_described_as_its_routes(made: dict[str, Any]) -> None:
    rules = Application(routes()).wildcard_router.rules
    assert document(rules, title="Boats", version="2") == made

"""OpenAPI documents, served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import bzz
from bzz.errors import ConfigurationError
from tests.conftest import Serve

PET = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer", "example": 7},
        "name": {"type": "string", "default": "Rex"},
        "born": {"type": "string", "format": "date"},
        "kind": {"enum": ["dog", "cat"]},
        "parent": {"$ref": "#/components/schemas/Pet"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
    },
}
DOGS = {"$ref": "#/components/responses/Dogs"}

DOCUMENT_30: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "responses": {
                    "404": {"description": "none", "content": {"application/json": {"example": {"no": 1}}}},
                    "200": {
                        "description": "a pet",
                        "headers": {"X-Rate": {"schema": {"type": "integer", "example": 9}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                    },
                }
            },
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
        "/pets/mine": {"get": {"responses": {"default": DOGS}}},
        "/pets": {
            "post": {
                "responses": {
                    "2XX": {
                        "description": "made",
                        "content": {
                            "text/plain": {"example": "made"},
                            "application/vnd.pet+json": {"examples": {"rex": {"value": {"name": "Rex"}}}},
                        },
                    }
                }
            }
        },
        "/export.csv": {"get": {"responses": {"200": {"content": {"text/csv": {"example": "a,b\n"}}}}}},
    },
    "components": {
        "schemas": {"Pet": PET},
        "responses": {"Dogs": {"description": "x", "content": {"application/json": {"example": '["Rex"]'}}}},
    },
}


async def test_the_examples_of_an_openapi_3_0_document_are_served(serve: Serve) -> None:
    client = serve(bzz.MockHive.from_openapi(DOCUMENT_30))
    pet = await client.get("/pets/12")
    expected = {"id": 7, "name": "Rex", "born": "2026-01-31", "kind": "dog", "children": []}
    assert (pet.status_code, pet.json(), pet.headers["X-Rate"]) == (200, expected, "9")


async def test_a_path_without_parameters_comes_before_one_with(serve: Serve) -> None:
    assert (await serve(bzz.MockHive.from_openapi(DOCUMENT_30)).get("/pets/mine")).json() == ["Rex"]


async def test_json_is_preferred_and_a_range_of_statuses_is_its_first(serve: Serve) -> None:
    made = await serve(bzz.MockHive.from_openapi(DOCUMENT_30)).post("/pets/")
    assert (made.status_code, made.json()) == (200, {"name": "Rex"})
    assert made.headers["Content-Type"] == "application/vnd.pet+json"


async def test_other_media_types_and_answers_without_content_are_served(serve: Serve) -> None:
    client = serve(bzz.MockHive.from_openapi(DOCUMENT_30))
    export, gone = await client.get("/export.csv"), await client.delete("/pets/1")
    assert (export.text, export.headers["Content-Type"], gone.status_code) == ("a,b\n", "text/csv", 204)
    assert (await client.get("/exportXcsv")).status_code == 404


async def test_a_method_that_the_document_lacks_is_a_405(serve: Serve) -> None:
    answer = await serve(bzz.MockHive.from_openapi(DOCUMENT_30)).put("/pets/1")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, DELETE, OPTIONS")


DOCUMENT_31 = """
openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      responses:
        200:
          description: all
          content:
            application/json:
              schema: {type: array, items: {$ref: 'order.yaml#/Order'}}
"""
ORDER = """
Order:
  allOf:
    - {$ref: '#/Base'}
    - properties: {at: {type: string, format: date-time}}
  properties:
    note: {type: [string, 'null'], examples: [urgent]}
    state: {const: open}
    who: {oneOf: [{type: object, properties: {mail: {type: string, format: email}}}, {type: string}]}
    count: {type: integer, minimum: 1}
Base: {type: object, properties: {id: {type: string, format: uuid}, paid: {type: boolean}, free: {}}}
"""


async def test_an_openapi_3_1_document_in_several_files_is_served(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text(ORDER)
    (tmp_path / "api.yaml").write_text(DOCUMENT_31)
    answer = await serve(bzz.MockHive.from_openapi(tmp_path / "api.yaml")).get("/orders")
    assert answer.json() == [
        {
            "id": "00000000-0000-4000-8000-000000000000",
            "paid": True,
            "free": None,
            "at": "2026-01-31T12:00:00Z",
            "note": "urgent",
            "state": "open",
            "who": {"mail": "someone@example.org"},
            "count": 1,
        }
    ]


async def test_a_document_may_be_json_and_named_by_a_text(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps(DOCUMENT_30))
    assert (await serve(bzz.MockHive.from_openapi(str(tmp_path / "api.json"))).get("/pets/1")).json()["id"] == 7


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"swagger": "2.0"}, "no OpenAPI 3 document"),
        ({"openapi": "3.1.0", "paths": {"/x": {"$ref": "#/nowhere"}}}, "a reference leads nowhere: .*#/nowhere"),
        ({"openapi": "3.1.0", "paths": {"/x": {"$ref": "http://example.org/x"}}}, "is not fetched|leads nowhere"),
        ({"openapi": "3.1.0", "paths": {"/x": {"get": {"responses": {"2OO": {}}}}}}, "GET /x .* is malformed"),
        ({"openapi": "3.1.0", "paths": {"/x": {"get": 7}}}, "GET /x .* is malformed"),
    ],
)
def test_a_document_that_is_wrong_is_an_error_that_says_what(document: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bzz.MockHive.from_openapi(document)


def test_a_document_without_paths_has_no_routes() -> None:
    assert bzz.MockHive.from_openapi({"openapi": "3.1.0"}) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.yaml cannot be read: No such file"):
        bzz.MockHive.from_openapi(tmp_path / "missing.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ConfigurationError, match=r"broken\.yaml is neither YAML nor JSON"):
        bzz.MockHive.from_openapi(tmp_path / "broken.yaml")

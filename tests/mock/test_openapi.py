"""OpenAPI documents, served."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonref
import pytest
from jsonschema import Draft202012Validator

import bzz
from bzz.errors import ConfigurationError
from bzz.mock.document import read_document
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
        '200':
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
        ({"openapi": "3.1.0", "paths": {"/x": 7}}, "/x .* is malformed"),
        ({"openapi": "3.1.0", "paths": ["/x"]}, "'paths' .* is no mapping"),
    ],
)
def test_a_document_that_is_wrong_is_an_error_that_says_what(document: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bzz.MockHive.from_openapi(document)


@pytest.mark.parametrize("paths", [..., None, {}, {"/x": {}}, {"/x": {"parameters": []}}, {"x": {"get": {}}}])
def test_a_document_without_operations_is_an_error(paths: Any) -> None:
    document = {"openapi": "3.1.0", **({} if paths is ... else {"paths": paths})}
    with pytest.raises(ConfigurationError, match="the OpenAPI document has no operations"):
        bzz.MockHive.from_openapi(document)


CHOICES: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/pets": {
            "get": {
                "responses": {
                    "200": {
                        "content": {"application/json": {"examples": {"rex": {"value": 1}, "tom cat": {"value": 2}}}}
                    },
                    "404": {"headers": {"X-Why": {"example": "gone"}}, "content": {"text/plain": {"example": "none"}}},
                    "4XX": {"content": {"application/json": {"examples": {"teapot": {"value": 3}}}}},
                }
            },
            "post": {"responses": {"201": {}, "default": {"content": {"text/plain": {"example": "trouble"}}}}},
        }
    },
}


@pytest.mark.parametrize(
    ("prefer", "status", "text"),
    [
        ("", 200, "1"),
        ("respond-async", 200, "1"),
        ("example=rex", 200, "1"),
        ('example="tom cat"', 200, "2"),
        ("code=404", 404, "none"),
        ("code=418", 418, "3"),
        ("Code = 418; example=teapot", 418, "3"),
        ("example=teapot", 400, "3"),
        ("code=200, example=rex", 200, "1"),
    ],
)
async def test_a_client_may_prefer_another_answer(serve: Serve, prefer: str, status: int, text: str) -> None:
    answer = await serve(bzz.MockHive.from_openapi(CHOICES)).get("/pets", headers={"Prefer": prefer})
    assert (answer.status_code, answer.text) == (status, text)
    assert ("X-Why" in answer.headers) == (status == 404)


async def test_the_default_answers_with_the_status_that_is_preferred(serve: Serve) -> None:
    answer = await serve(bzz.MockHive.from_openapi(CHOICES)).post("/pets", headers={"Prefer": "code=503"})
    assert (answer.status_code, answer.text) == (503, "trouble")


@pytest.mark.parametrize(
    ("prefer", "said"),
    [
        ("code=500", "no answer 500; it has 200, 404, 4XX"),
        ("code=abc", "no answer abc"),
        ("code=199", "no answer 199"),
        ("example=max", "no example 'max'; the operation has rex, teapot, tom cat"),
        ("code=200, example=teapot", "no example 'teapot'"),
    ],
)
async def test_an_answer_that_the_operation_has_not_is_a_400(serve: Serve, prefer: str, said: str) -> None:
    answer = await serve(bzz.MockHive.from_openapi(CHOICES)).get("/pets", headers={"Prefer": prefer})
    assert (answer.status_code, said in answer.json()["detail"]) == (400, True)


async def test_a_row_of_a_table_has_one_answer_whatever_is_preferred(serve: Serve) -> None:
    client = serve(bzz.MockHive.routes_for([("GET", "/hello", {"body": "hi"})]))
    assert (await client.get("/hello", headers={"Prefer": "code=404"})).text == "hi"


PETSTORE = Path(__file__).with_name("petstore.yaml")


def schemas_of(document: Any) -> Iterator[tuple[str, str, Any]]:
    """The path, method and schema of each operation's first success, references resolved."""
    for path, item in jsonref.replace_refs(document, proxies=False)["paths"].items():
        for method, operation in item.items():
            success = next(each for status, each in operation["responses"].items() if status.startswith("2"))
            if "content" in success:
                yield path, method, success["content"]["application/json"]["schema"]


async def test_every_answer_of_the_petstore_satisfies_its_schema(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(bzz.MockHive.from_openapi(PETSTORE))
    found = list(schemas_of(read_document(PETSTORE)))
    assert len(found) == 11
    for path, method, schema in found:
        answer = await client.request(method.upper(), re.sub("{[^}]*}", "7", path))
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(answer.json())
    assert "no example" not in caplog.text


async def test_a_schema_that_nothing_satisfies_is_said_with_its_operation(caplog: pytest.LogCaptureFixture) -> None:
    schema = {"type": "integer", "minimum": 2, "maximum": 1}
    content = {"application/json": {"schema": schema}}
    bzz.MockHive.from_openapi(
        {"openapi": "3.1.0", "paths": {"/x": {"get": {"responses": {"200": {"content": content}}}}}}
    )
    assert "no example can be made for GET /x 200" in caplog.text


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.yaml cannot be read: No such file"):
        bzz.MockHive.from_openapi(tmp_path / "missing.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ConfigurationError, match=r"broken\.yaml is neither YAML nor JSON"):
        bzz.MockHive.from_openapi(tmp_path / "broken.yaml")

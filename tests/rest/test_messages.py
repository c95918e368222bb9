"""Every message that a client reads is in bzz's own words: what was wrong, where, and what is wanted.

``refused.py`` has the table of fields and values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from tests.conftest import Serve
from tests.rest.refused import CASES, MessagePart, MessagePlain, MessageSaved

FORBIDDEN = re.compile(
    r"<class|<\w+\.\w+|\w+\(|datetime\.|DBRef|\bNone\b|\bTrue\b|\bFalse\b|\[['\"]|\(['\"]|\bb'|Traceback"
    r"|Exception|Error\b|Field\b|GeoJson|GridFS|[Mm]ongo|BSON|\b(dict|tuple|float|int|str|bool)s?\b|must not return"
    r"|instance|document class|could not be converted|validation regex|did not match|invalid literal"
)
"""Python's forms of values and MongoEngine's words."""

SENTENCE = re.compile(r"[A-Z][^\n]*\.")


MODELS = {"plain": MessagePlain, "saved": MessageSaved}
BODIES = [(model, name) for model in MODELS for name in CASES if hasattr(MODELS[model], name)]


@pytest.fixture
def client(serve: Serve, database_name: str, request: pytest.FixtureRequest) -> httpx.AsyncClient:
    """A client of the model that the test names, or else the plain one: they have many fields, to make routes of."""
    model = MODELS[request.node.callspec.params.get("model", "plain") if hasattr(request.node, "callspec") else "plain"]
    return serve(bzz.ModelHive.routes_for("mongoengine", model))


def messages(answer: httpx.Response) -> Iterator[str]:
    problem = answer.json()
    yield problem["detail"]
    for told in problem.get("errors", {}).values():
        yield from told


def assert_is_told(answer: httpx.Response, name: str, value: object) -> None:
    """Hold an answer to the rule."""
    assert 400 <= answer.status_code < 500, f"{value!r}: {answer.status_code} {answer.text}"
    problem = answer.json()
    named = {each.partition(".")[0] for each in problem.get("errors", ())}
    assert named == {name} or (not named and f"'{name}" in problem["detail"]), f"{value!r}: {answer.text}"
    for message in messages(answer):
        assert SENTENCE.fullmatch(message), f"{value!r}: {message!r} is not one sentence or more on one line"
        found = FORBIDDEN.findall(message.replace(f"'{name}", ""))
        assert found == [], f"{value!r}: {message!r}"


@pytest.mark.parametrize(("model", "name"), BODIES)
async def test_every_refusal_of_a_value_in_json_is_in_words_of_bzz(
    client: httpx.AsyncClient, model: str, name: str
) -> None:
    root = f"/message_{model}/"
    place = (await client.post(root, json={})).headers["Location"]
    for value in CASES[name].json:
        assert_is_told(await client.post(root, json={name: value}), name, value)
        if name != "sequence":  # which may be sent back as it is
            assert_is_told(await client.put(place, json={name: value}), name, value)


@pytest.mark.parametrize("name", [name for model, name in BODIES if model == "plain" and CASES[name].forms])
async def test_every_refusal_of_a_text_in_a_form_is_in_words_of_bzz(client: httpx.AsyncClient, name: str) -> None:
    for text in CASES[name].forms:
        assert_is_told(await client.post("/message_plain/", data={name: text}), name, text)


@pytest.mark.parametrize("name", [name for model, name in BODIES if model == "plain" and CASES[name].filters])
async def test_every_refusal_of_a_filter_is_in_words_of_bzz(client: httpx.AsyncClient, name: str) -> None:
    for condition in CASES[name].filters:
        assert_is_told(await client.get(f"/message_plain/?{name}{condition}"), name, condition)


EXACT: dict[str, tuple[Any, str]] = {
    "between": ("abcd", "Must be a string of 2 to 3 characters."),
    "regex_and_length": ("A", "Must be a string of at most 3 characters that matches the pattern /^[a-z]+$/."),
    "url": (
        "www.example.com",
        "Must be a URL that begins with http:// or https:// or ftp:// or ftps:// and names a host.",
    ),
    "range": (3, "Must be an integer from 1 to 2."),
    "decimal_choices": ("3", "Must be one of: 1.5, 2.5."),
    "moment_choices": ("2026-01-01", "Must be one of: 2026-01-02T03:04:00Z."),
    "some_hues": ("blue", "Must be one of: red."),
    "few": ([1, 2, 3], "Must be an array of at most 2 items."),
    "huge_decimal": ("1e400", "Must be a decimal number with at most 26 digits before the point."),
    "point": (
        [400, 400],
        "Must be a GeoJSON Point, with coordinates that are"
        " a longitude from -180 to 180 and a latitude from -90 to 90.",
    ),
    "false": ("x", "The value is refused."),
    "asked": (4, "The value is refused."),
    "counting": ("x", "The value is refused."),
    "said": ("x", "Nobody says that."),
    "upper": ("a", "Must be in upper case."),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", EXACT)
async def test_a_refusal_says_what_is_wanted(client: httpx.AsyncClient, model: str, name: str) -> None:
    value, message = EXACT[name]
    answer = await client.post(f"/message_{model}/", json={name: value})
    assert answer.json()["errors"] == {name: [message]}


@pytest.mark.parametrize("value", ["c", "3", "2026-01-01"])
async def test_a_value_that_is_no_choice_is_refused_in_the_same_words_in_bodies_and_filters(
    client: httpx.AsyncClient, value: str
) -> None:
    name = {"c": "many_choices", "3": "integer_choices", "2026-01-01": "moment_choices"}[value]
    (told,) = (await client.post("/message_plain/", data={name: value})).json()["errors"][name]
    assert (await client.get("/message_plain/", params={name: value})).json()["detail"].endswith(f" read. {told}")


@pytest.mark.parametrize("moment", ["2026-01-31T12:00:00+00:00", "2026-01-31T12:00+0200"])
async def test_a_plus_that_a_query_reads_as_a_space_is_told_with_its_escape(
    client: httpx.AsyncClient, moment: str
) -> None:
    answer = await client.get(f"/message_plain/?moment__lt={moment}")
    assert (answer.status_code, "write %2B" in answer.json()["detail"]) == (400, True)
    assert (await client.get("/message_plain/", params={"moment__lt": moment})).status_code == 200


async def test_a_value_that_no_plus_would_mend_says_nothing_of_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/message_plain/?moment=31 January")
    assert (answer.status_code, "%2B" in answer.json()["detail"]) == (400, False)


class MessageField(me.EmbeddedDocument):
    area = me.PolygonField()


class MessageFarm(me.Document):
    meta = {"indexes": ["(fields.area"]}  # noqa: RUF012  # as MongoEngine has it

    area = me.PolygonField()
    field = me.EmbeddedDocumentField(MessageField)
    fields = me.EmbeddedDocumentListField(MessageField)


CROSSING = {"area": {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [0, 2], [2, 0], [0, 0]]]}}


@pytest.mark.parametrize(
    ("body", "name"),
    [(CROSSING, "area"), ({"field": CROSSING}, "field.area"), ({"fields": [CROSSING]}, "fields.0.area")],
)
async def test_a_geometry_that_only_mongodb_refuses_is_named(
    serve: Serve, database_name: str, body: dict[str, Any], name: str
) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", MessageFarm))
    place = (await client.post("/message_farm/", json={})).headers["Location"]
    for answer in (await client.post("/message_farm/", json=body), await client.put(place, json=body)):
        assert list(answer.json().get("errors", {})) == [name], answer.text


class MessageCleaned(me.Document):
    """Its own code fills in what its fields refuse, or refuses what they accept."""

    name = me.StringField(max_length=3)
    parts = me.EmbeddedDocumentListField(MessagePart)
    key = me.StringField(required=True)

    def clean(self) -> None:
        if self.name == "own":
            raise me.ValidationError("Nobody is called that.", errors={"name": "Choose another name."})
        self.name = "too long"
        for each in self.parts:
            each.text = "too long"


async def test_what_clean_fills_in_is_refused_in_words_of_bzz(serve: Serve, database_name: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", MessageCleaned))
    answer = await client.post("/message_cleaned/", json={"parts": [{"text": "a"}]})
    wanted = "Must be a string of at most 3 characters."
    assert answer.json()["errors"] == {
        "name": [wanted],
        "parts.0.text": [wanted],
        "key": ["This field is required."],
    }


async def test_a_validation_that_returns_something_is_logged_for_whoever_wrote_it(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.post("/message_plain/", json={"returned": 1})
    assert "must not return anything" in caplog.text


async def test_what_clean_refuses_is_told_in_its_own_words(serve: Serve, database_name: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", MessageCleaned))
    answer = await client.post("/message_cleaned/", json={"name": "own", "key": "x"})
    assert answer.json()["errors"] == {"name": ["Choose another name."]}


class MessageAddress(me.EmbeddedDocument):
    street = me.StringField(db_field="st")
    number = me.IntField()


class MessageHouse(me.Document):
    meta = {  # noqa: RUF012  # as MongoEngine has it
        "allow_inheritance": True,
        "indexes": [{"fields": ["city", "address.street", "address.number"], "unique": True}],
    }

    city = me.StringField(db_field="ct")
    address = me.EmbeddedDocumentField(MessageAddress)
    owner = me.StringField(unique=True, sparse=True)


class MessageSavedHouse(MessageHouse):
    """Saved by MongoEngine."""

    def clean(self) -> None:
        pass


HOUSE = {"city": "Recife", "address": {"street": "Rua da Aurora", "number": 1}}


@pytest.mark.parametrize("name", ["message_house", "message_saved_house"])
async def test_a_unique_combination_that_is_taken_is_named_as_one(serve: Serve, database_name: str, name: str) -> None:
    model = {"message_house": MessageHouse, "message_saved_house": MessageSavedHouse}[name]
    client = serve(bzz.ModelHive.routes_for("mongoengine", model))
    assert (await client.post(f"/{name}/", json=HOUSE)).status_code == 201
    answer = await client.post(f"/{name}/", json=HOUSE)
    taken = "The combination of city, address.street and address.number is taken."
    assert answer.status_code == 409
    assert answer.json()["detail"] == taken
    assert answer.json()["errors"] == {"city": [taken], "address.street": [taken], "address.number": [taken]}


async def test_a_combination_does_not_tell_of_hidden_fields(serve: Serve, database_name: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", MessageHouse, hidden=["address.number"]))
    house = {"city": "Recife", "address": {"street": "Rua da Aurora"}}
    await client.post("/message_house/", json=house)
    answer = await client.post("/message_house/", json=house)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "The combination of city and address.street is taken."
    assert "number" not in answer.text

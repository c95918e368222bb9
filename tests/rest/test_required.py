"""A model's own code that fails because a required field is missing: a 400 that names the field."""

from __future__ import annotations

import logging
from typing import Any

import mongoengine as me
import pytest
from tornado.web import HTTPError

from bzz import signals
from bzz.errors import Conflict
from tests.rest.conftest import Api


class Purse(me.Document):
    """The one of the manual, whose ``save`` takes the name for granted."""

    name = me.StringField(required=True)
    key = me.StringField(required=True)
    note = me.StringField()

    def save(self, *args: Any, **kwargs: Any) -> Any:
        if self.note == "broken":
            raise RuntimeError("secret")
        self.key = self.name.lower()
        return super().save(*args, **kwargs)


class Verse(me.EmbeddedDocument):
    text = me.StringField(required=True)
    size = me.IntField()

    def clean(self) -> None:
        self.size = len(self.text)


class Missive(me.Document):
    subject = me.StringField(required=True)
    to = me.ListField(me.StringField(), required=True)
    code = me.StringField(required=True)
    raised = me.StringField()
    lines = me.ListField(me.EmbeddedDocumentField(Verse))

    def clean(self) -> None:
        errors: dict[str | None, Exception] = {
            "conflict": Conflict("No."),
            "http": HTTPError(403),
            "own": RuntimeError("x"),
            "lookup": KeyError("x"),
            "assertion": AssertionError(),
        }
        if self.raised is not None:
            raise errors[self.raised]
        self.code = self.subject[0] + self.to[0]


async def test_a_save_that_misses_a_required_field_is_400_and_names_it(api: Api) -> None:
    client = api(Purse)
    answer = await client.post("/purse/", json={})
    assert (answer.status_code, answer.json()["title"]) == (400, "Validation Failed")
    assert answer.json()["errors"] == {"name": ["This field is required."], "key": ["This field is required."]}


async def test_a_save_that_fills_a_required_field_works(api: Api) -> None:
    client = api(Purse)
    created = await client.post("/purse/", json={"name": "Ann"})
    assert (created.status_code, created.json()["key"]) == (201, "ann")
    changed = await client.put(created.headers["Location"], json={"name": "Bea"})
    assert (changed.status_code, changed.json()["key"]) == (200, "bea")


async def test_a_required_field_that_others_left_out_is_named_by_an_update(api: Api) -> None:
    client = api(Purse)
    place = (await client.post("/purse/", json={"name": "Ann"})).headers["Location"]
    Purse._get_collection().update_one({}, {"$unset": {"name": ""}})
    answer = await client.put(place, json={"note": "x"})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"name": ["This field is required."]})
    assert (await client.put(place, json={"name": "Bea"})).status_code == 200


async def test_a_hidden_required_field_is_not_told(api: Api) -> None:
    answer = await api(Purse, hidden=["key"]).post("/purse/", json={})
    assert answer.json()["errors"] == {"name": ["This field is required."], "*": ["This field is required."]}


async def test_where_nothing_is_missing_a_failing_save_is_a_mistake_in_code(api: Api) -> None:
    client = api(Purse)
    place = (await client.post("/purse/", json={"name": "Ann"})).headers["Location"]
    answer = await client.put(place, json={"note": "broken"})
    assert (answer.status_code, "secret" in answer.text) == (500, False)


async def test_a_clean_that_misses_required_fields_is_400_and_names_them_all(api: Api) -> None:
    client = api(Missive)
    assert set((await client.post("/missive/", json={})).json()["errors"]) == {"subject", "to", "code"}
    assert set((await client.post("/missive/", json={"subject": "Hi"})).json()["errors"]) == {"to", "code"}
    assert (await client.post("/missive/", json={"subject": "Hi", "to": ["Ann"]})).json()["code"] == "HAnn"


async def test_a_required_field_inside_an_embedded_document_has_a_dotted_name(api: Api) -> None:
    client = api(Missive)
    place = (await client.post("/missive/", json={"subject": "Hi", "to": ["Ann"]})).headers["Location"]
    Missive._get_collection().update_one({}, {"$set": {"lines": [{"text": "a"}, {}]}})
    answer = await client.put(place, json={"subject": "Ho"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["lines.1.text"])


@pytest.mark.parametrize(
    ("raised", "status"), [("own", 400), ("lookup", 400), ("assertion", 400), ("conflict", 409), ("http", 403)]
)
async def test_an_answer_that_the_code_chose_is_given(api: Api, raised: str, status: int) -> None:
    assert (await api(Missive).post("/missive/", json={"raised": raised})).status_code == status


async def test_what_really_went_wrong_is_in_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bzz.providers.mongoengine"):
        await api(Purse).post("/purse/", json={})
    assert "AttributeError" in caplog.text


class Cashbook(me.Document):
    lines = me.ListField(me.StringField(), required=True)
    tags = me.ListField(me.StringField(), required=True, default=lambda: ["q"])
    map = me.MapField(me.IntField(), required=True, default=lambda: {"a": 1})
    note = me.IntField(null=True, default=5)
    code = me.StringField(default=lambda: "k")
    word = me.StringField(required=True, default=lambda: None)


@pytest.mark.parametrize("send", ["put", "patch"])
async def test_null_empties_no_required_list(api: Api, send: str) -> None:
    client = api(Cashbook)
    place = (await client.post("/cashbook/", json={"word": "w", "lines": ["a"]})).headers["Location"]
    refused = await client.request(send, place, json={"lines": None})
    assert (refused.status_code, refused.json()["errors"]) == (400, {"lines": ["Must be an array of at least 1 item."]})
    refused = await client.request(send, place, json={"word": None})
    assert (refused.status_code, refused.json()["errors"]) == (400, {"word": ["This field is required."]})
    for name, default in (("tags", ["q"]), ("map", {"a": 1})):
        await client.put(place, json={name: ["x"] if name == "tags" else {"x": 2}})
        assert (await client.request(send, place, json={name: None})).json()[name] == default


async def test_null_that_the_model_stores_is_stored_in_a_new_document(api: Api) -> None:
    client = api(Cashbook)
    assert (await client.post("/cashbook/", json={"word": "w", "lines": ["a"], "note": None})).json()["note"] is None
    assert (await client.post("/cashbook/", json={"word": "w", "lines": ["a"]})).json()["note"] == 5


async def test_an_unset_value_that_is_the_default_again_is_no_change(api: Api) -> None:
    client, told = api(Cashbook), list[Any]()

    def note(sender: type, updated_fields: Any) -> None:
        told.append(updated_fields)

    signals.post_update_instance.connect(note, Cashbook)
    place = (await client.post("/cashbook/", json={"word": "w", "lines": ["a"]})).headers["Location"]
    await client.put(place, json={"code": None})
    assert told == [{}]

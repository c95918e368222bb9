"""What a class does in its ``__init__``, its ``to_mongo`` and its ``clean()`` happens as it does in MongoEngine."""

from __future__ import annotations

from typing import Any

import mongoengine as me

from bzz import signals
from tests.rest.conftest import Api


class Slugged(me.Document):
    title = me.StringField()
    slug = me.StringField()
    note = me.StringField()

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        if self.slug is None and self.title is not None:
            self.slug = self.title.lower()


class Shelved(me.EmbeddedDocument):
    title = me.StringField()
    slug = me.StringField()

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        if self.slug is None and self.title is not None:
            self.slug = self.title.lower()


class Rack(me.Document):
    first = me.EmbeddedDocumentField(Shelved)
    others = me.EmbeddedDocumentListField(Shelved)


class Indexed(me.Document):
    title = me.StringField(db_field="t")
    words = me.IntField()

    meta = {"strict": False}  # noqa: RUF012  # as MongoEngine wants it

    def to_mongo(self, *args: Any, **kwargs: Any) -> Any:
        stored = super().to_mongo(*args, **kwargs)
        stored["words"] = len((self.title or "").split())
        stored["extra"] = "kept"
        return stored


class Weighed(me.EmbeddedDocument):
    grams = me.IntField(db_field="g")

    def to_mongo(self, *args: Any, **kwargs: Any) -> Any:
        stored = super().to_mongo(*args, **kwargs)
        stored["unit"] = "g"
        return stored


class Scale(me.Document):
    load = me.EmbeddedDocumentField(Weighed, db_field="l")

    meta = {"strict": False}  # noqa: RUF012  # as MongoEngine wants it


class Stamped(me.EmbeddedDocument):
    """Counts only the changes of its text."""

    code = me.StringField(primary_key=True)
    text = me.StringField(db_field="x")
    size = me.IntField()
    changed = me.ListField(me.StringField())

    def clean(self) -> None:
        self.changed = sorted({*self.changed, *self._get_changed_fields()} - {"changed"})


class Stack(me.Document):
    top = me.EmbeddedDocumentField(Stamped)
    rest = me.EmbeddedDocumentListField(Stamped)


def held(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model._get_collection().find_one()
    return found


async def test_what_an_init_sets_is_stored(api: Api) -> None:
    answer = await api(Slugged).post("/slugged/", json={"title": "A B"})
    assert (answer.json()["slug"], held(Slugged)["slug"]) == ("a b", "a b")


async def test_what_an_init_sets_in_an_embedded_document_is_stored(api: Api) -> None:
    answer = await api(Rack).post("/rack/", json={"first": {"title": "A"}, "others": [{"title": "B"}]})
    assert answer.status_code == 201, answer.text
    assert (held(Rack)["first"]["slug"], held(Rack)["others"][0]["slug"]) == ("a", "b")


async def test_what_an_init_sets_while_a_document_is_loaded_is_no_change(api: Api) -> None:
    client = api(Slugged)
    Slugged(title="A").save()
    Slugged._get_collection().update_one({}, {"$unset": {"slug": ""}})
    place = f"/slugged/{held(Slugged)['_id']}/"
    told: list[Any] = []

    async def note(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    with signals.post_update_instance.connected_to(note):
        answer = await client.put(place, json={"note": "x"})
    assert told == [{"note": {"from": None, "to": "x"}}]
    assert (answer.json()["slug"], "slug" in held(Slugged)) == (None, False)


async def test_a_new_document_is_stored_as_its_own_to_mongo_says(api: Api) -> None:
    answer = await api(Indexed).post("/indexed/", json={"title": "two words"})
    assert answer.json()["words"] == 2
    assert {**held(Indexed), "_id": 0} == {"_id": 0, "t": "two words", "words": 2, "extra": "kept"}


async def test_an_update_writes_and_tells_only_the_fields_that_changed(api: Api) -> None:
    client = api(Indexed)
    place = (await client.post("/indexed/", json={"title": "two words"})).headers["Location"]
    told: list[Any] = []

    async def note(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    with signals.post_update_instance.connected_to(note):
        answer = await client.put(place, json={"title": "one"})
    assert told == [{"title": {"from": "two words", "to": "one"}}]
    assert answer.json() == (await client.get(place)).json()
    assert {**held(Indexed), "_id": 0} == {"_id": 0, "t": "one", "words": 2, "extra": "kept"}


async def test_an_embedded_document_is_stored_as_its_own_to_mongo_says(api: Api) -> None:
    client = api(Scale)
    place = (await client.post("/scale/", json={"load": {"grams": 1}})).headers["Location"]
    assert held(Scale)["l"] == {"g": 1, "unit": "g"}
    await client.put(place, json={"load": None})
    assert (await client.put(place, json={"load": {"grams": 2}})).json()["load"] == {"grams": 2}
    assert held(Scale)["l"] == {"g": 2, "unit": "g"}


async def test_an_embedded_document_knows_in_its_clean_what_changed_in_it(api: Api) -> None:
    client = api(Stack)
    place = (await client.post("/stack/", json={"top": {"code": "a", "text": "x", "size": 1}})).headers["Location"]
    answer = await client.put(place, json={"top": {"text": "y"}})
    assert answer.json()["top"] == {"code": "a", "text": "y", "size": 1, "changed": ["x"]}
    assert answer.json() == (await client.get(place)).json()


async def test_an_item_of_a_list_knows_in_its_clean_what_changed_in_it(api: Api) -> None:
    client = api(Stack)
    rest = [{"code": code, "text": "x", "size": 1} for code in "ab"]
    place = (await client.post("/stack/", json={"rest": rest})).headers["Location"]
    answer = await client.put(f"{place}rest/b/", json={"size": 2})
    assert (answer.json()["size"], answer.json()["changed"]) == (2, ["size"])
    await client.put(place, json={"rest": [{**rest[0], "text": None}, rest[1]]})
    assert [each["changed"] for each in (await client.get(place)).json()["rest"]] == [["x"], ["size"]]

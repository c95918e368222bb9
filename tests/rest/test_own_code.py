"""What a class does in its ``__init__``, its ``to_mongo`` and its ``clean()`` happens as it does in MongoEngine."""

from __future__ import annotations

import copy
import threading
from typing import Any, ClassVar

import mongoengine as me
import pytest
from mongoengine import signals as orm_signals

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


class Versioned(me.Document):
    """Refuses what was made of an older version."""

    name = me.StringField()
    version = me.IntField(default=0)
    saves: ClassVar[list[str]] = []

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.saves.append(self.name)
        if not self._created:
            kwargs["save_condition"] = {**(kwargs.get("save_condition") or {}), "version": self.version}
        self.version += 1
        return super().save(*args, **kwargs)


class SlipLine(me.EmbeddedDocument):
    price = me.IntField()

    def clean(self) -> None:
        self.price.nope()


class PriceSlip(me.Document):
    lines = me.EmbeddedDocumentListField(SlipLine)


class Stamped(me.EmbeddedDocument):
    """Counts only the changes of its text."""

    code = me.StringField(primary_key=True)
    text = me.StringField(db_field="x")
    size = me.IntField()
    changed = me.ListField(me.StringField())

    def clean(self) -> None:
        self.changed = sorted({*self.changed, *self._get_changed_fields()} - {"changed"})


class StampBook(me.Document):
    by_name = me.MapField(me.EmbeddedDocumentField(Stamped))
    rest = me.EmbeddedDocumentListField(Stamped)


class Stack(me.Document):
    top = me.EmbeddedDocumentField(Stamped)
    rest = me.EmbeddedDocumentListField(Stamped)


class Locked(me.StringField):
    """Holds what cannot be copied, as one that has a client of another service does."""

    def __init__(self, **options: Any) -> None:
        self.lock = threading.Lock()
        super().__init__(**options)


class Lockbox(me.Document):
    word = Locked()
    words = me.ListField(Locked())

    def to_dict(self) -> dict[str, Any]:
        return {"id": str(self.id), "word": self.word, "words": list(self.words)}


class Coined(me.StringField):
    """Makes a value up, as sequences and slugs do."""

    _auto_gen = True

    def generate(self) -> str:
        return "made up"


class Nothing(Coined):
    def generate(self) -> None:  # type: ignore[override]  # as those do that find nothing to begin with
        return None


class Minted(me.Document):
    code = Coined(primary_key=True)
    name = Coined(required=True)
    other = Nothing(required=True)
    note = me.StringField()


class Lowered(me.StringField):
    """Makes something of what it is set to."""

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, value if value is None else value.lower())


class Lower(me.EmbeddedDocument):
    word = Lowered()


class Quiet(me.Document):
    word = Lowered()
    inner = me.EmbeddedDocumentField(Lower)


class SelfSetting(me.Document):
    word = me.StringField()

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value.lower() if name == "word" and value is not None else value)


class Watched(me.EmbeddedDocument):
    word = me.StringField()


class Watching(me.Document):
    word = me.StringField()
    inner = me.EmbeddedDocumentField(Watched)


class Picky(me.Document):
    name = me.StringField()

    def clean(self) -> None:
        if self.name == "root":
            raise ValueError("is taken by the system")


class Retired(me.Document):
    """Notes who deleted it, and is deleted, by an ``update`` of its own."""

    name = me.StringField()
    by = me.StringField()

    def update(self, **changes: Any) -> Any:
        return super().update(set__by="me", **changes)

    def delete(self, **options: Any) -> Any:
        self.update(set__name="gone")


class Renamed(me.Document):
    """Has an ``update`` of another kind altogether."""

    state = me.StringField(default="new")

    def update(self, data: dict[str, Any]) -> Any:
        for name, value in data.items():
            setattr(self, name, value)
        return self.save()

    def delete(self) -> Any:
        return self.update({"state": "deleted"})


class CountingQuerySet(me.QuerySet):
    removed = 0

    def delete(self, *args: Any, **options: Any) -> Any:
        CountingQuerySet.removed += 1
        return super().delete(*args, **options)


class Tallied(me.Document):
    name = me.StringField()
    meta = {"queryset_class": CountingQuerySet}  # noqa: RUF012  # as MongoEngine wants it


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


async def test_a_field_may_hold_what_cannot_be_copied(api: Api) -> None:
    with pytest.raises(TypeError):
        copy.deepcopy(Lockbox.word)
    client = api(Lockbox)
    place = (await client.post("/lockbox/", json={"word": "a", "words": ["b"]})).headers["Location"]
    assert (await client.put(place, json={"word": "c"})).json()["word"] == "c"
    assert (await client.get(place)).json()["words"] == ["b"]
    assert (await client.delete(place)).status_code == 204


async def test_a_field_that_makes_its_value_up_does(api: Api) -> None:
    client = api(Minted)
    answer = await client.post("/minted/", json={"note": "x"})
    assert answer.json() == {"code": "made up", "name": "made up", "other": None, "note": "x"}
    assert (answer.headers["Location"], held(Minted)) == (
        "/minted/made%20up/",
        {"_id": "made up", "name": "made up", "note": "x"},
    )
    again = await client.put("/minted/made%20up/", json={**answer.json(), "note": "y"})
    assert (again.status_code, again.json()["note"]) == (200, "y")


async def test_what_a_field_makes_of_what_it_is_set_to_is_stored(api: Api) -> None:
    answer = await api(Quiet).post("/quiet/", json={"word": "ABC", "inner": {"word": "DEF"}})
    assert {**answer.json(), "id": 0} == {"id": 0, "word": "abc", "inner": {"word": "def"}}
    assert {**held(Quiet), "_id": 0} == {"_id": 0, "word": "abc", "inner": {"word": "def"}}


async def test_what_a_class_makes_of_what_an_attribute_is_set_to_is_stored(api: Api) -> None:
    client = api(SelfSetting)
    answer = await client.post("/self_setting/", json={"word": "ABC"})
    assert (answer.json()["word"], held(SelfSetting)["word"]) == ("abc", "abc")
    assert (await client.put(answer.headers["Location"], json={"word": "DEF"})).json()["word"] == "def"


@pytest.mark.parametrize(("sender", "expected"), [(Watching, ("abc", "DEF")), (Watched, ("ABC", "def"))])
async def test_what_a_receiver_of_post_init_sets_is_stored(api: Api, sender: Any, expected: tuple[str, str]) -> None:
    def lower(sender: Any, document: Any, **more: Any) -> None:
        if document.word is not None:
            document.word = document.word.lower()

    with orm_signals.post_init.connected_to(lower, sender=sender):
        answer = await api(Watching).post("/watching/", json={"word": "ABC", "inner": {"word": "DEF"}})
    stored = held(Watching)
    assert answer.status_code == 201
    assert (stored["word"], stored["inner"]["word"]) == expected


async def test_a_save_condition_of_the_class_that_does_not_hold_is_a_conflict_at_once(api: Api) -> None:
    client = api(Versioned)
    place = (await client.post("/versioned/", json={"name": "a"})).headers["Location"]
    assert (await client.put(place, json={"name": "b"})).status_code == 200
    Versioned.saves.clear()
    answer = await client.put(place, json={"name": "c", "version": 7})
    assert (answer.status_code, Versioned.saves) == (409, ["c"])
    assert held(Versioned)["name"] == "b"


async def test_a_mistake_in_a_clean_inside_a_document_is_in_the_log_without_values(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await api(PriceSlip).post("/price_slip/", json={"lines": [{"price": 4711}]})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"lines": ["The value is refused."]})
    (line,) = (each.getMessage() for each in caplog.records if each.name == "bzz.providers.mongoengine")
    assert line.startswith("AttributeError in ")
    assert "test_own_code.py" in line
    assert "4711" not in line


async def test_a_value_error_of_clean_is_a_refusal(api: Api) -> None:
    client = api(Picky)
    answer = await client.post("/picky/", json={"name": "root"})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"*": ["is taken by the system"]})
    place = (await client.post("/picky/", json={"name": "ann"})).headers["Location"]
    answer = await client.put(place, json={"name": "root"})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"*": ["is taken by the system"]})
    assert held(Picky)["name"] == "ann"


@pytest.mark.parametrize(
    ("model", "expected"), [(Retired, {"name": "gone", "by": "me"}), (Renamed, {"state": "deleted"})]
)
async def test_a_delete_may_call_an_update_of_the_classs_own(api: Api, model: Any, expected: dict[str, Any]) -> None:
    document = model().save()
    answer = await api(model).delete(f"/{model.__name__.lower()}/{document.pk}/")
    assert (answer.status_code, {**held(model), "_id": 0}) == (204, {"_id": 0, **expected})


async def test_a_delete_goes_through_the_class_of_the_querysets(api: Api) -> None:
    document, before = Tallied(name="a").save(), CountingQuerySet.removed
    assert (await api(Tallied).delete(f"/tallied/{document.pk}/")).status_code == 204
    assert (CountingQuerySet.removed, Tallied.objects.count()) == (before + 1, 0)


async def test_a_clean_inside_a_map_learns_what_has_changed(api: Api) -> None:
    client, book = (
        api(StampBook),
        StampBook(by_name={"a": Stamped(code="1", text="x", size=1), "b": Stamped(code="2", text="y")}).save(),
    )
    place = f"/stamp_book/{book.pk}/"
    forget: dict[str, Any] = {"$set": {"by_name.a.changed": [], "by_name.b.changed": []}}
    StampBook._get_collection().update_one({}, forget)
    answer = await client.patch(place, json={"by_name": {"a": {"text": "z"}}})
    assert {name: each["changed"] for name, each in answer.json()["by_name"].items()} == {"a": ["x"], "b": []}
    StampBook._get_collection().update_one({}, forget)
    answer = await client.patch(place, json={"by_name": {"a": {"size": 2}, "c": {"code": "3", "text": "w"}}})
    assert answer.json()["by_name"]["a"] == {"code": "1", "text": "z", "size": 2, "changed": ["size"]}
    assert answer.json()["by_name"]["b"]["changed"] == []
    stored = held(StampBook)["by_name"]
    assert (stored["a"]["size"], stored["c"]["x"], "size" in stored["b"]) == (2, "w", False)


async def test_a_clean_inside_a_list_learns_what_has_changed_where_items_come_and_go(api: Api) -> None:
    client, book = api(StampBook), StampBook(rest=[Stamped(code=each, text="x") for each in "abc"]).save()
    StampBook._get_collection().update_one({}, {"$set": {"rest.$[].changed": []}})
    items = [{"code": "d", "text": "w"}, {"code": "c", "text": "x"}, {"code": "a", "text": "z"}]
    answer = await client.put(f"/stamp_book/{book.pk}/", json={"rest": items})
    assert answer.status_code == 200, answer.text
    shown = [(each["code"], each["text"], each["changed"]) for each in answer.json()["rest"]]
    assert shown[1:] == [("c", "x", []), ("a", "z", ["x"])]
    assert [each["_id"] for each in held(StampBook)["rest"]] == ["d", "c", "a"]


async def test_an_item_with_an_odd_id_is_refused_by_its_name(api: Api) -> None:
    client, book = api(StampBook), StampBook(rest=[Stamped(code=each, text="x") for each in "ab"]).save()
    StampBook._get_collection().update_one({}, {"$set": {"rest.0._id": {"odd": 1}}})
    answer = await client.post(f"/stamp_book/{book.pk}/rest/", json={"code": "c", "text": "y"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["rest.0.code"])

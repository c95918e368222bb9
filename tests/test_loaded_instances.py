"""Instances for receivers hold what MongoEngine would have loaded, though each value is converted when it is read."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.instance import LoadedData, touched
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.record import DocumentRecord


class CountedField(me.StringField):
    """Counts how often it was asked to read what is stored."""

    asked = 0

    def to_python(self, value: Any) -> Any:
        CountedField.asked += 1
        return value


class Drawer(me.EmbeddedDocument):
    label = me.StringField()
    sizes = me.ListField(me.IntField())


class Cupboard(me.Document):
    name = me.StringField(db_field="n")
    height = me.FloatField()
    built = me.DateTimeField()
    price = me.DecimalField()
    tags = me.ListField(me.StringField())
    notes = me.DictField()
    drawer = me.EmbeddedDocumentField(Drawer)
    drawers = me.EmbeddedDocumentListField(Drawer)
    owner = me.ReferenceField("self", dbref=False)
    counted = CountedField()


RAW: dict[str, Any] = {
    "_id": ObjectId("0" * 24),
    "n": "oak",
    "height": 2,
    "built": datetime(2026, 1, 2, 3, 4, 5),
    "price": 1.5,
    "tags": ["old", "heavy"],
    "notes": {"a": {"b": [1]}},
    "drawer": {"label": "top", "sizes": [1, 2]},
    "drawers": [{"label": "low", "sizes": []}, {"label": "lower"}],
    "owner": ObjectId("1" * 24),
    "counted": "one",
}


@pytest.fixture
def codec() -> DocumentCodec:
    return Registry(Cupboard, (), ()).root


@pytest.fixture
def instance(codec: DocumentCodec) -> Any:
    return codec.load(RAW)


def loaded() -> Any:
    """The same document, loaded by MongoEngine."""
    found = Cupboard._from_son(copy.deepcopy(RAW))
    found._fields = Registry(Cupboard, (), ()).root._quiet_fields  # it must not ask the database for the owner
    return found


@pytest.mark.parametrize("name", list(Cupboard._fields))
def test_an_attribute_is_what_mongoengine_loads(instance: Any, name: str) -> None:
    own, other = getattr(instance, name), getattr(loaded(), name)
    assert own == other
    assert type(own) is type(other)


def test_the_data_is_what_mongoengine_loads(instance: Any) -> None:
    assert dict(instance._data) == loaded()._data


def test_the_data_names_the_fields_in_their_order(instance: Any) -> None:
    _ = instance.tags, instance.name
    assert list(instance._data) == list(Cupboard._fields_ordered)


@pytest.mark.parametrize("name", ["tags", "notes", "drawers", "drawer"])
def test_what_else_stands_in_the_place_of_a_container_is_read_as_it_is(codec: DocumentCodec, name: str) -> None:
    assert getattr(codec.load({name: 5}), name) == 5


def test_it_is_dumped_as_it_was_stored(codec: DocumentCodec, instance: Any) -> None:
    low, lower = RAW["drawers"]
    assert codec.dump(instance) == {**RAW, "height": 2.0, "drawers": [low, {**lower, "sizes": []}]}


def test_a_value_is_converted_once_when_it_is_first_read(instance: Any) -> None:
    before = CountedField.asked
    assert instance.name == "oak"
    assert CountedField.asked == before
    assert (instance.counted, instance.counted) == ("one", "one")
    assert CountedField.asked == before + 1


def test_what_is_changed_inside_it_does_not_change_what_is_known_as_stored(instance: Any) -> None:
    known = copy.deepcopy(RAW)
    instance.tags.append("new")
    instance.notes["a"]["b"].append(2)
    instance.drawer.sizes.append(3)
    instance.drawers[0].label = "other"
    assert known == RAW


def test_it_notes_changes_as_mongoengine_does(instance: Any) -> None:
    other = loaded()
    for each in (instance, other):
        each.name = "pine"
        each.tags.append("new")
        each.drawer.label = "changed"
        each.drawers[1].sizes.append(1)
    assert sorted(instance._get_changed_fields()) == sorted(other._get_changed_fields())


def test_setting_the_value_that_is_there_is_no_change(instance: Any) -> None:
    instance.name = "oak"
    assert instance._get_changed_fields() == []


def test_reading_what_cannot_be_changed_touches_nothing(instance: Any) -> None:
    _ = instance.name, instance.height, instance.built, instance.price
    assert touched(instance) == set()


@pytest.mark.parametrize("name", ["tags", "notes", "drawer", "drawers"])
def test_what_can_be_changed_inside_is_touched_by_reading(instance: Any, name: str) -> None:
    getattr(instance, name)
    assert touched(instance) == {name}


@pytest.mark.parametrize("method", ["clear", "popitem"])
def test_whatever_changes_the_data_as_a_whole_touches_every_field(instance: Any, method: str) -> None:
    dict(instance._data)
    getattr(instance._data, method)()
    assert touched(instance) == set(Cupboard._fields)


def test_what_was_taken_out_of_the_data_is_gone(instance: Any) -> None:
    del instance._data["name"]
    assert "name" not in instance._data
    assert instance.name is None
    assert instance._data.get("height") == 2.0


def test_two_instances_of_the_same_data_are_equal(codec: DocumentCodec) -> None:
    assert codec.load(RAW).drawer == codec.load(RAW).drawer
    assert codec.load(RAW).drawer._data == {"label": "top", "sizes": [1, 2]}


def test_a_copy_is_no_longer_tied_to_what_is_stored(instance: Any) -> None:
    copied = copy.deepcopy(instance)
    assert copied.name == "oak"
    assert type(copy.copy(instance.drawer._data)) is dict


def test_a_receiver_that_reads_leaves_the_body_as_it_is_stored(codec: DocumentCodec) -> None:
    record = DocumentRecord(codec, RAW)
    body = record.body
    assert record.instance.name == "oak"
    assert record.instance.tags == ["old", "heavy"]
    assert record.body == body


@pytest.mark.parametrize("read", [True, False])
def test_a_receiver_that_changes_something_is_shown(codec: DocumentCodec, read: bool) -> None:
    record = DocumentRecord(codec, RAW)
    if read:
        dict(record.instance._data)
    record.instance.name = "pine"
    record.instance.drawer.label = "middle"
    shown = record.show()
    assert (shown["name"], shown["drawer"]["label"], shown["price"]) == ("pine", "middle", codec.to_json(RAW)["price"])
    assert record.body is None


def test_an_instance_of_a_class_with_an_init_of_its_own_is_made_by_it() -> None:
    assert type(Registry(Wardrobe, (), ()).root.load({"name": "x"})._data) is dict
    assert type(Registry(Cupboard, (), ()).root.load({"n": "x"})._data) is LoadedData


class Wardrobe(me.Document):
    name = me.StringField()

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)

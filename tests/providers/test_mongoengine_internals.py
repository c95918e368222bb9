"""Each private name of MongoEngine does what bzz takes it to do: after an upgrade, the tests that fail name those gone.

The last test keeps the names in the two modules that may use them.
"""

from __future__ import annotations

import ast
import enum
import re
import weakref
from pathlib import Path
from typing import Any

import mongoengine as me
import pytest
from mongoengine.errors import NotRegistered
from mongoengine.queryset import QuerySet

from bzz.providers.mongoengine import internals, queryset_internals
from bzz.providers.mongoengine.facets import text_index


class InternalColour(enum.Enum):
    RED = "red"


class InternalPart(me.EmbeddedDocument):
    text = me.StringField()


class InternalOwner(me.Document):
    meta = {"ordering": ["-number"], "db_alias": "default", "collection": "owners", "allow_inheritance": True}  # noqa: RUF012  # as MongoEngine has it

    number = me.IntField(db_field="n", required=True)
    part = me.EmbeddedDocumentField(InternalPart)
    parts = me.EmbeddedDocumentListField(InternalPart)
    by_name = me.MapField(me.EmbeddedDocumentField(InternalPart))
    numbers = me.SortedListField(me.IntField(), reverse=True)
    place = me.PointField()


class InternalChild(InternalOwner):
    more = me.StringField(choices=["x"])


class InternalBase(me.Document):
    meta = {"abstract": True}  # noqa: RUF012  # as MongoEngine has it


class InternalTree(InternalBase):
    parent = me.ReferenceField("self", reverse_delete_rule=me.CASCADE)
    count = me.SequenceField()


class InternalOpen(me.DynamicDocument):
    text = me.StringField()


# -- classes


def test_meta_holds_the_options_of_a_class_and_of_its_bases() -> None:
    assert internals.meta(InternalChild)["collection"] == "owners"
    assert internals.meta(int) == {}
    assert internals.own_meta(InternalOwner)["collection"] == "owners"
    assert internals.own_meta(int) == {}


def test_meta_abstract() -> None:
    assert [internals.is_abstract(each) for each in (InternalBase, InternalTree)] == [True, False]


def test_meta_allow_inheritance() -> None:
    assert [internals.allows_inheritance(each) for each in (InternalOwner, InternalTree)] == [True, False]


def test_meta_id_field() -> None:
    assert internals.id_field(InternalOwner) == "id"


def test_meta_ordering() -> None:
    assert (list(internals.ordering(InternalOwner)), list(internals.ordering(InternalTree))) == (["-number"], [])


def test_meta_db_alias() -> None:
    assert [internals.connection_alias(each) for each in (InternalOwner, InternalTree)] == ["default"] * 2


def test_meta_delete_rules() -> None:
    assert list(internals.delete_rules(InternalTree)) == [(InternalTree, "parent", me.CASCADE)]
    assert list(internals.delete_rules(InternalOwner)) == []


def test_fields() -> None:
    assert internals.fields(InternalOwner)["number"] is InternalOwner.number


def test_fields_are_those_of_a_class_of_documents() -> None:
    cases = (InternalOwner, InternalTree, me.Document, object)
    assert [internals.has_field(each, "number") for each in cases] == [True, False, False, False]


def test_fields_ordered() -> None:
    declared = ["number", "part", "parts", "by_name", "numbers", "place"]
    assert [name for name in internals.field_names(InternalOwner) if name in declared] == declared


def test_dynamic() -> None:
    assert [internals.is_dynamic(each) for each in (InternalOpen, InternalTree)] == [True, False]


def test_class_name() -> None:
    assert internals.class_name(InternalChild) == "InternalOwner.InternalChild"


def test_subclasses() -> None:
    assert internals.family(InternalOwner) == ("InternalOwner", "InternalOwner.InternalChild")


@pytest.mark.parametrize("name", ["InternalOwner.InternalChild", "InternalChild"])
def test_get_document_or_document_registry_get(name: str) -> None:
    assert internals.registered(name) is InternalChild


def test_a_name_that_is_not_registered() -> None:
    with pytest.raises(NotRegistered):
        internals.registered("InternalNobody")


def test_document_registry() -> None:
    assert {InternalChild, InternalPart} <= set(internals.all_registered())
    assert internals.count_registered() == len(internals.all_registered())


def test_cls_is_the_stored_name_of_a_class() -> None:
    assert InternalChild(number=1).to_mongo()[internals.CLASS_KEY] == "InternalOwner.InternalChild"
    assert internals.CLASS_KEY in internals.fields(InternalOwner)


def test_ref_is_the_reference_in_a_generic_one() -> None:
    reference = me.GenericReferenceField().to_mongo(InternalTree(id="0" * 24))
    assert (reference[internals.REFERENCE_KEY].collection, reference[internals.CLASS_KEY]) == (
        "internal_tree",
        "InternalTree",
    )


def test_translate_field_name() -> None:
    assert internals.stored_path(InternalOwner, "number") == "n"
    with pytest.raises(me.errors.LookUpError):
        internals.stored_path(InternalOwner, "nothing")


# -- connections and collections


def test_connection_settings(database_name: str) -> None:
    settings = internals.connection_settings("default")
    assert settings is not None
    assert settings["name"] == database_name
    assert internals.connection_settings("another") is None


def test_get_db(database_name: str) -> None:
    assert internals.database(InternalOwner).name == database_name


@pytest.mark.usefixtures("database_name")
def test_get_collection_makes_the_indexes_once_and_collection_remembers_it() -> None:
    internals.forget_collection(InternalOwner)
    assert internals.opened_collection(InternalOwner) is None
    made = internals.collection(InternalOwner)
    assert internals.opened_collection(InternalOwner) is made is internals.collection(InternalOwner)
    assert "_cls_1_n_-1" in made.index_information() or "_cls_1" in made.index_information()


def test_get_collection_name() -> None:
    assert [internals.collection_name(each) for each in (InternalChild, InternalTree)] == ["owners", "internal_tree"]


# -- instances


def test_data() -> None:
    instance = InternalOwner(number=1)
    internals.values(instance)["number"] = 2
    assert instance.number == 2


def test_from_son() -> None:
    loaded = internals.from_stored(InternalOpen, {"_id": "0" * 24, "text": "x", "more": 1})
    assert (loaded.text, loaded.more, loaded._changed_fields) == ("x", 1, [])


def test_created_and_auto_convert() -> None:
    instance = internals.construct(InternalOwner, {"number": "as it is"})
    assert (instance.number, instance._created, instance._get_changed_fields()) == ("as it is", False, [])
    assert internals.construct(InternalPart, {"text": "x"}, embedded=True).text == "x"


def test_auto_convert_of_a_new_instance() -> None:
    instance = internals.construct_new(InternalOwner, {"number": "as it is"})
    assert (instance.number, instance._created) == ("as it is", True)


@pytest.mark.usefixtures("database_name")
def test_get_update_doc() -> None:
    found = InternalOwner(number=1).save()
    seen: list[Any] = []
    internals.watch_updates(found, seen.append)
    found.number = 2
    found.save()
    assert seen == [{"$set": {"n": 2}}]


def test_changed_fields() -> None:
    instance = internals.construct(InternalOwner, {"number": 1})
    instance.number = 2
    assert instance._get_changed_fields() == ["n"]
    internals.forget_changes(instance)
    assert instance._get_changed_fields() == []


def test_mark_as_changed() -> None:
    instance = internals.construct(InternalOwner, {"number": 1})
    internals.mark_changed(instance, "number")
    assert instance._get_changed_fields() == ["n"]


def test_instance_is_the_owner_of_an_embedded_document() -> None:
    by_mongoengine, owner, part = InternalOwner(number=7, part=InternalPart()), InternalOwner(number=7), InternalPart()
    internals.give_owner(part, weakref.proxy(owner))
    assert (by_mongoengine.part._instance.number, part._instance.number) == (7, 7)


def test_fields_of_an_instance_stand_before_those_of_its_class() -> None:
    instance, own = InternalOwner(number=1), {"number": me.IntField()}
    assert internals.take_fields(instance) is None
    internals.give_fields(instance, own)
    assert internals.fields(instance) is own
    assert internals.take_fields(instance) is own
    assert internals.fields(instance) is internals.fields(InternalOwner)


@pytest.mark.parametrize(("model", "values"), [(InternalOwner, {"number": 7}), (InternalTree, {"count": 7})])
def test_what_an_instance_has_besides_its_fields(model: Any, values: dict[str, Any]) -> None:
    instance, own_fields = model.__new__(model), dict(internals.fields(model))
    internals.set_up(instance, {**values}, own_fields, embedded=False)
    assert (instance._created, instance._get_changed_fields(), internals.fields(instance)) == (False, [], own_fields)
    assert instance._cls == internals.class_name(model)
    assert [getattr(instance, name) for name in values] == [7]
    instance.validate()


def test_dynamic_fields_of_an_instance() -> None:
    assert [list(internals.undeclared_names(each)) for each in (InternalOpen(more=1), InternalTree())] == [["more"], []]


@pytest.mark.usefixtures("database_name")
def test_queryset_class_of_an_instance_is_what_delete_and_update_write_through() -> None:
    one, other = InternalOwner(number=1).save(), InternalOwner(number=2).save()
    asked: list[Any] = []

    def remove(query: Any, write_concern: Any) -> int:
        asked.append((query, write_concern))
        return 1

    queryset_internals.write_by(one, remove, lambda update_if: update_if({"n": 7}))
    assert one.update(set__number=3) == 0
    queryset_internals.write_by(one, remove, lambda update_if: update_if({"n": 1}))
    assert one.update(set__number=3) == 1
    assert one.reload().number == 3
    one.delete(w=1)
    other.delete()
    assert [(query["_id"], write_concern) for query, write_concern in asked] == [(one.id, {"w": 1})]
    assert [each.id for each in InternalOwner.objects] == [one.id]


# -- querysets


@pytest.mark.usefixtures("database_name")
def test_query() -> None:
    assert queryset_internals.query(InternalTree.objects(count__gt=1)) == {"count": {"$gt": 1}}


@pytest.mark.usefixtures("database_name")
def test_none_and_empty() -> None:
    found = InternalTree.objects
    assert [queryset_internals.finds_nothing(each) for each in (found, found.none(), found[:0])] == [False, True, True]


@pytest.mark.usefixtures("database_name")
def test_limit_and_skip() -> None:
    found = InternalTree.objects
    cases = (found, found.limit(1), found.skip(1), found[:0])
    assert [queryset_internals.is_sliced(each) for each in cases] == [False, True, True, True]


@pytest.mark.usefixtures("database_name")
def test_ordering() -> None:
    found: QuerySet = InternalOwner.objects
    orders = [
        queryset_internals.sort_order(each) for each in (found, found.order_by("number", "-place"), found.order_by())
    ]
    assert orders == [[], [("n", 1), ("place", -1)], []]


# -- fields


def test_auto_gen() -> None:
    fields = (InternalTree.count, InternalOwner.id, InternalOwner.number)
    assert [internals.generates_values(each) for each in fields] == [True, False, False]


def test_ordering_and_order_reverse_of_a_sorted_list() -> None:
    assert internals.item_order(InternalOwner.numbers) == (None, True)
    assert internals.item_order(me.SortedListField(me.DictField(), ordering="at")) == ("at", False)


def test_validate() -> None:
    internals.validate(InternalChild.more, "x")
    with pytest.raises(me.ValidationError):
        internals.validate(InternalChild.more, "y")


def test_enum_cls() -> None:
    assert internals.enum(me.EnumField(InternalColour)) is InternalColour


def test_type_of_a_geo_field() -> None:
    assert [internals.geometry(each) for each in (InternalOwner.place, me.PolygonField(), me.GeoPointField())] == [
        "Point",
        "Polygon",
        "Point",
    ]


def test_geo_index_of_a_geo_field() -> None:
    fields = (InternalOwner.place, me.GeoPointField(), me.PointField(auto_index=False), InternalOwner.number)
    assert [internals.geo_index(each) for each in fields] == ["2dsphere", "2d", None, None]


class InternalSearched(me.Document):
    meta = {"indexes": ["$title"], "allow_inheritance": True}  # noqa: RUF012
    title = me.StringField()


def test_text_index_of_a_class() -> None:
    assert [text_index(each) for each in (InternalSearched, InternalOwner)] == [["title"], []]


# -- where the names are

PROVIDER = Path(internals.__file__).parent
STORED = {internals.CLASS_KEY, internals.REFERENCE_KEY, "_id"}
"""What is stored under these names is no secret of MongoEngine's."""

OWN_SLOTS = {"record.py": {"_instance"}, "changes/ticks.py": {"_data"}, "changes/change_stream.py": {"_data"}}
"""What a class of bzz calls its own, in quotes, or MongoDB: the key in a resume token."""


def private_names(path: Path, *, own_too: bool) -> set[str]:
    """Every private name of another object, in quotes or of an argument, in a module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            found.add(node.attr if own_too or not is_own else "")
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        if isinstance(node, (ast.keyword, ast.arg)):
            found.add(node.arg or "")
        if isinstance(node, ast.alias):
            found.add(node.name)
    return {name for name in found if re.fullmatch("_[A-Za-z][A-Za-z_]*", name) and name not in STORED}


INTERNALS = ("internals.py", "queryset_internals.py")
NAMES = set().union(*(private_names(PROVIDER / each, own_too=True) for each in INTERNALS))
OTHERS = sorted({each.relative_to(PROVIDER).as_posix() for each in PROVIDER.rglob("*.py")} - {*INTERNALS})


@pytest.mark.parametrize("name", OTHERS)
def test_a_module_uses_no_private_name_of_mongoengine(name: str) -> None:
    used = private_names(PROVIDER / name, own_too=False) & NAMES - OWN_SLOTS.get(name, set())
    assert used == set()

"""Fields that only models below one declare, and the class that values name."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.shape import Field, Shape
from bzz.shape.containers import ListKind
from bzz.shape.documents import EmbeddedKind, ReferenceKind
from bzz.shape.scalars import IntegerKind, StringKind
from bzz.shape.types import TAG, fields_in, must_name, named_shape
from bzz.shape.walk import references


class Person:
    pass


class Company:
    pass


PERSON = Shape("Person", Person, pk=Field("id", IntegerKind()))
COMPANY = Shape("Company", Company, pk=Field("id", IntegerKind()))


def animal(**below: list[Field]) -> Shape:
    """Return a model with a name, and the models below it with the fields that each declares."""
    shapes = {}
    for name, fields in below.items():
        registered, declared = f"Animal.{name}", {each.name: each for each in fields}
        shapes[registered] = Shape(name, type(name, (), {}), declared, type_name=registered)
    return Shape(
        "Animal", object, {"name": Field("name", StringKind())}, find_subclasses=lambda: shapes, type_name="Animal"
    )


def owner(target: Shape, **options: Any) -> Field:
    return Field("owner", ReferenceKind(lambda: target), **options)


@pytest.mark.parametrize(
    ("dog", "cat"),
    [
        (Field("owner", StringKind()), Field("owner", IntegerKind())),
        (owner(PERSON), owner(COMPANY)),
        (Field("owner", ListKind(owner(PERSON))), Field("owner", ListKind(owner(COMPANY)))),
        (Field("owner", ListKind(Field("", StringKind()))), Field("owner", ListKind(Field("", IntegerKind())))),
        (owner(PERSON), Field("owner", EmbeddedKind(lambda: PERSON))),
        (owner(PERSON), owner(PERSON, hidden=True)),
    ],
)
def test_a_name_that_models_below_declare_differently_is_unknown(dog: Field, cat: Field) -> None:
    assert animal(Dog=[dog], Cat=[cat]).known("owner") is None


def test_a_field_is_read_only_if_one_model_below_says_so() -> None:
    found = animal(Dog=[owner(PERSON)], Cat=[owner(PERSON, read_only=True)]).known("owner")
    assert found is not None
    assert found.read_only


def test_choices_are_those_of_all_models_below_or_none() -> None:
    fields = [Field("size", StringKind(), choices=each) for each in (("s",), ("s",), ("l",))]
    alike, other = animal(Dog=[fields[0]], Cat=[fields[1]]), animal(Dog=[fields[0]], Cat=[fields[2]])
    assert alike.subclass_fields["size"].choices == ("s",)
    assert other.subclass_fields["size"].choices == ()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "Animal"),
        ({TAG: "Animal"}, "Animal"),
        ({TAG: "Animal.Dog"}, "Dog"),
        ({TAG: "Dog"}, None),
        ({TAG: 7}, None),
        ({TAG: ["Animal"]}, None),
        ({TAG: None}, None),
    ],
)
def test_values_name_a_class_by_its_registered_name(values: dict[str, Any], name: str | None) -> None:
    found = named_shape(animal(Dog=[owner(PERSON)]), values)
    assert (found and found.name) == name


def test_a_model_without_subclasses_and_type_knows_no_types() -> None:
    assert named_shape(PERSON, {TAG: "anything"}) is PERSON
    assert PERSON.types == {}


def test_values_that_name_no_class_may_have_fields_of_any() -> None:
    shape = animal(Dog=[owner(PERSON)], Cat=[Field("size", StringKind())])
    assert set(fields_in(shape, {})) == {"name", "owner", "size"}
    assert set(fields_in(shape, {TAG: "Animal.Dog"})) == {"owner"}
    assert set(fields_in(shape, {TAG: "Animal"})) == {"name"}


def test_references_of_models_below_are_met_on_a_walk() -> None:
    found = list(references(animal(Dog=[owner(PERSON)]), {"owner": 7}))
    assert [(each.where, each.shape, each.key) for each in found] == [("owner", PERSON, 7)]


def test_of_many_types_some_are_listed() -> None:
    told = must_name([str(number) for number in range(30)])
    assert told.endswith(" 18, 19, ...")

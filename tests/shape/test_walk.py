"""One walk over the values of a document, whatever their kinds."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.shape import Field, Shape, dotted
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import EmbeddedKind, ReferenceKind
from bzz.shape.walk import Reference, filtered, reachable, references, walk
from tests.model import ADDRESS, CITY, ORDER, PHONE, USER

HOMES = Field("homes", MapKind(Field("", EmbeddedKind(lambda: ADDRESS))))
STREETS = Field("streets", ListKind(Field("", ListKind(Field("", EmbeddedKind(lambda: ADDRESS))))))
OWNER = Shape("Owner", object, {"homes": HOMES, "streets": STREETS})


def names(shape: Shape, values: dict[str, Any]) -> list[str]:
    return [dotted(each.place) for each in walk(shape, values)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": "Ann"}, ["name"]),
        ({"tags": ["a", "b"]}, ["tags", "tags.0", "tags.1"]),
        ({"scores": {"a": 1}}, ["scores", "scores.a"]),
        ({"address": {"zip": 1, "street": None}}, ["address", "address.zip"]),
        (
            {"addresses": [{"children": [{"zip": 1}]}]},
            [
                "addresses",
                "addresses.0",
                "addresses.0.children",
                "addresses.0.children.0",
                "addresses.0.children.0.zip",
            ],
        ),
        ({"thing": {"@type": "Phone", "digits": "1"}}, ["thing", "thing.digits"]),
        ({"thing": {"digits": "1", "zip": 1}}, ["thing", "thing.digits", "thing.zip"]),
        ({"grid": [[1]]}, ["grid", "grid.0", "grid.0.0"]),
        ({"unknown": {"zip": 1}, "address": {"unknown": 1}}, ["address"]),
        ({"notes": {"a": [1]}}, ["notes"]),
        ({"address": "damaged", "tags": 1, "scores": [], "thing": 7}, ["address", "tags", "scores", "thing"]),
    ],
)
def test_every_declared_value_is_met_after_the_one_around_it(values: dict[str, Any], expected: list[str]) -> None:
    assert names(USER, values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"boss": 42, "home": None}, [Reference("boss", USER, 42)]),
        ({"friends": [2, 4]}, [Reference("friends.0", USER, 2), Reference("friends.1", USER, 4)]),
        ({"addresses": [{"city": "GIG"}]}, [Reference("addresses.0.city", CITY, "GIG")]),
        ({"link": {"@type": "Order", "id": 7}}, [Reference("link", ORDER, 7)]),
        ({"thing": {"@type": "Address", "city": "GIG"}}, [Reference("thing.city", CITY, "GIG")]),
        ({"link": {"@type": "Gone", "id": 7}}, []),
        ({"link": {"@type": [], "id": 7}}, []),
        ({"name": "Ann", "notes": {"boss": 42}}, []),
    ],
)
def test_references_are_found_at_every_depth(values: dict[str, Any], expected: list[Reference]) -> None:
    assert list(references(USER, values)) == expected


def without_zip(field: Field, value: Any) -> Any:
    return filtered(field, value, lambda owner, key: key != "zip")


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("address", {"zip": 1, "street": "x"}, {"street": "x"}),
        ("addresses", [{"zip": 1}, {"children": [{"zip": 1, "street": "x"}]}], [{}, {"children": [{"street": "x"}]}]),
        ("thing", {"@type": "Address", "zip": 1}, {"@type": "Address"}),
        ("address", [{"zip": 1, "street": "x"}], [{"street": "x"}]),  # a list of them, by an older form of the model
        ("address", {"unknown": {"zip": 1}}, {"unknown": {"zip": 1}}),
        ("address", {}, {}),
        ("notes", {"zip": 1}, {"zip": 1}),
        ("name", "zip", "zip"),
    ],
)
def test_unwanted_parts_are_left_out_at_every_depth(name: str, value: Any, left: Any) -> None:
    assert without_zip(USER.fields[name], value) == left


def test_parts_of_maps_and_of_lists_of_lists_are_left_out_too() -> None:
    assert without_zip(HOMES, {"a": {"zip": 1, "street": "x"}}) == {"a": {"street": "x"}}
    assert without_zip(STREETS, [[{"zip": 1, "street": "x"}]]) == [[{"street": "x"}]]


def test_what_is_left_of_a_value_is_another_object() -> None:
    value = {"zip": 1, "children": [{"zip": 1}]}
    without_zip(USER.fields["address"], value)
    assert value == {"zip": 1, "children": [{"zip": 1}]}


def test_every_model_that_documents_lead_to_is_reached_once() -> None:
    def link(name: str, target: Shape) -> dict[str, Field]:
        return {name: Field(name, ReferenceKind(lambda: target))}

    class One:
        pass

    class Two:
        pass

    two = Shape("Two", Two, {})
    one = Shape("One", One, {**link("self", two), **link("again", two)})
    two.fields = link("back", one)
    assert [each.name for each in reachable(one, failing)] == ["One", "Two"]


def test_a_link_that_cannot_be_followed_is_told_and_hides_no_other() -> None:
    def broken() -> Shape:
        raise LookupError("no such class")

    class Root:
        pass

    class Leaf:
        pass

    leaf = Shape("Leaf", Leaf, {})
    fields = {
        "lost": Field("lost", ReferenceKind(broken)),
        "leaf": Field("leaf", ReferenceKind(lambda: leaf)),
    }
    told: list[tuple[str, str]] = []
    found = reachable(Shape("Root", Root, fields), lambda shape, error: told.append((shape.name, str(error))))
    assert [each.name for each in found] == ["Root", "Leaf"]
    assert told == [("Root", "no such class")]


def failing(shape: Shape, error: Exception) -> None:
    raise error


def test_a_path_leads_through_a_list_of_documents_but_not_through_lists_of_them() -> None:
    link = USER.fields["addresses"].link
    assert link is not None
    assert link.shape is ADDRESS
    assert STREETS.link is None


@pytest.mark.parametrize(
    ("field", "shapes"),
    [
        (USER.fields["address"], [ADDRESS]),
        (USER.fields["phones"], [PHONE]),
        (USER.fields["thing"], [PHONE, ADDRESS]),
        (USER.fields["link"], [CITY, ORDER]),
        (USER.fields["boss"], [USER]),
        (USER.fields["scores"], []),
        (HOMES, [ADDRESS]),
        (STREETS, [ADDRESS]),
    ],
)
def test_a_field_leads_to_all_models_of_its_documents(field: Field, shapes: list[Shape]) -> None:
    assert list(field.kind.leads_to()) == shapes

"""What an event is, and what its class refuses."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from dataclasses import FrozenInstanceError, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.events import AdHocEvent, Created, Creating, FieldUpdated, Updated

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]  # a name that does not exist when the program runs


class ReportReady(bzz.Event):
    path: str
    pages: int = 1


class Submitted(bzz.Event):
    data: dict[str, Any]
    errors: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    sent: "Unknown" = None  # noqa: UP037  # the annotation can't be evaluated

    def add_error(self, name: str, text: str) -> None:
        self.errors[name].append(text)


class Bill(bzz.Event, name="shop.bill", frozen=True):
    total: float


class User:
    pass


def test_an_event_carries_what_it_was_given() -> None:
    event = ReportReady(path="june.pdf")
    assert (event.name, event.path, event.pages) == ("ReportReady", "june.pdf", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "path"),
        ({"path": "x", "colour": "red"}, "colour"),
        ({"path": 6}, "path: int is not an instance of str"),
        ({"path": "x", "pages": "many"}, "pages: str is not an instance of int"),
        ({"path": None}, "path: None is not an instance of str"),
    ],
)
def test_arguments_that_the_annotations_do_not_allow_are_type_errors(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        ReportReady(**arguments)


def test_arguments_are_keywords() -> None:
    with pytest.raises(TypeError, match="positional"):
        ReportReady("june.pdf")  # type: ignore[call-arg]  # what a type checker says as well


def test_an_annotation_that_exists_for_type_checkers_only_is_not_checked() -> None:
    assert Submitted(data={}, sent=4).sent == 4


def test_one_unknown_annotation_leaves_the_others_checked() -> None:
    with pytest.raises(TypeError, match="data"):
        Submitted(data=[])  # type: ignore[arg-type]  # what a type checker says as well


def test_each_event_has_its_own_defaults() -> None:
    first, second = Submitted(data={}), Submitted(data={})
    first.add_error("email", "is missing")
    assert (first.errors, second.errors) == ({"email": ["is missing"]}, {})


def test_a_class_can_say_its_name() -> None:
    assert Bill(total=3).name == "shop.bill"


def test_a_frozen_class_gives_frozen_events() -> None:
    with pytest.raises(FrozenInstanceError):
        Bill(total=3).total = 4  # type: ignore[misc]  # what a type checker says as well


def test_every_event_has_an_id_and_a_time() -> None:
    first, second = ReportReady(path="a"), ReportReady(path="a")
    assert first.id != second.id
    assert re.fullmatch("[0-9a-f]{32}", first.id)
    assert (datetime.now(UTC) - first.occurred_at).total_seconds() < 60


@pytest.mark.parametrize("taken", ["id", "name", "origin", "cause"])
def test_a_field_with_a_name_that_every_event_has_is_refused_with_the_class(taken: str) -> None:
    with pytest.raises(TypeError, match=f"every event has {taken} already"):
        type("Odd", (bzz.Event,), {"__annotations__": {taken: str}})


@pytest.mark.parametrize("name", ["", "two words", "a..b", ".a", "a.", "User.*"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name an event"):
        AdHocEvent(name)


def test_a_named_event_gives_its_payload_as_attributes() -> None:
    event = AdHocEvent("report.ready", {"path": "a", "id": 7})
    event.path = "b"
    event.extra = True
    assert (event.path, event.payload) == ("b", {"path": "b", "id": 7})
    assert event.payload["id"] != event.id


def test_a_payload_that_lacks_an_attribute_says_what_it_has() -> None:
    with pytest.raises(AttributeError, match=r"report\.ready carries no size; it carries path, pages"):
        _ = AdHocEvent("report.ready", {"path": "a", "pages": 2}).size


def test_events_can_be_copied() -> None:
    assert copy.copy(AdHocEvent("a", {"b": 1})).b == 1
    assert copy.deepcopy(ReportReady(path="a")).path == "a"


def test_model_events_are_named_after_model_and_verb() -> None:
    made = [
        Creating(model=User),
        Created(model=User, instance=User()),
        FieldUpdated(model=User, instance=User(), field="address.city", old="Rio", new="Olinda"),
    ]
    assert [event.name for event in made] == ["User.creating", "User.created", "User.updated.address.city"]


def test_facts_are_frozen_on_every_level() -> None:
    event = Updated(model=User, instance=User(), diff={"email": {"from": "a", "to": "b"}})
    with pytest.raises(FrozenInstanceError):
        event.instance = User()  # type: ignore[misc]  # what a type checker says as well
    with pytest.raises(TypeError):
        event.diff["email"]["to"] = "c"  # type: ignore[index]  # what a type checker says as well
    assert event.diff == {"email": {"from": "a", "to": "b"}}


def test_events_that_carry_the_same_are_equal() -> None:
    assert ReportReady(path="x") == ReportReady(path="x")
    assert ReportReady(path="x") != ReportReady(path="y")
    assert AdHocEvent("a", {"b": 1}) == AdHocEvent("a", {"b": 1})
    assert AdHocEvent("a", {"b": 1}) != AdHocEvent("a", {"b": 2})
    assert AdHocEvent("a") != AdHocEvent("b")
    user = User()
    assert Created(model=User, instance=user, handler=1) == Created(model=User, instance=user)
    assert Created(model=User, instance=user) != Created(model=User, instance=User())


def test_events_of_different_classes_are_not_equal() -> None:
    class Report(bzz.Event):
        path: str
        pages: int = 1

    other: object = Report(path="x")
    assert other != ReportReady(path="x")
    assert AdHocEvent("ReportReady", {"path": "x", "pages": 1}) != ReportReady(path="x")


def test_frozen_events_have_a_hash_and_others_have_none() -> None:
    assert len({Bill(total=1.0), Bill(total=1.0), Bill(total=2.0)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(ReportReady(path="x"))

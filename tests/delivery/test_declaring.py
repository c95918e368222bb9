"""What ``bzz.durable`` takes, and what it says of a mistake."""

from __future__ import annotations

import re
from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.delivery.listener import declared
from bzz.delivery.source import roots_of
from bzz.errors import ConfigurationError
from tests.delivery.conftest import Seen


class Stone(me.Document):
    weight = me.IntField()


@pytest.mark.parametrize(
    "target",
    [
        *("Stone.created", "Stone.*", "*", "*.deleted", "Stone.updated.weight", "*.updated.*", "S*.[cd]*"),
        *(re.compile(r"Stone\..*"), bzz.events.Created, bzz.events.Updated[Stone], bzz.events.Fact, bzz.Event),
    ],
    ids=str,
)
def test_what_is_stored_can_be_listened_to(target: Any, seen: Seen) -> None:
    assert bzz.durable(target, name="x")(seen) is seen
    assert [each.name for each in declared()] == ["x"]


@pytest.mark.parametrize("expression", [r"Stone\.(created|deleted)", r"Stone\.updated\.weight", r"Stone.*"])
def test_an_expression_that_begins_with_a_model_follows_no_other(expression: str, seen: Seen) -> None:
    bzz.durable(re.compile(expression), name="x")(seen)
    assert set(roots_of(declared()).values()) == {Stone}


@pytest.mark.parametrize(
    "target",
    ["Stone.creating", "Stone.fetched", "Stone.linked", "Stone", "report.ready", "*.listed", bzz.events.Creating],
    ids=str,
)
def test_what_is_not_stored_is_refused(target: Any) -> None:
    with pytest.raises(ConfigurationError, match="is nothing that is stored"):
        bzz.durable(target, name="x")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": ""}, "name: '' must be"),
        ({"name": "a/b"}, "name: 'a/b' must be"),
        ({"timeout": 0}, "timeout: 0 must be a number of seconds"),
        ({"timeout": True}, "timeout: True must be"),
        ({"concurrency": 0}, "concurrency: 0 must be a whole number of at least 1"),
        ({"max_attempts": 1.5}, "max_attempts: 1.5 must be"),
        ({"schedule": ()}, "must be one number of seconds or more"),
        ({"schedule": (-1,)}, "must be one number of seconds or more"),
        ({"start": "yesterday"}, "start: 'yesterday' must be 'now', 'beginning' or a"),
        ({"when": "open"}, "give the transition as a pair"),
        ({"when": ("open", "paid")}, "when= is for field events"),
    ],
)
def test_a_mistake_is_told_where_it_is_made(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        bzz.durable("Stone.created", **{"name": "x", **wrong})


def test_a_name_belongs_to_one_function(seen: Seen) -> None:
    bzz.durable("Stone.created", name="x")(seen)
    with pytest.raises(ConfigurationError, match="two durable listeners are named 'x'"):
        bzz.durable("Stone.created", name="x")(print)


def test_a_module_that_is_loaded_again_declares_its_listener_anew() -> None:
    for target in ("Stone.created", "Stone.deleted"):
        module: dict[str, Any] = {"__name__": "listening"}
        exec("def note(event): ...", module)
        bzz.durable(target, name="x")(module["note"])
    assert [str(each.registration.target) for each in declared()] == ["Stone.deleted"]


class Note:
    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, event: Any) -> None: ...


def made(text: str) -> Any:
    return lambda event: text


@pytest.mark.parametrize(
    "others",
    [
        lambda: (Note("a").take, "Stone.created", None),
        lambda: (made("b"), "Stone.created", None),
        lambda: (first, "Stone.deleted", None),
        lambda: (first, "Stone.updated.weight", (1, 2)),
    ],
    ids=["of another object", "of a factory", "another target", "another transition"],
)
def test_a_second_listener_of_the_same_name_takes_no_other_s_place(others: Any) -> None:
    function, target, when = others()
    known = {"Note": Note("b").take, "made": made("a")}.get(function.__qualname__.partition(".")[0], first)
    bzz.durable("Stone.updated.weight" if when else "Stone.created", name="x", when=when and (2, 3))(known)
    with pytest.raises(ConfigurationError, match=r"two durable listeners are named 'x', .* for Stone\."):
        bzz.durable(target, name="x", when=when)(function)


def first(event: Any) -> None: ...


def test_the_same_listener_may_be_declared_again() -> None:
    for _ in range(2):
        bzz.durable("Stone.updated.weight", name="x", when=(1, 2))(first)
    assert [each.name for each in declared()] == ["x"]


async def test_a_field_that_the_model_does_not_have_is_told_at_the_start(seen: Seen, database_name: str) -> None:
    bzz.durable("Stone.updated.wieght", name="x")(seen)
    with pytest.raises(ConfigurationError, match=r"there is no field 'wieght' in 'Stone\.updated\.wieght', but id, "):
        async with bzz.deliver():
            pass


async def test_a_model_that_nobody_knows_is_told_at_the_start(seen: Seen, database_name: str) -> None:
    bzz.durable("Stonne.created", name="x")(seen)
    with pytest.raises(ConfigurationError, match=r"no model that this process has imported matches Stonne\.created"):
        async with bzz.deliver():
            pass

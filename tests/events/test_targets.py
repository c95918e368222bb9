"""What a listener can listen for, and what it gets then."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bzz
from bzz.errors import ConfigurationError
from bzz.events import Created, Fact, FieldUpdated, FieldUpdating, Intent, Updated
from bzz.events.bus import Bus
from bzz.events.targets import Subject, parse
from tests.events.conftest import Calls


class User: ...


class Admin(User): ...


class Team: ...


class Sent(bzz.Event): ...


class Parcel(Sent): ...


@pytest.mark.parametrize(
    ("target", "name", "meant"),
    [
        ("User.created", "User.created", True),
        ("User.created", "SuperUser.created", False),
        ("User.created", "User.created.x", False),
        ("*.deleted", "User.deleted", True),
        ("*.deleted", "User.updated.deleted", False),
        ("User.*", "User.created", True),
        ("User.*", "User.updated.email", True),
        ("User.*", "User", False),
        ("User.updated.*", "User.updated", False),
        ("User.updated.*", "User.updated.address.city", True),
        ("*", "anything.at.all", True),
        ("User.[cd]*", "User.deleted", True),
        ("User.?reated", "User.created", True),
        ("user.*", "User.created", False),
        (re.compile(r"User\.(created|deleted)"), "User.deleted", True),
        (re.compile(r"User\.(created|deleted)"), "SuperUser.deleted", False),
        (re.compile("User"), "User.created", False),
        (re.compile(r".*::created"), "event::db::Model::created", True),
    ],
)
def test_names_globs_and_expressions(target: Any, name: str, meant: bool) -> None:
    assert parse(target).matches(Subject(name, bzz.Event)) is meant


@given(st.lists(st.text(alphabet="abcXYZ_0", min_size=1), min_size=1).map(".".join))
def test_every_name_means_itself_and_is_meant_by_a_star(name: str) -> None:
    subject = Subject(name, bzz.Event)
    assert parse(name).matches(subject)
    assert parse("*").matches(subject)
    assert parse(f"{name}.*").matches(subject) is False


@pytest.mark.parametrize(
    ("target", "kind", "model", "meant"),
    [
        ((Updated,), Updated, User, True),
        ((Updated, User), Updated, User, True),
        ((Updated, User), Updated, Admin, True),
        ((Updated, User), Updated, Team, False),
        ((Updated[User],), Updated, Admin, True),
        ((Updated[Any],), Updated, Team, True),
        ((Updated, User), FieldUpdated, User, False),
        ((Fact, User), Created, User, True),
        ((Sent,), Parcel, None, True),
        ((Parcel,), Sent, None, False),
    ],
)
def test_types_and_models(target: Any, kind: type, model: type | None, meant: bool) -> None:
    assert parse(*target).matches(Subject("whatever", kind, model)) is meant


@pytest.mark.parametrize(
    "target",
    [(User,), (Sent, User), ("User.created", User), (3,), (None,), ("",), ("a b",), (Updated, "User"), (print,)],
)
def test_what_can_never_happen_is_refused(target: Any, own_bus: Bus) -> None:
    with pytest.raises(ConfigurationError):
        own_bus.on(*target)


def test_what_cannot_be_called_cannot_listen(own_bus: Bus) -> None:
    with pytest.raises(ConfigurationError, match="it is no function"):
        own_bus.on("a")("b")  # type: ignore[type-var]  # what a type checker says as well


async def test_listeners_run_in_the_order_of_registration_whatever_they_listen_for(own_bus: Bus, calls: Calls) -> None:
    targets: list[Any] = ["*", Sent, re.compile("Sent"), "Sent", "Se*", bzz.Event]
    for position, target in enumerate(targets):
        own_bus.on(target)(calls.listener(str(position)))
    await own_bus.emit(Sent())
    assert calls.made == ["0", "1", "2", "3", "4", "5"]


async def test_plain_functions_and_coroutines_run_one_after_the_other(own_bus: Bus, calls: Calls) -> None:
    @own_bus.on("a")
    async def first(event: Any) -> None:
        calls.made.append("first begins")
        await own_bus.emit("b")
        calls.made.append("first ends")

    own_bus.on("a")(calls.listener("second"))
    own_bus.on("b")(calls.listener("inner"))
    await own_bus.emit("a")
    assert calls.made == ["first begins", "inner", "first ends", "second"]


async def test_a_listener_that_is_registered_twice_runs_once(own_bus: Bus, calls: Calls) -> None:
    listener = calls.listener("once")
    for target in ("a", "a", "*", re.compile("a")):
        own_bus.on(target)(listener)
    await own_bus.emit("a")
    assert calls.made == ["once"]


async def test_a_method_that_is_named_twice_is_the_same_listener(own_bus: Bus) -> None:
    class Box(list[Any]): ...

    box = Box()
    own_bus.on("a")(box.append)
    own_bus.on("*")(box.append)
    await own_bus.emit("a")
    assert len(box) == 1
    own_bus.off(box.append)
    await own_bus.emit("a")
    assert len(box) == 1


async def test_two_objects_of_a_class_are_two_listeners(own_bus: Bus) -> None:
    first: list[Any] = []
    second: list[Any] = []
    own_bus.on("a")(first.append)
    own_bus.on("a")(second.append)
    await own_bus.emit("a")
    assert (len(first), len(second)) == (1, 1)


async def test_listening_returns_the_function_and_off_ends_all_of_it(own_bus: Bus, calls: Calls) -> None:
    listener = calls.listener("x")
    assert own_bus.on("a")(listener) is listener
    own_bus.on("b")(listener)
    own_bus.off(listener)
    own_bus.off(listener)
    await own_bus.emit("a")
    await own_bus.emit("b")
    assert calls.made == []


async def test_who_starts_listening_while_an_event_is_sent_gets_the_next_one(own_bus: Bus, calls: Calls) -> None:
    late = calls.listener("late")

    @own_bus.on("a")
    def first(event: Any) -> None:
        own_bus.on("a")(late)

    await own_bus.emit("a")
    assert calls.made == []
    await own_bus.emit("a")
    assert calls.made == ["late"]


async def test_who_stops_listening_while_an_event_is_sent_still_gets_this_one(own_bus: Bus, calls: Calls) -> None:
    last = calls.listener("last")

    @own_bus.on("a")
    def first(event: Any) -> None:
        own_bus.off(last)

    own_bus.on("a")(last)
    await own_bus.emit("a")
    await own_bus.emit("a")
    assert calls.made == ["last"]


async def test_listeners_can_choose_by_origin(own_bus: Bus, calls: Calls) -> None:
    own_bus.on("a", origin="shop")(calls.listener("shop"))
    own_bus.on("a")(calls.listener("any"))
    event = await own_bus.emit("a", origin="shop")
    await own_bus.emit("a", origin="bank")
    await own_bus.emit("a")
    assert calls.made == ["shop", "any", "any", "any"]
    assert event.origin == "shop"


@pytest.mark.parametrize(
    ("target", "asks"),
    [
        (("User.updating.email",), True),
        (("User.updating.email.domain",), True),
        (("User.updating.name",), False),
        (("Team.updating.email",), False),
        (("*.updating.*",), True),
        (("User.updating.e*",), True),
        (("User.updating.n*",), False),
        (("User.updating",), False),
        (("*.updating",), False),
        (("User.upd*.email",), False),
        (("User.*",), False),
        (("*",), False),
        ((FieldUpdating,), True),
        ((FieldUpdating, User), True),
        ((FieldUpdating, Team), False),
        ((Intent, User), False),
        ((bzz.Event,), False),
        ((re.compile(r".*\.updating\..*"),), True),
        ((re.compile(r"User\..*"),), False),
    ],
)
def test_field_events_before_an_update_are_for_those_that_spell_them_out(target: Any, asks: bool) -> None:
    assert parse(*target).asks_for_updating(User, "email") is asks


@pytest.mark.parametrize(
    ("expression", "of_user"),
    [
        (r"User\.(created|deleted)", True),
        (r"User\.updated\.email", True),
        (r"Us.*", True),
        (r"Users?\..*", True),
        (r"(Team|User)\..*", True),
        (r"Team\..*|.*\.email", True),
        (r"(?i:user)\..*", True),
        (r".*", True),
        (r"Team\.(created|deleted)", False),
        (r"User\.created", False),
        (r"Teams?[|]x", False),
        (r"Users\..*", False),
    ],
)
def test_what_an_expression_begins_with_tells_whose_fields_it_may_mean(expression: str, of_user: bool) -> None:
    assert parse(re.compile(expression)).matches_some_field(User) is of_user


_expressions = st.tuples(
    st.sampled_from(["Team|", "x?", "(Team|)", "(?=U)", ""]),
    st.sampled_from(
        ["User", "Users?", "Users*", "Userx{0}", "[U]ser", "Us|er", r"\w+", "(User|Team)", "Use(r|s)", "U(?:s)er"]
    ),
    st.sampled_from([r"\.", ".", r"\.?", r"\.(updated|x)|", "(.|)"]),
    st.sampled_from(["updated", "updated?", "(up|cre)ated", r"\w*", "updated|x", "updatedx{0,1}"]),
    st.just(r"\.\w+"),
).map("".join)


@given(_expressions, st.data())
def test_no_expression_is_passed_over_for_a_field_whose_name_it_matches(expression: str, data: st.DataObject) -> None:
    pattern = re.compile(expression)
    name = data.draw(st.from_regex(pattern, fullmatch=True))
    for model in (User, Team):
        matches = name.startswith(f"{model.__name__}.updated.")
        assert parse(pattern).matches_some_field(model) or not matches


@pytest.mark.parametrize("target", ["User.updated.linked", "User.updating.created", "User.updated.deleted"])
def test_a_field_may_be_called_as_an_event_is(own_bus: Bus, target: str) -> None:
    own_bus.on(target, when=(1, 2))(lambda event: None)
    with pytest.raises(ConfigurationError):
        own_bus.on(f"User.{target.rpartition('.')[2]}", when=(1, 2))(lambda event: None)

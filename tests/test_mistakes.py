"""Mistakes of an application are reported as early as they can be known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import mongoengine as me
import pymongo
import pytest
from tornado.web import Application, RequestHandler

import bzz
from bzz.errors import ConfigurationError
from bzz.events.bus import bus
from bzz.events.event import AdHocEvent, Remote, stamp
from bzz.events.listeners import Listeners
from bzz.serving.server import load


class Hogshead(me.Document):
    name = me.StringField()


@pytest.fixture(autouse=True)
def _nobody_listens() -> Iterator[None]:
    before = bus._listeners
    bus._set(Listeners())
    yield
    bus._set(before)


def mount(model: type = Hogshead, **options: Any) -> bzz.RouteList:
    return bzz.ModelHive.routes_for("mongoengine", model, **options)


def listener(event: Any) -> None: ...


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("prefix", 5),
        ("resource_name", b"user"),
        ("methods", None),
        ("methods", "GET"),
        ("methods", []),
        ("methods", ["get"]),
        ("methods", [5]),
        ("hidden", None),
        ("hidden", "name"),
        ("hidden", [5]),
        ("hidden", ["nmae"]),
        ("read_only", 5),
        ("read_only", ["nmae"]),
        ("per_page", "20"),
        ("per_page", True),
        ("per_page", 2.5),
        ("per_page", 0),
        ("per_page", 101),
        ("max_per_page", None),
        ("database", "bzz"),
        ("database", pymongo.MongoClient(connect=False)["bzz"]),
        ("authorize", 5),
        ("authorize", lambda method, model: True),
        ("handler", RequestHandler),
        ("handler", None),
        ("live", "yes"),
        ("require_if_match", 1),
    ],
)
def test_an_option_that_cannot_be_is_told_by_its_name(option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{option}\b"):
        mount(**{option: value})


def test_none_is_no_prefix() -> None:
    assert mount(prefix=None)[0][0] == mount()[0][0]


WRONG = ["Hogshead.updatd", "Hogshead.updatd.name", "Hogshead.created.name", "Hogshead.x*", "Hogshead.promoted"]
RIGHT = [
    "Hogshead.updated",
    "Hogshead.updated.name",
    "Hogshead.updating.name",
    "Hogshead.*",
    "Hogshead.*ed",
    "*.x",
    "Hogsheads.x",
]


@pytest.mark.parametrize("name", WRONG)
def test_a_name_that_no_event_of_a_mounted_model_has_is_refused(name: str) -> None:
    mount()
    with pytest.raises(ConfigurationError, match="Hogshead is a model with routes, and this is none of its events"):
        bzz.on(name)


@pytest.mark.parametrize("name", WRONG)
def test_a_model_is_not_mounted_while_somebody_listens_for_such_a_name(name: str) -> None:
    bzz.on(name)(listener)
    with pytest.raises(ConfigurationError, match=re.escape(name)):
        mount()


@pytest.mark.parametrize("name", RIGHT)
def test_other_names_may_be_listened_for_before_and_after(name: str) -> None:
    bzz.on(name)(listener)
    mount()
    bzz.on(name)(listener)


def test_the_message_names_what_was_meant() -> None:
    mount()
    with pytest.raises(ConfigurationError, match=r"did you mean updated\?"):
        bzz.on("Hogshead.updatd")


async def test_an_own_event_may_not_be_called_as_one_of_a_mounted_model() -> None:
    assert (await bzz.emit("Hogshead.rolled")).name == "Hogshead.rolled"
    mount()
    with pytest.raises(
        ConfigurationError, match=r"Hogshead\.rolled: names of this kind are for the events of Hogshead"
    ):
        await bzz.emit("Hogshead.rolled")
    await bzz.emit("Hogshead")
    await bzz.emit(bzz.events.Created(model=Hogshead, instance=Hogshead()))


async def test_an_event_of_another_process_is_delivered_under_any_name() -> None:
    mount()
    event = AdHocEvent("Hogshead.rolled")
    stamp(event, remote=Remote("other", "process", 1))
    assert (await bzz.emit(event)).remote is not None


def test_a_model_that_stands_twice_at_one_url_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="leads to two routes of ModelHandler"):
        bzz.flatten([mount(), mount()])
    assert len(bzz.flatten([mount(), mount(prefix="api")])) == 2


def test_an_application_is_not_served_with_a_model_twice_at_one_url() -> None:
    with pytest.raises(ConfigurationError, match="leads to two routes of ModelHandler"):
        load(Application([*mount(), *mount()]))


def test_two_handlers_of_ones_own_may_share_a_url() -> None:
    class One(RequestHandler): ...

    class Two(RequestHandler): ...

    load(Application(bzz.flatten([("/", One), ("/", Two)])))


def test_an_authorize_that_cannot_be_called_is_refused() -> None:
    def authorize(method: str, model: type, *, usr: Any) -> bool:
        return True

    with pytest.raises(ConfigurationError, match=r"authorize is called with \(method, model, instance_id, user\)"):
        mount(authorize=authorize)


def test_a_hook_that_cannot_be_called_is_refused() -> None:
    class Misshooked(me.Document):
        @staticmethod
        def get_list_queryset(queryset: Any) -> Any:
            return queryset

    with pytest.raises(ConfigurationError, match=r"Misshooked\.get_list_queryset is called with \(queryset, handler\)"):
        mount(Misshooked)

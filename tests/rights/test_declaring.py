"""Mistakes in rules are told when they are declared, or when the routes are made."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.providers import rules
from bzz.providers.base import Options, Provider
from tests.rights.conftest import ADMIN, ANN, Serving, as_user


class RightsPart(me.EmbeddedDocument):
    size = me.IntField()


class Rights(me.Document):
    name = me.StringField()
    part = me.EmbeddedDocumentField(RightsPart)
    meta: ClassVar = {"allow_inheritance": True}


class RightsBelow(Rights):
    extra = me.StringField()


class RightsByMeta(me.Document):
    name = me.StringField()
    meta: ClassVar = {"bzz": {"rules": {"get": "admin", "fields": {"name": {"read": "admin"}}}}}


def routes(model: type) -> Any:
    return bzz.ModelHive.routes_for("mongoengine", model)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"get": 7}, "rules(Rights): get: a role, a function of the user, or a list of them is expected, not 7"),
        (
            {"get": {"admin": True}},
            "rules(Rights): get: a role, a function of the user, or a list of them is expected",
        ),
        ({"get": ["admin", 7]}, "rules(Rights): get: a role or a function of the user is expected, not 7"),
        ({"get": ""}, "rules(Rights): get: a role or a function of the user is expected, not ''"),
        ({"get": lambda: True}, "rules(Rights): get is called with (user)"),
        ({"scope": {"name": "x"}}, "rules(Rights): scope: a function of the user is expected, not {'name': 'x'}"),
        ({"scope": lambda: {}}, "rules(Rights): scope is called with (user)"),
        ({"fields": ["name"]}, "rules(Rights): fields: a dict by names of fields is expected"),
        ({"fields": {"name": "admin"}}, "rules(Rights): fields['name']: a dict with read, write, default, fixed"),
        (
            {"fields": {"name": {"reed": []}}},
            "rules(Rights): fields['name']: a dict with read, write, default, fixed",
        ),
        ({"fields": {"name": {"default": "x"}}}, "rules(Rights): fields['name']: default: a function of the user"),
        ({"fields": {"name": {"fixed": "yes"}}}, "rules(Rights): fields['name']: fixed is True or False, not 'yes'"),
    ],
)
def test_a_mistake_in_rules_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bzz.rules(Rights, **given)
    assert str(caught.value).startswith(message)


def test_rules_are_for_classes() -> None:
    with pytest.raises(ConfigurationError, match="a document class is expected, not 'Rights'"):
        bzz.rules("Rights")  # type: ignore[arg-type]


def test_a_model_has_its_rules_in_one_place() -> None:
    bzz.rules(Rights)
    with pytest.raises(ConfigurationError, match="Rights has rules already: declare them in one place"):
        bzz.rules(Rights)


@pytest.mark.parametrize("model", [Rights, RightsBelow, RightsPart])
def test_rules_come_before_the_routes_that_lead_to_their_model(model: type) -> None:
    routes(Rights)
    with pytest.raises(ConfigurationError, match=f"routes that lead to {model.__name__} are made already"):
        bzz.rules(model)


def test_rules_come_before_the_routes_of_classes_below_their_model() -> None:
    routes(RightsBelow)
    with pytest.raises(ConfigurationError, match="routes that lead to Rights are made already"):
        bzz.rules(Rights)


def test_rules_of_fields_that_are_not_there_are_told_when_routes_are_made() -> None:
    bzz.rules(Rights, fields={"nam": {"fixed": True}})
    with pytest.raises(ConfigurationError, match="rules of Rights: Rights has no field 'nam'"):
        routes(Rights)


@pytest.mark.parametrize("given", [{"get": "admin"}, {"scope": lambda user: {}}])
def test_who_may_use_an_embedded_document_is_said_by_the_one_that_holds_it(given: Any) -> None:
    bzz.rules(RightsPart, **given)
    with pytest.raises(ConfigurationError, match="rules of RightsPart: it is embedded"):
        routes(Rights)


def test_rules_of_what_is_no_document_are_told_when_routes_are_made() -> None:
    class Mixin:
        pass

    class Mixed(Mixin, Rights):
        pass

    bzz.rules(Mixin, get="anyone")
    with pytest.raises(ConfigurationError, match="rules of Mixin: it is no document; declare them of Mixed"):
        routes(Mixed)


def test_meta_declares_rules_too() -> None:
    routes(RightsByMeta)
    routes(RightsByMeta)
    assert rules.DECLARED[RightsByMeta].actions["get"] == ("admin",)
    assert rules.DECLARED[RightsByMeta].actions["list"] == ()
    assert rules.DECLARED[RightsByMeta].fields["name"].read == ("admin",)


def test_meta_and_a_call_do_not_contradict_each_other() -> None:
    bzz.rules(RightsByMeta, get="editor")
    with pytest.raises(ConfigurationError, match="declare them in one place"):
        routes(RightsByMeta)


@pytest.mark.parametrize("given", ["admin", {"read": "admin"}])
def test_mistakes_in_meta_are_told_when_routes_are_made(given: Any) -> None:
    class Mistaken(me.Document):
        meta: ClassVar = {"bzz": {"rules": given}}

    with pytest.raises(ConfigurationError, match=r"Mistaken\.meta\['bzz'\]\['rules'\]"):
        routes(Mistaken)


def test_a_provider_that_keeps_no_rules_serves_no_model_that_has_some() -> None:
    from bzz.providers.mongoengine.provider import MongoEngineProvider

    class Careless(MongoEngineProvider):
        keeps_rules = False

    bzz.rules(Rights)
    provider: type[Provider] = Careless
    assert provider(Rights, Options()).shape.model is Rights
    with pytest.raises(ConfigurationError, match="Careless keeps no rules, and Rights has some"):
        bzz.ModelHive.routes_for(provider, Rights)


class ShelfMark(me.EmbeddedDocument):
    text = me.StringField()
    pin = me.IntField()
    meta: ClassVar = {"bzz": {"rules": {"fields": {"pin": {"read": "admin"}}}}}


class Catalogue(me.Document):
    marks = me.MapField(me.EmbeddedDocumentField(ShelfMark))
    meta: ClassVar = {"bzz": {"rules": {"allow": "anyone"}}}


@pytest.mark.usefixtures("database_name")
async def test_meta_of_what_no_path_leads_to_declares_rules_too(serving: Serving) -> None:
    client = serving(routes(Catalogue))
    Catalogue(marks={"a": ShelfMark(text="t", pin=7)}).save()
    [seen] = (await client.get("/catalogue/", headers=as_user(ANN))).json()
    assert seen["marks"] == {"a": {"text": "t"}}
    [seen] = (await client.get("/catalogue/", headers=as_user(ADMIN))).json()
    assert seen["marks"] == {"a": {"text": "t", "pin": 7}}

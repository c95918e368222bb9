"""Mistakes in rules are told when they are declared, or when the routes are made."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.providers import rules
from bzz.providers.base import Options, Provider


class RuledPart(me.EmbeddedDocument):
    size = me.IntField()


class Ruled(me.Document):
    name = me.StringField()
    part = me.EmbeddedDocumentField(RuledPart)
    meta: ClassVar = {"allow_inheritance": True}


class RuledBelow(Ruled):
    extra = me.StringField()


class RuledByMeta(me.Document):
    name = me.StringField()
    meta: ClassVar = {"bzz": {"rules": {"get": "admin", "fields": {"name": {"read": "admin"}}}}}


def routes(model: type) -> Any:
    return bzz.ModelHive.routes_for("mongoengine", model)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"get": 7}, "rules(Ruled): get: a role, a function of the user, or a list of them is expected, not 7"),
        ({"get": {"admin": True}}, "rules(Ruled): get: a role, a function of the user, or a list of them is expected"),
        ({"get": ["admin", 7]}, "rules(Ruled): get: a role or a function of the user is expected, not 7"),
        ({"get": ""}, "rules(Ruled): get: a role or a function of the user is expected, not ''"),
        ({"get": lambda: True}, "rules(Ruled): get is called with (user)"),
        ({"scope": {"name": "x"}}, "rules(Ruled): scope: a function of the user is expected, not {'name': 'x'}"),
        ({"scope": lambda: {}}, "rules(Ruled): scope is called with (user)"),
        ({"fields": ["name"]}, "rules(Ruled): fields: a dict by names of fields is expected"),
        ({"fields": {"name": "admin"}}, "rules(Ruled): fields['name']: a dict with read, write, default, fixed"),
        ({"fields": {"name": {"reed": []}}}, "rules(Ruled): fields['name']: a dict with read, write, default, fixed"),
        ({"fields": {"name": {"default": "x"}}}, "rules(Ruled): fields['name']: default: a function of the user"),
        ({"fields": {"name": {"fixed": "yes"}}}, "rules(Ruled): fields['name']: fixed is True or False, not 'yes'"),
    ],
)
def test_a_mistake_in_rules_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bzz.rules(Ruled, **given)
    assert str(caught.value).startswith(message)


def test_rules_are_for_classes() -> None:
    with pytest.raises(ConfigurationError, match="a document class is expected, not 'Ruled'"):
        bzz.rules("Ruled")  # type: ignore[arg-type]


def test_a_model_has_its_rules_in_one_place() -> None:
    bzz.rules(Ruled)
    with pytest.raises(ConfigurationError, match="Ruled has rules already: declare them in one place"):
        bzz.rules(Ruled)


@pytest.mark.parametrize("model", [Ruled, RuledBelow, RuledPart])
def test_rules_come_before_the_routes_that_lead_to_their_model(model: type) -> None:
    routes(Ruled)
    with pytest.raises(ConfigurationError, match=f"routes that lead to {model.__name__} are made already"):
        bzz.rules(model)


def test_rules_come_before_the_routes_of_classes_below_their_model() -> None:
    routes(RuledBelow)
    with pytest.raises(ConfigurationError, match="routes that lead to Ruled are made already"):
        bzz.rules(Ruled)


def test_rules_of_fields_that_are_not_there_are_told_when_routes_are_made() -> None:
    bzz.rules(Ruled, fields={"nam": {"fixed": True}})
    with pytest.raises(ConfigurationError, match="rules of Ruled: Ruled has no field 'nam'"):
        routes(Ruled)


@pytest.mark.parametrize("given", [{"get": "admin"}, {"scope": lambda user: {}}])
def test_who_may_use_an_embedded_document_is_said_by_the_one_that_holds_it(given: Any) -> None:
    bzz.rules(RuledPart, **given)
    with pytest.raises(ConfigurationError, match="rules of RuledPart: it is embedded"):
        routes(Ruled)


def test_rules_of_what_is_no_document_are_told_when_routes_are_made() -> None:
    class Mixin:
        pass

    class Mixed(Mixin, Ruled):
        pass

    bzz.rules(Mixin, get="anyone")
    with pytest.raises(ConfigurationError, match="rules of Mixin: it is no document; declare them of Mixed"):
        routes(Mixed)


def test_meta_declares_rules_too() -> None:
    routes(RuledByMeta)
    routes(RuledByMeta)
    assert rules.DECLARED[RuledByMeta].actions["get"] == ("admin",)
    assert rules.DECLARED[RuledByMeta].actions["list"] == ()
    assert rules.DECLARED[RuledByMeta].fields["name"].read == ("admin",)


def test_meta_and_a_call_do_not_contradict_each_other() -> None:
    bzz.rules(RuledByMeta, get="editor")
    with pytest.raises(ConfigurationError, match="declare them in one place"):
        routes(RuledByMeta)


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

    bzz.rules(Ruled)
    provider: type[Provider] = Careless
    assert provider(Ruled, Options()).shape.model is Ruled
    with pytest.raises(ConfigurationError, match="Careless keeps no rules, and Ruled has some"):
        bzz.ModelHive.routes_for(provider, Ruled)

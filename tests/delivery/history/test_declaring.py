"""Mistakes are told at the start: in what is recorded, and in the routes of histories."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar
from uuid import UUID

import mongoengine as me
import openapi_spec_validator
import pytest
from tornado.web import Application

import bzz
from bzz.asgi.lifespan import attached
from bzz.cli.application import mounted
from bzz.cli.routes import _rows
from bzz.delivery.history.declaring import forget_history
from bzz.delivery.listener import declared
from bzz.errors import ConfigurationError
from bzz.model import base
from bzz.openapi import document
from bzz.users import name_of
from tests.delivery.history.conftest import with_history


class Herb(me.Document):
    name = me.StringField()
    meta: ClassVar = {"allow_inheritance": True}


class Fern(Herb):
    fronds = me.IntField()


class Moss(Herb):
    depth = me.IntField()


class HerbLeaf(me.EmbeddedDocument):
    size = me.IntField()


class Grown(me.Document):
    history = me.StringField()


class Dressed(me.Document):
    name = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {}


class Abstract(me.Document):
    meta: ClassVar = {"abstract": True}


class OwnHandler(bzz.ModelHandler):
    pass


def routes(model: type, **options: Any) -> Any:
    return bzz.ModelHive.routes_for("mongoengine", model, **options)


def test_a_history_is_a_durable_listener_of_the_name_of_the_collection() -> None:
    before = {each.name for each in declared()}
    bzz.history(Herb)
    bzz.history(Herb)  # as when a module is loaded again
    assert {each.name for each in declared()} - before == {"history-herb"}
    forget_history(Fern)
    assert {each.name for each in declared()} == before


def test_writes_are_watched_while_there_is_a_history() -> None:
    before = len(base._watchers)
    bzz.history(Herb)
    bzz.history(Grown)
    assert len(base._watchers) == before + 1
    forget_history(Herb)
    forget_history(Grown)
    assert len(base._watchers) == before


@pytest.mark.parametrize("model", [HerbLeaf, Abstract, int, "Herb", None, []])
def test_what_has_no_documents_of_its_own_has_no_history(model: Any) -> None:
    with pytest.raises(ConfigurationError, match="no model"):
        bzz.history(model)


def test_two_models_of_one_collection_have_one_history() -> None:
    bzz.history(Fern)
    with pytest.raises(ConfigurationError, match="stands above both"):
        bzz.history(Moss)


def test_a_history_serves_the_routes_of_models_above_and_below() -> None:
    bzz.history(Herb)
    assert len(bzz.HistoryHive.routes_for([routes(Herb), routes(Fern), ("/x", object), routes(Grown)])) == 4


def test_without_any_history_there_are_no_routes() -> None:
    with pytest.raises(ConfigurationError, match="declare it first"):
        bzz.HistoryHive.routes_for(routes(Herb))


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (Grown, {}, "a field 'history'"),
        (Dressed, {}, "to_dict"),
        (Herb, {"handler": OwnHandler}, "handler of its own"),
    ],
)
def test_models_whose_history_cannot_be_shown_are_refused(model: Any, options: Any, words: str) -> None:
    bzz.history(model)
    with pytest.raises(ConfigurationError, match=words):
        bzz.HistoryHive.routes_for(routes(model, **options))


def test_hives_that_describe_models_pass_the_routes_of_histories_over() -> None:
    bzz.history(Herb)
    both = with_history(routes(Herb, live=True))
    assert len(bzz.LiveHive.routes_for(both)) == 2
    assert bzz.DocsHive.routes_for(both, title="t", version="1", explorer=True)


async def test_routes_of_histories_behind_those_of_their_models_are_refused_at_the_start() -> None:
    bzz.history(Herb)
    models = routes(Herb)
    histories = bzz.HistoryHive.routes_for(models)
    with pytest.raises(ConfigurationError, match="stand before"):
        async with attached(Application(bzz.flatten([models, histories]))):
            pass


def test_the_openapi_document_describes_them() -> None:
    bzz.history(Herb)
    made = document(with_history(routes(Herb), routes(Fern, prefix="v2")), title="t", version="1")
    openapi_spec_validator.validate(made)
    found = {path: list(each) for path, each in made["paths"].items() if "history" in path}
    for url in ("/herb", "/v2/fern"):
        assert found[f"{url}/{{id}}/history/"] == ["get"]
        assert found[f"{url}/{{id}}/history/{{change}}/revert/"] == ["post"]


def test_bzz_routes_lists_them_with_the_methods_that_they_take() -> None:
    bzz.history(Herb)
    app = Application(with_history(routes(Herb)))
    found = {row["url"]: row["methods"] for route in mounted(app) for row in _rows(app, route)}
    assert found["/herb/<id>/history/"] == ["GET", "HEAD"]
    assert found["/herb/<id>/history/<change>/revert/"] == ["POST"]


@dataclasses.dataclass
class Account:
    id: int
    password: str


@dataclasses.dataclass
class Nameless:
    password: str


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (None, None),
        ("ann", "ann"),
        ("", None),
        (b"ann", "ann"),
        (7, "7"),
        (True, None),
        (UUID(int=1), str(UUID(int=1))),
        ({"provider": "google", "id": "7", "email": "ann@example.org"}, "google:7"),
        ({"id": 7}, "7"),
        ({"email": "ann@example.org", "token": "x"}, None),
        (Account(7, "x"), "7"),
        (Nameless("x"), None),
        (Herb(id="5" * 24, name="x"), "5" * 24),
        (Herb(name="x"), None),
        (["ann"], None),
        ("x" * 500, "x" * 200),
    ],
)
def test_a_user_is_told_by_a_name_and_by_nothing_else(user: Any, name: str | None) -> None:
    assert name_of(user) == name

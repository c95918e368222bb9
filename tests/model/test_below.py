"""The paths of a resource are told by one walk, for people and for programs."""

from __future__ import annotations

import mongoengine as me

import bzz
from bzz.model.below import paths_below
from bzz.model.resource import resource_of


class Retort(me.EmbeddedDocument):
    text = me.StringField()
    replies = me.EmbeddedDocumentListField("self")


class Writer(me.Document):
    name = me.StringField()
    best = me.ReferenceField("Sonnet")


class Sonnet(me.Document):
    writer = me.ReferenceField(Writer)
    replies = me.EmbeddedDocumentListField(Retort)
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is


class Review(Sonnet):
    about = me.ListField(me.ReferenceField(Writer))


def told(*, over_references: bool) -> list[str]:
    (route,) = bzz.ModelHive.routes_for("mongoengine", Sonnet)
    resource = resource_of(route)
    assert resource is not None
    paths = paths_below(resource, over_references=over_references)
    return ["/".join(step.text + ("" if step.key is None else "/*") for step in path.steps) for path in paths]


def test_a_list_comes_before_its_items_and_references_end_a_path() -> None:
    assert told(over_references=False)[:4] == ["sonnet", "sonnet/*", "sonnet/*/writer", "sonnet/*/replies"]
    assert not [each for each in told(over_references=False) if each.startswith("sonnet/*/writer/")]


def test_what_holds_itself_ends_at_a_depth() -> None:
    deepest = max(told(over_references=False), key=len)
    assert deepest == "sonnet/*/replies/*/replies/*/replies/*"


def test_fields_of_subclasses_are_among_them() -> None:
    assert {"sonnet/*/about", "sonnet/*/about/*"} <= set(told(over_references=False))


def test_no_path_follows_a_reference_back() -> None:
    assert "sonnet/*/writer" in told(over_references=True)
    assert "sonnet/*/writer/best" not in told(over_references=True)

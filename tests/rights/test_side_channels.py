"""What an answer could tell beside its text: sizes, orders, and refusals."""

from __future__ import annotations

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from tests.rights.conftest import ANN, EDITOR, Serving, as_user

pytestmark = pytest.mark.usefixtures("database_name")

MEBIBYTE = 1024 * 1024


class Verdict(me.EmbeddedDocument):
    label = me.StringField()
    points = me.IntField(db_field="p")


class Dossier(me.Document):
    name = me.StringField(primary_key=True)
    text = me.StringField()
    annex = me.StringField()
    verdicts = me.EmbeddedDocumentListField(Verdict)


class Ranking(me.Document):
    verdicts = me.SortedListField(me.EmbeddedDocumentField(Verdict), ordering="p")


class Rankings(me.Document):
    by_year = me.MapField(me.SortedListField(me.EmbeddedDocumentField(Verdict), ordering="p"))


class Session(me.EmbeddedDocument):
    verdicts = me.SortedListField(me.EmbeddedDocumentField(Verdict), ordering="p")


class Sessions(me.Document):
    by_year = me.MapField(me.ListField(me.EmbeddedDocumentField(Session)))


class Court(me.Document):
    name = me.StringField(primary_key=True)
    seal = me.StringField(unique=True)
    org = me.StringField()


class Case(me.Document):
    court = me.ReferenceField(Court, reverse_delete_rule=me.DENY)
    org = me.StringField()


# -- lists that are written whole


@pytest.mark.parametrize("points", [None, 3])
async def test_a_refusal_to_write_a_list_tells_nothing_of_its_items(serving: Serving, points: int | None) -> None:
    bzz.rules(Dossier, allow="anyone")
    bzz.rules(Verdict, fields={"points": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Dossier))
    Dossier(name="d", verdicts=[Verdict(label="a", points=points)]).save()
    body = {"verdicts": [{"label": "a"}, {"label": "b"}]}
    assert (await client.put("/dossier/d/", json=body, headers=as_user(ANN))).status_code == 409
    same = await client.put("/dossier/d/", json={"verdicts": [{"label": "a"}]}, headers=as_user(ANN))
    assert (same.status_code, Dossier.objects.get(name="d").verdicts[0].points) == (200, points)
    assert (await client.put("/dossier/d/", json=body, headers=as_user(EDITOR))).status_code == 200


# -- the order of a list


@pytest.mark.parametrize("model", [Ranking, Rankings, Sessions])
def test_no_list_is_sorted_by_what_only_some_users_may_see(model: type) -> None:
    bzz.rules(Verdict, fields={"points": {"read": "editor"}})
    with pytest.raises(ConfigurationError, match=r"is sorted by Verdict\.points, which only some users may see"):
        bzz.ModelHive.routes_for("mongoengine", model)


def test_a_list_is_sorted_by_what_all_may_see() -> None:
    bzz.rules(Verdict, fields={"label": {"read": "editor"}, "points": {"write": "editor"}})
    assert bzz.ModelHive.routes_for("mongoengine", Ranking)


# -- what is told all the same, as docs/rights.md says


async def test_that_a_value_is_taken_beyond_the_scope_is_told(serving: Serving) -> None:
    bzz.rules(Court, allow="anyone", scope=lambda user: {"org": user["org"]})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Court))
    Court(name="c", seal="lion", org="blue").save()
    for body in ({"name": "d", "seal": "lion"}, {"name": "c", "seal": "eagle"}):
        answer = await client.post("/court/", json={**body, "org": "red"}, headers=as_user(ANN))
        assert (answer.status_code, Court.objects.count()) == (409, 1)


async def test_that_something_beyond_the_scope_refers_to_a_document_is_told_where_it_must_stay(
    serving: Serving,
) -> None:
    bzz.rules(Court, allow="anyone")
    bzz.rules(Case, allow="anyone", scope=lambda user: {"org": user["org"]})
    client = serving(*(bzz.ModelHive.routes_for("mongoengine", each) for each in (Court, Case)))
    Case(court=Court(name="c").save(), org="blue").save()
    answer = await client.delete("/court/c/", headers=as_user(ANN))
    assert (answer.status_code, Court.objects.count()) == (409, 1)


async def test_the_size_of_what_may_not_be_seen_cuts_a_page(serving: Serving) -> None:
    bzz.rules(Dossier, allow="anyone", fields={"annex": {"read": "editor"}})
    client = serving(bzz.ModelHive.routes_for("mongoengine", Dossier))
    for number in range(4):
        Dossier(name=f"d{number}", text="t", annex="x" * 5 * MEBIBYTE).save()
    page = await client.get("/dossier/", headers=as_user(ANN))
    assert (len(page.json()), page.headers["X-Page-Cut"]) == (3, "size")

"""Ways around the rules that were found once."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.providers.mongoengine.scoping import require_within
from tests.delivery.conftest import listening
from tests.delivery.history.conftest import history_of
from tests.explorer.conftest import ACCEPT, explored
from tests.rights.conftest import ADMIN, ANN, BOB, EDITOR, Serving, as_user

pytestmark = pytest.mark.usefixtures("database_name")

JSON_PATCH = {"Content-Type": "application/json-patch+json"}


class Scribble(me.EmbeddedDocument):
    text = me.StringField()
    pin = me.IntField()


class Circular(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField()
    owner = me.StringField()
    public = me.BooleanField()
    tags = me.ListField(me.StringField())
    pay = me.IntField()
    notes = me.MapField(me.EmbeddedDocumentField(Scribble))
    meta: ClassVar = {"allow_inheritance": True}


class SealedCircular(Circular):
    remarks = me.EmbeddedDocumentListField(Scribble)
    word = me.StringField(default="DEFAULT-WORD")


class FlatCircular(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField()
    tags = me.ListField(me.StringField())


class Box(me.Document):
    name = me.StringField(primary_key=True)
    paper = me.ReferenceField(Circular)


class Handle(me.Document):
    email = me.StringField(unique=True)

    @staticmethod
    def get_id_field_name() -> str:
        return "email"


def own(user: Any) -> Any:
    return {"org": user["org"]}


def routes(*models: type, **options: Any) -> list[Any]:
    return [bzz.ModelHive.routes_for("mongoengine", each, **options) for each in models]


# -- scopes


async def test_what_a_patch_appends_is_judged(serving: Serving) -> None:
    bzz.rules(FlatCircular, allow="anyone", scope=lambda user: {"not": {"tags": "secret"}})
    client = serving(*routes(FlatCircular))
    FlatCircular(name="a", tags=["x"]).save()
    patch = [{"op": "add", "path": "/tags/-", "value": "secret"}]
    answer = await client.patch("/flat_circular/a/", json=patch, headers={**as_user(ANN), **JSON_PATCH})
    assert (answer.status_code, FlatCircular.objects.get(name="a").tags) == (403, ["x"])


async def test_two_writers_together_take_nothing_out_of_a_scope(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    bzz.rules(Circular, allow="anyone", scope=lambda user: {"or": [{"owner": user["id"]}, {"public": True}]})
    client = serving(*routes(Circular))
    Circular(name="a", owner="ann", public=True).save()
    real = require_within

    async def while_another_process_writes(*given: Any) -> None:
        await real(*given)
        Circular.objects(name="a").update(public=False)

    where = "bzz.providers.mongoengine.conditional_writes.require_within"
    monkeypatch.setattr(where, while_another_process_writes)
    await client.put("/circular/a/", json={"owner": "bob"}, headers=as_user(ANN))
    stored = Circular.objects.get(name="a")
    assert stored.owner == "ann" or stored.public


async def test_the_very_document_that_is_stored_is_judged(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    orgs = itertools.cycle(["red", "blue"])
    monkeypatch.setattr(FlatCircular.org, "default", lambda: next(orgs))
    bzz.rules(FlatCircular, allow="anyone", scope=own)
    client = serving(*routes(FlatCircular))
    await client.post("/flat_circular/", json={"name": "a"}, headers=as_user(ANN))
    assert not FlatCircular.objects(org="blue").count()


# -- subclasses


async def test_a_subclass_fixes_a_field_on_the_routes_of_its_base_too(serving: Serving) -> None:
    bzz.rules(Circular, allow="anyone")
    bzz.rules(SealedCircular, allow="anyone", fields={"remarks": {"fixed": True}})
    client = serving(*routes(Circular))
    SealedCircular(name="a").save()
    answer = await client.post("/circular/a/remarks/", json={"text": "x"}, headers=as_user(ANN))
    assert (answer.status_code, len(SealedCircular.objects.get(name="a").remarks)) == (405, 0)


async def test_a_subclass_that_is_not_listed_is_not_filtered_by(serving: Serving) -> None:
    bzz.rules(Circular, allow="anyone")
    bzz.rules(SealedCircular, allow="anyone", list="admin")
    client = serving(*routes(Box, Circular))
    Box(name="b", paper=SealedCircular(name="s", org="TOP").save()).save()
    url = "/box/?paper.org=TOP"
    assert (await client.get(url, headers=as_user(ANN))).json() == []
    assert len((await client.get(url, headers=as_user(ADMIN))).json()) == 1


async def test_a_subclass_that_is_not_listed_is_not_named_on_pages(serving: Serving) -> None:
    bzz.rules(Circular, allow="anyone")
    bzz.rules(SealedCircular, allow="anyone", list="admin")
    client = serving(explored(*routes(Box, Circular)))
    Box(name="b", paper=SealedCircular(name="s", org="TOP").save()).save()
    page = await client.get("/circular/", headers={**ACCEPT, **as_user(ANN)})
    assert "TOP" not in page.text


async def test_the_answer_to_a_write_shows_no_subclass_that_may_not_be_read(serving: Serving) -> None:
    bzz.rules(Circular, allow="anyone")
    bzz.rules(SealedCircular, allow="anyone", get="admin")
    client = serving(*routes(Circular))
    typed = {"@type": "Circular.SealedCircular", "name": "s"}
    one = await client.post("/circular/", json=typed, headers=as_user(ANN))
    many = await client.post("/circular/", json=[{**typed, "name": "t"}, {"name": "u"}], headers=as_user(ANN))
    assert [(each.status_code, each.text, each.headers.get("ETag")) for each in (one, many)] == [(201, "", None)] * 2


async def test_who_may_change_and_not_read_changes_documents_of_subclasses_too(serving: Serving) -> None:
    bzz.rules(Circular, update="anyone", create="anyone")
    bzz.rules(SealedCircular, update="anyone", create="anyone")
    client = serving(*routes(Circular))
    SealedCircular(name="s").save()
    assert (await client.put("/circular/s/", json={"org": "x"}, headers=as_user(ANN))).status_code == 204


@pytest.mark.parametrize("url", ["/circular/s/", "/box/b/paper/"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_subclass_that_may_not_be_read_is_not_written_on_the_routes_of_its_base(
    serving: Serving, method: str, url: str
) -> None:
    bzz.rules(Circular, allow="anyone")
    bzz.rules(SealedCircular, allow="anyone", get="admin", list="admin")
    bzz.rules(Box, allow="anyone")
    client = serving(*routes(Circular, SealedCircular, Box))
    Box(name="b", paper=SealedCircular(name="s", word="TOP").save()).save()
    answer = await client.request(method, url, json={}, headers=as_user(ANN))
    assert (answer.status_code, "TOP" in answer.text) == (404, False)
    answer = await client.put("/sealed_circular/s/", json={"org": "x"}, headers=as_user(ANN))
    assert (answer.status_code, answer.text, SealedCircular.objects.get().org) == (204, "", "x")
    assert (await client.put(url, json={}, headers=as_user(ADMIN))).json()["word"] == "TOP"


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_who_may_write_and_not_read_learns_nothing_from_tags(serving: Serving, method: str, header: str) -> None:
    bzz.rules(FlatCircular, allow="anyone", get="admin", list="admin")
    client = serving(*routes(FlatCircular))
    FlatCircular(name="a").save()
    tag = (await client.get("/flat_circular/a/", headers=as_user(ADMIN))).headers["ETag"]
    for guess in (tag, '"else"'):
        asked = {**as_user(ANN), header: guess}
        answer = await client.request(method, "/flat_circular/a/", json={}, headers=asked)
        assert answer.status_code == 403
    asked = {**as_user(ANN), "If-Match": "*"}
    assert (await client.request(method, "/flat_circular/a/", json={}, headers=asked)).status_code == 204


@pytest.mark.parametrize("org", ["red", "blue"])
async def test_who_may_write_and_not_read_cannot_send_back_what_is_read_only(serving: Serving, org: str) -> None:
    bzz.rules(FlatCircular, allow="anyone", get="admin", list="admin", fields={"org": {"write": "admin"}})
    client = serving(*routes(FlatCircular))
    FlatCircular(name="a", org="red").save()
    answer = await client.put("/flat_circular/a/", json={"org": org}, headers=as_user(ANN))
    assert answer.status_code == 403


async def test_an_embedded_document_of_a_subclass_with_rules_for_its_fields_is_created(serving: Serving) -> None:
    bzz.rules(Sticker, allow="anyone")
    bzz.rules(SealedMark, fields={"pin": {"read": "admin"}})
    client = serving(*routes(Sticker))
    Sticker(name="a").save()
    for url in ("/sticker/a/marks/", "/sticker/a/mark/"):
        answer = await client.post(url, json={"@type": "SealedMark", "text": "t"}, headers=as_user(ANN))
        assert (answer.status_code, "pin" in answer.json()) == (201, False)


class Mark(me.EmbeddedDocument):
    text = me.StringField()
    meta: ClassVar = {"allow_inheritance": True}


class SealedMark(Mark):
    pin = me.IntField()
    meta: ClassVar = {"allow_inheritance": True}


class Sticker(me.Document):
    name = me.StringField(primary_key=True)
    mark = me.EmbeddedDocumentField(Mark)
    marks = me.EmbeddedDocumentListField(Mark)


class Meter(me.Document):
    key = me.UUIDField(primary_key=True, default=uuid.uuid4)
    org = me.StringField()
    serial = me.UUIDField()


async def test_documents_with_uuids_are_judged_by_a_scope(serving: Serving) -> None:
    bzz.rules(Meter, allow="anyone", scope=own)
    client = serving(*routes(Meter))
    body = {"org": "red", "serial": str(uuid.uuid4())}
    answers = [
        await client.post("/meter/", json=given, headers=as_user(ANN))
        for given in (body, [body], {**body, "org": "blue"})
    ]
    assert [each.status_code for each in answers] == [201, 201, 403]


# -- fields


@pytest.mark.parametrize(("model", "field"), [(Handle, "email"), (Circular, "name")])
def test_what_names_a_document_cannot_be_kept_from_its_readers(model: type, field: str) -> None:
    bzz.rules(model, allow="anyone", fields={field: {"read": "admin"}})
    with pytest.raises(ConfigurationError, match=f"'{field}' names its documents"):
        routes(model)


async def test_what_may_not_be_written_cannot_be_appended_to(serving: Serving) -> None:
    bzz.rules(FlatCircular, allow="anyone", fields={"tags": {"write": "admin"}})
    client = serving(*routes(FlatCircular))
    FlatCircular(name="a", tags=["x"]).save()
    patch = [{"op": "add", "path": "/tags/-", "value": "y"}]
    answer = await client.patch("/flat_circular/a/", json=patch, headers={**as_user(ANN), **JSON_PATCH})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"tags": ["This field is read-only."]})


async def test_a_parameter_of_the_application_may_ask_for_what_its_user_may_not_see(serving: Serving) -> None:
    bzz.rules(Circular, allow="anyone", fields={"pay": {"read": "admin"}})
    paid = bzz.QueryParameter("paid", bool, lambda value, handler: {"pay": {"gte": 3}})
    client = serving(*routes(Circular, parameters=[paid]))
    Circular(name="a", pay=5).save()
    assert [each["name"] for each in (await client.get("/circular/?paid=true", headers=as_user(ANN))).json()] == ["a"]


# -- histories


async def test_a_history_tells_nothing_of_changes_of_which_nothing_may_be_seen(serving: Serving) -> None:
    bzz.rules(Circular, allow="anyone", fields={"pay": {"read": "admin"}})
    bzz.rules(Scribble, fields={"pin": {"read": "admin"}})
    bzz.history(Circular)
    models = bzz.flatten(routes(Circular))
    client = serving(bzz.HistoryHive.routes_for(models), models)
    async with bzz.deliver():
        await listening()
        Circular(name="c", pay=1, notes={"k": Scribble(text="t", pin=1)}).save()
        for number in (2, 3):
            Circular.objects(name="c").update(pay=number)
        Circular.objects(name="c").update(__raw__={"$set": {"notes.k.pin": 2}})
        whole = await history_of(client, "/circular/c/", 4, headers=as_user(ADMIN))
        page = await client.get("/circular/c/history/?per_page=1", headers=as_user(EDITOR))
        assert [each["kind"] for each in page.json()] == ["created"]
        assert "Link" not in page.headers
        answers = [
            await client.get(f"/circular/c/history/?after={change}", headers=as_user(EDITOR))
            for change in (whole[0]["change"], f"{whole[0]['change'][:-1]}9")
        ]
        assert [each.status_code for each in answers] == [400, 400]
        assert answers[0].text == answers[1].text


async def test_a_document_that_takes_the_id_of_a_deleted_one_has_a_history_of_its_own(serving: Serving) -> None:
    bzz.rules(Circular, allow="anyone", scope=own)
    bzz.history(Circular)
    models = bzz.flatten(routes(Circular))
    client = serving(bzz.HistoryHive.routes_for(models), models)
    async with bzz.deliver():
        await listening()
        old = Circular(name="c", org="blue", tags=["TOP"]).save()
        Circular.objects(name="c").update(tags=["TOPPER"])
        [change, _] = await history_of(client, "/circular/c/", 2, headers=as_user(BOB))
        old.delete()
        await client.post("/circular/", json={"name": "c", "org": "red"}, headers=as_user(ANN))
        [entry] = await history_of(client, "/circular/c/", 1, headers=as_user(ANN))
        after = await client.get(f"/circular/c/history/?after={change['change']}", headers=as_user(ANN))
        undone = await client.post(f"/circular/c/history/{change['change']}/revert", headers=as_user(ANN))
    assert (entry["kind"], "TOP" in str(entry)) == ("created", False)
    assert (after.status_code, undone.status_code) == (400, 404)


async def test_undoing_needs_the_right_to_read(serving: Serving) -> None:
    bzz.rules(Circular, update="anyone", get="admin", list="admin")
    bzz.history(Circular)
    models = bzz.flatten(routes(Circular))
    client = serving(bzz.HistoryHive.routes_for(models), models)
    async with bzz.deliver():
        await listening()
        Circular(name="c", org="a").save()
        Circular.objects(name="c").update(org="b")
        [entry, _] = await history_of(client, "/circular/c/", 2, headers=as_user(ADMIN))
        answer = await client.post(f"/circular/c/history/{entry['change']}/revert", headers=as_user(ANN))
    assert (answer.status_code, Circular.objects.get(name="c").org) == (403, "b")


# -- who


async def test_strangers_are_asked_to_sign_in_wherever_they_ask(serving: Serving) -> None:
    bzz.rules(Circular, allow="authenticated")
    models = bzz.flatten(routes(Circular, live=True))
    client = serving(models, *routes(Box), bzz.LiveHive.routes_for(models))
    for url in ("/box/?paper.org=x", "/events/?models=circular"):
        assert (await client.get(url)).status_code == 401


async def test_a_role_is_no_scope(serving: Serving) -> None:
    bzz.rules(Circular, list="scope:read")
    client = serving(*routes(Circular))
    assert (await client.get("/circular/", headers=as_user({"id": 1, "role": "scope:read"}))).status_code == 403


def test_a_rule_is_something_that_can_be_remembered() -> None:
    @dataclass
    class Anybody:
        def __call__(self, user: Any) -> bool:
            return True

    with pytest.raises(ConfigurationError, match="cannot be hashed"):
        bzz.rules(Circular, get=Anybody())

"""The rules hold in histories, in the OpenAPI document, on pages, and in what the command line tells."""

from __future__ import annotations

import json
from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.cli.application import Mounted
from bzz.cli.findings import findings_of_routes
from tests.delivery.conftest import listening
from tests.delivery.history.conftest import history_of
from tests.explorer.conftest import ACCEPT, explored, seen
from tests.rights.conftest import ADMIN, ANN, BOB, EDITOR, Serving, as_user

pytestmark = pytest.mark.usefixtures("database_name")


class Firm(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField()


class Contract(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField()
    retainer = me.IntField()
    made = me.StringField()
    text = me.StringField()
    firm = me.ReferenceField(Firm)


class Unruled(me.Document):
    contract = me.ReferenceField(Contract)


def own(user: Any) -> Any:
    return None if user is None else {} if "admin" in user.get("roles", ()) else {"org": user["org"]}


def declare() -> None:
    bzz.rules(
        Contract,
        list="authenticated",
        get="authenticated",
        create="editor",
        update=["editor", "admin"],
        delete="admin",
        scope=own,
        fields={"retainer": {"read": "admin"}, "made": {"fixed": True}},
    )
    bzz.rules(Firm, list="authenticated", get="authenticated", scope=own)


def routes() -> Any:
    return [bzz.ModelHive.routes_for("mongoengine", each) for each in (Contract, Firm)]


# -- histories


async def test_a_history_tells_what_its_reader_may_see(serving: Serving) -> None:
    declare()
    bzz.history(Contract)
    models = bzz.flatten(routes())
    client = serving(bzz.HistoryHive.routes_for(models), models)
    async with bzz.deliver():
        await listening()
        Contract(name="c", org="red", retainer=1, text="a").save()
        Contract.objects(name="c").update(retainer=2)
        Contract.objects(name="c").update(retainer=3, text="b")
        whole = await history_of(client, "/contract/c/", 3, headers=as_user(ADMIN))
        first, second = [sorted(each["diff"]) for each in whole[1:]]
        assert (sorted(whole[0]["diff"]), first) == (["retainer", "text"], ["retainer"])
        assert second == ["name", "org", "retainer", "text"]
        told = await history_of(client, "/contract/c/", 2, headers=as_user(EDITOR))
        assert [sorted(each["diff"]) for each in told] == [["text"], ["name", "org", "text"]]
        beyond, nowhere = [
            await client.get(f"/contract/{name}/history/", headers=as_user(user))
            for name, user in (("c", BOB), ("x", BOB))
        ]
        assert (beyond.status_code, beyond.text.replace("/c'", "/x'")) == (404, nowhere.text)
        undone = f"/contract/c/history/{whole[1]['change']}/revert"
        missing = f"/contract/c/history/{whole[1]['change'][:-1]}9/revert"
        refused = [(await client.post(each, headers=as_user(EDITOR))).text for each in (undone, missing)]
        assert refused[0] == refused[1]
        assert (await client.post(undone, headers=as_user(ANN))).status_code == 403
        done = await client.post(f"/contract/c/history/{whole[0]['change']}/revert", headers=as_user(EDITOR))
        assert (done.status_code, done.json()["text"]) == (200, "a")
        assert Contract.objects.get(name="c").retainer == 3


# -- OpenAPI


async def test_the_document_is_of_what_its_reader_may_do_and_see(serving: Serving) -> None:
    declare()
    found = bzz.flatten(routes())
    client = serving(found, bzz.DocsHive.routes_for(found, title="t", version="1"))

    async def document(user: Any) -> Any:
        return (await client.get("/openapi.json", headers=as_user(user))).json()

    stranger, ann, editor, admin = [await document(each) for each in (None, ANN, EDITOR, ADMIN)]
    assert "retainer" not in json.dumps([stranger, ann, editor])
    assert "retainer" in json.dumps(admin)
    methods = {name: sorted(made["paths"].get("/contract/", {})) for name, made in
               (("stranger", stranger), ("ann", ann), ("editor", editor), ("admin", admin))}  # fmt: skip
    assert methods["stranger"] == []
    assert methods["ann"] == ["get", "x-query"]
    assert methods["editor"] == ["get", "patch", "post", "x-query"]
    assert methods["admin"] == ["delete", "get", "patch", "x-query"]
    schemas = editor["components"]["schemas"]
    assert "made" in schemas["ContractCreate"]["properties"]
    assert "made" not in schemas["ContractUpdate"]["properties"]


# -- pages


async def test_pages_show_and_offer_what_their_reader_may_see_and_do(serving: Serving) -> None:
    declare()
    red = Firm(name="red firm", org="red").save()
    blue = Firm(name="blue firm", org="blue").save()
    Contract(name="c", org="red", retainer=77, text="t", made="m", firm=blue).save()
    Contract(name="d", org="red", firm=red).save()
    Contract(name="other", org="blue", text="MARK").save()
    client = serving(explored(*routes()))

    async def page(url: str, user: Any) -> str:
        answer = await client.get(url, headers={**ACCEPT, **as_user(user)})
        assert answer.status_code == 200, answer.text
        return answer.text

    assert "MARK" not in await page("/contract/", ANN)
    for url in ("/contract/", "/contract/c/"):
        assert "retainer" not in await page(url, EDITOR)
        assert "77" in await page(url, ADMIN)
    ann, editor, admin = [seen(await page("/contract/c/", each)) for each in (ANN, EDITOR, ADMIN)]
    assert ann.entered() == {}
    assert "text" in editor.entered()
    assert "made" not in editor.entered()
    assert not editor.attributes("form", "action", class_="delete")
    assert admin.attributes("form", "action", class_="delete")
    assert "made" in seen(await page("/contract/?_view=new", EDITOR)).entered()


# -- the command line


def findings(*models: type, **settings: Any) -> list[tuple[str, str]]:
    from tornado.web import Application

    mounted = []
    for model in models:
        [(_, handler, arguments)] = bzz.ModelHive.routes_for("mongoengine", model)
        mounted.append(Mounted(arguments["resource"].url, handler, arguments, arguments["resource"]))
    found = findings_of_routes(Application([], **settings), mounted)
    return [(each.level, each.message) for each in found if each.about == "open"]


def test_check_tells_what_the_rules_leave_open() -> None:
    bzz.rules(Firm, list="anyone", get=lambda user: True, create="anyone")
    assert findings(Firm) == [
        ("note", "Functions decide who may get: bzz cannot tell whether strangers may."),
        (
            "attention",
            "Strangers may use GET, HEAD, POST: set a guard (AuthHive.configure), authorize= or bzz.rules.",
        ),
    ]


def test_check_tells_of_models_without_rules_beside_some_that_have_them() -> None:
    bzz.rules(Contract, allow="authenticated")
    assert (
        "attention",
        "Rules say nothing of Firm: who is let in here may do all with these.",
    ) in findings(Contract)
    assert findings(Contract)[1:] == []

"""What is beyond a user's scope is not there: to read, to refer to, to write, to be made."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest

import bzz
from tests.rights.conftest import ADMIN, ANN, BOB, Serving, as_user


class CaseFolder(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField()
    parent = me.ReferenceField("self")
    meta: ClassVar = {"indexes": ["$org"]}


class Sheaf(me.EmbeddedDocument):
    text = me.StringField()


class CasePaper(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField(default="red")
    rank = me.IntField(default=0)
    pages = me.EmbeddedDocumentListField(Sheaf)
    folder = me.ReferenceField(CaseFolder)
    folders = me.ListField(me.ReferenceField(CaseFolder))
    meta: ClassVar = {"allow_inheritance": True}


class Secret(CasePaper):
    grade = me.IntField()


class SavedPaper(me.Document):
    name = me.StringField(primary_key=True)
    org = me.StringField()

    def clean(self) -> None:
        self.name = self.name.lower()


def own(user: Any) -> Any:
    """Documents of the user's organisation; an admin has all, a stranger none."""
    if user is None:
        return None
    return {} if "admin" in user.get("roles", ()) else {"org": user["org"]}


def declare(*models: type, **more: Any) -> None:
    for model in models:
        bzz.rules(model, allow="anyone", scope=own, **more)


@pytest.fixture
def client(serving: Serving, database_name: str) -> httpx.AsyncClient:
    declare(CaseFolder, CasePaper, SavedPaper)
    for org in ("red", "blue"):
        folder = CaseFolder(name=f"f-{org}", org=org).save()
        CasePaper(name=org, org=org, pages=[Sheaf(text="p")], folder=folder, folders=[folder]).save()
        SavedPaper(name=org, org=org).save()
    return serving(*(bzz.ModelHive.routes_for("mongoengine", each) for each in (CaseFolder, CasePaper, SavedPaper)))


REQUESTS = """
GET     /case_paper/{}/
HEAD    /case_paper/{}/
PUT     /case_paper/{}/
PATCH   /case_paper/{}/
DELETE  /case_paper/{}/
GET     /case_paper/{}/pages/
POST    /case_paper/{}/pages/
GET     /case_paper/{}/pages/0/
PUT     /case_paper/{}/pages/0/
DELETE  /case_paper/{}/pages/0/
GET     /case_paper/{}/folder/
PUT     /case_paper/{}/folder/
DELETE  /case_paper/{}/folder/
GET     /case_paper/{}/folders/
POST    /case_paper/{}/folders/
GET     /case_paper/{}/folders/f-blue/
DELETE  /case_paper/{}/folders/f-blue/
GET     /saved_paper/{}/
PUT     /saved_paper/{}/
DELETE  /saved_paper/{}/
"""


@pytest.mark.parametrize("line", REQUESTS.strip().splitlines())
async def test_what_is_beyond_a_scope_is_answered_like_what_is_not_there(client: httpx.AsyncClient, line: str) -> None:
    method, path = line.split()
    body = {"folders": ["f-red"]} if path.endswith("folders/") else {} if method in ("POST", "PUT", "PATCH") else None
    for more in ({}, {"If-Match": '"x"'}, {"If-None-Match": "*"}):
        answers = []
        for name in ("blue", "none"):
            url = path.format(name)
            answer = await client.request(method, url, json=body, headers={**as_user(ANN), **more})
            hidden = {"x-request-id", "date"}
            headers = {each: value for each, value in answer.headers.items() if each not in hidden}
            answers.append((answer.status_code, answer.text.replace(name, "NAME"), headers))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert (await client.get("/case_paper/blue/", headers=as_user(BOB))).json()["pages"] == [{"text": "p"}]


async def test_each_user_lists_what_is_in_its_scope(client: httpx.AsyncClient) -> None:
    for user, names in ((ANN, ["red"]), (BOB, ["blue"]), (ADMIN, ["blue", "red"]), (None, [])):
        answer = await client.get("/case_paper/", headers={**as_user(user), "Prefer": "count=exact"})
        assert [each["name"] for each in answer.json()] == names
        assert answer.headers["X-Total-Count"] == str(len(names))


@pytest.mark.parametrize(
    "query",
    [
        "org=blue",
        "org__ne=red",
        "folder=f-blue",
        "folder.org=blue",
        "folder.name=f-blue",
        "folders=f-blue",
        "name__in=blue",
        "rank=0&org=blue",
    ],
)
async def test_no_filter_finds_what_is_beyond(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/case_paper/?{query}", headers=as_user(ANN))).json() == []


async def test_counts_of_values_are_of_what_is_in_scope(client: httpx.AsyncClient) -> None:
    found = (await client.get("/case_paper/?facets=org", headers=as_user(ANN))).json()
    assert found["facets"] == {"org": [{"value": "red", "count": 1}]}


async def test_a_search_finds_what_is_in_scope(client: httpx.AsyncClient) -> None:
    assert (await client.get("/case_folder/?q=blue", headers=as_user(ANN))).json() == []
    assert [each["name"] for each in (await client.get("/case_folder/?q=red", headers=as_user(ANN))).json()] == [
        "f-red"
    ]


async def test_cursors_stay_in_scope(client: httpx.AsyncClient) -> None:
    for number in range(6):
        CasePaper(name=f"p{number}", org="red" if number % 2 else "blue").save()
    url, seen = "/case_paper/?per_page=1", []
    while url:
        answer = await client.get(url, headers=as_user(ANN))
        seen += [each["name"] for each in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert seen == ["p1", "p3", "p5", "red"]


async def test_an_expansion_shows_what_is_in_scope(client: httpx.AsyncClient) -> None:
    CasePaper.objects(name="red").update(folder=CaseFolder(name="f-blue"), push__folders=CaseFolder(name="f-blue"))
    shown = (await client.get("/case_paper/red/?expand=folder,folders", headers=as_user(ANN))).json()
    assert shown["folder"] == "f-blue"
    assert [each if isinstance(each, str) else each["name"] for each in shown["folders"]] == ["f-red", "f-blue"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_cannot_refer_to_what_is_beyond(client: httpx.AsyncClient, method: str) -> None:
    url = "/case_paper/" if method == "POST" else "/case_paper/red/"
    answers = []
    for name in ("f-blue", "f-none"):
        body = {"name": "new"} if method == "POST" else {}
        answer = await client.request(method, url, json={**body, "folder": name}, headers=as_user(ANN))
        answers.append((answer.status_code, answer.text.replace(name, "NAME")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 400


async def test_what_is_beyond_cannot_be_linked(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/case_paper/red/folders/", json={"folders": [name]}, headers=as_user(ANN))
        for name in ("f-blue", "f-none")
    ]
    assert [each.status_code for each in answers] == [400, 400]
    assert answers[0].text.replace("f-blue", "f-none") == answers[1].text


@pytest.mark.parametrize("path", ["/case_paper/", "/saved_paper/"])
async def test_nothing_can_be_made_beyond_the_scope(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, json={"name": "new", "org": "blue"}, headers=as_user(ANN))
    assert (answer.status_code, answer.json()["detail"]) == (403, "This would be beyond what you may see.")
    assert (await client.get(f"{path}new/", headers=as_user(ADMIN))).status_code == 404


async def test_what_is_made_gets_its_defaults_before_it_is_judged(client: httpx.AsyncClient) -> None:
    assert (await client.post("/case_paper/", json={"name": "new"}, headers=as_user(ANN))).status_code == 201
    assert (await client.post("/case_paper/", json={"name": "newer"}, headers=as_user(BOB))).status_code == 403


async def test_of_several_none_is_made_beyond_the_scope(client: httpx.AsyncClient) -> None:
    rows = [{"name": "one"}, {"name": "two", "org": "blue"}]
    together = await client.post("/case_paper/", json=rows, headers=as_user(ANN))
    assert together.status_code == 403
    each = await client.post("/case_paper/", json=rows, headers={**as_user(ANN), "Prefer": "handling=lenient"})
    assert [row["status"] for row in each.json()] == [201, 403]
    assert [each["name"] for each in (await client.get("/case_paper/", headers=as_user(BOB))).json()] == ["blue"]


@pytest.mark.parametrize("path", ["/case_paper/red/", "/saved_paper/red/"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_nothing_can_be_moved_beyond_the_scope(client: httpx.AsyncClient, path: str, method: str) -> None:
    answer = await client.request(method, path, json={"org": "blue"}, headers=as_user(ANN))
    assert (answer.status_code, answer.json()["detail"]) == (403, "This would be beyond what you may see.")
    assert (await client.get(path, headers=as_user(ANN))).json()["org"] == "red"
    moved = await client.request(method, path, json={"org": "blue"}, headers=as_user(ADMIN))
    assert moved.json()["org"] == "blue"


async def test_what_filters_select_is_what_is_in_scope(client: httpx.AsyncClient) -> None:
    limit = {"Prefer": "max-affected=9"}
    changed = await client.patch("/case_paper/?rank=0", json={"rank": 1}, headers={**as_user(ANN), **limit})
    assert [each["id"] for each in changed.json()] == ["red"]
    gone = await client.delete("/case_paper/?rank__gte=0", headers={**as_user(ANN), **limit})
    assert [each["id"] for each in gone.json()] == ["red"]
    assert [each["name"] for each in (await client.get("/case_paper/", headers=as_user(ADMIN))).json()] == ["blue"]


async def test_subclasses_have_the_rules_of_their_bases(client: httpx.AsyncClient) -> None:
    Secret(name="s", org="blue", grade=1).save()
    Secret(name="t", org="red", grade=1).save()
    assert [each["name"] for each in (await client.get("/case_paper/?grade=1", headers=as_user(ANN))).json()] == ["t"]
    made = await client.post(
        "/case_paper/", json={"@type": "CasePaper.Secret", "name": "u", "org": "blue"}, headers=as_user(ANN)
    )
    assert made.status_code == 403


async def test_a_subclass_may_be_stricter_than_its_base(serving: Serving, database_name: str) -> None:
    bzz.rules(CasePaper, allow="anyone")
    bzz.rules(Secret, allow="authenticated", delete="admin", scope=own)
    client = serving(bzz.ModelHive.routes_for("mongoengine", CasePaper))
    for name, org in (("s", "blue"), ("t", "red")):
        Secret(name=name, org=org).save()
    CasePaper(name="p", org="blue").save()

    async def listed(user: Any) -> list[str]:
        return [each["name"] for each in (await client.get("/case_paper/", headers=as_user(user))).json()]

    assert [await listed(each) for each in (None, ANN, BOB, ADMIN)] == [["p"], ["p", "t"], ["p", "s"], ["p", "s", "t"]]
    assert (await client.get("/case_paper/t/")).status_code == 404
    assert (await client.delete("/case_paper/t/", headers=as_user(ANN))).status_code == 404
    assert (await client.delete("/case_paper/p/", headers=as_user(ANN))).status_code == 204
    typed = {"@type": "CasePaper.Secret", "name": "u", "org": "red"}
    assert (await client.post("/case_paper/", json=typed)).status_code == 401
    assert (await client.post("/case_paper/", json=typed, headers=as_user(ANN))).status_code == 201


async def test_a_scope_may_combine_conditions(serving: Serving, database_name: str) -> None:
    def seen(user: Any) -> Any:
        return {"or": [{"org": user["org"]}, {"rank": {"gte": 5}, "not": {"name": "x"}}]}

    bzz.rules(CasePaper, allow="anyone", scope=seen)
    client = serving(bzz.ModelHive.routes_for("mongoengine", CasePaper))
    for name, org, rank in (("a", "red", 0), ("b", "blue", 5), ("c", "blue", 4), ("x", "blue", 9)):
        CasePaper(name=name, org=org, rank=rank).save()
    assert [each["name"] for each in (await client.get("/case_paper/", headers=as_user(ANN))).json()] == ["a", "b"]
    statuses = [(await client.get(f"/case_paper/{name}/", headers=as_user(ANN))).status_code for name in "abcx"]
    assert statuses == [200, 200, 404, 404]
    moved = [await client.put(f"/case_paper/{name}/", json={"rank": 1}, headers=as_user(ANN)) for name in "ab"]
    assert [each.status_code for each in moved] == [200, 403]


async def test_a_scope_may_ask_for_a_hidden_field(serving: Serving, database_name: str) -> None:
    bzz.rules(CasePaper, allow="anyone", scope=lambda user: {"org": user["org"]})
    client = serving(bzz.ModelHive.routes_for("mongoengine", CasePaper, hidden=["org"]))
    CasePaper(name="a", org="red").save()
    CasePaper(name="b", org="blue").save()
    found = (await client.get("/case_paper/", headers=as_user(ANN))).json()
    assert [(each["name"], "org" in each) for each in found] == [("a", False)]


@pytest.mark.parametrize(
    "scope",
    [
        lambda user: {"org": user["no such key"]},
        lambda user: {"no such field": 1},
        lambda user: {"folder.org": "red"},
        lambda user: {"org": 7},
        lambda user: "red",
        lambda user: [{"org": "red"}],
    ],
)
async def test_a_scope_that_fails_shows_nothing(serving: Serving, database_name: str, scope: Any) -> None:
    bzz.rules(CaseFolder, allow="anyone", scope=scope)
    client = serving(bzz.ModelHive.routes_for("mongoengine", CaseFolder))
    CaseFolder(name="f", org="red").save()
    assert (await client.get("/case_folder/", headers=as_user(ANN))).status_code == 500
    assert (await client.get("/case_folder/f/", headers=as_user(ANN))).status_code == 500


async def test_hooks_of_the_model_narrow_the_scope_further(serving: Serving, database_name: str) -> None:
    class Cabinet(me.Document):
        name = me.StringField(primary_key=True)
        org = me.StringField()
        is_gone = me.BooleanField(default=False)

        @staticmethod
        def get_list_queryset(queryset: Any, handler: Any) -> Any:
            return queryset.filter(is_gone=False)

        @staticmethod
        def get_instance_queryset(model: Any, queryset: Any, instance_id: Any, handler: Any) -> Any:
            return queryset.filter(is_gone=False)

    declare(Cabinet)
    client = serving(bzz.ModelHive.routes_for("mongoengine", Cabinet))
    for name, org, is_gone in (("a", "red", False), ("b", "red", True), ("c", "blue", False)):
        Cabinet(name=name, org=org, is_gone=is_gone).save()
    assert [each["name"] for each in (await client.get("/cabinet/", headers=as_user(ANN))).json()] == ["a"]
    found = [(await client.get(f"/cabinet/{name}/", headers=as_user(ANN))).status_code for name in "abc"]
    assert found == [200, 404, 404]

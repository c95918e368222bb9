"""Three kinds of users, every method, every kind of path: what each is answered."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest

import bzz
from tests.rights.conftest import ADMIN, ANN, EDITOR, Serving, as_user


class Tray(me.EmbeddedDocument):
    label = me.StringField()


class Clerk(me.Document):
    key = me.StringField(primary_key=True)
    name = me.StringField()


class Bureau(me.Document):
    code = me.StringField(primary_key=True)
    title = me.StringField()
    drawers = me.EmbeddedDocumentListField(Tray)
    front = me.EmbeddedDocumentField(Tray)
    back = me.EmbeddedDocumentField(Tray)
    clerks = me.ListField(me.ReferenceField(Clerk))
    boss = me.ReferenceField(Clerk)
    deputy = me.ReferenceField(Clerk)


class Place(me.Document):
    """Leads to a bureau."""

    code = me.StringField(primary_key=True)
    bureau = me.ReferenceField(Bureau)
    meta: ClassVar = {"collection": "place_of_bureau"}


USERS = {"stranger": None, "editor": EDITOR, "admin": ADMIN}

# Strangers read bureaus; editors make, change and link them, and read clerks; admins do all.
TABLE = """
GET     /bureau/                       200 200 200
QUERY   /bureau/                       200 200 200
POST    /bureau/                       401 201 201
PATCH   /bureau/?code=b                401 200 200
DELETE  /bureau/?code=b                401 403 200
GET     /bureau/b/                     200 200 200
HEAD    /bureau/b/                     200 200 200
PUT     /bureau/b/                     401 200 200
PATCH   /bureau/b/                     401 200 200
DELETE  /bureau/b/                     401 403 204
GET     /bureau/b/drawers/             200 200 200
POST    /bureau/b/drawers/             401 201 201
GET     /bureau/b/drawers/0/           200 200 200
PUT     /bureau/b/drawers/0/           401 200 200
PATCH   /bureau/b/drawers/0/           401 200 200
DELETE  /bureau/b/drawers/0/           401 204 204
GET     /bureau/b/front/               200 200 200
PUT     /bureau/b/front/               401 200 200
PATCH   /bureau/b/front/               401 200 200
DELETE  /bureau/b/front/               401 204 204
POST    /bureau/b/back/                401 201 409
QUERY   /bureau/b/drawers/             200 200 200
GET     /bureau/b/clerks/              401 200 200
QUERY   /bureau/b/clerks/              401 200 200
POST    /bureau/b/clerks/              401 200 200
GET     /bureau/b/clerks/c/            401 200 200
DELETE  /bureau/b/clerks/c/            401 204 204
GET     /bureau/b/boss/                401 200 200
PUT     /bureau/b/boss/                401 403 200
PATCH   /bureau/b/boss/                401 403 200
DELETE  /bureau/b/boss/                401 204 204
POST    /bureau/b/deputy/              401 200 200
GET     /bureau/nothing/               404 404 404
PUT     /bureau/nothing/               401 404 404
DELETE  /bureau/nothing/               401 403 404
GET     /clerk/                        401 200 200
QUERY   /clerk/                        401 200 200
POST    /clerk/                        401 403 201
GET     /clerk/c/                      401 200 200
PUT     /clerk/c/                      401 403 200
DELETE  /clerk/c/                      401 403 204
GET     /place/p/                      401 403 200
GET     /place/p/bureau/               401 403 200
GET     /place/p/bureau/drawers/       401 403 200
POST    /place/p/bureau/drawers/       401 403 201
OPTIONS /clerk/c/                      204 204 204
"""

BODIES: dict[str, dict[str, Any]] = {
    "/bureau/": {"code": "new", "title": "x"},
    "/bureau/?code=b": {"title": "x"},
    "/clerk/": {"key": "new"},
    "/clerk/c/": {"name": "x"},
    "/bureau/b/clerks/": {"clerks": ["d"]},
    "/bureau/b/deputy/": {"deputy": "d"},
    "/bureau/b/boss/": {"name": "x"},
    "/bureau/b/": {"title": "x"},
    "/bureau/nothing/": {"title": "x"},
}


def declare() -> None:
    bzz.rules(
        Bureau,
        list="anyone",
        get="anyone",
        create=["editor", "admin"],
        update=["editor", "admin"],
        link=["editor", "admin"],
        delete="admin",
    )
    bzz.rules(Clerk, list=["editor", "admin"], get=["editor", "admin"], allow="admin")
    bzz.rules(Place, allow="admin")


@pytest.fixture
def client(serving: Serving, database_name: str) -> httpx.AsyncClient:
    declare()
    clerks = [Clerk(key="c").save(), Clerk(key="d").save()]
    drawers = [Tray(label="a"), Tray(label="b")]
    bureau = Bureau(code="b", title="t", drawers=drawers, front=Tray(label="f"), clerks=clerks[:1], boss=clerks[0])
    Place(code="p", bureau=bureau.save()).save()
    return serving(*(bzz.ModelHive.routes_for("mongoengine", each) for each in (Bureau, Clerk, Place)))


ROWS = [tuple(line.split()) for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
async def test_each_user_is_answered_as_the_rules_say(client: httpx.AsyncClient, row: tuple[str, ...]) -> None:
    method, path, *expected = row
    body = BODIES.get(path, {"label": "x"}) if method in ("POST", "PUT", "PATCH") else None
    if method == "QUERY":
        body = {"per_page": 5}
    for (name, user), status in zip(USERS.items(), expected, strict=True):
        if name == "admin" and status == "201" and body and "new" in body.values():
            body = {each: "other" if value == "new" else value for each, value in body.items()}
        answer = await client.request(method, path, json=body, headers={**as_user(user), "Prefer": "max-affected=9"})
        assert (name, answer.status_code) == (name, int(status)), answer.text
        if answer.status_code == 204 and method == "DELETE" and name == "editor":
            return  # the admin would find nothing


async def test_a_refusal_says_what_to_do(client: httpx.AsyncClient) -> None:
    stranger = await client.delete("/bureau/b/")
    assert (stranger.status_code, stranger.json()["detail"]) == (401, "Sign in to do this.")
    editor = await client.delete("/bureau/b/", headers=as_user(EDITOR))
    assert (editor.status_code, editor.json()["detail"]) == (403, "You may not do this.")


async def test_what_is_refused_is_not_told_from_what_is_not_there(client: httpx.AsyncClient) -> None:
    there, nowhere = [await client.delete(f"/bureau/{code}/", headers=as_user(EDITOR)) for code in ("b", "x")]
    assert there.json() == nowhere.json()


async def test_nobody_may_do_what_no_rule_allows(serving: Serving, database_name: str) -> None:
    bzz.rules(Clerk, get="anyone")
    client = serving(bzz.ModelHive.routes_for("mongoengine", Clerk))
    Clerk(key="c").save()
    assert (await client.get("/clerk/c/")).status_code == 200
    assert (await client.get("/clerk/", headers=as_user(ADMIN))).status_code == 403


@pytest.mark.parametrize(
    ("who", "user", "expected"),
    [
        ("anyone", None, 200),
        ("authenticated", None, 401),
        ("authenticated", ANN, 200),
        ("editor", EDITOR, 200),
        ("editor", {"id": 1, "role": "editor"}, 200),
        (["admin", "editor"], EDITOR, 200),
        ("editor", ANN, 403),
        ("scope:read", {"id": 1, "scope": "write read"}, 200),
        ("scope:read", {"id": 1, "scopes": ["read"]}, 200),
        ("scope:read", {"id": 1, "scope": "reader"}, 403),
        ("read", {"id": 1, "scope": "read"}, 403),
        (lambda user: user is not None and user["id"] == "ann", ANN, 200),
        (lambda user: user is not None and user["id"] == "ann", EDITOR, 403),
        ([], ADMIN, 403),
        ("authenticated", {"id": 1, "roles": "anyone"}, 200),
        ("anyone", {"id": 1, "roles": 7}, 200),
        ("admin", {"id": 1, "roles": [["admin"]]}, 403),
    ],
)
async def test_who_is_meant(serving: Serving, database_name: str, who: Any, user: Any, expected: int) -> None:
    bzz.rules(Clerk, list=who)
    client = serving(bzz.ModelHive.routes_for("mongoengine", Clerk))
    assert (await client.get("/clerk/", headers=as_user(user))).status_code == expected


async def test_a_role_called_anyone_lets_nobody_in(serving: Serving, database_name: str) -> None:
    bzz.rules(Clerk, list="authenticated")
    client = serving(bzz.ModelHive.routes_for("mongoengine", Clerk))
    assert (await client.get("/clerk/")).status_code == 401


async def test_a_coroutine_may_decide(serving: Serving, database_name: str) -> None:
    async def decides(user: Any) -> bool:
        return bool(user)

    bzz.rules(Clerk, list=decides)
    client = serving(bzz.ModelHive.routes_for("mongoengine", Clerk))
    assert (await client.get("/clerk/", headers=as_user(ANN))).status_code == 200
    assert (await client.get("/clerk/")).status_code == 401


async def test_a_rule_that_fails_lets_nobody_in(serving: Serving, database_name: str) -> None:
    bzz.rules(Clerk, list=lambda user: user["no such key"])
    client = serving(bzz.ModelHive.routes_for("mongoengine", Clerk))
    assert (await client.get("/clerk/", headers=as_user(ANN))).status_code == 500


async def test_authorize_is_asked_after_the_rules(serving: Serving, database_name: str) -> None:
    asked: list[str] = []

    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        asked.append(method)
        return False

    bzz.rules(Clerk, list="anyone")
    client = serving(bzz.ModelHive.routes_for("mongoengine", Clerk, authorize=authorize))
    assert (await client.get("/clerk/")).status_code == 403
    assert (await client.post("/clerk/", json={})).status_code == 401
    assert asked == ["GET"]


async def test_who_may_write_and_not_read_is_shown_nothing(serving: Serving, database_name: str) -> None:
    bzz.rules(Clerk, create="anyone", update="anyone", get="admin")
    client = serving(bzz.ModelHive.routes_for("mongoengine", Clerk))
    created = await client.post("/clerk/", json={"key": "c", "name": "n"})
    assert (created.status_code, created.text, created.headers["Location"]) == (201, "", "/clerk/c/")
    many = await client.post("/clerk/", json=[{"key": "d"}, {"key": "e"}])
    assert (many.status_code, many.text) == (201, "")
    changed = await client.put("/clerk/c/", json={"name": "m"})
    assert (changed.status_code, changed.text, changed.headers.get("ETag")) == (204, "", None)
    assert (await client.get("/clerk/c/", headers=as_user(ADMIN))).json() == {"key": "c", "name": "m"}

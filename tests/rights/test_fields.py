"""Fields that only some users see or write, that come from the user, that stay as they were created."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.providers import hidden
from tests.rights.conftest import ADMIN, ANN, BOB, EDITOR, Serving, as_user


class Appraisal(me.EmbeddedDocument):
    author = me.StringField()
    text = me.StringField()
    grade = me.IntField()


class Employee(me.Document):
    name = me.StringField(primary_key=True)
    pay = me.IntField()
    owner = me.StringField()
    born = me.IntField()
    bio = me.StringField()
    remarks = me.EmbeddedDocumentListField(Appraisal)
    best = me.EmbeddedDocumentField(Appraisal)
    friend = me.ReferenceField("self")
    friends = me.ListField(me.ReferenceField("self"))
    thing = me.GenericReferenceField(choices=["Employee"])
    meta: ClassVar = {"indexes": [{"fields": ["$pay"], "cls": False}], "ordering": ["-pay"], "allow_inheritance": True}


class Boss(Employee):
    bonus = me.IntField()


def declare() -> None:
    bzz.rules(
        Employee,
        allow="authenticated",
        fields={
            "pay": {"read": ["editor", "admin"], "write": "admin"},
            "owner": {"write": "admin", "default": lambda user: user["id"]},
            "born": {"fixed": True},
            "friends": {"fixed": True},
        },
    )
    bzz.rules(Boss, allow="authenticated", fields={"bonus": {"read": "admin"}})
    bzz.rules(
        Appraisal,
        fields={"author": {"default": lambda user: user["id"], "fixed": True}, "grade": {"read": ["editor", "admin"]}},
    )


@pytest.fixture
def client(serving: Serving, database_name: str) -> httpx.AsyncClient:
    declare()
    first = Employee(name="first", pay=3, born=1990).save()
    remark = Appraisal(author="ann", text="t", grade=7)
    Boss(
        name="p", pay=5, bonus=9, owner="ann", born=2000, remarks=[remark], best=remark, friend=first, thing=first
    ).save()
    return serving(bzz.ModelHive.routes_for("mongoengine", Employee))


async def shown(client: httpx.AsyncClient, user: Any, url: str = "/employee/p/") -> Any:
    answer = await client.get(url, headers=as_user(user))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_who_may_not_see_a_field_is_shown_none(client: httpx.AsyncClient) -> None:
    found = await shown(client, ANN)
    assert {"pay", "bonus"}.isdisjoint(found)
    assert "grade" not in found["remarks"][0]
    assert "grade" not in found["best"]
    editor = await shown(client, EDITOR)
    assert (editor["pay"], editor["remarks"][0]["grade"], "bonus" in editor) == (5, 7, False)
    assert (await shown(client, ADMIN))["bonus"] == 9


@pytest.mark.parametrize(
    "query",
    ["pay=5", "pay__gte=1", "sort=pay", "fields=pay", "facets=pay", "remarks.grade=7", "friend.pay=3", "bonus=9"],
)
async def test_a_field_that_a_user_may_not_see_is_unknown(client: httpx.AsyncClient, query: str) -> None:
    name = (
        query.partition("=")[2] if query.partition("=")[0] in ("sort", "fields", "facets") else query.partition("=")[0]
    )
    refused = await client.get(f"/employee/?{query}", headers=as_user(ANN))
    nothing = await client.get(f"/employee/?{query.replace(name, 'nothing')}", headers=as_user(ANN))
    assert (refused.status_code, nothing.status_code) == (400, 400)
    assert refused.text.replace(name, "NAME") == nothing.text.replace("nothing", "NAME")
    assert (await client.get(f"/employee/?{query}", headers=as_user(ADMIN))).status_code == 200


async def test_neither_search_nor_order_tells_of_it(client: httpx.AsyncClient) -> None:
    assert (await client.get("/employee/?q=5", headers=as_user(ANN))).status_code == 400
    assert (await client.get("/employee/?q=5", headers=as_user(ADMIN))).status_code == 200
    assert [each["name"] for each in await shown(client, ANN, "/employee/")] == ["first", "p"]
    assert [each["name"] for each in await shown(client, ADMIN, "/employee/")] == ["p", "first"]


async def test_an_expansion_hides_it_too(client: httpx.AsyncClient) -> None:
    found = await shown(client, ANN, "/employee/p/?expand=friend,thing")
    assert "pay" not in found["friend"]
    assert "pay" not in found["thing"]
    assert (await shown(client, ADMIN, "/employee/p/?expand=friend,thing"))["thing"]["pay"] == 3


async def test_its_changes_leave_the_tag_as_it_is(client: httpx.AsyncClient) -> None:
    before = (await client.get("/employee/p/", headers=as_user(ANN))).headers["ETag"]
    await client.put("/employee/p/", json={"pay": 6}, headers=as_user(ADMIN))
    assert (await client.get("/employee/p/", headers=as_user(ANN))).headers["ETag"] == before
    same = await client.put("/employee/p/", json={"bio": "b"}, headers={**as_user(ANN), "If-Match": before})
    assert same.status_code == 200
    assert (await shown(client, ADMIN))["pay"] == 6


@pytest.mark.parametrize("user", [ANN, EDITOR])
async def test_who_may_not_write_a_field_is_refused(client: httpx.AsyncClient, user: Any) -> None:
    refused = await client.put("/employee/first/", json={"pay": 9}, headers=as_user(user))
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["pay"]
    made = await client.post("/employee/", json={"name": "n", "owner": "x"}, headers=as_user(user))
    assert made.json()["errors"] == {"owner": ["This field is read-only."]}
    assert (await shown(client, ADMIN, "/employee/first/"))["pay"] == 3


async def test_a_default_comes_from_the_user(client: httpx.AsyncClient) -> None:
    made = await client.post("/employee/", json={"name": "n"}, headers=as_user(BOB))
    assert made.json()["owner"] == "bob"
    rows = await client.post("/employee/", json=[{"name": "m"}], headers=as_user(BOB))
    assert rows.json()[0]["owner"] == "bob"
    given = await client.post("/employee/", json={"name": "o", "owner": "ann"}, headers=as_user(ADMIN))
    assert given.json()["owner"] == "ann"


async def test_an_embedded_document_has_defaults_too(client: httpx.AsyncClient) -> None:
    made = await client.post("/employee/p/remarks/", json={"text": "new"}, headers=as_user(BOB))
    assert (made.status_code, made.json()) == (201, {"author": "bob", "text": "new"})


async def test_the_columns_of_csv_are_fields_that_a_user_may_write(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "text/csv", "Prefer": "handling=lenient", **as_user(ANN)}
    first, second = (await client.post("/employee/", content="name,pay\nq,7\nr,\n", headers=headers)).json()
    assert (first["status"], first["errors"], second["status"]) == (400, {"pay": ["Unknown field."]}, 201)
    assert (await shown(client, ADMIN, "/employee/r/"))["owner"] == "ann"


async def test_a_field_stays_as_it_was_created(client: httpx.AsyncClient) -> None:
    made = await client.post("/employee/", json={"name": "n", "born": 1980}, headers=as_user(ANN))
    assert made.json()["born"] == 1980
    refused = await client.put("/employee/n/", json={"born": 1981}, headers=as_user(ADMIN))
    assert refused.status_code == 400
    many = await client.patch(
        "/employee/?name=n", json={"born": 1981}, headers={**as_user(ADMIN), "Prefer": "max-affected=1"}
    )
    assert "1981" not in (await client.get("/employee/n/", headers=as_user(ADMIN))).text, many.text
    inner = await client.put("/employee/p/remarks/0/", json={"author": "bob"}, headers=as_user(ADMIN))
    assert inner.status_code == 400


async def test_what_stays_as_it_was_cannot_be_linked_to(client: httpx.AsyncClient) -> None:
    refused = await client.post("/employee/p/friends/", json={"friends": ["first"]}, headers=as_user(ADMIN))
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, QUERY, OPTIONS")


async def test_a_list_can_be_written_without_what_is_not_seen_in_it(client: httpx.AsyncClient) -> None:
    whole = (await shown(client, ANN))["remarks"]
    answer = await client.put("/employee/p/", json={"remarks": whole}, headers=as_user(ANN))
    assert answer.status_code in (200, 400), answer.text
    assert (await shown(client, ADMIN))["remarks"][0]["grade"] == 7


async def test_where_no_user_is_known_such_a_field_is_hidden(client: httpx.AsyncClient) -> None:
    assert hidden.hides(Employee, "pay")
    assert hidden.hides(Appraisal, "grade")
    assert not hidden.hides(Employee, "owner")


async def test_users_with_the_same_rights_share_what_serves_them(client: httpx.AsyncClient) -> None:
    [(_, _, arguments)] = bzz.ModelHive.routes_for("mongoengine", Employee)
    resource = arguments["resource"]
    made = resource.restricted.cache_info
    from bzz.model.rights import resource_for

    class Request:
        def __init__(self, user: Any) -> None:
            self.current_user = user

    seen = [await resource_for(Request(each), resource) for each in (ANN, BOB, EDITOR, ANN)]
    assert made().misses == 2
    assert seen[0].provider is seen[1].provider is seen[3].provider

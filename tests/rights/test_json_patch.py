"""A JSON Patch tells nobody what the rules keep from them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import mongoengine as me

import bzz
from tests.rights.conftest import ADMIN, ANN, Serving, as_user


class Petition(me.Document):
    code = me.StringField(primary_key=True)
    title = me.StringField()
    tags = me.ListField(me.StringField(max_length=3))
    rating = me.IntField()


async def send(client: httpx.AsyncClient, user: Any, *operations: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json-patch+json", "Prefer": "max-affected=9", **as_user(user)}
    return await client.patch("/petition/p/", content=json.dumps(operations), headers=headers)


async def test_a_field_that_a_user_may_not_read_is_not_there(serving: Serving, database_name: str) -> None:
    bzz.rules(Petition, allow="authenticated", fields={"rating": {"read": "admin"}})
    Petition(code="p", title="a", rating=3).save()
    client = serving(bzz.ModelHive.routes_for("mongoengine", Petition))
    for operation in (
        {"op": "test", "path": "/rating", "value": 3},
        {"op": "copy", "from": "/rating", "path": "/title"},
        {"op": "replace", "path": "/rating", "value": 4},
    ):
        assert (await send(client, ANN, operation)).status_code == 409
    assert (await send(client, ADMIN, {"op": "test", "path": "/rating", "value": 3})).status_code == 200


async def test_who_may_write_and_not_read_sends_what_rests_on_nothing(serving: Serving, database_name: str) -> None:
    bzz.rules(Petition, update="authenticated", allow="admin")
    Petition(code="p", title="a", tags=["a"]).save()
    client = serving(bzz.ModelHive.routes_for("mongoengine", Petition))
    answers = [
        await send(client, ANN, {"op": "replace", "path": "/title", "value": "b"}),
        await send(client, ANN, {"op": "add", "path": "/tags", "value": ["b"]}),
        await send(client, ANN, {"op": "add", "path": "/tags/-", "value": "c"}),
        await send(client, ANN, {"op": "add", "path": "/tags/-", "value": "long"}),
        await send(client, ANN, {"op": "test", "path": "/title", "value": "b"}),
        await send(client, ANN, {"op": "test", "path": "/title", "value": "c"}),
        await send(client, ANN, {"op": "remove", "path": "/tags/7"}),
    ]
    assert [each.status_code for each in answers] == [204, 204, 403, 403, 403, 403, 403]
    found = Petition.objects.get()
    assert (found.title, found.tags) == ("b", ["b"])

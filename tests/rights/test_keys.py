"""A POST that is repeated shows what its user may see by now, and not what somebody with more rights was shown."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import mongoengine as me

import bzz
from tests.rights.conftest import Serving, as_user


class KeyedVoucher(me.Document):
    text = me.StringField()
    org = me.StringField()
    rate = me.IntField(default=7)


def user(**more: Any) -> dict[str, str]:
    return as_user({"id": "ann", "org": "red", "roles": ["editor"], **more})


async def post(client: httpx.AsyncClient, key: str, **more: Any) -> httpx.Response:
    headers = {**user(**more), "Idempotency-Key": key}
    return await client.post("/keyed_voucher/", json={"text": "a", "org": "red"}, headers=headers)


async def test_an_answer_is_the_same_while_the_rights_are(serving: Serving, database_name: str) -> None:
    bzz.rules(KeyedVoucher, allow="authenticated", fields={"rate": {"read": "editor"}})
    client, key = serving(bzz.ModelHive.routes_for("mongoengine", KeyedVoucher)), uuid.uuid4().hex
    first = await post(client, key)
    again = await post(client, key)
    assert (first.json()["rate"], again.content, again.headers["Idempotency-Replayed"]) == (7, first.content, "true")


async def test_a_field_that_may_not_be_seen_any_more_is_not_in_it(serving: Serving, database_name: str) -> None:
    bzz.rules(KeyedVoucher, allow="authenticated", fields={"rate": {"read": "editor"}})
    client, key = serving(bzz.ModelHive.routes_for("mongoengine", KeyedVoucher)), uuid.uuid4().hex
    assert (await post(client, key)).json()["rate"] == 7
    again = await post(client, key, roles=[])
    assert (again.status_code, again.json()) == (201, {"id": again.headers["X-Created-Id"], "text": "a", "org": "red"})


async def test_who_may_not_read_any_more_is_shown_nothing(serving: Serving, database_name: str) -> None:
    bzz.rules(KeyedVoucher, allow="authenticated", get="editor")
    client, key = serving(bzz.ModelHive.routes_for("mongoengine", KeyedVoucher)), uuid.uuid4().hex
    assert (await post(client, key)).json()["text"] == "a"
    again = await post(client, key, roles=[])
    assert (again.status_code, again.content) == (201, b"")


async def test_who_may_not_create_any_more_is_refused(serving: Serving, database_name: str) -> None:
    bzz.rules(KeyedVoucher, allow="authenticated", create="editor")
    client, key = serving(bzz.ModelHive.routes_for("mongoengine", KeyedVoucher)), uuid.uuid4().hex
    assert (await post(client, key)).status_code == 201
    assert (await post(client, key, roles=[])).status_code == 403


async def test_what_is_out_of_scope_by_now_is_not_shown(serving: Serving, database_name: str) -> None:
    bzz.rules(
        KeyedVoucher, allow="authenticated", scope=lambda user: {"org": user["org"]} if user["org"] != "all" else {}
    )
    client, key = serving(bzz.ModelHive.routes_for("mongoengine", KeyedVoucher)), uuid.uuid4().hex
    first = await post(client, key)
    again = await post(client, key, org="blue")
    assert (first.json()["text"], again.status_code, again.content) == ("a", 201, b"")
    KeyedVoucher.objects.delete()
    assert (await post(client, key, org="blue")).content == first.content

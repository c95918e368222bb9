"""`authorize=` decides who may do what with a model."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine
import pytest

import bzz
from bzz import signals
from bzz.problem import GUARD
from tests.conftest import Driver, Serve


class Page(mongoengine.EmbeddedDocument):
    text = mongoengine.StringField()


class Diary(mongoengine.Document):
    owner = mongoengine.StringField(primary_key=True)
    pages = mongoengine.EmbeddedDocumentListField(Page)


async def guard(handler: Any) -> None:
    """Stand in for AuthHive's guard: the user is who the request says."""
    handler.current_user = {"id": handler.request.headers.get("X-User", "")}


class Judge:
    """Lets owners do what they like with their own, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def __call__(self, method: str, model: type, instance_id: str | None, user: Any) -> bool:
        self.asked.append((method, model, instance_id, user["id"]))
        return instance_id in (None, user["id"])


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def client(driver: Driver, serve: Serve, judge: Judge) -> httpx.AsyncClient:
    Diary(owner="ann").save()
    routes = bzz.ModelHive.routes_for("mongoengine", Diary, database=driver(), authorize=judge)
    return serve(routes, **{GUARD: guard})


async def test_who_may_is_answered_and_who_may_not_gets_403(client: httpx.AsyncClient) -> None:
    assert (await client.get("/diary/ann/", headers={"X-User": "ann"})).status_code == 200
    refused = await client.get("/diary/ann/", headers={"X-User": "bob"})
    assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
async def test_it_is_told_the_method_the_model_the_id_and_the_user(
    client: httpx.AsyncClient, judge: Judge, method: str
) -> None:
    await client.request(method, "/diary/ann/", headers={"X-User": "bob"})
    assert judge.asked == [(method, Diary, "ann", "bob")]


async def test_below_a_list_it_is_told_the_model_at_the_end_of_the_path(
    client: httpx.AsyncClient, judge: Judge
) -> None:
    await client.post("/diary/ann/pages/", json={"text": "x"}, headers={"X-User": "ann"})
    assert judge.asked == [("POST", Page, None, "ann")]


async def test_a_refusal_comes_before_the_body_is_read_and_before_any_signal(client: httpx.AsyncClient) -> None:
    seen: list[Any] = []

    def note(sender: Any) -> None:
        seen.append(sender)

    with signals.pre_update_instance.connected_to(note):
        answer = await client.put("/diary/ann/", content=b"{not json", headers={"X-User": "bob"})
    assert (answer.status_code, seen) == (403, [])


async def test_a_plain_function_decides_as_well(driver: Driver, serve: Serve) -> None:
    routes = bzz.ModelHive.routes_for(
        "mongoengine", Diary, database=driver(), authorize=lambda method, model, instance_id, user: method == "GET"
    )
    client = serve(routes, **{GUARD: guard})
    assert [(await client.get("/diary/")).status_code, (await client.post("/diary/")).status_code] == [200, 403]

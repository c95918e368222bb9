"""``Idempotency-Key``: a POST that is sent again is done once, and answered as it was."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

import httpx
import mongoengine as me
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import HTTPError

import bzz
from bzz import signals
from bzz.errors import BadRequest, OutcomeUnknown, Unavailable
from bzz.model import claims, keyed_request
from bzz.model.idempotency import read_key
from bzz.providers.base import Options, Provider
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.providers.mongoengine.store import MongoStore
from tests.conftest import Serve
from tests.rest.conftest import Api


class Cubicle(me.EmbeddedDocument):
    id = me.UUIDField(default=uuid.uuid4)
    name = me.StringField()


class Shelfmark(me.EmbeddedDocument):
    text = me.StringField()


class Orderer(me.Document):
    name = me.StringField()


class Order(me.Document):
    number = me.IntField(unique=True, sparse=True)
    text = me.StringField(max_length=10)
    long = me.StringField()
    cubicle = me.EmbeddedDocumentField(Cubicle)
    cubicles = me.ListField(me.EmbeddedDocumentField(Cubicle))
    mark = me.EmbeddedDocumentField(Shelfmark)
    marks = me.ListField(me.EmbeddedDocumentField(Shelfmark))
    orderers = me.ListField(me.ReferenceField(Orderer))
    meta: ClassVar[dict[str, Any]] = {"collection": "keyed_order"}


class NamedOrder(me.Document):
    name = me.StringField(primary_key=True)
    text = me.StringField()


class SavedOrder(me.Document):
    """Saved by MongoEngine, in a thread."""

    text = me.StringField()
    saved = me.IntField(default=0)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.saved += 1
        return super().save(*args, **kwargs)


class SealedOrder(me.Document):
    """Seen by those who say so."""

    text = me.StringField()

    @classmethod
    def get_instance_queryset(cls, model: type, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset if "X-See" in handler.request.headers else queryset.none()


class CountedOrder(me.Document):
    """Its ids are not known before it is saved."""

    id = me.SequenceField(primary_key=True)
    text = me.StringField()


def key(text: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": f'"{text or uuid.uuid4().hex}"'}


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """What an answer says, and a replay of it has to say, too."""
    names = ("Location", "X-Created-Id", "ETag", "Content-Type")
    return answer.status_code, answer.content, *(answer.headers.get(name) for name in names)


def is_replay(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("Idempotency-Replayed") == "true")


@pytest.fixture
def client(serve: Serve, database_name: str) -> httpx.AsyncClient:
    models = (Order, NamedOrder, SavedOrder, SealedOrder, CountedOrder, Orderer)
    return serve(bzz.flatten(bzz.ModelHive.routes_for("mongoengine", each) for each in models))


# -- the plain case


async def test_a_post_that_is_sent_again_is_done_once_and_answered_as_it_was(api: Api) -> None:
    client, own = api(Order), key()
    first = await client.post("/order/", json={"text": "a"}, headers=own)
    again = await client.post("/order/", json={"text": "a"}, headers=own)
    assert first.status_code == 201
    assert told(again) == told(first)
    assert (is_replay(first), is_replay(again)) == (False, True)
    assert len((await client.get("/order/")).json()) == 1


async def test_another_key_is_another_request(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert (await client.post("/order/", json={"text": "a"}, headers=key())).status_code == 201
    assert Order.objects.count() == 2


async def test_a_key_may_come_without_quotes(client: httpx.AsyncClient) -> None:
    await client.post("/order/", json={}, headers={"Idempotency-Key": "abc-1"})
    assert is_replay(await client.post("/order/", json={}, headers={"Idempotency-Key": '"abc-1"'}))


MALFORMED = ["", '""', "a b", "a,b", '"a', 'a"', '"\\x"', "é", f'"{"a" * 256}"', "a" * 256]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_key_is_refused_and_named(text: str) -> None:
    with pytest.raises(BadRequest, match="Idempotency-Key"):
        read_key(text)


async def test_a_request_with_a_malformed_key_is_not_done(client: httpx.AsyncClient) -> None:
    answer = await client.post("/order/", json={}, headers={"Idempotency-Key": '"'})
    assert (answer.status_code, Order.objects.count()) == (400, 0)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=255))
def test_every_string_is_read_back_as_it_was(text: str) -> None:
    assert read_key('"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))) == text


@given(st.text(max_size=300))
def test_any_other_header_is_a_key_or_a_bad_request(text: str) -> None:
    with contextlib.suppress(BadRequest):
        assert 1 <= len(read_key(text)) <= 255


# -- what belongs to a key


OTHERS = {
    "body": ("/order/", b'{"text": "b"}', "application/json"),
    "query": ("/order/?a=1", b'{"text": "a"}', "application/json"),
    "path": (f"/order/{'0' * 24}/marks/", b'{"text": "a"}', "application/json"),
    "type": ("/order/", b'{"text": "a"}', "application/json; charset=utf-8"),
}


async def test_a_key_that_comes_with_another_request_is_refused(client: httpx.AsyncClient) -> None:
    own = key()
    await client.post("/order/", content=b'{"text": "a"}', headers={**own, "Content-Type": "application/json"})
    for other, (path, body, content_type) in OTHERS.items():
        answer = await client.post(path, content=body, headers={**own, "Content-Type": content_type})
        assert (other, answer.status_code, answer.json()["title"]) == (other, 422, "Unprocessable Content")
    assert Order.objects.count() == 1


async def test_each_user_and_each_route_has_keys_of_its_own(serve: Serve, database_name: str) -> None:
    async def guard(handler: Any) -> None:
        handler.current_user = {"provider": "test", "id": handler.request.headers.get("X-User")}

    routes = [bzz.ModelHive.routes_for("mongoengine", each) for each in (Order, Orderer)]
    client, own = serve(bzz.flatten(routes), bzz_guard=guard), key()
    for path in ("/order/", "/orderer/"):
        for user in ("ann", "bob"):
            answer = await client.post(path, json={}, headers={**own, "X-User": user})
            assert (answer.status_code, is_replay(answer)) == (201, False)
    assert (Order.objects.count(), Orderer.objects.count()) == (2, 2)


async def test_who_may_not_ask_is_shown_no_answer(serve: Serve, database_name: str) -> None:
    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        return not allowed or allowed[-1]

    allowed: list[bool] = []
    client, own = serve(bzz.ModelHive.routes_for("mongoengine", Order, authorize=authorize)), key()
    await client.post("/order/", json={}, headers=own)
    allowed.append(False)
    assert (await client.post("/order/", json={}, headers=own)).status_code == 403


# -- which answers are kept


async def test_a_body_that_is_refused_leaves_the_key_free(client: httpx.AsyncClient) -> None:
    own = key()
    for body, status in (({"text": "far too long"}, 400), ({"text": 1}, 400), ({"text": "right"}, 201)):
        answer = await client.post("/order/", json=body, headers=own)
        assert (answer.status_code, is_replay(answer)) == (status, False)


async def test_a_conflict_is_answered_again_though_its_cause_is_gone(client: httpx.AsyncClient) -> None:
    first, own = Order(number=1).save(), key()
    refused = await client.post("/order/", json={"number": 1}, headers=own)
    first.delete()
    again = await client.post("/order/", json={"number": 1}, headers=own)
    assert (refused.status_code, told(again), is_replay(again)) == (409, told(refused), True)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_refusal_of_the_moment_is_not_answered_again(
    client: httpx.AsyncClient, status: int, caplog: Any
) -> None:
    def refuse(sender: type) -> None:
        raise HTTPError(status)

    own = key()
    with signals.pre_create_instance.connected_to(refuse, Order):
        assert (await client.post("/order/", json={}, headers=own)).status_code == status
    if status >= 500:  # it is not known what such code has done, so its time has to end
        assert (await client.post("/order/", json={}, headers=own)).status_code == 409
        forget_leases()
    assert (await client.post("/order/", json={}, headers=own)).status_code == 201


async def test_a_receiver_that_answers_itself_is_answered_again(client: httpx.AsyncClient) -> None:
    calls = []

    def answer(sender: type, handler: Any) -> None:
        calls.append(1)
        handler.set_status(202)
        handler.finish({"later": True})

    own = key()
    with signals.pre_create_instance.connected_to(answer, Order):
        first = await client.post("/order/", json={}, headers=own)
        again = await client.post("/order/", json={}, headers=own)
    assert (first.status_code, first.json(), told(again), len(calls)) == (202, {"later": True}, told(first), 1)
    assert Order.objects.count() == 0


async def test_a_receiver_that_refuses_by_an_answer_of_its_own_leaves_the_key_free(client: httpx.AsyncClient) -> None:
    def refuse(sender: type, handler: Any) -> None:
        handler.set_status(403)
        handler.finish()

    own = key()
    with signals.pre_create_instance.connected_to(refuse, Order):
        assert (await client.post("/order/", json={}, headers=own)).status_code == 403
    assert (await client.post("/order/", json={}, headers=own)).status_code == 201


async def test_a_minimal_answer_stays_minimal(client: httpx.AsyncClient) -> None:
    own = {**key(), "Prefer": "return=minimal"}
    first = await client.post("/order/", json={}, headers=own)
    again = await client.post("/order/", json={}, headers=own)
    assert (first.content, told(again), is_replay(again)) == (b"", told(first), True)
    assert again.headers["Preference-Applied"] == "return=minimal"


async def test_a_long_answer_is_made_anew_of_the_document(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_request, "MAX_KEPT_BYTES", 1000)
    own, body = key(), {"long": "x" * 2000}
    first = await client.post("/order/", json=body, headers=own)
    again = await client.post("/order/", json=body, headers=own)
    assert (told(again), is_replay(again)) == (told(first), True)
    Order.objects.delete()
    gone = await client.post("/order/", json=body, headers=own)
    assert (gone.status_code, gone.content, gone.headers["Location"]) == (201, b"", first.headers["Location"])


@pytest.mark.parametrize("path", ["/sealed_order/", "/counted_order/"])
async def test_a_document_that_is_gone_is_shown_as_it_was(client: httpx.AsyncClient, path: str) -> None:
    own = {**key(), "X-See": "1"}
    first = await client.post(path, json={"text": "a"}, headers=own)
    await client.delete(first.headers["Location"], headers=own)
    again = await client.post(path, json={"text": "a"}, headers=own)
    assert (told(again), is_replay(again)) == (told(first), True)


async def test_a_document_that_may_not_be_seen_any_more_is_not_shown(client: httpx.AsyncClient) -> None:
    own = key()
    first = await client.post("/sealed_order/", json={"text": "a"}, headers={**own, "X-See": "1"})
    again = await client.post("/sealed_order/", json={"text": "a"}, headers=own)
    assert (first.json()["text"], again.status_code, again.content) == ("a", 201, b"")
    assert again.headers["Location"] == first.headers["Location"]


async def test_receivers_are_called_once(client: httpx.AsyncClient) -> None:
    calls: list[str] = []
    own = key()
    with (
        signals.pre_create_instance.connected_to(lambda sender: calls.append("pre"), Order),
        signals.post_create_instance.connected_to(lambda sender: calls.append("post"), Order),
    ):
        for _ in range(3):
            await client.post("/order/", json={}, headers=own)
    assert calls == ["pre", "post"]


async def test_a_key_is_forgotten_after_a_day(client: httpx.AsyncClient) -> None:
    own = key()
    await client.post("/order/", json={}, headers=own)
    (record,) = records()
    assert record["expires"].timestamp() == pytest.approx(time.time() + 24 * 3600, abs=60)
    collection().update_one({"_id": record["_id"]}, {"$set": {"expires": record["expires"].replace(year=2020)}})
    assert not is_replay(await client.post("/order/", json={}, headers=own))
    assert Order.objects.count() == 2


async def test_a_provider_without_a_store_says_so(serve: Serve, database_name: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Order))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bzz.model.idempotency.LiveProvider", type("Other", (Provider,), {}))
        answer = await client.post("/order/", json={}, headers=key())
    assert (answer.status_code, "keep no answers" in answer.json()["detail"]) == (400, True)


async def test_other_methods_ignore_a_key(client: httpx.AsyncClient) -> None:
    order, own = Order(text="a").save(), key()
    for method in ("PUT", "PATCH", "PATCH", "DELETE"):
        answer = await client.request(method, f"/order/{order.pk}/", headers=own, content=b'{"text": "b"}')
        assert not is_replay(answer)
    assert records() == []


# -- at the same time


async def test_of_many_at_once_one_is_done_and_the_others_get_its_answer_or_a_409(api: Api) -> None:
    client, own = api(Order), key()
    answers = await asyncio.gather(*(client.post("/order/", json={"text": "a"}, headers=own) for _ in range(12)))
    done = [each for each in answers if each.status_code == 201]
    assert {told(each) for each in done} == {told(done[0])}
    for each in answers:
        assert each.status_code == 201 or (each.status_code, each.headers["Retry-After"]) == (409, "1")
    assert sum(not is_replay(each) for each in done) == 1
    assert len((await client.get("/order/")).json()) == 1


async def test_one_that_is_at_work_is_waited_for(client: httpx.AsyncClient) -> None:
    entered, go_on, own = asyncio.Event(), asyncio.Event(), key()

    async def wait(sender: type) -> None:
        entered.set()
        await go_on.wait()

    with signals.pre_create_instance.connected_to(wait, Order):
        working = asyncio.ensure_future(client.post("/order/", json={}, headers=own))
        await entered.wait()
        busy = await client.post("/order/", json={}, headers=own)
        go_on.set()
        first = await working
    assert (busy.status_code, busy.headers["Retry-After"], first.status_code) == (409, "1", 201)
    assert told(await client.post("/order/", json={}, headers=own)) == told(first)


async def test_a_request_whose_time_ended_before_its_write_does_not_write(client: httpx.AsyncClient) -> None:
    entered, go_on, own = asyncio.Event(), asyncio.Event(), key()

    async def wait(sender: type) -> None:
        if not entered.is_set():
            entered.set()
            await go_on.wait()

    with (
        pytest.MonkeyPatch.context() as patch,
        signals.pre_create_instance.connected_to(wait, Order),
    ):
        patch.setattr(claims, "FRESH_SECONDS", 0.0)
        working = asyncio.ensure_future(client.post("/order/", json={}, headers=own))
        await entered.wait()
        forget_leases()
        second = await client.post("/order/", json={}, headers=own)
        go_on.set()
        late = await working
    assert (second.status_code, late.status_code, Order.objects.count()) == (201, 201, 1)
    assert late.headers["Location"] == second.headers["Location"]


# -- after a crash


def collection() -> Any:
    return me.get_db()["bzz"]


def records() -> list[dict[str, Any]]:
    return list(collection().find({"_id": {"$regex": "^idempotency:"}}))


def forget_leases() -> None:
    """As if their time had ended."""
    collection().update_many({"until": {"$exists": True}}, {"$set": {"until": 0.0}})


def dying(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Have the next request end at a point, as if its process had been killed there: it is cancelled."""
    died = False

    def once(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal died
            result = await real(*args, **kwargs) if died or after else None
            if not died:
                died = True
                raise asyncio.CancelledError
            return result

        return call

    target: Any
    target, name, after = {
        "before the id is stored": (claims.Claim, "prepare", False),
        "before the write": (MongoEngineProvider, "create", False),
        "after the write": (MongoEngineProvider, "create", True),
        "before an array is written": (MongoEngineProvider, "create_many", False),
        "after an array is written": (MongoEngineProvider, "create_many", True),
        "after links": (MongoEngineProvider, "link", True),
        "before the answer is kept": (claims.Claim, "finish", False),
        "after the answer is kept": (claims.Claim, "finish", True),
    }[where]
    monkeypatch.setattr(target, name, once(getattr(target, name), after=after))


async def dies(client: httpx.AsyncClient, path: str, **request: Any) -> None:
    """Send a request that ends there."""
    assert (await client.post(path, **request)).status_code == 500


ONE = ["before the id is stored", "before the write", "after the write", "before the answer is kept",
       "after the answer is kept"]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "where"), [*(("/order/", each) for each in ONE), *(("/saved_order/", each) for each in ONE[1:3])]
)
async def test_after_a_crash_the_next_request_comes_to_the_one_document(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, where: str
) -> None:
    own = key()
    dying(monkeypatch, where)
    await dies(client, path, json={"text": "a"}, headers=own)
    forget_leases()
    answer = await client.post(path, json={"text": "a"}, headers=own)
    (only,) = (await client.get(path)).json()
    assert (answer.status_code, answer.json()) == (201, only)
    assert answer.headers["Location"] == f"{path}{only['id']}/"
    assert answer.headers["ETag"] == (await client.get(answer.headers["Location"])).headers["ETag"]
    assert told(await client.post(path, json={"text": "a"}, headers=own)) == told(answer)


async def test_after_a_crash_behind_the_write_nobody_is_told_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    own = key()
    dying(monkeypatch, "after the write")
    with (
        signals.pre_create_instance.connected_to(lambda sender: calls.append("pre"), Order),
        signals.post_create_instance.connected_to(lambda sender: calls.append("post"), Order),
    ):
        await dies(client, "/order/", json={}, headers=own)
        forget_leases()
        assert (await client.post("/order/", json={}, headers=own)).status_code == 201
    assert calls == ["pre"]


@pytest.mark.parametrize("sees", [{}, {"X-See": "1"}], ids=["blind", "seeing"])
async def test_a_document_that_was_created_before_a_crash_is_shown_only_to_who_may_see_it(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, sees: dict[str, str]
) -> None:
    own = {**key(), **sees}
    dying(monkeypatch, "after the write")
    await dies(client, "/sealed_order/", json={"text": "a"}, headers=own)
    forget_leases()
    answer = await client.post("/sealed_order/", json={"text": "a"}, headers=own)
    assert (answer.status_code, b"text" in answer.content) == (201, bool(sees))
    assert answer.headers["Location"] == f"/sealed_order/{SealedOrder.objects.get().pk}/"


@pytest.mark.parametrize("where", ["before the write", "after the write"])
async def test_an_id_that_a_receiver_makes_up_is_the_same_after_a_crash(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def name(sender: type, handler: Any) -> None:
        handler.data["name"] = uuid.uuid4().hex

    own = key()
    dying(monkeypatch, where)
    with signals.pre_create_instance.connected_to(name, NamedOrder):
        await dies(client, "/named_order/", json={}, headers=own)
        forget_leases()
        answer = await client.post("/named_order/", json={}, headers=own)
    assert answer.status_code == (201 if where == "before the write" else 409)
    assert NamedOrder.objects.count() == 1


async def test_a_document_of_somebody_else_with_the_id_that_a_body_names_is_no_answer(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = key()
    dying(monkeypatch, "before the write")
    await dies(client, "/named_order/", json={"name": "a", "text": "mine"}, headers=own)
    NamedOrder(name="a", text="theirs").save()
    forget_leases()
    answer = await client.post("/named_order/", json={"name": "a", "text": "mine"}, headers=own)
    assert (answer.status_code, "theirs" in answer.text) == (409, False)


async def test_a_document_whose_id_is_counted_may_be_there_twice_after_a_crash(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = key()
    dying(monkeypatch, "after the write")
    await dies(client, "/counted_order/", json={"text": "a"}, headers=own)
    forget_leases()
    first = await client.post("/counted_order/", json={"text": "a"}, headers=own)
    assert told(await client.post("/counted_order/", json={"text": "a"}, headers=own)) == told(first)
    assert CountedOrder.objects.count() == 2


async def test_a_refusal_after_a_crash_keeps_the_key_for_the_same_document(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(sender: type) -> None:
        raise HTTPError(403)

    own = key()
    dying(monkeypatch, "before the write")
    await dies(client, "/order/", json={}, headers=own)
    forget_leases()
    (before,) = records()
    with signals.pre_create_instance.connected_to(refuse, Order):
        assert (await client.post("/order/", json={}, headers=own)).status_code == 403
    answer = await client.post("/order/", json={}, headers=own)
    assert (answer.status_code, answer.json()["id"]) == (201, json.loads(before["ids"])[0][0])


# -- when the database is in trouble


async def test_a_write_whose_outcome_is_unknown_is_learnt_by_the_next_request(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = MongoEngineProvider.create

    async def lose(*args: Any, **kwargs: Any) -> Any:
        await create(*args, **kwargs)
        raise OutcomeUnknown

    own = key()
    with monkeypatch.context() as patch:
        patch.setattr(MongoEngineProvider, "create", lose)
        first = await client.post("/order/", json={}, headers=own)
    assert (first.status_code, "with the same Idempotency-Key" in first.json()["detail"]) == (503, True)
    assert (await client.post("/order/", json={}, headers=own)).status_code == 409
    forget_leases()
    answer = await client.post("/order/", json={}, headers=own)
    assert (answer.status_code, answer.json()["id"]) == (201, str(Order.objects.get().pk))


@pytest.mark.parametrize("error", [Unavailable, OutcomeUnknown])
async def test_nothing_is_done_where_the_key_cannot_be_stored(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(MongoStore, "put", fail)
    answer = await client.post("/order/", json={}, headers=key())
    assert (answer.status_code, "nothing was done" in answer.text, "Retry-After" in answer.headers) == (503, True, True)
    assert Order.objects.count() == 0


async def test_a_write_is_answered_though_its_answer_cannot_be_kept(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: Any, **kwargs: Any) -> Any:
        raise OutcomeUnknown

    own = key()
    with monkeypatch.context() as patch:
        patch.setattr(claims.Claim, "finish", fail)
        first = await client.post("/order/", json={}, headers=own)
    forget_leases()
    again = await client.post("/order/", json={}, headers=own)
    assert (first.status_code, told(again)) == (201, told(first))
    assert Order.objects.count() == 1


def test_records_are_stored_by_majority(database_name: str) -> None:
    async def concern() -> Any:
        store: Any = MongoEngineProvider(Order, Options()).changes().store
        return store._collection.write_concern.document

    assert asyncio.run(concern()) == {"w": "majority"}


# -- nested


async def nested(client: httpx.AsyncClient, name: str, body: Any, own: dict[str, str]) -> httpx.Response:
    return await client.post(f"/order/{Order.objects.get().pk}/{name}/", json=body, headers=own)


@pytest.mark.parametrize(("name", "body"), [("cubicles", {"name": "a"}), ("marks", {"text": "a"})])
async def test_what_is_attached_is_attached_once(client: httpx.AsyncClient, name: str, body: Any) -> None:
    Order().save()
    own = key()
    first = await nested(client, name, body, own)
    again = await nested(client, name, body, own)
    assert (first.status_code, told(again), is_replay(again)) == (201, told(first), True)
    assert len(getattr(Order.objects.get(), name)) == 1


@pytest.mark.parametrize("where", ["before the write", "after the write", "before the answer is kept"])
async def test_what_has_an_id_and_is_attached_is_found_after_a_crash(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path, own = f"/order/{Order().save().pk}/cubicles/", key()
    dying(monkeypatch, where)
    await dies(client, path, json={"name": "a"}, headers=own)
    forget_leases()
    answer = await client.post(path, json={"name": "a"}, headers=own)
    (only,) = (await client.get(path)).json()
    assert (answer.status_code, answer.json()) == (201, only)
    assert answer.headers["Location"] == f"{path}{only['id']}/"


async def test_what_has_no_id_may_be_attached_twice_after_a_crash(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, own = f"/order/{Order().save().pk}/marks/", key()
    dying(monkeypatch, "after the write")
    await dies(client, path, json={"text": "a"}, headers=own)
    forget_leases()
    assert (await client.post(path, json={"text": "a"}, headers=own)).status_code == 201
    assert len(Order.objects.get().marks) == 2


async def test_a_single_property_with_an_id_is_found_after_a_crash(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, own = f"/order/{Order().save().pk}/cubicle/", key()
    dying(monkeypatch, "after the write")
    await dies(client, path, json={"name": "a"}, headers=own)
    forget_leases()
    answer = await client.post(path, json={"name": "a"}, headers=own)
    assert (answer.status_code, answer.headers["Location"]) == (201, path)
    assert answer.json() == (await client.get(path)).json()


async def test_a_single_property_without_an_id_is_occupied_after_a_crash(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, own = f"/order/{Order().save().pk}/mark/", key()
    dying(monkeypatch, "after the write")
    await dies(client, path, json={"text": "a"}, headers=own)
    forget_leases()
    assert (await client.post(path, json={"text": "a"}, headers=own)).status_code == 409
    assert Order.objects.get().mark.text == "a"


async def test_what_is_posted_below_nothing_is_not_found_again(client: httpx.AsyncClient) -> None:
    path, own = f"/order/{'0' * 24}/marks/", key()
    first = await client.post(path, json={}, headers=own)
    again = await client.post(path, json={}, headers=own)
    assert (first.status_code, told(again), is_replay(again)) == (404, told(first), True)


@pytest.mark.parametrize("where", [None, "after links"])
async def test_links_are_made_once(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, where: str | None
) -> None:
    path, body, own = f"/order/{Order().save().pk}/orderers/", {"orderers": [str(Orderer().save().pk)]}, key()
    if where is not None:
        dying(monkeypatch, where)
        await dies(client, path, json=body, headers=own)
        forget_leases()
    first = await client.post(path, json=body, headers=own)
    again = await client.post(path, json=body, headers=own)
    assert (first.status_code, told(again), is_replay(again)) == (200, told(first), True)
    assert len(Order.objects.get().orderers) == 1


# -- arrays

LENIENT = {"Prefer": "handling=lenient"}
ROWS = [{"text": "a"}, {"text": "b"}]


@pytest.mark.parametrize("prefer", [{}, LENIENT], ids=["strict", "lenient"])
@pytest.mark.parametrize("path", ["/order/", "/counted_order/"])
async def test_an_array_is_stored_once(client: httpx.AsyncClient, path: str, prefer: dict[str, str]) -> None:
    own = {**key(), **prefer}
    first = await client.post(path, json=ROWS, headers=own)
    again = await client.post(path, json=ROWS, headers=own)
    stored = len((await client.get(path)).json())
    if path == "/counted_order/" and not prefer:
        assert (first.status_code, again.status_code, stored) == (400, 400, 0)  # MongoEngine saves it, one by one
    else:
        assert (first.status_code, told(again), is_replay(again), stored) == (
            200 if prefer else 201,
            told(first),
            True,
            2,
        )


@pytest.mark.parametrize("where", ["before an array is written", "after an array is written"])
@pytest.mark.parametrize("prefer", [{}, LENIENT], ids=["strict", "lenient"])
async def test_after_a_crash_the_next_array_comes_to_the_same_documents(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, where: str, prefer: dict[str, str]
) -> None:
    own = {**key(), **prefer}
    dying(monkeypatch, where)
    await dies(client, "/order/", json=ROWS, headers=own)
    forget_leases()
    answer = await client.post("/order/", json=ROWS, headers=own)
    stored = (await client.get("/order/")).json()
    assert answer.status_code == (200 if prefer else 201)
    assert [each["id"] for each in answer.json()] == [each["id"] for each in stored]
    assert [each["text"] for each in stored] == ["a", "b"]
    if prefer:
        assert [each["status"] for each in answer.json()] == [201, 201]


async def test_rows_that_were_not_stored_before_a_crash_are_stored_now(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, calls = {**key(), **LENIENT}, []
    dying(monkeypatch, "after an array is written")
    await dies(client, "/order/", json=ROWS, headers=own)
    Order.objects(text="a").delete()
    forget_leases()
    with signals.post_create_instance.connected_to(lambda sender, instance: calls.append(instance.text), Order):
        answer = await client.post("/order/", json=ROWS, headers=own)
    assert [each["status"] for each in answer.json()] == [201, 201]
    assert sorted(each.text for each in Order.objects) == ["a", "b"]
    assert calls == ["a"]


async def test_a_long_array_is_shown_as_it_is_now(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyed_request, "MAX_KEPT_BYTES", 10)
    own = key()
    first = await client.post("/order/", json=ROWS, headers=own)
    again = await client.post("/order/", json=ROWS, headers=own)
    assert (again.status_code, again.json(), is_replay(again)) == (201, first.json(), True)

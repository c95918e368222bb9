"""Events of a real hive, by HTTP and with a real MongoDB."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import mongoengine
import pytest
from bson import ObjectId
from tornado.web import HTTPError

import bzz
from bzz.events import Created, Updated
from bzz.testing import capture, expect
from tests.conftest import Serve
from tests.events.conftest import Calls


class Home(mongoengine.EmbeddedDocument):
    city = mongoengine.StringField()


class Member(mongoengine.Document):
    name = mongoengine.StringField()
    email = mongoengine.StringField()
    address = mongoengine.EmbeddedDocumentField(Home)

    meta: ClassVar[dict[str, Any]] = {"collection": "event_member"}


class Society(mongoengine.Document):
    members = mongoengine.ListField(mongoengine.ReferenceField(Member))

    meta: ClassVar[dict[str, Any]] = {"collection": "event_club"}


pytestmark = pytest.mark.usefixtures("database_name")


def routes() -> list[Any]:
    return bzz.flatten(
        [bzz.ModelHive.routes_for("mongoengine", Member), bzz.ModelHive.routes_for("mongoengine", Society)]
    )


async def test_the_life_of_a_document_is_told_in_order(serve: Serve) -> None:
    client = serve(routes())
    with capture("Member.*") as seen:
        made = (await client.post("/member/", json={"name": "Ada"})).json()["id"]
        await client.get(f"/member/{made}/")
        await client.get("/member/")
        await client.put(f"/member/{made}/", json={"email": "ada@example.org"})
        await client.delete(f"/member/{made}/")
    assert seen.names == [
        *("Member.creating", "Member.created", "Member.fetching", "Member.fetched", "Member.listing", "Member.listed"),
        *("Member.updating", "Member.updated", "Member.updated.email", "Member.deleting", "Member.deleted"),
    ]


async def test_an_event_carries_the_document_the_diff_and_the_request(serve: Serve) -> None:
    client = serve(routes())
    made = (await client.post("/member/", json={"name": "Ada", "address": {"city": "Rio"}})).json()["id"]
    with expect(Updated[Member], times=1) as seen:
        headers = {"X-Request-Id": "request-7"}
        await client.put(f"/member/{made}/", json={"address": {"city": "Olinda"}}, headers=headers)
    (event,) = seen
    assert event.instance.address.city == "Olinda"
    assert event.diff == {"address.city": {"from": "Rio", "to": "Olinda"}}
    assert (event.request_id, event.arguments, event.origin) == ("request-7", (f"member/{made}",), Member)


async def test_a_listener_for_one_field_and_transition_gets_just_that(serve: Serve, calls: Calls) -> None:
    bzz.on("Member.updated.address.city", when=("Rio", ...))(lambda event: calls.made.append(event.new))
    client = serve(routes())
    made = (await client.post("/member/", json={"address": {"city": "Rio"}})).json()["id"]
    for city in ("Rio", "Olinda", "Recife"):
        await client.put(f"/member/{made}/", json={"address": {"city": city}})
    assert calls.made == ["Olinda"]


async def test_a_listener_before_the_deed_can_refuse_it(serve: Serve) -> None:
    @bzz.on("Member.creating")
    async def refuse(event: Any) -> None:
        raise HTTPError(403)

    client = serve(routes())
    with capture("Member.created") as seen:
        answer = await client.post("/member/", json={"name": "Ada"})
    assert (answer.status_code, seen) == (403, [])
    assert (await client.get("/member/")).json() == []


async def test_a_listener_before_the_deed_can_change_what_is_stored(serve: Serve) -> None:
    @bzz.on("Member.creating")
    def rename(event: Any) -> None:
        event.data = {**event.data, "name": event.data["name"].upper()}

    answer = await serve(routes()).post("/member/", json={"name": "Ada"})
    assert answer.json()["name"] == "ADA"


async def test_a_listener_after_the_deed_cannot_spoil_the_success(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    @bzz.on(Created[Member])
    async def broken(event: Created[Member]) -> None:
        raise HTTPError(403)

    answer = await serve(routes()).post("/member/", json={"name": "Ada"})
    assert answer.status_code == 201
    assert "listener failed: Member.created" in caplog.text


async def test_linking_and_unlinking_are_told_of_the_document_and_its_owner(serve: Serve) -> None:
    client = serve(routes())
    members = [(await client.post("/member/", json={"name": name})).json()["id"] for name in ("Ada", "Bea")]
    society = (await client.post("/society/", json={})).json()["id"]
    first, second = (ObjectId(each) for each in members)
    with capture("*") as seen:
        await client.post(f"/society/{society}/members/", json={"members": members})
        await client.delete(f"/society/{society}/members/{members[0]}/")
    assert seen.names == [
        *("Member.linking", "Member.linked", "Member.linked", "Society.updated", "Society.updated.members"),
        *("Member.unlinking", "Member.unlinked", "Society.updated", "Society.updated.members"),
    ]
    assert [each.instance.name for each in seen if each.name == "Member.linked"] == ["Ada", "Bea"]
    assert [each.diff for each in seen if each.name == "Society.updated"] == [
        {"members": {"from": [], "to": [first, second]}},
        {"members": {"from": [first, second], "to": [second]}},
    ]


async def test_linking_what_is_linked_tells_nobody(serve: Serve) -> None:
    client = serve(routes())
    member = (await client.post("/member/", json={})).json()["id"]
    society = (await client.post("/society/", json={"members": [member]})).json()["id"]
    with capture("*") as seen:
        await client.post(f"/society/{society}/members/", json={"members": [member]})
    assert seen.names == ["Member.linking"]


async def test_a_background_listener_does_not_hold_up_the_response(serve: Serve, calls: Calls) -> None:
    answered = asyncio.Event()

    @bzz.on("Member.created", background=True)
    async def later(event: Any) -> None:
        await answered.wait()
        calls.made.append(event.instance.name)

    answer = await serve(routes()).post("/member/", json={"name": "Ada"})
    answered.set()
    await bzz.drain()
    assert (answer.status_code, calls.made) == (201, ["Ada"])


async def test_a_worker_thread_can_send_once_the_server_has_served(serve: Serve, calls: Calls) -> None:
    bzz.on("report.ready")(calls.listener("ready"))
    await serve(routes()).get("/member/")
    await asyncio.to_thread(lambda: bzz.emit_from_thread("report.ready").result(5))
    assert calls.made == ["ready"]


async def test_concurrent_requests_have_events_of_their_own(serve: Serve) -> None:
    client = serve(routes())
    with capture("Member.created") as seen:
        await asyncio.gather(
            *(
                client.post("/member/", json={"name": str(number)}, headers={"X-Request-Id": f"request-{number}"})
                for number in range(20)
            )
        )
    assert sorted((event.instance.name, event.request_id) for event in seen) == sorted(
        (str(number), f"request-{number}") for number in range(20)
    )

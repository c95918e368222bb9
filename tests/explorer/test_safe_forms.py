"""Forms that may be sent again, and JSON Patches that are entered in one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.errors import OutcomeUnknown
from bzz.model import claims
from bzz.providers.mongoengine.provider import MongoEngineProvider
from tests.conftest import Serve
from tests.explorer.conftest import ACCEPT, Seen, explored, seen
from tests.explorer.test_forms import shown, submit

pytestmark = pytest.mark.usefixtures("database_name")


class SafeParcel(me.Document):
    number = me.IntField(unique=True, sparse=True)
    tags = me.ListField(me.StringField(max_length=5))


@pytest.fixture
def client(serve: Serve) -> httpx.AsyncClient:
    return serve(explored(bzz.ModelHive.routes_for("mongoengine", SafeParcel)))


async def patch(client: httpx.AsyncClient, page: Seen, *operations: Any, text: str = "") -> httpx.Response:
    return await submit(client, page, {"patch": text or json.dumps(operations)}, form="patch")


# -- a form that creates


async def test_a_form_that_is_sent_twice_creates_once(client: httpx.AsyncClient) -> None:
    page = await shown(client, "/safe_parcel/?_view=new")
    answers = [await submit(client, page, {"number": "1"}) for _ in range(2)]
    parcel = SafeParcel.objects.get()
    assert [(each.status_code, each.headers["Location"]) for each in answers] == [
        (303, f"/safe_parcel/{parcel.pk}/")
    ] * 2


async def test_a_form_that_is_sent_twice_at_once_creates_once(client: httpx.AsyncClient) -> None:
    page = await shown(client, "/safe_parcel/?_view=new")
    answers = await asyncio.gather(*(submit(client, page, {"number": "1"}) for _ in range(5)))
    assert SafeParcel.objects.count() == 1
    assert {each.status_code for each in answers} <= {303, 409}


async def test_two_forms_with_the_same_values_create_two(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert (await submit(client, await shown(client, "/safe_parcel/?_view=new"), {})).status_code == 303
    assert SafeParcel.objects.count() == 2


async def test_a_form_that_was_mended_is_no_repetition(client: httpx.AsyncClient) -> None:
    page = await shown(client, "/safe_parcel/?_view=new")
    assert (await submit(client, page, {"number": "one"})).status_code == 400
    assert (await submit(client, page, {"number": "1"})).status_code == 303
    assert (await submit(client, page, {"number": "2"})).status_code == 303
    assert [each.number for each in SafeParcel.objects.order_by("number")] == [1, 2]


async def test_a_form_that_was_refused_can_be_sent_again_from_the_page_that_says_so(client: httpx.AsyncClient) -> None:
    taken = SafeParcel(number=1).save()
    refused = await submit(client, await shown(client, "/safe_parcel/?_view=new"), {"number": "1"})
    assert refused.status_code == 409
    taken.delete()
    again = await submit(client, seen(refused.text), {}, form="panel")
    assert (again.status_code, SafeParcel.objects.get().number) == (303, 1)


async def test_a_form_whose_first_attempt_is_not_answered_yet_is_shown_with_what_was_entered(
    client: httpx.AsyncClient,
) -> None:
    page = await shown(client, "/safe_parcel/?_view=new")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hold(sender: type, **given: Any) -> None:
        begun.set()
        await go_on.wait()

    with bzz.signals.pre_create_instance.connected_to(hold, SafeParcel):
        first = asyncio.create_task(submit(client, page, {"number": "1"}))
        await begun.wait()
        second = await submit(client, page, {"number": "1"})
        go_on.set()
        assert (await first).status_code == 303
    assert (second.status_code, "not answered yet" in second.text) == (409, True)
    again = await submit(client, seen(second.text), {}, form="panel")
    assert (again.status_code, SafeParcel.objects.count()) == (303, 1)


async def test_a_form_whose_outcome_is_unknown_creates_once_when_it_is_sent_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LEASE_SECONDS", 0.5)
    page = await shown(client, "/safe_parcel/?_view=new")
    real = MongoEngineProvider.create

    async def lost(self: Any, *given: Any) -> Any:
        await real(self, *given)
        raise OutcomeUnknown()

    monkeypatch.setattr(MongoEngineProvider, "create", lost)
    refused = await submit(client, page, {"number": "1"})
    monkeypatch.setattr(MongoEngineProvider, "create", real)
    assert refused.status_code == 503
    again = await submit(client, seen(refused.text), {}, form="panel")
    while again.status_code == 409:  # until the first attempt's lease of its key has ended
        again = await submit(client, seen(again.text), {}, form="panel")
    assert (again.status_code, SafeParcel.objects.count()) == (303, 1)


async def test_nothing_that_was_entered_is_kept_where_a_form_is_refused(
    client: httpx.AsyncClient, database_name: str
) -> None:
    SafeParcel(number=1).save()
    await submit(client, await shown(client, "/safe_parcel/?_view=new"), {"number": "1", "tags[]": ["mine"]})
    kept = [str(each) for each in SafeParcel._get_db()["bzz"].find({"_id": {"$regex": "^idempotency"}})]
    assert "mine" not in "".join(kept)


async def test_where_no_answers_are_kept_a_form_has_no_key(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bzz.explorer.document_page.keeps_answers", lambda provider: False)
    page = await client.get("/safe_parcel/?_view=new", headers=ACCEPT)
    assert "_idempotency_key" not in page.text


# -- a JSON Patch


async def test_a_patch_is_entered_on_the_page_of_a_document(client: httpx.AsyncClient) -> None:
    parcel = SafeParcel(number=1, tags=["a"]).save()
    url = f"/safe_parcel/{parcel.pk}/"
    page = await shown(client, url)
    answer = await patch(client, page, {"op": "add", "path": "/tags/-", "value": "b"})
    assert (answer.status_code, answer.headers["Location"]) == (303, url)
    assert parcel.reload().tags == ["a", "b"]


async def test_a_patch_that_is_refused_is_shown_again(client: httpx.AsyncClient) -> None:
    parcel = SafeParcel(number=1, tags=["a"]).save()
    page = await shown(client, f"/safe_parcel/{parcel.pk}/")
    wrong = {"op": "add", "path": "/tags/-", "value": "too long"}
    refused = await patch(client, page, wrong)
    assert (refused.status_code, "tags" in refused.text) == (400, True)
    assert seen(refused.text).texts("textarea", name_="patch") == [json.dumps([wrong])]
    again = await patch(client, seen(refused.text), {**wrong, "value": "c"})
    assert (again.status_code, parcel.reload().tags) == (303, ["a", "c"])


@pytest.mark.parametrize("text", ["{", "[1]", '[{"op": "test", "path": "/number", "value": 2}]'])
async def test_what_is_no_patch_or_does_not_fit_is_told(client: httpx.AsyncClient, text: str) -> None:
    parcel = SafeParcel(number=1).save()
    answer = await patch(client, await shown(client, f"/safe_parcel/{parcel.pk}/"), text=text)
    assert answer.status_code == (409 if "test" in text else 400)
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_a_patch_of_an_older_state_changes_nothing(client: httpx.AsyncClient) -> None:
    parcel = SafeParcel(number=1).save()
    page = await shown(client, f"/safe_parcel/{parcel.pk}/")
    SafeParcel.objects.update(number=2)
    operation = {"op": "replace", "path": "/number", "value": 3}
    answer = await patch(client, page, operation)
    assert (answer.status_code, parcel.reload().number) == (412, 2)
    assert seen(answer.text).texts("textarea", name_="patch") == [json.dumps([operation])]
    assert "Apply" not in answer.text


async def test_who_may_not_patch_is_offered_no_patch(serve: Serve) -> None:
    routes = bzz.ModelHive.routes_for("mongoengine", SafeParcel, methods=("GET", "PUT"))
    client = serve(explored(routes))
    parcel = SafeParcel(number=1).save()
    page = await client.get(f"/safe_parcel/{parcel.pk}/", headers=ACCEPT)
    assert 'name="patch"' not in page.text

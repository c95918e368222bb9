"""The page of a document shows its history, and a button undoes one change without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.delivery import listener
from bzz.delivery.history.declaring import forget_history
from bzz.delivery.history.recorder import recorders
from tests.conftest import Serve
from tests.delivery.conftest import eventually, listening
from tests.delivery.history.conftest import history_of, sign_in
from tests.explorer.conftest import ACCEPT, Seen, explored, seen

pytestmark = pytest.mark.usefixtures("database_name")


class Lighter(me.Document):
    name = me.StringField(max_length=20)
    load = me.IntField()
    cargo = me.StringField()


class Dolphin(me.Document):
    name = me.StringField()


@pytest.fixture(autouse=True)
def own_histories() -> Iterator[None]:
    yield
    for each in list(recorders.values()):
        forget_history(each.model)
    listener._declared.clear()


def routes(**options: Any) -> bzz.RouteList:
    bzz.history(Lighter)
    models = bzz.flatten(
        [bzz.ModelHive.routes_for("mongoengine", Lighter, **options), bzz.ModelHive.routes_for("mongoengine", Dolphin)]
    )
    return bzz.flatten([bzz.HistoryHive.routes_for(models), explored(models)])


async def page(client: httpx.AsyncClient, url: str) -> Seen:
    answer = await client.get(url, headers=ACCEPT)
    assert answer.status_code == 200, answer.text
    return seen(answer.text)


async def push(client: httpx.AsyncClient, action: str, **inputs: str) -> httpx.Response:
    """Push a button of a form, as a browser does."""
    origin = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"
    return await client.post(action, data=inputs, headers={**ACCEPT, "Origin": origin, "X-User": "bob"})


async def lighter(client: httpx.AsyncClient) -> str:
    """The URL of a lighter with two changes by ann."""
    answer = await client.post("/lighter/", json={"name": "Ariel", "load": 1}, headers={"X-User": "ann"})
    place: str = answer.headers["Location"]
    await client.put(place, json={"name": "<Belle>"}, headers={"X-User": "ann"})

    async def signed() -> Any:
        found = (await client.get(f"{place}history/")).json()
        return len(found) == 2 and all(each["who"] for each in found)

    await eventually(signed)
    return place


async def test_the_page_shows_what_was_changed_by_whom(serve: Serve) -> None:
    client = serve(routes(), sign_in)
    async with bzz.deliver():
        await listening()
        place = await lighter(client)
        shown = await page(client, place)
    assert shown.attributes("section", "id", class_="panel history") == ["history"]
    assert shown.texts("td", data_label="Who") == ["ann", "ann"]
    assert (shown.texts("del"), shown.texts("ins")[0]) == (["Ariel"], "<Belle>")
    assert shown.texts("span", class_="badge") == ["created"]
    assert len(shown.attributes("form", "action", class_="undo")) == 1


async def test_the_button_undoes_a_change_and_leads_back(serve: Serve) -> None:
    client = serve(routes(), sign_in)
    async with bzz.deliver():
        await listening()
        place = await lighter(client)
        (action,) = (await page(client, place)).attributes("form", "action", class_="undo")
        answer = await push(client, action)
        assert (answer.status_code, answer.headers["Location"]) == (303, place)
        assert Lighter.objects.get().name == "Ariel"
        await history_of(client, place, 3)
        again = await push(client, action)
    assert (again.status_code, again.headers["Content-Type"]) == (409, "text/html; charset=utf-8")
    assert "changed again since" in again.text
    assert seen(again.text).attributes("form", "action", method="post") == []


async def test_the_form_brings_the_token_of_the_application(serve: Serve) -> None:
    client = serve(routes(), sign_in, xsrf_cookies=True, cookie_secret="x" * 32)
    async with bzz.deliver():
        await listening()
        written = Lighter(name="Ariel").save()
        written.name = "Belle"
        written.save()
        place = f"/lighter/{written.pk}/"
        await history_of(client, place, 2)
        found = await page(client, place)
        (action,) = found.attributes("form", "action", class_="undo")
        token = found.attributes("input", "value", name_="_xsrf")[-1]
        assert (await push(client, action)).status_code == 403
        assert (await push(client, action, _xsrf=token)).status_code == 303


async def test_who_may_not_write_has_no_button(serve: Serve) -> None:
    client = serve(routes(authorize=lambda method, model, instance_id, user: method != "PUT" or user == "ann"), sign_in)
    async with bzz.deliver():
        await listening()
        shown = await page(client, await lighter(client))
    assert shown.attributes("form", "action", class_="undo") == []
    assert len(shown.texts("td", data_label="Who")) == 2


async def test_a_model_without_a_history_has_no_such_section(serve: Serve) -> None:
    client = serve(routes())
    dolphin, empty = Dolphin(name="a").save(), Lighter(name="a").save()
    assert (await page(client, f"/dolphin/{dolphin.pk}/")).attributes("section", "id", id="history") == []
    shown = await page(client, f"/lighter/{empty.pk}/")
    assert "Nothing is recorded yet." in shown.texts("p", class_="muted")


async def test_hidden_fields_are_not_on_the_page(serve: Serve) -> None:
    client = serve(routes(hidden=["cargo"]))
    async with bzz.deliver():
        await listening()
        written = Lighter(name="Ariel", cargo="gold").save()
        place = f"/lighter/{written.pk}/"
        await history_of(client, place, 1)
        answer = await client.get(place, headers=ACCEPT)
    assert "gold" not in answer.text
    assert "cargo" not in answer.text.lower()

"""A page shows nothing that its reader could not read as JSON, and says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mongoengine as me
import pytest
from tornado.web import HTTPError

import bzz
from bzz import signals
from bzz.errors import Forbidden, Unauthorized
from bzz.problem import GUARD
from tests.conftest import Serve
from tests.explorer.conftest import ACCEPT, explored, seen

pytestmark = pytest.mark.usefixtures("database_name")


class RightsVault(me.Document):
    name = me.StringField(required=True)


class Keyring(me.Document):
    label = me.StringField()
    opens = me.ReferenceField(RightsVault)


def routes(**options: Any) -> bzz.RouteList:
    return explored(
        bzz.ModelHive.routes_for("mongoengine", RightsVault, **options),
        bzz.ModelHive.routes_for("mongoengine", Keyring),
    )


def nobody(method: str, model: type, instance_id: str | None, user: Any) -> bool:
    return False


async def test_the_guard_is_asked_before_a_page_is_made(serve: Serve) -> None:
    async def guard(handler: Any) -> None:
        raise Unauthorized("Sign in first.", headers={"WWW-Authenticate": "Bearer"})

    client = serve(routes(), **{GUARD: guard, "login_url": "/login"})
    for url in ("/rights_vault/", "/explorer/"):
        answer = await client.get(url, headers=ACCEPT)
        page = seen(answer.text)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "Sign in first." in page.texts("p", class_="detail")
        assert f"/login?next={url.replace('/', '%2F')}" in page.attributes("a", "href")
        assert "keyring" not in answer.text.lower()


async def test_what_authorize_refuses_is_a_page_with_a_403(serve: Serve) -> None:
    client = serve(routes(authorize=nobody))
    answer = await client.get("/rights_vault/", headers=ACCEPT)
    assert (answer.status_code, seen(answer.text).texts("h1")) == (403, ["Forbidden"])
    assert (await client.get("/rights_vault/")).headers["Content-Type"] == "application/problem+json"
    start = seen((await client.get("/explorer/", headers=ACCEPT)).text)
    assert start.attributes("a", "href", class_="card") == ["/keyring/"]


async def said_no(method: str, model: type, instance_id: str | None, user: Any) -> bool:
    raise HTTPError(403, reason="Not you")


async def never(method: str, model: type, instance_id: str | None, user: Any) -> bool:
    return False


def broken(method: str, model: type, instance_id: str | None, user: Any) -> bool:
    return bool(user["admin"])  # and nobody is signed in


@pytest.mark.parametrize("authorize", [nobody, never, said_no, broken])
async def test_the_menu_leaves_out_what_the_reader_may_not_list(
    serve: Serve, authorize: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(routes(authorize=authorize))
    for url, look in (("/keyring/", None), ("/explorer/", "card")):
        page = seen((await client.get(url, headers=ACCEPT)).text)
        hrefs = page.attributes("a", "href", **({} if look is None else {"class_": look}))
        assert "/keyring/" in hrefs
        assert "/rights_vault/" not in hrefs
    assert ("authorize of /rights_vault failed" in caplog.text) == (authorize is broken)
    menu = seen((await serve(routes()).get("/keyring/", headers=ACCEPT)).text)
    assert "/rights_vault/" in menu.attributes("a", "href")


async def test_what_may_not_be_read_is_not_named_by_what_refers_to_it(serve: Serve) -> None:
    Keyring(label="a", opens=RightsVault(name="Gold").save()).save()
    page = await serve(routes(authorize=nobody)).get("/keyring/", headers=ACCEPT)
    assert page.status_code == 200
    assert "Gold" not in page.text


async def test_what_a_receiver_may_refuse_is_not_named_by_what_refers_to_it(serve: Serve) -> None:
    def refuse(sender: type, handler: Any) -> None:
        raise Forbidden("Not today.")

    Keyring(label="a", opens=RightsVault(name="Gold").save()).save()
    with signals.pre_get_list.connected_to(refuse, sender=RightsVault):
        page = await serve(routes()).get("/keyring/", headers=ACCEPT)
    assert "Gold" not in page.text


async def test_a_form_is_offered_to_those_who_may_send_it(serve: Serve) -> None:
    def only_reading(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        return method == "GET"

    vault = RightsVault(name="Gold").save()
    page = seen((await serve(routes(authorize=only_reading)).get(f"/rights_vault/{vault.pk}/", headers=ACCEPT)).text)
    assert page.attributes("button", "type", type="submit") == []
    page = seen((await serve(routes()).get(f"/rights_vault/{vault.pk}/", headers=ACCEPT)).text)
    assert page.attributes("button", "type", type="submit") == ["submit"]


@pytest.mark.parametrize(
    ("url", "status"),
    [("/rights_vault/nothing/", 404), ("/rights_vault/?colour=red", 400), ("/rights_vault/x/y/z/", 404)],
)
async def test_a_mistake_in_the_url_is_a_page_too(serve: Serve, url: str, status: int) -> None:
    answer = await serve(routes()).get(url, headers=ACCEPT)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert seen(answer.text).texts("p", class_="status") == [str(status)]
    assert "Content-Security-Policy" in answer.headers


class RuledShelf(me.Document):
    label = me.StringField()


bzz.rules(RuledShelf, allow="admin", get="authenticated", list="authenticated")


@pytest.mark.parametrize(("role", "is_offered"), [("admin", True), ("reader", False)])
async def test_a_list_offers_to_edit_and_to_create_to_those_whom_the_rules_let(
    serve: Serve, role: str, is_offered: bool
) -> None:
    RuledShelf(label="a").save()

    async def guard(handler: Any) -> None:
        handler.current_user = {"id": "ann", "role": role}

    client = serve(explored(bzz.ModelHive.routes_for("mongoengine", RuledShelf)), **{GUARD: guard})
    answer = await client.get("/ruled_shelf/", headers=ACCEPT)
    assert answer.status_code == 200
    assert ("data-edit" in answer.text, "_view=new" in answer.text) == (is_offered, is_offered)
    assert (await client.get("/ruled_shelf/?_view=new", headers=ACCEPT)).status_code == (200 if is_offered else 403)

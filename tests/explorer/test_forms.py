"""Forms are sent without JavaScript, too: their method, their problems at the fields, and a stale state."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import mongoengine as me
import pytest

import bzz
from tests.conftest import Serve
from tests.explorer.conftest import ACCEPT, Seen, explored, seen

pytestmark = pytest.mark.usefixtures("database_name")


class FormBerth(me.EmbeddedDocument):
    number = me.IntField(required=True, min_value=1)
    side = me.StringField(choices=["port", "starboard"])


class Skipper(me.Document):
    name = me.StringField(required=True)


class FormFerry(me.Document):
    name = me.StringField(required=True, max_length=10)
    nickname = me.StringField()
    decks = me.IntField()
    fast = me.BooleanField()
    flags = me.ListField(me.StringField())
    main = me.EmbeddedDocumentField(FormBerth)
    berths = me.EmbeddedDocumentListField(FormBerth)
    skipper = me.ReferenceField(Skipper)
    crew = me.ListField(me.ReferenceField(Skipper))
    built = me.DateTimeField()
    extra = me.DictField()
    pin = me.StringField()
    code = me.StringField()
    place = me.PointField()

    meta = {"bzz": {"write_only": ["code"]}}  # noqa: RUF012  # MongoEngine reads it as it is


def routes(**options: Any) -> bzz.RouteList:
    return explored(
        bzz.ModelHive.routes_for("mongoengine", Skipper),
        bzz.ModelHive.routes_for("mongoengine", FormFerry, read_only=["pin"], **options),
    )


async def shown(client: httpx.AsyncClient, url: str) -> Seen:
    return seen((await client.get(url, headers=ACCEPT)).text)


async def submit(
    client: httpx.AsyncClient, page: Seen, changes: dict[str, Any], form: str = "panel document-form"
) -> httpx.Response:
    """Send a form as a browser does: all its inputs, some of them changed."""
    (action,) = page.attributes("form", "action", class_=form)
    tokens = page.attributes("input", "value", name_="_xsrf")[:1]
    given = {"_xsrf": tokens} if form in ("delete", "patch") else page.entered()
    if form != "patch":
        given.pop("patch", None)  # of another form of the page
    origin = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"
    return await client.post(action, data={**given, **changes}, headers={**ACCEPT, "Origin": origin})


async def test_a_form_creates_and_leads_to_what_it_made(serve: Serve) -> None:
    client = serve(routes())
    answer = await submit(client, await shown(client, "/form_ferry/?_view=new"), {"name": "Ariel", "main.number": "3"})
    ferry = FormFerry.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/form_ferry/{ferry.pk}/")
    assert (ferry.name, ferry.main.number) == ("Ariel", 3)


async def test_a_form_changes_what_was_changed_in_it(serve: Serve) -> None:
    skipper = Skipper(name="Ann").save()
    ferry = FormFerry(
        name="Ariel", decks=2, flags=["a", "b"], main=FormBerth(number=1), skipper=skipper, pin="7"
    ).save()
    client = serve(routes())
    answer = await submit(
        client, await shown(client, f"/form_ferry/{ferry.pk}/"), {"name": "Belle", "flags[]": ["b", ""]}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/form_ferry/{ferry.pk}/")
    ferry.reload()
    assert (ferry.name, ferry.decks, ferry.flags, ferry.main.number) == ("Belle", 2, ["b"], 1)
    assert (ferry.skipper.pk, ferry.pin, ferry.nickname) == (skipper.pk, "7", None)


async def test_line_breaks_stay_as_they_are(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel", nickname="one\ntwo", flags=["a\nb", "c"]).save()
    client = serve(routes())
    page = await shown(client, f"/form_ferry/{ferry.pk}/")
    sent = {"nickname": "one\r\ntwo", "flags[]": ["a\r\nb", "d", ""]}  # as browsers do it
    assert page.entered()["flags[]"] == ["a\nb", "c", ""]
    assert (await submit(client, page, sent)).status_code == 303
    ferry.reload()
    assert (ferry.nickname, ferry.flags) == ("one\ntwo", ["a\nb", "d"])


async def test_each_problem_stands_at_its_field_with_what_was_entered(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel", main=FormBerth(number=1)).save()
    client = serve(routes())
    changes = {"name": "much too long", "main.number": "zero"}
    answer = await submit(client, await shown(client, f"/form_ferry/{ferry.pk}/"), changes)
    page = seen(answer.text)
    assert answer.status_code == 400
    assert page.attributes("input", "value", id="field-name") == ["much too long"]
    for field in ("name", "main.number"):
        assert page.attributes("div", "class", data_field=field) == ["field bad"]
    assert page.attributes("form", "action", class_="panel") == [str(answer.request.url.raw_path, "ascii")]


async def test_a_form_that_began_with_an_older_state_stores_nothing(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel").save()
    client = serve(routes())
    page = await shown(client, f"/form_ferry/{ferry.pk}/")
    await client.put(f"/form_ferry/{ferry.pk}/", json={"decks": 5})
    answer = await submit(client, page, {"name": "Belle"})
    assert answer.status_code == 412
    assert "Somebody else changed it meanwhile" in answer.text
    assert "Belle" in seen(answer.text).attributes("input", "value")
    assert ferry.reload().name == "Ariel"


async def test_a_form_deletes_and_leads_back_to_the_list(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel").save()
    client = serve(routes())
    answer = await submit(client, await shown(client, f"/form_ferry/{ferry.pk}/"), {}, form="delete")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/form_ferry/")
    assert FormFerry.objects.count() == 0


async def test_forms_name_the_state_that_they_change_where_that_is_required(serve: Serve) -> None:
    skipper = Skipper(name="Ann").save()
    ferry = FormFerry(name="Ariel", main=FormBerth(number=1), berths=[FormBerth(number=2)], skipper=skipper).save()
    client = serve(routes(require_if_match=True))
    place = f"/form_ferry/{ferry.pk}/"
    for url, changes in ((place, {"name": "Belle"}), (f"{place}berths/0/", {"number": "3"})):
        assert (await submit(client, await shown(client, url), changes)).status_code == 303
    for url in (f"{place}berths/0/", f"{place}skipper/", place):
        assert (await submit(client, await shown(client, url), {}, form="delete")).status_code == 303
    assert (FormFerry.objects.count(), Skipper.objects.count()) == (0, 1)


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_form_of_another_site_changes_nothing(serve: Serve, headers: dict[str, str]) -> None:
    ferry = FormFerry(name="Ariel").save()
    answer = await serve(routes()).post(f"/form_ferry/{ferry.pk}/?_method=DELETE", headers=headers)
    assert answer.status_code == 403
    assert FormFerry.objects.count() == 1


async def test_what_a_browser_says_of_the_site_counts_more_than_the_origin(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel").save()
    client = serve(routes())
    headers = {"Origin": f"ftp://{urlsplit(str(client.base_url)).netloc}", "Sec-Fetch-Site": "cross-site"}
    answer = await client.post(f"/form_ferry/{ferry.pk}/?_method=DELETE", headers=headers)
    assert (answer.status_code, FormFerry.objects.count()) == (403, 1)


async def test_without_the_explorer_a_post_is_a_post(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel").save()
    client = serve(bzz.ModelHive.routes_for("mongoengine", FormFerry))
    origin = f"http://{urlsplit(str(client.base_url)).netloc}"
    answer = await client.post(f"/form_ferry/{ferry.pk}/?_method=DELETE", headers={"Origin": origin})
    assert answer.status_code == 405


async def test_a_form_passes_xsrf_cookies(serve: Serve) -> None:
    client = serve(routes(), xsrf_cookies=True)
    page = await shown(client, "/form_ferry/?_view=new")
    answer = await submit(client, page, {"name": "Ariel"})
    assert answer.status_code == 303
    client.cookies.clear()
    assert (await submit(client, page, {"name": "Belle"})).status_code == 403
    assert [each.name for each in FormFerry.objects] == ["Ariel"]


async def test_the_token_stands_in_the_bodies_of_forms_and_in_no_url(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel", berths=[FormBerth(number=1)]).save()
    client = serve(routes(), xsrf_cookies=True)
    for url in (
        "/form_ferry/",
        "/form_ferry/?_view=new",
        f"/form_ferry/{ferry.pk}/",
        f"/form_ferry/{ferry.pk}/berths/1/",
    ):
        page = await shown(client, url)
        urls = [*page.attributes("form", "action"), *page.attributes("a", "href")]
        assert urls
        assert not [each for each in urls if "_xsrf" in each]
        posts = len(page.attributes("form", "method", method="post"))
        assert len(page.attributes("input", "value", type="hidden", name_="_xsrf")) == posts


async def test_a_form_that_deletes_passes_xsrf_cookies(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel").save()
    client = serve(routes(), xsrf_cookies=True)
    page = await shown(client, f"/form_ferry/{ferry.pk}/")
    refused = await submit(client, page, {"_xsrf": "2|forged"}, form="delete")
    assert (refused.status_code, FormFerry.objects.count()) == (403, 1)
    assert (await submit(client, page, {}, form="delete")).status_code == 303
    assert FormFerry.objects.count() == 0


async def test_a_form_that_failed_can_be_sent_again(serve: Serve) -> None:
    client = serve(routes(), xsrf_cookies=True)
    page = seen((await submit(client, await shown(client, "/form_ferry/?_view=new"), {"name": "much too long"})).text)
    answer = await submit(client, page, {"name": "Ariel"}, form="panel")
    assert answer.status_code == 303
    assert FormFerry.objects.get().name == "Ariel"


async def test_what_is_inside_is_a_page_of_its_own(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel", berths=[FormBerth(number=1), FormBerth(number=2, side="port")]).save()
    client = serve(routes())
    page = await shown(client, f"/form_ferry/{ferry.pk}/")
    assert f"/form_ferry/{ferry.pk}/berths/1/" in page.attributes("a", "href", class_="key")
    inner = await shown(client, f"/form_ferry/{ferry.pk}/berths/1/")
    answer = await submit(client, inner, {"number": "9"})
    assert answer.headers["Location"] == f"/form_ferry/{ferry.pk}/berths/1/"
    assert [each.number for each in ferry.reload().berths] == [1, 9]


async def test_a_form_attaches_an_embedded_document(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel").save()
    client = serve(routes())
    page = await shown(client, f"/form_ferry/{ferry.pk}/berths/?_view=new")
    answer = await submit(client, page, {"number": "4", "side": "port"})
    assert answer.status_code == 303
    assert [each.number for each in ferry.reload().berths] == [4]


async def test_a_form_links_and_unlinks_a_document(serve: Serve) -> None:
    ferry, ann = FormFerry(name="Ariel").save(), Skipper(name="Ann").save()
    client = serve(routes())
    url = f"/form_ferry/{ferry.pk}/crew/"
    await submit(client, await shown(client, f"{url}?_view=new"), {"crew[]": [str(ann.pk)]})
    assert ferry.reload().crew == [ann]
    page = await shown(client, f"{url}{ann.pk}/")
    assert page.attributes("button", "type", type="submit") == []  # it is edited at its own URL
    await submit(client, page, {}, form="delete")
    assert ferry.reload().crew == []
    assert Skipper.objects.count() == 1


async def test_a_read_only_field_is_no_input(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel", pin="7").save()
    page = await shown(serve(routes()), f"/form_ferry/{ferry.pk}/")
    assert page.attributes("input", "value", id="field-pin") == ["7"]
    assert "pin" not in page.attributes("input", "name")


async def test_json_places_and_what_is_never_shown_are_edited_without_javascript(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel", code="old", extra={"a": 1}).save()
    client = serve(routes())
    page = await shown(client, f"/form_ferry/{ferry.pk}/")
    changes = {"_json:extra": '{"a": [1, {"b": null}]}', "_point:place": ["-34.9", "-8"], "code": "new"}
    assert (await submit(client, page, changes)).status_code == 303
    ferry.reload()
    assert (ferry.extra, ferry.place["coordinates"], ferry.code) == ({"a": [1, {"b": None}]}, [-34.9, -8], "new")
    page = await shown(client, f"/form_ferry/{ferry.pk}/")
    assert page.attributes("input", "value", name_="_point:place") == ["-34.9", "-8"]
    assert (await submit(client, page, {"_json:extra": "", "_point:place": ["", ""]})).status_code == 303
    ferry.reload()
    assert (ferry.extra, ferry.place, ferry.code) == ({}, None, "new")


async def test_what_is_no_json_is_told_at_its_field(serve: Serve) -> None:
    client = serve(routes())
    page = await shown(client, "/form_ferry/?_view=new")
    answer = await submit(client, page, {"name": "Ariel", "_json:extra": "{"})
    assert answer.status_code == 400
    assert seen(answer.text).attributes("div", "class", data_field="extra") == ["field bad"]
    assert seen(answer.text).attributes("input", "value", id="field-name") == ["Ariel"]
    assert FormFerry.objects.count() == 0


async def test_a_choice_is_taken_back_by_the_empty_one(serve: Serve) -> None:
    ferry = FormFerry(name="Ariel", main=FormBerth(number=1, side="port")).save()
    client = serve(routes())
    answer = await submit(client, await shown(client, f"/form_ferry/{ferry.pk}/"), {"main.side": ""})
    assert answer.status_code == 303
    assert ferry.reload().main.side is None

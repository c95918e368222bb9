"""The page of a list shows what its JSON twin answers, and leads to the others."""

from __future__ import annotations

from pathlib import Path

import mongoengine as me
import pytest

import bzz
from bzz import explorer
from tests.conftest import Serve
from tests.explorer.conftest import ACCEPT, explored, seen

HOSTILE = "<script>alert('x')</script>\"' onload=x &amp;"


class ListHarbour(me.Document):
    name = me.StringField(required=True)
    place = me.PointField()


class ListYacht(me.Document):
    name = me.StringField(required=True)
    length = me.FloatField()
    crew = me.ListField(me.StringField())
    home = me.ReferenceField(ListHarbour)
    secret = me.StringField()


class Logbook(me.Document):
    title = me.StringField()
    weather = me.StringField()
    meta = {"indexes": ["$title"]}  # noqa: RUF012  # MongoEngine reads it as it is


class ListHull(me.EmbeddedDocument):
    metal = me.StringField()


class ListCraft(me.Document):
    hull = me.EmbeddedDocumentField(ListHull)
    meta = {"allow_inheritance": True}  # noqa: RUF012  # MongoEngine reads it as it is


class ListTug(ListCraft):
    pull = me.IntField()


pytestmark = pytest.mark.usefixtures("database_name")


def routes() -> bzz.RouteList:
    return explored(
        bzz.ModelHive.routes_for("mongoengine", ListHarbour),
        bzz.ModelHive.routes_for("mongoengine", ListYacht, hidden=["secret"], per_page=2),
    )


async def test_a_browser_gets_a_page_and_every_other_client_json(serve: Serve) -> None:
    client = serve(routes())
    page = await client.get("/list_yacht/", headers=ACCEPT)
    plain = await client.get("/list_yacht/", headers={"Accept": "*/*"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert plain.json() == []
    assert page.headers["Vary"] == plain.headers["Vary"] == "Accept"
    assert page.headers["ETag"] != plain.headers["ETag"]


async def test_without_the_explorer_a_browser_gets_json(serve: Serve) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", ListHarbour))
    answer = await client.get("/list_harbour/", headers={"Accept": "text/html"})
    assert answer.json() == []


async def test_a_page_loads_nothing_from_elsewhere_and_runs_no_script_of_its_own(serve: Serve) -> None:
    page = await serve(routes()).get("/list_yacht/", headers=ACCEPT)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    shown = seen(page.text)
    assert shown.attributes("script", "src") == ["/explorer/explorer.js"]
    assert [each for each in shown.elements if each[0] == "style" or "style" in each[1]] == []


@pytest.mark.parametrize("name", ["explorer.css", "explorer.js", "bzz-live.js"])
async def test_the_files_of_the_pages_are_there(serve: Serve, name: str) -> None:
    assert (await serve(routes()).get(f"/explorer/{name}")).status_code == 200


def test_the_script_of_the_pages_is_at_most_twenty_kilobytes() -> None:
    script = Path(explorer.__file__).with_name("explorer.js")
    assert script.stat().st_size <= 20 * 1024


async def test_references_are_shown_by_their_names(serve: Serve) -> None:
    harbour = ListHarbour(name="Recife").save()
    ListYacht(name="Ariel", home=harbour).save()
    shown = seen((await serve(routes()).get("/list_yacht/", headers=ACCEPT)).text)
    assert shown.texts("a", href=f"/list_harbour/{harbour.pk}/") == ["Recife"]


async def test_hidden_fields_are_on_no_page(serve: Serve) -> None:
    yacht = ListYacht(name="Ariel", secret="treasure").save()
    client = serve(routes())
    for url in ("/list_yacht/", f"/list_yacht/{yacht.pk}/", "/list_yacht/?_view=new"):
        page = await client.get(url, headers=ACCEPT)
        assert page.status_code == 200
        assert "treasure" not in page.text
        assert "secret" not in page.text


@pytest.mark.parametrize("view", ["", "{pk}/"])
async def test_what_is_stored_is_text_and_never_markup(serve: Serve, view: str) -> None:
    harbour = ListHarbour(name=HOSTILE, place=[1, 2]).save()
    yacht = ListYacht(name=HOSTILE, crew=[HOSTILE], home=harbour).save()
    client = serve(routes())
    for url in (f"/list_yacht/{view.format(pk=yacht.pk)}", f"/list_harbour/{view.format(pk=harbour.pk)}"):
        page = await client.get(url, headers=ACCEPT)
        shown = seen(page.text)
        assert HOSTILE in "".join([*shown.texts("h1"), *shown.texts("span"), *shown.texts("td"), *shown.texts("title")])
        assert len(shown.attributes("script", "src")) == len(shown.texts("script")) == 1
        assert [each for each in shown.elements if "onload" in each[1]] == []


async def test_a_page_of_a_list_leads_to_the_next_and_back(serve: Serve) -> None:
    for name in "ABC":
        ListYacht(name=name).save()
    client = serve(routes())
    first = seen((await client.get("/list_yacht/?sort=name", headers=ACCEPT)).text)
    (following,) = first.attributes("a", "href", rel="next")
    second = seen((await client.get(following, headers=ACCEPT)).text)
    assert second.attributes("tr", "data-name") == ["C"]
    assert first.attributes("a", "rel", rel="prev") == []
    (back,) = second.attributes("a", "href", rel="prev")
    assert seen((await client.get(back, headers=ACCEPT)).text).attributes("tr", "data-name") == ["A", "B"]


async def test_the_filter_form_leads_to_the_filter_of_the_json_twin(serve: Serve) -> None:
    answer = await serve(routes()).get(
        "/list_yacht/?sort=name&after=x&_field=length&_op=gte&_value=3", headers=ACCEPT, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/list_yacht/?sort=name&length__gte=3")


async def test_the_columns_form_leads_to_the_fields_of_the_json_twin(serve: Serve) -> None:
    answer = await serve(routes()).get("/list_yacht/?_columns=name&_columns=crew", headers=ACCEPT)
    assert answer.headers["Location"] == "/list_yacht/?fields=name%2Ccrew"
    page = seen((await serve(routes()).get("/list_yacht/?fields=crew", headers=ACCEPT)).text)
    assert page.texts("p", class_="sub") != []


async def test_a_filter_is_named_and_can_be_taken_away(serve: Serve) -> None:
    page = seen((await serve(routes()).get("/list_yacht/?length__gte=3&sort=name", headers=ACCEPT)).text)
    assert page.attributes("a", "href", class_="chip") == ["/list_yacht/?sort=name"]
    assert "Nothing matches these filters." in page.texts("strong")


async def test_a_column_sorts_and_then_turns_round(serve: Serve) -> None:
    ListYacht(name="A").save()
    client = serve(routes())
    assert "/list_yacht/?sort=name" in seen((await client.get("/list_yacht/", headers=ACCEPT)).text).attributes(
        "a", "href"
    )
    page = seen((await client.get("/list_yacht/?sort=name", headers=ACCEPT)).text)
    assert "/list_yacht/?sort=-name" in page.attributes("a", "href")
    assert page.attributes("th", "data-name", aria_sort="ascending") == ["name"]


async def test_nothing_is_counted_unless_it_is_asked_for(serve: Serve) -> None:
    ListYacht(name="A").save()
    client = serve(routes())
    page = await client.get("/list_yacht/", headers=ACCEPT)
    assert "X-Total-Count" not in page.headers
    page = await client.get("/list_yacht/?_count=exact", headers=ACCEPT)
    assert seen(page.text).texts("strong") == ["1"]


async def test_places_are_on_a_map(serve: Serve) -> None:
    harbour = ListHarbour(name="Recife", place=[-34.9, -8.05]).save()
    page = seen((await serve(routes()).get("/list_harbour/", headers=ACCEPT)).text)
    assert page.attributes("a", "aria-label", data_key=str(harbour.pk)) == ["Recife"]
    assert page.attributes("circle", "cx", r="5") == ["480.0"]


async def test_the_json_of_a_page_is_one_click_away(serve: Serve) -> None:
    ListYacht(name="A").save()
    client = serve(routes())
    (url,) = [
        each
        for each in seen((await client.get("/list_yacht/?name=A", headers=ACCEPT)).text).attributes("a", "href")
        if "json" in each
    ]
    answer = await client.get(url, headers=ACCEPT)
    assert [each["name"] for each in answer.json()] == ["A"]


async def test_the_start_page_leads_to_every_resource(serve: Serve) -> None:
    page = seen((await serve(routes()).get("/explorer/", headers=ACCEPT)).text)
    assert page.attributes("a", "href", class_="card") == ["/list_harbour/", "/list_yacht/"]


async def test_values_are_counted_and_each_narrows_the_list(serve: Serve) -> None:
    harbour = ListHarbour(name="Recife").save()
    for name, home in (("A", harbour), ("B", harbour), ("C", None)):
        ListYacht(name=name, home=home).save()
    client = serve(routes())
    page = seen((await client.get("/list_yacht/", headers=ACCEPT)).text)
    assert "/list_yacht/?facets=home" in page.attributes("a", "href")
    page = seen((await client.get("/list_yacht/?facets=home", headers=ACCEPT)).text)
    assert page.texts("span", class_="count") == ["2", "1"]
    (narrowed,) = [each for each in page.attributes("a", "href") if f"home={harbour.pk}" in each]
    page = seen((await client.get(narrowed, headers=ACCEPT)).text)
    assert page.attributes("tr", "data-name") == ["A", "B"]


async def test_an_expanded_reference_is_shown_by_its_name(serve: Serve) -> None:
    ListYacht(name="Ariel", home=ListHarbour(name="Recife").save()).save()
    page = seen((await serve(routes()).get("/list_yacht/?expand=home", headers=ACCEPT)).text)
    assert page.texts("span", class_="reference") == ["Recife"]


async def test_a_list_filtered_over_a_reference_is_not_said_to_be_live(serve: Serve) -> None:
    models = bzz.flatten(
        [bzz.ModelHive.routes_for("mongoengine", each, live=True) for each in (ListHarbour, ListYacht)]
    )
    client = serve(explored(models))
    for query, live in (("", 1), ("?name=A&facets=name", 1), ("?home.name=Recife", 0)):
        page = seen((await client.get(f"/list_yacht/{query}", headers=ACCEPT)).text)
        assert len(page.attributes("span", "data-url", id="live")) == live


async def test_words_are_searched_where_the_model_has_a_text_index(serve: Serve) -> None:
    for title in ("Calm sea", "Rough sea", "Harbour"):
        Logbook(title=title, weather="fair").save()
    client = serve(explored(*(bzz.ModelHive.routes_for("mongoengine", each) for each in (Logbook, ListHarbour))))
    page = seen((await client.get("/logbook/?weather=fair&sort=-title&page=1", headers=ACCEPT)).text)
    (action,) = page.attributes("form", "action", role="search")
    page = seen((await client.get(f"{action}?weather=fair&sort=-title&q=sea", headers=ACCEPT)).text)
    assert page.attributes("tr", "data-name") == ["Rough sea", "Calm sea"]
    assert page.attributes("input", "value", type="search") == ["sea"]
    assert page.texts("a", class_="chip")[0].startswith("Has the words sea")
    page = seen((await client.get("/list_harbour/", headers=ACCEPT)).text)
    assert page.attributes("form", "action", role="search") == []


async def test_a_search_keeps_the_filters_and_begins_at_the_first_page(serve: Serve) -> None:
    client = serve(explored(bzz.ModelHive.routes_for("mongoengine", Logbook)))
    page = await client.get("/logbook/?weather=fair&page=2&q=sea", headers=ACCEPT)
    form = page.text.partition('role="search"')[2].partition("</form>")[0]
    assert seen(form).entered() == {"weather": ["fair"], "q": ["sea"]}


async def test_the_filter_offers_fields_of_embedded_documents_and_of_subclasses(serve: Serve) -> None:
    ListTug(pull=7, hull=ListHull(metal="iron")).save()
    client = serve(explored(bzz.ModelHive.routes_for("mongoengine", ListCraft)))
    page = seen((await client.get("/list_craft/", headers=ACCEPT)).text)
    operators = dict(zip(page.attributes("option", "value"), page.attributes("option", "data-operators"), strict=False))
    assert {"id", "hull.metal", "pull"} <= set(operators)
    assert "hull" not in operators
    page = seen((await client.get("/list_craft/?pull__gte=7&hull.metal=iron", headers=ACCEPT)).text)
    assert len(page.attributes("tr", "data-key")) == 1


class ListBarque(me.Document):
    name = me.StringField()
    masts = me.IntField()
    home = me.ReferenceField(ListHarbour)


def barques() -> bzz.RouteList:
    parameters = [bzz.QueryParameter("tall", int, lambda value, handler: {"masts": {"gte": value}})]
    return explored(bzz.ModelHive.routes_for("mongoengine", ListBarque, parameters=parameters, live=True))


async def test_combined_filters_and_parameters_of_the_application_are_kept_and_can_be_taken_away(serve: Serve) -> None:
    for name, masts in (("one", 1), ("two", 2), ("three", 3)):
        ListBarque(name=name, masts=masts).save()
    page = (await serve(barques()).get("/list_barque/?or=masts=1|masts=3&tall=2", headers=ACCEPT)).text
    assert ("three" in page, "two" in page, "one<" in page) == (True, False, False)
    assert "Remove the filter: Any of masts=1|masts=3" in page
    assert '<input type="hidden" name="or" value="masts=1|masts=3">' in page
    assert '<input type="hidden" name="tall" value="2">' in page


@pytest.mark.parametrize(
    ("query", "is_live"), [("or=masts=1|masts=3", True), ("tall=2", True), ("or=masts=1|home.name=x", False)]
)
async def test_a_list_is_followed_unless_its_filters_reach_over_references(
    serve: Serve, query: str, is_live: bool
) -> None:
    page = (await serve(barques()).get(f"/list_barque/?{query}", headers=ACCEPT)).text
    assert ("snapshot=false" in page) is is_live

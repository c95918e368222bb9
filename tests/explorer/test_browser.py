"""In a real browser the pages change live, are edited in place and in a drawer, and please people and their tools."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import mongoengine as me
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait
from tornado.web import Application

import bzz
from bzz import explorer
from tests.auth.conftest import browser
from tests.conftest import Serve
from tests.explorer.conftest import explored

__all__ = ["browser"]

pytestmark = pytest.mark.slow  # a browser is started for each

WIDTHS = (390, 768, 1280)

HOSTILE = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"

TYPE = """
const field = document.querySelector(arguments[0]);
field.value = arguments[1];
for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
"""

SAYS = """
return [...document.querySelectorAll(arguments[0])].some((each) => each.textContent.includes(arguments[1]));
"""

OPEN = """
[...document.querySelectorAll(".pop")].find((each) => each.textContent.startsWith(arguments[0])).open = true;
"""

AXE = """
const done = arguments[0];
axe.run(document).then((found) => done(found.violations.map((each) => `${each.id}: ${each.nodes[0].html}`)));
"""


class BrowserKeel(me.EmbeddedDocument):
    metal = me.StringField(required=True)


class Marina(me.Document):
    name = me.StringField(required=True)
    place = me.PointField()
    meta = {"indexes": ["$name"]}  # noqa: RUF012  # MongoEngine reads it as it is


class Sloop(me.Document):
    name = me.StringField(required=True, max_length=80)
    length = me.IntField()
    kind = me.StringField(choices=["fast", "slow"])
    marina = me.ReferenceField(Marina)
    keels = me.EmbeddedDocumentListField(BrowserKeel)
    main = me.EmbeddedDocumentField(BrowserKeel)
    flags = me.ListField(me.StringField())
    more = me.DictField()
    seen_at = me.DateTimeField()


class Shown:
    """A browser with the pages of the application."""

    def __init__(self, browser: Chrome, client: httpx.AsyncClient) -> None:
        self._browser = browser
        self.client = client

    async def open(self, url: str) -> None:
        """Open a page, and wait until it is live."""
        await self.get(url)
        await self.says("#live-state", "live")

    async def get(self, url: str) -> None:
        await asyncio.to_thread(self._browser.get, str(self.client.base_url).rstrip("/") + url)

    async def run(self, script: str, *arguments: Any) -> Any:
        return await asyncio.to_thread(self._browser.execute_script, script, *arguments)

    async def until(self, script: str, *arguments: Any) -> None:
        """Wait until a script returns something true."""

        def holds(browser: Chrome) -> bool:
            return bool(browser.execute_script(script, *arguments))

        await asyncio.to_thread(WebDriverWait(self._browser, 20, 0.05).until, holds)

    async def click(self, selector: str) -> None:
        await self.until("return document.querySelector(arguments[0])", selector)
        await self.run("document.querySelector(arguments[0]).click()", selector)

    async def type(self, selector: str, text: str) -> None:
        await self.until("return document.querySelector(arguments[0])", selector)
        await self.run(TYPE, selector, text)

    async def says(self, selector: str, words: str) -> None:
        """Wait until an element holds some words."""
        await self.until(SAYS, selector, words)

    async def complaints(self) -> list[str]:
        """What the browser logged as an error, blocked scripts among it."""
        return [each["message"] for each in await asyncio.to_thread(self._browser.get_log, "browser")]


@pytest.fixture
async def shown(serve: Serve, database_name: str, browser: Chrome) -> Shown:
    def configure(app: Application) -> None:
        explorer.configure(app, insight=lambda handler: True)

    routes = explored(
        bzz.ModelHive.routes_for("mongoengine", Sloop, live=True),
        bzz.ModelHive.routes_for("mongoengine", Marina, live=True),
    )
    return Shown(browser, serve(routes, configure))


def sloop(**values: Any) -> Any:
    return Sloop(**{"name": "Ariel", "length": 7, "keels": [BrowserKeel(metal="lead")], **values}).save()


async def test_a_row_changes_live_and_its_cell_flashes(shown: Shown) -> None:
    boat = sloop()
    await shown.open("/sloop/")
    await shown.client.put(f"/sloop/{boat.pk}/", json={"length": 9})
    await shown.says(f"tr[data-key='{boat.pk}'] td.flash", "9")
    other = (await shown.client.post("/sloop/", json={"name": HOSTILE})).json()
    await shown.says(f"tr[data-key='{other['id']}']", HOSTILE)
    await shown.client.delete(f"/sloop/{boat.pk}/")
    await shown.until("return document.querySelector('tr.gone')")
    assert await shown.run("return window.hit") is None
    assert await shown.complaints() == []


async def test_a_row_is_edited_in_place(shown: Shown) -> None:
    boat = sloop()
    await shown.open("/sloop/")
    await shown.click("#rows tbody .row-buttons button")
    await shown.type("#rows [data-field=name] input", "Belle")
    await shown.click("#rows .row-buttons .primary")
    await shown.says("#rows td", "Belle")
    assert boat.reload().name == "Belle"


async def test_a_document_is_edited_in_a_drawer(shown: Shown) -> None:
    boat = sloop()
    await shown.open("/sloop/")
    await shown.click("#rows tbody .row-buttons [data-drawer]")
    await shown.type("dialog [data-field=name] input", "Belle")
    await shown.click("dialog .document-form [type=submit]")
    await shown.says("#rows td", "Belle")
    await shown.until("return !document.querySelector('dialog')")
    assert boat.reload().name == "Belle"


async def test_what_a_click_caused_stands_beside_the_form(shown: Shown) -> None:
    async def hoist(event: bzz.Event) -> None:
        await bzz.emit("sail.hoisted")

    boat = sloop()
    bzz.on("Sloop.updated")(hoist)
    try:
        await shown.open(f"/sloop/{boat.pk}/")
        await shown.says(".listening", "Sloop.updated")
        await shown.type("#field-length", "8")
        await shown.click(".document-form [type=submit]")
        await shown.says("#caused", "sail.hoisted")
    finally:
        bzz.off(hoist)
    assert boat.reload().length == 8


async def test_a_problem_stands_at_its_field(shown: Shown) -> None:
    boat = sloop()
    await shown.open(f"/sloop/{boat.pk}/")
    await shown.type("#field-length", "much")
    await shown.click(".document-form [type=submit]")
    await shown.says("[data-field=length].bad .field-errors", "Must be an integer")


async def test_numbers_that_javascript_cannot_hold_keep_their_digits(shown: Shown) -> None:
    boat = sloop()
    await shown.open(f"/sloop/{boat.pk}/")
    await shown.type("#field-length", "9007199254740993")
    await shown.click(".document-form [type=submit]")
    await shown.says("#toasts", "Saved")
    assert boat.reload().length == 9007199254740993


async def test_a_stale_save_shows_both_sides_first(shown: Shown) -> None:
    boat = sloop(kind="fast")
    await shown.open(f"/sloop/{boat.pk}/")
    await shown.type("#field-name", "Mine")
    await shown.client.put(f"/sloop/{boat.pk}/", json={"name": "Theirs", "kind": "slow"})
    await shown.says(".form-note", "Somebody else changed")
    await shown.click(".document-form [type=submit]")
    await shown.says(".compare", "Theirs")
    assert boat.reload().name == "Theirs"
    assert await shown.run("return document.querySelector('#field-kind').value") == "slow"
    await shown.click(".compare .primary")
    await shown.says(".form-note", "save it")
    await shown.click(".document-form [type=submit]")
    await shown.says("#toasts", "Saved")
    boat.reload()
    assert (boat.name, boat.kind) == ("Mine", "slow")


async def test_a_reference_is_found_by_its_name(shown: Shown) -> None:
    boat, marina = sloop(), Marina(name="Recife").save()
    await shown.open(f"/sloop/{boat.pk}/")
    await shown.type("#field-marina", "cif")
    await shown.says(".matches", "Recife")
    await shown.type(".matches", str(marina.pk))
    await shown.says(".hint", "Recife")
    await shown.until("return !document.querySelector('.matches')")
    await shown.click(".document-form [type=submit]")
    await shown.says("a.reference", "Recife")
    assert boat.reload().marina == marina


async def test_a_reference_is_chosen_by_keyboard(shown: Shown, browser: Chrome) -> None:
    def press(*keys: str) -> None:
        for each in keys:
            browser.switch_to.active_element.send_keys(each)

    boat, marina = sloop(), Marina(name="Recife").save()
    await shown.get(f"/sloop/{boat.pk}/")
    await shown.run("document.querySelector('#field-marina').focus()")
    await asyncio.to_thread(press, "cif")
    await shown.says(".matches", "Recife")
    await asyncio.to_thread(press, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    await shown.until("return !document.querySelector('.matches') && document.activeElement.id === 'field-marina'")
    assert await shown.run("return document.activeElement.value") == str(marina.pk)
    await asyncio.to_thread(press, Keys.ENTER)
    await shown.says("#toasts", "Saved")
    assert boat.reload().marina == marina
    assert await shown.complaints() == []


async def test_the_drawer_adds_what_is_inside(shown: Shown) -> None:
    boat = sloop()
    await shown.open(f"/sloop/{boat.pk}/")
    await shown.click(".children [data-drawer]")
    await shown.type("dialog [data-field=metal] input", "iron")
    await shown.click("dialog .document-form [type=submit]")
    await shown.says(".children td", "iron")
    assert [each.metal for each in boat.reload().keels] == ["lead", "iron"]


async def test_items_of_several_lines_stay_as_they_are_beside_one_that_is_edited(shown: Shown) -> None:
    boat = sloop(flags=["a\nb", "c"])
    await shown.get(f"/sloop/{boat.pk}/")
    await shown.type("[data-field=flags] .item:nth-child(2) input", "d")
    await shown.click(".document-form [type=submit]")
    await shown.says("#toasts", "Saved")
    assert boat.reload().flags == ["a\nb", "d"]


async def test_free_json_lists_and_places_are_edited(shown: Shown) -> None:
    boat, marina = sloop(flags=["a"], more={"a": 1}), Marina(name="Recife").save()
    await shown.get(f"/sloop/{boat.pk}/")
    await shown.type("[data-field=flags] .item:last-child input", "b")
    await shown.type("#field-more", '{"a": 9007199254740993}')
    await shown.click(".document-form [type=submit]")
    await shown.says("#toasts", "Saved")
    await shown.until("return !document.querySelector('.form-state').textContent")  # the page is read again
    boat.reload()
    assert (boat.flags, boat.more) == (["a", "b"], {"a": 9007199254740993})
    await shown.type("#field-more", "{")
    await shown.click(".document-form [type=submit]")
    await shown.says("[data-field=more].bad .field-errors", "no JSON")
    await shown.get(f"/marina/{marina.pk}/")
    await shown.type("#field-place", "-34.9")
    await shown.type("#field-place-latitude", "-8.05")
    await shown.click(".document-form [type=submit]")
    await shown.says("#toasts", "Saved")
    assert marina.reload().place["coordinates"] == [-34.9, -8.05]


async def test_a_document_is_deleted_after_it_was_changed(shown: Shown) -> None:
    boat = sloop()
    await shown.get(f"/sloop/{boat.pk}/")
    await shown.type("#field-length", "8")
    await shown.says(".form-state", "changed: 1")
    await shown.click(".document-form [type=submit]")
    await shown.until("return !document.querySelector('.form-state').textContent")  # the page is read again
    await shown.click("form.delete button")
    await shown.until("return location.pathname === '/sloop/'")
    assert Sloop.objects.count() == 0


async def test_rows_that_are_known_by_their_place_are_edited_in_place(shown: Shown) -> None:
    boat = sloop(keels=[BrowserKeel(metal="lead"), BrowserKeel(metal="iron")])
    await shown.open(f"/sloop/{boat.pk}/keels/")
    await shown.click("#rows tbody tr:last-child [data-edit]")
    await shown.type("#rows [data-field=metal] input", "zinc")
    await shown.click("#rows .row-buttons .primary")
    await shown.says("#rows td", "zinc")
    assert [each.metal for each in boat.reload().keels] == ["lead", "zinc"]


async def test_many_rows_change_at_once(shown: Shown) -> None:
    boats = [sloop(name=f"Boat {number}") for number in range(15)]
    await shown.open("/sloop/?fields=name,length&length__gte=1")
    for each in boats:
        await shown.client.put(f"/sloop/{each.pk}/", json={"length": 41})
    await shown.until(
        "return [...document.querySelectorAll('#rows td')].filter((e) => e.textContent == 41).length == 15"
    )
    await shown.client.put(f"/sloop/{boats[0].pk}/", json={"length": 0})
    await shown.until("return document.querySelectorAll('tr.gone').length == 1")


async def test_a_request_is_copied(shown: Shown, browser: Chrome) -> None:
    await shown.get("/sloop/?name=Ariel")
    await asyncio.to_thread(
        browser.execute_cdp_cmd, "Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]}
    )
    await shown.run(OPEN, "Copy")
    await shown.click("[data-copy]")
    await shown.says("#toasts", "Copied")


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core (https://github.com/dequelabs/axe-core)."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    place: Path = tmp_path_factory.mktemp("axe")
    install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts", "axe-core@4"]
    subprocess.run(install, cwd=place, check=True, timeout=50)
    return (place / "node_modules" / "axe-core" / "axe.min.js").read_text()


async def audit(shown: Shown, browser: Chrome, axe: str) -> list[str]:
    """What axe-core finds on the page, and whether it is wider than the window."""
    await asyncio.to_thread(browser.execute_cdp_cmd, "Runtime.evaluate", {"expression": axe})
    found: list[str] = await asyncio.to_thread(browser.execute_async_script, AXE)
    wider = await shown.run("return document.documentElement.scrollWidth - innerWidth")
    return [*found, *([f"{wider} pixels too wide"] if wider > 0 else [])]


async def opened(shown: Shown) -> None:
    for each in ("Filter", "Columns", "Copy"):
        await shown.run(OPEN, each)


@pytest.mark.parametrize("name", ["Filter", "Columns", "Counts", "Copy"])
async def test_what_a_button_opens_fits_into_the_window(shown: Shown, browser: Chrome, name: str) -> None:
    sloop(name="a")
    for width in (800, 1024, 1100, 1280, 1366, 1440, 1600):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await asyncio.to_thread(browser.execute_cdp_cmd, "Emulation.setDeviceMetricsOverride", size)
        await shown.get("/sloop/")
        await shown.run(OPEN, name)
        assert await shown.run("return document.documentElement.scrollWidth - innerWidth") <= 0, width


async def in_a_drawer(shown: Shown) -> None:
    await shown.click("#rows tbody .row-buttons [data-drawer]")
    await shown.until("return document.querySelector('dialog .document-form')")


async def in_place(shown: Shown) -> None:
    await shown.click("#rows tbody .row-buttons button")
    await shown.until("return document.querySelector('#rows .field')")


async def as_it_is(shown: Shown) -> None:
    pass


@pytest.mark.parametrize(
    ("url", "prepare"),
    [
        ("/explorer/", as_it_is),
        ("/sloop/?sort=name&length__gte=1", as_it_is),
        ("/sloop/", opened),
        ("/sloop/", in_a_drawer),
        ("/sloop/", in_place),
        ("/sloop/?name=none", as_it_is),
        ("/marina/", as_it_is),
        ("/sloop/{pk}/", as_it_is),
        ("/sloop/{pk}/keels/", as_it_is),
        ("/sloop/?_view=new", as_it_is),
        ("/sloop/nothing/", as_it_is),
    ],
)
async def test_every_page_can_be_used_by_everybody_at_any_width(
    shown: Shown, browser: Chrome, axe: str, url: str, prepare: Callable[[Shown], Any]
) -> None:
    marina = Marina(name="Recife " * 4, place=[-34.9, -8.05]).save()
    boat = sloop(
        name="W" * 80, marina=marina, kind="fast", main=BrowserKeel(metal="iron"), flags=["a"], more={"a": [1]}
    )
    for scheme, width in itertools.product(("light", "dark"), WIDTHS):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await asyncio.to_thread(browser.execute_cdp_cmd, "Emulation.setEmulatedMedia", media)
        await asyncio.to_thread(browser.execute_cdp_cmd, "Emulation.setDeviceMetricsOverride", size)
        await shown.get(url.format(pk=boat.pk))
        await prepare(shown)
        assert await audit(shown, browser, axe) == [], (scheme, width)

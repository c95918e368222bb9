"""The airports change in the demo's page, beside the diff, whoever changes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.auth.conftest import browser
from tests.docs.demo import Demo

__all__ = ["browser"]

pytestmark = pytest.mark.slow  # it starts the demo, with its servers


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path / "data", "--port", "0", "--rows", "300")
    yield running
    assert running.stop() == 0


def follow(browser: Chrome, address: str) -> None:
    """Open the page, and follow the airports of the United States above 500 feet."""
    browser.get(address)
    browser.execute_script("country.value = 'BR'; above.value = '-9999'; choose.requestSubmit()")
    WebDriverWait(browser, 20, 0.05).until(lambda _: re.match(r"\d", text(browser, "followed")))


def text(browser: Chrome, element: str) -> str:
    return browser.find_element(By.ID, element).text


def shown(browser: Chrome, words: str) -> None:
    """Wait until the list of diffs, and the table, show what has changed."""
    WebDriverWait(browser, 20, 0.05).until(lambda _: words in text(browser, "diffs"), f"{words!r} was never shown")


def test_the_page_shows_what_both_processes_and_the_mongo_shell_change(
    demo: Demo, browser: Chrome, tmp_path: Path
) -> None:
    address = demo.wait_until_ready()
    follow(browser, address)
    processes: set[str] = set()
    number = 0
    while len(processes) < 2:  # the system chooses which process gets a new connection
        number += 1
        assert number < 200, "only one process ever answered"
        httpx.put(f"{address}/airport/SBRF/", json={"city": f"Olinda {number}"}, trust_env=False).raise_for_status()
        processes |= {each["process"] for each in httpx.get(f"{address}/changes", trust_env=False).json()}
    shown(browser, f"→ Olinda {number}")
    assert f"Olinda {number}" in text(browser, "airports")

    uri = re.search(r"mongosh '(.+)'", demo.output)
    assert uri is not None
    with MongoClient[dict[str, Any]](uri[1]) as shell:
        shell.get_default_database()["airport"].update_one({"_id": "SBRF"}, {"$set": {"city": "Recife"}})
    shown(browser, f"city: Olinda {number} → Recife")
    browser.save_screenshot(str(tmp_path / "live.png"))


def test_an_edit_in_one_window_shows_in_another_and_is_printed(demo: Demo, browser: Chrome) -> None:
    address = demo.wait_until_ready()
    follow(browser, address)
    editing = browser.current_window_handle
    browser.switch_to.new_window("window")
    watching = browser.current_window_handle
    follow(browser, address)

    browser.switch_to.window(editing)
    city = browser.find_element(By.CSS_SELECTOR, "td[aria-label*='city of SBRF']")
    city.send_keys(Keys.ENTER)
    browser.switch_to.active_element.send_keys("Olinda", Keys.ENTER)  # what was there is selected, and goes
    shown(browser, "city: Recife → Olinda")

    browser.switch_to.window(watching)
    shown(browser, "city: Recife → Olinda")
    demo.wait_for("Airport updated by PUT /airport/SBRF/\n    city: 'Recife' -> 'Olinda'\n")


def test_the_map_shows_every_airport(demo: Demo, browser: Chrome) -> None:
    address = demo.wait_until_ready()
    stored = httpx.get(f"{address}/airport/?per_page=1", headers={"Prefer": "count=exact"}, trust_env=False)
    browser.get(address)
    WebDriverWait(browser, 20, 0.05).until(lambda _: text(browser, "told").startswith(stored.headers["X-Total-Count"]))
    drawn = browser.execute_script(
        "const shot = map.getContext('2d').getImageData(0, 0, map.width, map.height).data;"
        "return shot.filter((value, place) => place % 4 === 3 && value > 0).length"
    )
    assert drawn > 100

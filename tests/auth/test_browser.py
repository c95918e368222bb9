"""A browser signs in to the demo, asks who it is, writes, and signs out.

The demo and its OpenID Connect server are as ``make run`` starts them; the browser is Chromium.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.docs.demo import Demo

pytestmark = pytest.mark.slow  # the demo and a browser are started

FETCH = """
const [method, path, body, done] = arguments, headers = {"Content-Type": "application/json"};
fetch(path, {method, headers, body}).then(answer => answer.json()).then(done)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the demo, with few airports."""
    running = Demo(tmp_path_factory.mktemp("demo") / "data", "--port", "0", "--rows", "30")
    yield running.wait_until_ready()
    assert running.stop() == 0
    assert "Traceback" not in running.output


class Page:
    """What a person sees and does."""

    def __init__(self, browser: Chrome, pictures: Path) -> None:
        self.browser = browser
        self._pictures = pictures

    def text(self, element: str) -> str:
        return self.browser.find_element(By.ID, element).text

    def wait_for(self, element: str, pattern: str) -> None:
        on_the_way = (NoSuchElementException, StaleElementReferenceException)  # another page is coming
        WebDriverWait(self.browser, 20, 0.05, on_the_way).until(
            lambda _: re.search(pattern, self.text(element)), f"{element} never showed {pattern!r}"
        )

    def click(self, element: str) -> None:
        self.browser.find_element(By.ID, element).click()

    def write(self, review: str) -> None:
        field = self.browser.find_element(By.ID, "text")
        field.clear()
        field.send_keys(review)
        self.browser.find_element(By.CSS_SELECTOR, "#write button").click()

    def fetch(self, method: str, path: str, **body: str) -> Any:
        """The JSON that the page's own site answers."""
        return self.browser.execute_async_script(FETCH, method, path, json.dumps(body) if body else None)

    def picture(self, name: str) -> None:
        self.browser.save_screenshot(str(self._pictures / f"{name}.png"))


def sign_in(page: Page, user: str) -> None:
    page.click("sign-in")
    page.click("openid")
    WebDriverWait(page.browser, 20, 0.05).until(lambda browser: browser.find_elements(By.NAME, "sub"))
    page.browser.find_element(By.NAME, "sub").send_keys(user)
    page.browser.find_element(By.XPATH, "//button[text()='Authorize']").click()


def eves_page(browser: Chrome, demo: str, tmp_path: Path) -> Page:
    """The demo's page, with Eve signed in."""
    page = Page(browser, tmp_path)
    browser.get(demo)
    page.wait_for("who", "Nobody is signed in")
    sign_in(page, "eve")
    page.wait_for("who", "eve")
    return page


def reviews(demo: str, text: str) -> list[Any]:
    found: list[Any] = httpx.get(f"{demo}/review/", params={"text": text}, trust_env=False).json()
    return found


def test_a_person_signs_in_writes_and_signs_out(browser: Chrome, demo: str, tmp_path: Path) -> None:
    page = Page(browser, tmp_path)
    browser.get(demo)
    page.wait_for("who", "Nobody is signed in")
    page.write("too early")
    page.wait_for("problem", "Sign in first")
    page.picture("1-stranger")

    sign_in(page, "ada")
    page.wait_for("who", "Ada Lovelace")
    assert page.fetch("GET", "/auth/me")["userData"] == {"id": "ada", "name": "Ada Lovelace", "provider": "openid"}
    cookie = browser.get_cookie("AUTH_TOKEN") or {}
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert "AUTH_TOKEN" not in str(browser.execute_script("return document.cookie"))

    page.write("<b>quiet</b>")
    page.wait_for("reviews", "<b>quiet</b>\nAda Lovelace on SBRF")
    page.picture("2-signed-in")

    page.click("sign-out")
    page.wait_for("who", "Nobody is signed in")
    assert browser.get_cookie("AUTH_TOKEN") is None
    assert page.fetch("GET", "/auth/me/") == {"authenticated": False}
    page.write("too late")
    page.wait_for("problem", "Sign in first")
    page.picture("3-signed-out")
    assert [len(reviews(demo, text)) for text in ("too early", "<b>quiet</b>", "too late")] == [0, 1, 0]


def test_a_person_makes_an_account_with_a_password(browser: Chrome, demo: str, tmp_path: Path) -> None:
    page = Page(browser, tmp_path)
    browser.get(demo)
    page.wait_for("who", "Nobody is signed in")
    page.click("sign-in")
    for field, value in (("email", "grace@example.com"), ("secret", "a long password")):
        browser.find_element(By.ID, field).send_keys(value)
    browser.find_element(By.CSS_SELECTOR, "#password button[value=signin]").click()
    page.wait_for("refused", "does not accept")  # there is no such account yet
    browser.find_element(By.CSS_SELECTOR, "#password button[value=signup]").click()
    page.wait_for("who", "grace@example.com")
    page.write("mine")
    page.wait_for("reviews", "mine\ngrace@example.com on SBRF")
    page.click("sign-out")
    page.wait_for("who", "Nobody is signed in")


def test_a_person_cannot_write_under_another_name(browser: Chrome, demo: str, tmp_path: Path) -> None:
    page = eves_page(browser, demo, tmp_path)
    answer = page.fetch("POST", "/review/", airport="SBRF", text="forged", by="Ada Lovelace")
    assert (answer["status"], list(answer["errors"])) == (400, ["by"])
    assert reviews(demo, "forged") == []


def test_a_form_on_another_site_writes_nothing(browser: Chrome, demo: str, tmp_path: Path) -> None:
    eves_page(browser, demo, tmp_path)
    fields = "<input name=airport value=SBRF><input name=text value=lured>"
    browser.get(f"data:text/html,<form method=post action={demo}/review/>{fields}<button>win</button></form>")
    browser.find_element(By.TAG_NAME, "button").click()
    WebDriverWait(browser, 20, 0.05).until(lambda browser: re.search("Forbidden|Unauthorized", browser.page_source))
    assert reviews(demo, "lured") == []


def test_a_sign_in_that_did_not_begin_here_is_not_finished(browser: Chrome, demo: str, tmp_path: Path) -> None:
    page = Page(browser, tmp_path)
    browser.get(f"{demo}/?code=stolen&state=invented")
    page.wait_for("problem", "did not begin here")
    assert page.text("who") == "Nobody is signed in"

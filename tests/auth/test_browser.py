"""A browser signs in, asks who it is, writes, and signs out: the example ``docs/examples/signin`` in Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.auth.conftest import OpenIDServer

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver"
)

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "signin" / "main.py"

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--window-size=900,700",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """A fresh Chromium."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]:
        options.add_argument(flag)
    chrome = Chrome(options, Service(str(DRIVER)))
    yield chrome
    chrome.quit()


@pytest.fixture
def guest_book(openid: OpenIDServer) -> Iterator[str]:
    """The address of the example, in a process of its own."""
    command = [sys.executable, str(EXAMPLE), "--issuer", openid.issuer, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


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

    def write(self, note: str) -> None:
        field = self.browser.find_element(By.ID, "text")
        field.clear()
        field.send_keys(note)
        self.browser.find_element(By.CSS_SELECTOR, "#write button").click()

    def fetch(self, method: str, path: str) -> Any:
        script = "const [method, path, done] = arguments; fetch(path, {method}).then(a => a.json()).then(done)"
        return self.browser.execute_async_script(script, method, path)

    def picture(self, name: str) -> None:
        self.browser.save_screenshot(str(self._pictures / f"{name}.png"))


def sign_in(page: Page, user: str) -> None:
    page.click("sign-in")
    WebDriverWait(page.browser, 20, 0.05).until(lambda browser: browser.find_elements(By.NAME, "sub"))
    page.browser.find_element(By.NAME, "sub").send_keys(user)
    page.browser.find_element(By.XPATH, "//button[text()='Authorize']").click()


def test_a_person_signs_in_writes_and_signs_out(
    browser: Chrome, guest_book: str, openid: OpenIDServer, tmp_path: Path
) -> None:
    httpx.put(f"{openid.issuer}/users/ada", json={"name": "Ada Lovelace"}, trust_env=False).raise_for_status()
    page = Page(browser, tmp_path)
    browser.get(guest_book)
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

    page.write("<b>hello</b>")
    page.wait_for("notes", "<b>hello</b>\nAda Lovelace")
    page.picture("2-signed-in")

    page.click("sign-out")
    page.wait_for("who", "Nobody is signed in")
    assert browser.get_cookie("AUTH_TOKEN") is None
    assert page.fetch("GET", "/auth/me/") == {"authenticated": False}
    page.write("too late")
    page.wait_for("problem", "Sign in first")
    page.picture("3-signed-out")
    assert len(page.fetch("GET", "/notes/")["notes"]) == 1


def test_a_form_on_another_site_writes_nothing(
    browser: Chrome, guest_book: str, openid: OpenIDServer, tmp_path: Path
) -> None:
    page = Page(browser, tmp_path)
    browser.get(guest_book)
    page.wait_for("who", "Nobody is signed in")
    sign_in(page, "eve")
    page.wait_for("who", "eve")
    form = f"<form method=post enctype=text/plain action={guest_book}notes/><input name='{{\"text\":\"' value='\"}}'>"
    browser.get(f"data:text/html,{form}<button>win</button></form>")
    browser.find_element(By.TAG_NAME, "button").click()
    WebDriverWait(browser, 20, 0.05).until(lambda browser: re.search("Forbidden|Unauthorized", browser.page_source))
    assert httpx.get(f"{guest_book}notes/", trust_env=False).json() == {"notes": []}


def test_a_sign_in_that_did_not_begin_here_is_not_finished(browser: Chrome, guest_book: str, tmp_path: Path) -> None:
    page = Page(browser, tmp_path)
    browser.get(f"{guest_book}?code=stolen&state=invented")
    page.wait_for("problem", "did not begin here")
    assert page.text("who") == "Nobody is signed in"

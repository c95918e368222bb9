"""In a real browser a change is undone by a click, and the history pleases people and their tools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from selenium.webdriver import Chrome

import bzz
from tests.auth.conftest import browser
from tests.conftest import Serve
from tests.delivery.conftest import listening
from tests.delivery.history.conftest import history_of, sign_in
from tests.explorer.test_browser import WIDTHS, Shown, audit, axe
from tests.explorer.test_history import Lighter, lighter, own_histories, routes

__all__ = ["axe", "browser", "own_histories"]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("database_name")]


async def test_a_click_undoes_a_change(serve: Serve, browser: Chrome) -> None:
    shown = Shown(browser, serve(routes(live=True), sign_in))
    async with bzz.deliver():
        await listening()
        place = await lighter(shown.client)
        await shown.open(place)
        await shown.says(".history ins", "<Belle>")
        await shown.click(".history .undo button")
        await shown.until("return document.querySelector('[name=name]')?.value === 'Ariel'")
        assert Lighter.objects.get().name == "Ariel"
        await history_of(shown.client, place, 3)
        await shown.get(place)
        await shown.until("return document.querySelectorAll('.history tbody > tr').length === 3")
    assert await shown.complaints() == []


async def test_the_history_can_be_used_by_everybody_at_any_width(serve: Serve, browser: Chrome, axe: Any) -> None:
    shown = Shown(browser, serve(routes(), sign_in))
    async with bzz.deliver():
        await listening()
        place = await lighter(shown.client)
    for width in WIDTHS:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await asyncio.to_thread(browser.execute_cdp_cmd, "Emulation.setDeviceMetricsOverride", size)
        await shown.get(place)
        assert await audit(shown, browser, axe) == [], width

"""Histories of documents, on a real MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tornado.web import Application

import bzz
from bzz.delivery.history.declaring import forget_history
from bzz.delivery.history.recorder import recorders
from bzz.problem import GUARD
from tests.conftest import Serve
from tests.delivery.conftest import eventually

__all__ = ["Reader", "history_of", "sign_in", "with_history"]


@pytest.fixture(autouse=True)
def own_histories() -> Iterator[None]:
    """What a test has recorded is recorded no more after it."""
    yield
    for each in list(recorders.values()):
        forget_history(each.model)


def with_history(*routes: Any) -> bzz.RouteList:
    """The routes of models, behind those of their histories."""
    models = bzz.flatten(list(routes))
    return bzz.flatten([bzz.HistoryHive.routes_for(models), models])


def sign_in(app: Application) -> None:
    """Take the header X-User for who is signed in."""

    async def guard(handler: Any) -> None:
        handler.current_user = handler.request.headers.get("X-User")

    app.settings[GUARD] = guard


async def history_of(client: httpx.AsyncClient, place: str, number: int, **options: Any) -> list[dict[str, Any]]:
    """The history of a document, as soon as it has so many entries."""

    async def read() -> Any:
        answer = await client.get(f"{place}history/", **options)
        assert answer.status_code == 200, answer.text
        return answer.json() if len(answer.json()) >= number else None

    found: list[dict[str, Any]] = await eventually(read)
    assert len(found) == number, found
    return found


class Reader:
    """Reads and writes one document as somebody."""

    def __init__(self, client: httpx.AsyncClient, place: str = "") -> None:
        self.client, self.place = client, place

    async def create(self, url: str, who: str | None = None, **values: Any) -> Reader:
        answer = await self.client.post(url, json=values, headers=_as(who))
        assert answer.status_code == 201, answer.text
        return Reader(self.client, answer.headers["Location"])

    async def put(self, who: str | None = None, status: int = 200, **values: Any) -> httpx.Response:
        answer = await self.client.put(self.place, json=values, headers=_as(who))
        assert answer.status_code == status, answer.text
        return answer

    async def history(self, number: int, who: str | None = None) -> list[dict[str, Any]]:
        return await history_of(self.client, self.place, number, headers=_as(who))

    async def signed(self, number: int) -> list[dict[str, Any]]:
        """The history, as soon as somebody has signed each of so many entries."""

        async def read() -> Any:
            found = await self.history(number)
            return found if all(each["who"] for each in found) else None

        found: list[dict[str, Any]] = await eventually(read)
        return found

    async def signed_by(self, who: str, number: int) -> list[dict[str, Any]]:
        """The history, as soon as the newest of so many entries is signed by somebody."""

        async def read() -> Any:
            found = await self.history(number)
            return found if found[0]["who"] == who else None

        found: list[dict[str, Any]] = await eventually(read)
        return found

    async def revert(self, entry: dict[str, Any], who: str | None = None, **more: Any) -> httpx.Response:
        url = f"{self.place}history/{entry['change']}/revert"
        return await self.client.post(url, headers={**_as(who), **more.pop("headers", {})}, **more)


def _as(who: str | None) -> dict[str, str]:
    return {} if who is None else {"X-User": who}


@pytest.fixture
def served(serve: Serve) -> Any:
    """Serve models with their histories, to users who say who they are."""

    def start(*routes: Any) -> Reader:
        return Reader(serve(with_history(*routes), sign_in))

    return start

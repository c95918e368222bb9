"""The id of a request: on every handler of bzz, in its answer, and in every line that bzz logs for it."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from pathlib import Path
from typing import Any

import mongoengine as me
import pytest
from tornado.web import HTTPError, RequestHandler

import bzz
from bzz import signals
from bzz.auth.handlers import MeHandler
from bzz.errors import Conflict
from bzz.mock.hive import MockHandler
from bzz.model.handler import ModelHandler
from bzz.problem import ProblemHandler, answer
from bzz.request import LOGGERS, current_id, id_from, request_context
from tests.conftest import Serve
from tests.signals.conftest import Connect, connect

__all__ = ["connect"]

GIVEN = {"X-Request-Id": "abc-123"}


class Parcelled(me.Document):
    name = me.StringField()


class Outcome(ProblemHandler):
    """Answers in the way that the URL names."""

    async def get(self, how: str) -> None:
        if how == "refused":
            raise Conflict("taken")
        if how == "http":
            raise HTTPError(410, "gone for good")
        if how == "bug":
            raise ValueError("broken")
        if how == "cleared":
            self.clear()
        self.write(self.request_id)


class Foreign(RequestHandler):
    async def get(self) -> None:
        answer(self, Conflict("taken"))


@pytest.mark.parametrize("how", ["fine", "cleared", "refused", "http", "bug"])
async def test_every_answer_carries_the_id(serve: Serve, how: str) -> None:
    client = serve([("/(.*)", Outcome)])
    assert (await client.get(f"/{how}", headers=GIVEN)).headers["X-Request-Id"] == "abc-123"
    made_up = [(await client.get(f"/{how}")).headers["X-Request-Id"] for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made_up)
    assert made_up[0] != made_up[1]


async def test_a_model_and_a_mock_and_a_foreign_handler_answer_with_it(serve: Serve, database_name: str) -> None:
    routes = [
        *bzz.ModelHive.routes_for("mongoengine", Parcelled),
        ("/foreign", Foreign),
        *bzz.MockHive.routes_for([("GET", "/mock", {"body": "hi"})]),
    ]
    client = serve(routes)
    for where in ("/parcelled/", "/parcelled/none/", "/foreign", "/mock"):
        assert (await client.get(where, headers=GIVEN)).headers["X-Request-Id"] == "abc-123"


def test_every_handler_of_bzz_has_it() -> None:
    assert all(issubclass(each, ProblemHandler) for each in (ModelHandler, MeHandler, MockHandler))


def test_an_id_that_could_forge_a_log_line_is_not_taken_up() -> None:
    assert re.fullmatch("[0-9a-f]{32}", id_from("a\n2026 ERROR forged"))


@pytest.mark.parametrize(
    ("how", "loggers"),
    [("refused", {"bzz.problem"}), ("http", {"tornado.general"}), ("bug", {"tornado.application"})],
)
async def test_every_line_of_a_failed_request_names_it(
    serve: Serve, caplog: pytest.LogCaptureFixture, how: str, loggers: set[str]
) -> None:
    caplog.set_level(logging.INFO)
    await serve([("/(.*)", Outcome)]).get(f"/{how}", headers=GIVEN)
    lines = [each for each in caplog.records if each.name.startswith(("bzz", "tornado"))]
    assert {each.name for each in lines} == {*loggers, "tornado.access"}
    assert all(each.getMessage().count("[request abc-123]") == 1 for each in lines)


async def test_a_receiver_and_a_listener_that_fail_are_logged_with_it(
    serve: Serve, database_name: str, caplog: pytest.LogCaptureFixture, connect: Connect
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("no ink")

    connect(signals.post_create_instance, fail, sender=Parcelled)
    later = functools.partial(fail)
    bzz.on("Parcelled.created")(fail)
    bzz.on("Parcelled.created", background=True)(later)
    try:
        await serve(bzz.ModelHive.routes_for("mongoengine", Parcelled)).post("/parcelled/", json={}, headers=GIVEN)
        await bzz.drain()
    finally:
        bzz.off(fail)
        bzz.off(later)
    lines = [each for each in caplog.records if each.name.startswith("bzz.")]
    assert [each.name for each in lines] == ["bzz.signals", "bzz.events", "bzz.events"]
    assert all(each.getMessage().endswith("[request abc-123]") for each in lines)
    assert {each.request_id for each in lines} == {"abc-123"}  # type: ignore[attr-defined]  # what the filter adds


async def test_an_own_event_that_a_handler_sends_has_it(serve: Serve) -> None:
    class Sends(ProblemHandler):
        async def get(self) -> None:
            self.write((await bzz.emit("report.ready")).request_id or "")

    assert (await serve([("/", Sends)]).get("/", headers=GIVEN)).text == "abc-123"


async def test_what_a_request_leaves_running_carries_its_id_no_longer() -> None:
    go_on, seen = asyncio.Event(), []

    async def worker() -> None:
        seen.append(current_id())
        await go_on.wait()
        seen.append(current_id())

    with request_context(None, "abc-123"):
        task = asyncio.create_task(worker())
        await asyncio.sleep(0)
    go_on.set()
    await task
    assert seen == ["abc-123", None]


def test_every_logger_of_bzz_is_known() -> None:
    package = Path(bzz.__file__).parent
    used = {
        name for each in package.rglob("*.py") for name in re.findall(r'getLogger\("bzz\.(.*?)"\)', each.read_text())
    }
    assert used - {"access"} == set(LOGGERS)  # whose lines are made with the id in them

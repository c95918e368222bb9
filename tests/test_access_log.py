"""One line for each request, as text or JSON."""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.finished import each_finished, template_of
from tests.conftest import Serve


class AccessLogged(me.Document):
    name = me.StringField()
    friends = me.ListField(me.ReferenceField("self"))


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.name == name]


async def test_a_line_of_text_has_the_id_and_no_query(
    serve: Serve, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = serve(bzz.ModelHive.routes_for("mongoengine", AccessLogged), bzz.access_log)
    await client.get("/access_logged/?name=private", headers={"X-Request-Id": "abc"})
    (line,) = lines(caplog, "bzz.access")
    assert line.getMessage().startswith("200 GET /access_logged/ ")
    assert line.getMessage().endswith(" 127.0.0.1 abc")
    assert "private" not in line.getMessage()
    assert lines(caplog, "tornado.access") == []


async def test_a_line_of_json_has_the_route_as_a_template(
    serve: Serve, database_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = serve(bzz.ModelHive.routes_for("mongoengine", AccessLogged), partial(bzz.access_log, json=True))
    ann = AccessLogged(name="Ann").save()
    await client.get(f"/access_logged/{ann.id}/friends/{ann.id}/")
    (line,) = lines(caplog, "bzz.access")
    told = json.loads(line.getMessage())
    assert (told["status"], told["route"], line.levelname) == (404, "/access_logged/{id}/friends/{id}/", "WARNING")
    assert told["milliseconds"] > 0


async def test_what_leads_nowhere_has_one_template(serve: Serve, database_name: str) -> None:
    seen: list[str] = []
    tell: Any = lambda handler: seen.append(template_of(handler))  # noqa: E731
    client = serve(bzz.ModelHive.routes_for("mongoengine", AccessLogged), lambda app: each_finished(app, tell))
    for path in ("/access_logged/1/2/3/4", "/access_logged/x/nothing/", "/elsewhere"):
        await client.get(path)
    assert seen == ["/access_logged/...", "/access_logged/...", "ErrorHandler"]

"""Whether a server does what it is measured for: the same documents, the same pages, and real writes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from bench.data import CITIES, PER_PAGE, body, seed_id
from bench.operations import Request
from bench.peers import Running

__all__ = ["check"]

_PAGE = 3
_AGE = 30


def check(running: Running) -> None:
    """
    :raises AssertionError: where an answer is not what every server answers.
    """
    _expect(_shows(running, 7), body(7)["name"])
    if "list" not in running.server.operations:
        return
    _check_lists(running)
    _check_writes(running)


def _check_lists(running: Running) -> None:
    names = [each["name"] for each in _items(running, f"/user?page={_PAGE}")]
    _expect(names, [body(number)["name"] for number in range((_PAGE - 1) * PER_PAGE, _PAGE * PER_PAGE)])
    query = f"city={CITIES[1]}&age__gte={_AGE}"
    if running.server.dialect.query:
        query = "where=" + json.dumps({"city": CITIES[1], "age": {"$gte": _AGE}}).replace(" ", "")
    found = _items(running, f"/user?{query}")
    _expect(len(found), PER_PAGE)
    _expect({each["city"] for each in found}, {CITIES[1]})
    _expect(min(each["age"] for each in found) >= _AGE, True)


def _check_writes(running: Running) -> None:
    created = json.loads(_answer(running, Request("POST", "/user", json.dumps(body(2000))), 201))
    key = created.get("id") or created["_id"]
    _answer(running, Request(running.server.dialect.update, f"/user/{key}", '{"score": 12.5}'), 200)
    stored = json.loads(_answer(running, Request("GET", f"/user/{key}"), 200))
    _expect({**stored, **body(2000), "score": 12.5, "joined": stored["joined"]}, stored)
    _answer(running, Request("DELETE", f"/user/{key}"), 204)
    _answer(running, Request("GET", f"/user/{key}"), 404)


def _shows(running: Running, number: int) -> Any:
    return json.loads(_answer(running, Request("GET", f"/user/{seed_id(number)}"), 200))["name"]


def _items(running: Running, path: str) -> list[dict[str, Any]]:
    found = json.loads(_answer(running, Request("GET", path), 200))
    items: list[dict[str, Any]] = found["_items"] if isinstance(found, dict) else found
    return items


def _answer(running: Running, asked: Request, status: int) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}{asked.path}",
        data=asked.body.encode() or None,
        headers={"Content-Type": "application/json"} if asked.body else {},
        method=asked.method,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            seen, told = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        seen, told = error.code, error.read()
    assert seen == status, f"{running.server.name}: {asked.method} {asked.path} is {seen}, not {status}: {told!r}"
    return bytes(told)


def _expect(seen: Any, wanted: Any) -> None:
    assert seen == wanted, f"{seen!r} is not {wanted!r}"

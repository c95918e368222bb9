"""``bzz check`` tells what somebody should look at."""

from __future__ import annotations

import json
from typing import Any

import pymongo
import pytest

from tests.cli.running import run

SHOP = "tests.cli.shop:make"


@pytest.fixture(scope="module")
def findings(shop_environment: dict[str, str]) -> Any:
    with pymongo.MongoClient[dict[str, object]](shop_environment["BZZ_MONGODB_URI"]) as client:
        client[shop_environment["SHOP_DATABASE"]]["ware"].insert_many([{"name": str(each)} for each in range(10_000)])
    done = run("check", SHOP, "--json", env=shop_environment)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def told(findings: Any, about: str, where: str) -> list[tuple[str, str]]:
    return [(each["level"], each["message"]) for each in findings if (each["about"], each["where"]) == (about, where)]


def test_what_strangers_may_write_needs_attention(findings: Any) -> None:
    ((level, message),) = told(findings, "open", "/ware")
    assert (level, message.partition(":")[0]) == (
        "attention",
        "Strangers may use GET, HEAD, POST, PUT, PATCH, DELETE",
    )


def test_what_authorize_is_asked_for_is_not_open(findings: Any) -> None:
    assert told(findings, "open", "/api/supplier") == []


def test_handlers_that_are_not_bzz_s_are_named(findings: Any) -> None:
    assert told(findings, "open", "") == [("note", "bzz cannot tell who may use other handlers: /health/.")]


def test_what_is_hidden_is_told(findings: Any) -> None:
    assert told(findings, "hidden", "/api/supplier") == [("note", "Supplier hides password.")]


def test_what_some_routes_hide_and_others_show_needs_attention(findings: Any) -> None:
    message = "Supplier.password is shown here, and hidden by other routes: add it to hidden= here too."
    assert told(findings, "hidden", "/ware") == [("attention", message)]


def test_filters_without_an_index_need_attention_on_many_documents(findings: Any) -> None:
    message = (
        "No index begins with name, supplier, places.row, places.number: filters by these read all 10,000 documents."
    )
    assert told(findings, "index", "/ware") == [("attention", message)]


def test_filters_without_an_index_are_a_note_on_few_documents(findings: Any) -> None:
    message = "No index begins with name: filters by these read all 0 documents."
    assert told(findings, "index", "/api/supplier") == [("note", message)]


def test_a_replica_set_can_do_all(findings: Any) -> None:
    assert told(findings, "server", "") == []


def test_strict_ends_with_1_where_something_needs_attention_and_a_missing_connection_does() -> None:
    done = run("check", SHOP, "--strict")
    assert (done.returncode, done.stderr) == (1, "")
    assert "The database was not looked at: no connection 'default'" in done.stdout
    assert done.stdout.splitlines()[-1] == "4 need attention."

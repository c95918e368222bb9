"""``bzz check`` tells what somebody should look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.cli.running import environment, run
from tests.providers.servers import running

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


@pytest.mark.slow
def test_what_a_standalone_server_cannot_do_is_told_with_the_remedy(tmp_path: Path) -> None:
    with running(tmp_path) as port:
        env = environment(SHOP_DATABASE="shop", BZZ_MONGODB_URI=f"mongodb://127.0.0.1:{port}")
        done = run("check", SHOP, "--json", env=env)
    ((level, message),) = told(json.loads(done.stdout), "server", "")
    assert (level, "start mongod with --replSet" in message) == ("attention", True)


def test_strict_ends_with_1_where_something_needs_attention_and_a_missing_connection_does() -> None:
    done = run("check", SHOP, "--strict")
    assert (done.returncode, done.stderr) == (1, "")
    assert "The database was not looked at: no connection 'default'" in done.stdout
    assert done.stdout.splitlines()[-1] == "4 need attention."

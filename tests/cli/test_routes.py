"""``bzz routes`` lists addresses, and what stands before them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.running import listing, run

SHOP = "tests.cli.shop:make"
GUARDED = "tests.cli.shop:make_guarded"


@pytest.fixture(scope="module")
def rows() -> dict[str, Any]:
    return {row["url"]: row for row in listing("routes", SHOP)}


@pytest.fixture(scope="module")
def guarded() -> dict[str, Any]:
    return {row["url"]: row for row in listing("routes", GUARDED)}


def test_every_address_of_a_model_is_listed_with_what_its_end_takes(rows: Any) -> None:
    assert {url: row["methods"] for url, row in rows.items() if url.startswith("/ware/")} == {
        "/ware/": ["GET", "HEAD", "QUERY", "POST", "PATCH", "DELETE"],
        "/ware/<id>/": ["GET", "HEAD", "PUT", "PATCH", "DELETE"],
        "/ware/<id>/supplier/": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        "/ware/<id>/places/": ["GET", "HEAD", "QUERY", "POST"],
        "/ware/<id>/places/<position>/": ["GET", "HEAD", "PUT", "PATCH", "DELETE"],
    }


def test_the_model_at_the_end_of_an_address_is_named(rows: Any) -> None:
    assert (rows["/ware/"]["model"], rows["/ware/<id>/supplier/"]["model"]) == ("Ware", "Supplier")


def test_a_handler_of_the_application_is_named_with_the_methods_that_it_has(rows: Any) -> None:
    row = rows["/health/"]
    assert (row["model"], row["handler"], row["methods"]) == (None, "tests.cli.shop.PlainHandler", ["GET"])


def test_hooks_and_feeds_are_told(rows: Any) -> None:
    assert rows["/ware/"]["hooks"] == ["get_list_queryset", "live"]
    assert rows["/ware/<id>/places/<position>/"]["hooks"] == ["live"]
    assert rows["/ware/<id>/supplier/"]["hooks"] == []


def test_what_nobody_guards_is_open_and_authorize_is_told(rows: Any) -> None:
    assert (rows["/ware/"]["guard"], rows["/api/supplier/"]["guard"]) == ("open", "authorize")


def test_the_guard_is_told_for_the_methods_that_it_keeps(guarded: Any) -> None:
    assert guarded["/ware/"]["guard"] == "signed in: POST, PATCH, DELETE"
    assert guarded["/api/supplier/"]["guard"] == "signed in: POST, PATCH, DELETE + authorize"


def test_the_table_has_a_line_for_each_address_and_no_colours_where_no_terminal_is() -> None:
    done = run("routes", SHOP)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["URL", "METHODS", "MODEL", "GUARD", "HOOKS"]
    assert lines[1].split() == [
        "/ware/",
        "GET,",
        "HEAD,",
        "QUERY,",
        "POST,",
        "PATCH,",
        "DELETE",
        "Ware",
        "open",
        "get_list_queryset,",
        "live",
    ]
    assert "\x1b" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:app", "there is no module 'nowhere' on the path"),
        ("tests.cli.shop:nothing", "tests.cli.shop has no 'nothing'"),
        ("tests.cli.broken:app", "tests.cli.broken:app cannot be loaded: ZeroDivisionError: division by zero"),
    ],
)
def test_an_application_that_cannot_be_loaded_is_one_sentence(name: str, message: str) -> None:
    done = run("routes", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1

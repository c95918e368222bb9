"""``bzz events`` lists who listens, in the order of the calls."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.running import listing


@pytest.fixture(scope="module")
def rows() -> Any:
    return listing("events", "tests.cli.shop:make")


def told(rows: Any, sender: str | None, signal: str | None) -> list[tuple[int, str, str | None]]:
    return [
        (row["order"], row["listener"].rpartition(".")[2], row["event"])
        for row in rows
        if (row["sender"], row["signal"]) == (sender, signal)
    ]


def test_receivers_of_a_signal_come_before_the_listeners_of_its_event(rows: Any) -> None:
    assert told(rows, "Ware", "post_create_instance") == [(1, "count_ware", None), (2, "announce", "Ware.created")]


def test_a_glob_is_listed_for_each_model_that_it_can_match(rows: Any) -> None:
    assert told(rows, "Supplier", "post_update_instance") == [(1, "bill", "*.updated.status")]


def test_conditions_of_a_listener_are_told(rows: Any) -> None:
    assert {row["listener"]: row["how"] for row in rows if row["event"] and row["sender"] != "ShelfPlace"} == {
        "tests.cli.shop.announce": [],
        "tests.cli.shop.bill": ["background", "when any -> 'sold'"],
        "tests.cli.shop.rejoice": ["once"],
    }


def test_events_of_the_application_itself_come_last(rows: Any) -> None:
    assert told(rows[-1:], None, None) == [(1, "rejoice", "stock.taken")]

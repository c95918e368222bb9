"""``bzz events`` lists who listens, in the order of the calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import listing, run


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


DURABLE = """
import bzz, mongoengine as me
from tornado.web import Application

class Groyne(me.Document):
    state = me.StringField()

class Mole(me.Document):
    name = me.StringField()

@bzz.durable("Groyne.updated.state", name="harbour", when=("open", "shut"))
async def close(event):
    ...

bzz.history(Mole)
app = Application(bzz.flatten(bzz.ModelHive.routes_for("mongoengine", each) for each in (Groyne, Mole)))
"""


def test_durable_listeners_are_listed_with_the_models_that_they_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "durable_app.py").write_text(DURABLE)
    done = run("events", "durable_app:app", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [(row["sender"], row["listener"], row["event"], row["how"]) for row in json.loads(done.stdout)] == [
        ("Groyne", "durable_app.close", "Groyne.updated.state", ["durable as harbour", "when 'open' -> 'shut'"]),
        ("Mole", "bzz.delivery.history.recorder.Recorder.record", "Mole.*", ["durable as history-mole"]),
    ]

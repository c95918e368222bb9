"""``bzz dump`` writes all rows of a list."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Shop
from tests.cli.running import run

pytestmark = pytest.mark.slow  # each starts a process

ROWS = [{"name": f"w{number:03}", "price": number} for number in range(250)]


@pytest.fixture(scope="module")
def full_shop(shop: Shop) -> Shop:
    given = "".join(f"{json.dumps(row)}\n" for row in ROWS)
    assert run("load", f"{shop.url}ware/", "-", given=given).returncode == 0
    return shop


def test_every_page_is_written_as_ndjson(full_shop: Shop) -> None:
    done = run("dump", f"{full_shop.url}ware/?sort=name")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == [row["name"] for row in ROWS]


def test_filters_and_fields_of_the_url_count(full_shop: Shop) -> None:
    done = run("dump", f"{full_shop.url}ware/?name=w007&fields=price")
    assert [json.loads(line)["price"] for line in done.stdout.splitlines()] == [7.0]


def test_a_json_array_and_none_at_all(full_shop: Shop) -> None:
    some = run("dump", f"{full_shop.url}ware/?price__lt=2&sort=name", "--format", "json")
    assert [row["price"] for row in json.loads(some.stdout)] == [0.0, 1.0]
    none = run("dump", f"{full_shop.url}ware/?price__lt=0", "--format", "json")
    assert json.loads(none.stdout) == []


def test_csv_goes_to_a_file(full_shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "wares.csv"
    done = run("dump", f"{full_shop.url}ware/?fields=name,price,places", "--format", "csv", "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "250 rows written\n")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["name"], row["price"], row["places"]) for row in rows[:2]] == [
        ("w000", "0.0", "[]"),
        ("w001", "1.0", "[]"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "message"),
    [("health/", "is no list: it answers text/html"), ("ware/?nix=1", "answers 400 Bad Request: Unknown parameter")],
)
def test_what_is_no_list_is_one_sentence(full_shop: Shop, path: str, message: str) -> None:
    done = run("dump", f"{full_shop.url}{path}")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert message in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("http://[::1/x/",), "'http://[::1/x/' is no address"),
        (("localhost:99999/x/",), "'localhost:99999/x/' is no address"),
        (("localhost/x/", "--header", "x y: b"), "--header 'x y' cannot be sent"),
        (("localhost/x/", "--header", "x: 日本"), "--header 'x' cannot be sent"),
        (("localhost/x/", "--token", "日本"), "--token cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence(arguments: tuple[str, ...], message: str) -> None:
    done = run("dump", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert message in done.stderr


def test_a_format_that_is_none_is_a_mistake_in_the_arguments() -> None:
    assert run("dump", "localhost/x", "--format", "xml").returncode == 2


def test_csv_with_a_list_in_a_cell_is_not_loaded_again_and_ndjson_is(shop: Shop, tmp_path: Path) -> None:
    row = {"name": "placed", "places": [{"row": "a", "number": 1}]}
    placed = f"{shop.url}ware/?name=placed"
    assert run("load", f"{shop.url}ware/", "-", given=json.dumps(row) + "\n").returncode == 0
    files = {ending: tmp_path / f"wares.{ending}" for ending in ("csv", "ndjson")}
    for ending, file in files.items():
        assert run("dump", f"{placed}&fields=name,places", "--format", ending, "-o", str(file)).returncode == 0
    assert httpx.delete(placed, headers={"Prefer": "max-affected=1"}, trust_env=False).is_success
    assert "0 rows stored, 1 refused" in run("load", f"{shop.url}ware/", str(files["csv"])).stdout
    assert "1 rows stored, 0 refused" in run("load", f"{shop.url}ware/", str(files["ndjson"])).stdout

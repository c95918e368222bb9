"""``bzz load`` sends the rows of a file, each once, and keeps those that were refused."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Shop
from tests.cli.running import COMMAND, environment, run

pytestmark = pytest.mark.slow  # each starts a process, and some are killed

LONG = "x" * 21


def write(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def refused(path: Path) -> list[Any]:
    return [json.loads(line) for line in Path(f"{path}.refused.ndjson").read_text().splitlines()]


def names(shop: Shop, prefix: str) -> list[object]:
    return [row["name"] for row in shop.rows(name__startswith=prefix)]


def test_the_rows_of_ndjson_are_stored_in_their_order_and_those_refused_told_with_reasons(
    shop: Shop, tmp_path: Path
) -> None:
    file = write(tmp_path / "wares.ndjson", [{"name": "n1"}, {"name": LONG}, {"name": "n2", "price": 2}, 5])
    done = run("load", f"{shop.url}ware/", str(file))
    assert (done.returncode, done.stdout) == (1, "2 rows stored, 2 refused\n")
    assert done.stderr == f"2 rows are in {file}.refused.ndjson, each with the reason\n"
    assert names(shop, "n") == ["n1", "n2"]
    first, second = refused(file)
    assert (first["row"], first["status"], first["data"]) == (2, 400, {"name": LONG})
    assert first["errors"] == {"name": ["Must be a string of at most 20 characters."]}
    assert (second["row"], second["detail"]) == (4, "This row is no JSON object.")
    assert not Path(f"{file}.bzz-load").exists()


def test_the_cells_of_csv_are_read_by_the_model_and_empty_ones_are_unset(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "wares.csv"
    file.write_text('name,price,status\n"c,1",2.5,\nc2,,sold\n')
    done = run("load", f"{shop.url}ware/", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 rows stored, 0 refused\n", "")
    found = [(row["name"], row["price"], row["status"]) for row in shop.rows(name__startswith="c")]
    assert found == [("c,1", 2.5, "new"), ("c2", None, "sold")]


def test_rows_of_csv_that_are_refused_are_told_with_reasons_and_nothing_else_is_lost(
    shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "wares.csv"
    lines = [f"v{number:03},{'x' if number % 100 == 7 else number}" for number in range(1200)]
    file.write_text("name,price\n" + "\n".join([*lines, "v,1,2", ""]))
    done = run("load", f"{shop.url}ware/", str(file))
    assert (done.returncode, done.stdout) == (1, "1,188 rows stored, 13 refused\n")
    assert [(each["row"], each.get("status")) for each in refused(file)] == [
        *((number, 400) for number in range(8, 1200, 100)),
        (1201, None),
    ]
    assert refused(file)[0]["data"] == {"name": "v007", "price": "x"}


def test_a_json_array_comes_by_the_standard_input(shop: Shop, tmp_path: Path) -> None:
    done = run("load", f"{shop.url}ware/", "-", "--format", "json", given='[{"name": "s1"}, {"name": "s2"}]')
    assert (done.returncode, done.stdout) == (0, "2 rows stored, 0 refused\n")
    assert names(shop, "s") == ["s1", "s2"]


def test_csv_goes_one_by_one_to_a_server_that_does_not_take_it(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "wares.csv"
    file.write_text("name,places[]\n" + "".join(f"w{number},\n" for number in range(40)))
    done = run("load", f"{shop.url}single/", str(file))
    assert (done.returncode, done.stdout) == (0, "40 rows stored, 0 refused\n")
    assert sorted(map(str, names(shop, "w"))) == sorted(f"w{number}" for number in range(40))


def test_rows_go_one_by_one_to_a_server_that_takes_no_arrays(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "wares.ndjson", [{"name": f"o{number}"} for number in range(40)])
    done = run("load", f"{shop.url}single/", str(file))
    assert (done.returncode, done.stdout) == (0, "40 rows stored, 0 refused\n")
    assert names(shop, "o") == [f"o{number}" for number in range(40)]


def test_a_row_with_an_id_that_is_taken_is_refused(shop: Shop, tmp_path: Path) -> None:
    taken = httpx.post(f"{shop.url}ware/", json={"name": "t"}, trust_env=False).json()["id"]
    file = write(tmp_path / "wares.ndjson", [{"id": taken, "name": "t1"}])
    assert run("load", f"{shop.url}ware/", str(file)).returncode == 1
    assert [each["status"] for each in refused(file)] == [409]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "name", "content", "message"),
    [
        ("ware/", "wares.txt", "", "ends in none of .ndjson, .jsonl, .json, .csv: say what it is, --format"),
        ("ware/", "wares.json", "{}", "the file holds no JSON array"),
        ("nowhere/", "wares.ndjson", '{"name": "x"}', "nowhere/ answers 404 Not Found"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence(
    shop: Shop, tmp_path: Path, url: str, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    done = run("load", f"{shop.url}{url}", str(tmp_path / name))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert message in done.stderr


def test_a_load_of_which_nothing_was_stored_may_go_somewhere_else(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "wares.ndjson", [{"name": "elsewhere1"}])
    assert run("load", f"{shop.url}wares/", str(file)).returncode == 1
    done = run("load", f"{shop.url}ware/", str(file))
    assert (done.returncode, names(shop, "elsewhere")) == (0, ["elsewhere1"]), done.stderr


def test_what_an_earlier_run_has_done_is_not_sent_again_and_a_changed_file_is_told(shop: Shop, tmp_path: Path) -> None:
    file, state = tmp_path / "wares.ndjson", tmp_path / "wares.ndjson.bzz-load"
    write(file, [{"name": "r1"}, {"name": "r2"}])
    state.write_text(json.dumps({"url": f"{shop.url}ware/", "done": 1, "digest": "another"}))
    done = run("load", f"{shop.url}ware/", str(file))
    assert done.returncode == 1
    assert f"the first 1 rows are not those that were loaded: remove {state}" in done.stderr
    assert names(shop, "r") == []


def kill_in_its_midst(command: Sequence[str], state: Path, after: int) -> None:
    """Run a load until ``after`` rows are done, and kill it while it sends further ones."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()) as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            if state.exists() and json.loads(state.read_text())["done"] >= after:
                break
        process.kill()


def as_ndjson(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def as_csv(rows: list[dict[str, Any]]) -> str:
    return "name,price\n" + "".join(f"{row['name']},{row['price']}\n" for row in rows)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "prefix", "written"), [("ndjson", "k", as_ndjson), ("csv", "l", as_csv)])
def test_a_load_that_is_killed_again_and_again_stores_each_row_once(
    shop: Shop, tmp_path: Path, form: str, prefix: str, written: Callable[[list[dict[str, Any]]], str]
) -> None:
    rows = [{"name": f"{prefix}{number}" if number % 100 else LONG, "price": number} for number in range(1500)]
    file = tmp_path / f"wares.{form}"
    file.write_text(written(rows))
    command = ["load", f"{shop.url}ware/", str(file), "--batch", "50"]
    for after in (0, 50, 300, 700):
        kill_in_its_midst([*COMMAND, *command], Path(f"{file}.bzz-load"), after)
    done = run(*command)
    assert (done.returncode, done.stdout) == (1, "1,485 rows stored, 15 refused\n")
    count = httpx.get(
        f"{shop.url}ware/?name__startswith={prefix}&per_page=1", headers={"Prefer": "count=exact"}, trust_env=False
    )
    assert count.headers["X-Total-Count"] == "1485"
    assert [each["row"] for each in refused(file)] == list(range(1, 1500, 100))

"""The demo as a newcomer meets it: a real process with a MongoDB of its own, stopped by real signals."""

from __future__ import annotations

import csv
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.demo import SECONDS, Demo

ROWS = 300

Start = Callable[..., Demo]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    started: list[Demo] = []

    def run(*arguments: str, rows: int = ROWS) -> Demo:
        started.append(Demo(data, "--port", "0", "--rows", str(rows), *arguments))
        return started[-1]

    yield run
    for demo in started:
        demo.stop()


def curl(command: str) -> subprocess.CompletedProcess[str]:
    """What a line of the tour answers, and its status after it."""
    command = command.replace("curl ", r"curl -sS -w '\n%{http_code}' ", 1)
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=SECONDS, check=True)


def count(address: str) -> int:
    answer = httpx.get(f"{address}/airport/?per_page=1", headers={"Prefer": "count=exact"}, trust_env=False)
    return int(answer.headers["X-Total-Count"])


def test_the_first_start_accounts_for_every_row(start: Start, data: Path) -> None:
    demo = start()
    address = demo.wait_until_ready()
    told = re.search(r"([\d,]+) airports stored, ([\d,]+) refused", demo.output)
    assert told is not None
    stored, refused = int(told[1]), int(told[2])
    with (data / "refused.csv").open(newline="", encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    assert (stored + refused, count(address), len(listed)) == (ROWS, stored, refused)
    assert refused > 0
    assert {row["reasons"] for row in listed} == {"city: Field is required"}


def test_every_line_of_the_tour_works_and_changes_are_printed_with_their_diff(start: Start) -> None:
    demo = start()
    demo.wait_until_ready()
    lines = [line for line in demo.output.splitlines() if line.startswith("curl")]
    statuses = [curl(line).stdout.rpartition("\n")[2] for line in lines]
    assert statuses == ["200"] * 9 + ["204", "200", "200", "401", "400"]
    demo.wait_for("Airport updated by PUT /airport/SBRF/\n    city: 'Recife' -> 'Olinda'\n")
    demo.wait_for("    departs: '08:10' -> '08:30'\n")
    demo.wait_for("Airport created by POST /airline/TAM/hubs/\n")
    demo.wait_for("Airport deleted by DELETE /airline/TAM/hubs/SBRF/\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_data_survives_a_stop_and_a_start(start: Start, number: int) -> None:
    demo = start()
    address = demo.wait_until_ready()
    httpx.put(f"{address}/airport/SBRF/", json={"city": "Olinda"}, trust_env=False)
    assert demo.stop(number) == 0
    assert "Traceback" not in demo.output
    again = start()
    address = again.wait_until_ready()
    assert "Loaded before" in again.output
    assert httpx.get(f"{address}/airport/SBRF/", trust_env=False).json()["city"] == "Olinda"


def test_a_load_that_was_interrupted_is_finished_by_the_next_start(start: Start) -> None:
    rows = 1200
    demo = start(rows=rows)
    wait_for_a_row(demo)
    assert demo.stop() == 0
    assert "Traceback" not in demo.output
    again = start(rows=rows)
    address = again.wait_until_ready()
    told = re.search(r"([\d,]+) airports stored, ([\d,]+) refused", again.output)
    assert told is not None
    stored, refused = (int(each.replace(",", "")) for each in told.groups())
    assert (stored + refused, count(address)) == (rows, stored)


def wait_for_a_row(demo: Demo) -> None:
    """Return once the demo has begun to store airports."""
    note = demo.data / "address"
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if count(note.read_text()) > 0:
                return
        except (OSError, httpx.HTTPError, ValueError):
            pass
        time.sleep(0.05)
    raise AssertionError(demo.output)


def test_a_second_start_says_that_one_is_running(start: Start) -> None:
    address = start().wait_until_ready()
    second = start()
    assert second.process.wait(SECONDS) == 1
    assert second.output == f"The demo is already running, {address}; stop that one first (Ctrl-C).\n"


def test_a_port_that_is_taken_is_told_with_what_to_do(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = start("--port", str(port))
        assert demo.process.wait(SECONDS) == 1
    assert demo.output.startswith(f"Port {port} cannot be used: Address already in use. Choose another: ")
    assert f"--port {port + 1}" in demo.output


def test_an_openid_connect_server_that_is_not_there_is_told(start: Start) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        demo = start("--issuer", issuer)
        assert demo.process.wait(SECONDS) == 1
    assert demo.output.startswith(f"No OpenID Connect server can be discovered at {issuer}: ")


def test_the_page_shows_the_changes_of_both_processes(start: Start) -> None:
    demo = start()
    address = demo.wait_until_ready()
    found = re.search(r"A second process is at (\S+);", demo.output)
    assert found is not None, f"is redis-server installed? {demo.output}"
    with httpx.Client(trust_env=False) as client:
        client.put(f"{address}/airport/SBRF/", json={"city": "Olinda"}).raise_for_status()
        client.put(f"{found[1]}/airport/SBRF/", json={"city": "Recife"}).raise_for_status()
        deadline = time.monotonic() + SECONDS
        while len(shown := client.get(f"{address}/changes").json()) < 2:
            assert time.monotonic() < deadline, shown
            time.sleep(0.02)
    assert {(each["name"], each["id"], each["process"]) for each in shown} == {
        ("Airport.updated", "SBRF", "this process"),
        ("Airport.updated", "SBRF", "the second process"),
    }
    assert demo.stop() == 0
    assert "Traceback" not in demo.output


def test_without_redis_the_demo_is_one_process(start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("setpriv", "mongod"):
        if (found := shutil.which(name)) is not None:
            (tmp_path / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path))
    demo = start()
    demo.wait_until_ready()
    assert "One process: with redis-server installed there are two" in demo.output

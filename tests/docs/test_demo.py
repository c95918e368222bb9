"""The demo as a newcomer meets it: a real process with a MongoDB of its own, stopped by real signals."""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.demo import SECONDS, Demo

pytestmark = pytest.mark.slow  # each test starts it, with its servers

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
    assert {row["reasons"] for row in listed} == {"city: This field is required."}


def test_every_line_of_the_tour_works_and_changes_are_printed_with_their_diff(start: Start) -> None:
    demo = start()
    demo.wait_until_ready()
    lines = [line for line in demo.output.splitlines() if line.startswith("curl")]
    statuses = [curl(line).stdout.rpartition("\n")[2] for line in lines]
    assert statuses == ["200"] * 9 + ["204", "200", "200", "401", "200", "400"]
    demo.wait_for("Airport updated by PUT /airport/SBRF/\n    city: 'Recife' -> 'Olinda'\n")
    demo.wait_for("    departs: '08:10' -> '08:30'\n")
    demo.wait_for("Airport linked to Airline TAM by POST /airline/TAM/hubs/\n")
    demo.wait_for("Airport unlinked from Airline TAM by DELETE /airline/TAM/hubs/SBRF/\n")


def test_rows_that_are_loaded_are_not_printed(start: Start) -> None:
    demo = start()
    address = demo.wait_until_ready()
    httpx.put(f"{address}/airport/SBRF/", json={"city": "Olinda"}, trust_env=False).raise_for_status()
    demo.wait_for("Airport updated by PUT /airport/SBRF/\n")
    assert re.findall(r"^\w+ \w+ by .*", demo.output, re.MULTILINE) == ["Airport updated by PUT /airport/SBRF/"]
    shown = wait_for_changes(address, lambda processes: len(processes) == 2)
    assert {(each["name"], each["id"]) for each in shown} == {("Airport.updated", "SBRF")}


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
    assert f"make run PORT={port + 1}" in demo.output


def test_an_openid_connect_server_that_is_not_there_is_told(start: Start) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        demo = start("--issuer", issuer)
        assert demo.process.wait(SECONDS) == 1
    assert demo.output.startswith(f"No OpenID Connect server can be discovered at {issuer}: ")


def test_a_load_that_fails_ends_the_demo_with_its_message(start: Start, data: Path) -> None:
    (data / "refused.csv").mkdir(parents=True)
    demo = start()
    assert demo.process.wait(SECONDS) == 1
    assert f"Is a directory: '{data / 'refused.csv'}'\n" in demo.output
    assert "Traceback" not in demo.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_load_is_stopped_by_a_signal_to_the_supervisor_alone(start: Start, number: int) -> None:
    demo = start(rows=1200)
    wait_for_a_row(demo)
    demo.process.send_signal(number)
    assert demo.process.wait(SECONDS) == 0
    assert "Traceback" not in demo.output
    assert "Ready" not in demo.output


def wait_for_changes(address: str, known: Callable[[set[str]], bool]) -> list[dict[str, Any]]:
    """Change an airport, each time on a new connection, until ``known`` accepts the names of who made the changes.

    What one process shows is returned: it names itself, and the others by what they told it.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        city = f"Recife {time.monotonic_ns()}"
        with contextlib.suppress(httpx.TransportError):  # the process that should answer was killed
            httpx.put(f"{address}/airport/SBRF/", json={"city": city}, trust_env=False).raise_for_status()
            shown: list[dict[str, Any]] = httpx.get(f"{address}/changes", trust_env=False).json()
            if known({each["process"] for each in shown}):
                return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)


def test_either_process_shows_the_changes_of_both(start: Start) -> None:
    demo = start()
    address = demo.wait_until_ready()
    assert "Two processes answer at one address" in demo.output, "is redis-server installed?"
    shown = wait_for_changes(address, lambda processes: len(processes) == 2)
    assert {(each["name"], each["id"], *each["fields"]) for each in shown} == {("Airport.updated", "SBRF", "city")}
    assert all(re.fullmatch(r"process \d+", each["process"]) for each in shown)
    assert demo.stop() == 0
    assert "Traceback" not in demo.output


def test_a_process_that_is_killed_comes_back(start: Start) -> None:
    demo = start()
    address = demo.wait_until_ready()
    before = {each["process"] for each in wait_for_changes(address, lambda processes: len(processes) == 2)}
    os.kill(int(min(before).removeprefix("process ")), signal.SIGKILL)
    shown = wait_for_changes(address, lambda processes: bool(processes - before))
    assert {each["name"] for each in shown} == {"Airport.updated"}
    assert demo.stop() == 0


def test_sessions_and_signing_out_hold_in_both_processes(start: Start) -> None:
    address = start().wait_until_ready()
    wait_for_changes(address, lambda processes: len(processes) == 2)  # both answer
    token = sign_in(address, "ada")

    def who() -> list[bool]:
        cookies = {"AUTH_TOKEN": token}
        url = f"{address}/auth/me/"
        return [httpx.get(url, cookies=cookies, trust_env=False).json()["authenticated"] for _ in range(40)]

    assert who() == [True] * 40
    httpx.post(f"{address}/auth/signout/", cookies={"AUTH_TOKEN": token}, trust_env=False).raise_for_status()
    assert who() == [False] * 40


def sign_in(address: str, user: str) -> str:
    """The token of a new session, which is begun as the page does."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        page = client.get("/").text
        found = re.search(r'data-authorize="([^"]+)" data-client="([^"]+)"', page)
        assert found is not None, page
        verifier = "v" * 43
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": found[2], "redirect_uri": f"{address}/", "scope": "openid profile",
            "state": "s", "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        back = client.post(found[1].replace("\\/", "/"), params=asked, data={"sub": user})
        code = httpx.URL(back.headers["Location"]).params["code"]
        sent = {"code": code, "code_verifier": verifier, "redirect_uri": f"{address}/"}
        exchanged = client.post("/exchange", json=sent).raise_for_status().json()
        body = {"provider": "openid", "access_token": exchanged["id_token"]}
        client.post("/auth/signin/", json=body).raise_for_status()
        return client.cookies["AUTH_TOKEN"]


def test_without_redis_the_demo_is_one_process(start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("setpriv", "mongod"):
        if (found := shutil.which(name)) is not None:
            (tmp_path / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path))
    demo = start()
    demo.wait_until_ready()
    assert "One process: with redis-server installed there are two" in demo.output

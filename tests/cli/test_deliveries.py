"""``bzz deliveries`` shows what durable listeners could not do, and has it tried again or dropped."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import served
from tests.cli.running import run

pytestmark = pytest.mark.slow  # a server is started for each

OFFICE = "tests.cli.post_office:make"


class Office:
    """The application as a server of its own, and commands beside it."""

    def __init__(self, url: str, env: dict[str, str]) -> None:
        self.url = url
        self.env = env
        self.closed = Path(env["POST_IS_CLOSED"])

    def write(self, text: str) -> str:
        """Post a postcard; return its URL."""
        answer = httpx.post(f"{self.url}postcard/", json={"text": text}, trust_env=False)
        return str(httpx.URL(self.url).join(answer.headers["Location"]))

    @property
    def posted(self) -> list[str]:
        path = Path(self.env["POSTED"])
        return path.read_text().splitlines() if path.exists() else []

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run("deliveries", command, OFFICE, *arguments, env=self.env)

    def listing(self, command: str, *arguments: str) -> Any:
        done = self.run(command, *arguments, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@contextmanager
def opened(environment: dict[str, str], directory: Path) -> Iterator[Office]:
    env = {**environment, "POST_IS_CLOSED": str(directory / "closed"), "POSTED": str(directory / "posted")}
    env["SHOP_DATABASE"] += directory.name[-10:]
    with served(OFFICE, env) as url:
        yield Office(url, env)


@pytest.fixture
def office(shop_environment: dict[str, str], tmp_path: Path) -> Iterator[Office]:
    with opened(shop_environment, tmp_path) as office:
        yield office


def close(office: Office) -> Office:
    """Give an office a dead letter, of a postcard that was edited afterwards."""
    office.closed.touch()
    place = office.write("hello")
    until(lambda: office.listing("list"))
    httpx.put(place, json={"text": "good bye"}, trust_env=False)
    until(lambda: len(office.listing("list", "--all")) == 2)
    return office


@pytest.fixture
def closed(office: Office) -> Office:
    return close(office)


@pytest.fixture(scope="module")
def shown(shop_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A closed office for those who only look."""
    with opened(shop_environment, tmp_path_factory.mktemp("shown")) as office:
        yield close(office)


def test_a_dead_letter_is_listed_with_its_error(shown: Office) -> None:
    (row,) = shown.listing("list")
    assert (row["state"], row["change"], row["attempts"]) == ("dead", "created", 1)
    assert row["error"] == "RuntimeError: the post office is closed"
    assert re.fullmatch(r"post/postcard:\d+\.\d+\.[01].*", row["id"])


def test_what_waits_behind_it_is_listed_when_asked_for(shown: Office) -> None:
    assert [(row["state"], row["change"]) for row in shown.listing("list", "--all")] == [
        ("dead", "created"),
        ("queued", "updated"),
    ]


def test_a_letter_is_shown_with_its_diff_and_traceback(shown: Office) -> None:
    dead, queued = shown.listing("list", "--all")
    assert shown.listing("show", queued["id"])["diff"] == {"text": {"from": "hello", "to": "good bye"}}
    text = shown.run("show", dead["id"]).stdout
    assert 'raise RuntimeError("the post office is closed")' in text
    assert "text: None -> 'hello'" in text


def test_what_is_tried_again_is_done_in_its_order(closed: Office) -> None:
    closed.closed.unlink()
    assert closed.run("retry", "post").stdout == "1 letter\n"
    until(lambda: len(closed.posted) == 3)
    assert closed.posted == ["Postcard.created hello", "Postcard.updated good bye", "Postcard.updated.text good bye"]
    assert until(lambda: not closed.listing("list", "--all"))


def test_what_is_skipped_is_not_done_and_the_next_is(closed: Office) -> None:
    closed.closed.unlink()
    (row,) = closed.listing("list")
    assert closed.run("skip", "post", row["id"]).stdout == "1 letter\n"
    until(lambda: len(closed.posted) == 2)
    assert closed.posted == ["Postcard.updated good bye", "Postcard.updated.text good bye"]


def test_letters_are_chosen_by_the_time_of_their_change(closed: Office) -> None:
    assert closed.run("retry", "post", "--to", "2020-01-01").stdout == "0 letters\n"
    assert closed.run("skip", "post", "--from", "2020-01-01", "--to", "2100-01-01").stdout == "1 letter\n"


def test_a_letter_that_is_not_dead_stays_as_it_is(shown: Office) -> None:
    done = shown.run("retry", "post", "post/postcard:1.1.1")
    assert done.returncode == 1
    assert "Of 1 letters 0 could be tried again for post" in done.stderr
    assert shown.run("show", "post/postcard:1.1.1").stderr == "There is no letter post/postcard:1.1.1.\n"


def test_the_lag_of_each_listener_is_told(shown: Office) -> None:
    (row,) = shown.listing("lag")
    assert (row["listener"], row["processes"], row["dead"], row["waiting"], row["trouble"]) == ("post", 1, 1, 1, None)
    assert 0 <= row["behind"] < 60


def test_a_listener_is_stopped_and_resumed(office: Office) -> None:
    assert office.run("stop", "post", "--reason", "a holiday").returncode == 0
    assert office.listing("lag")[0]["reason"] == "a holiday"
    written = 0

    def is_held_back() -> bool:  # it notices at its next beat
        nonlocal written
        office.write(str(written))
        written += 1
        time.sleep(0.5)
        return len(office.posted) < written

    until(is_held_back)
    assert office.run("resume", "post").returncode == 0
    until(lambda: len(office.posted) == written)


def test_resync_tells_all_documents_again(office: Office) -> None:
    office.write("hello")
    until(lambda: office.posted == ["Postcard.created hello"])
    assert office.run("resync", "post").returncode == 0
    until(lambda: office.posted == ["Postcard.created hello", "Postcard.created hello"])


@pytest.mark.parametrize("command", ["retry", "skip", "resync", "resume", "stop"])
def test_a_listener_that_nobody_knows_is_told(shown: Office, command: str) -> None:
    done = shown.run(command, "pots")
    assert (done.returncode, done.stderr) == (1, "The application has no durable listener pots; it has post.\n")

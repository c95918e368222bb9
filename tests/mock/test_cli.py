"""``bzz mock``, as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "bzz"]

ROUTES = """
- [GET, /hello, {body: hi}]
- method: post
  url: /user/(\\d+)
  status: '201'
  body: {id: 7}
"""


def _hear_ctrl_c() -> None:
    """Undo what a shell does to the programs that it runs in the background: they would not hear SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def serving(file: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*COMMAND, "mock", str(file), "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_ctrl_c
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found is not None, line
            yield process, found[0]
        finally:
            process.kill()


def test_a_file_of_rows_is_served_until_ctrl_c(tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES)
    with serving(file) as (process, url):
        assert httpx.get(f"{url}hello/", trust_env=False).text == "hi"
        made = httpx.post(f"{url}user/1", trust_env=False)
        assert (made.status_code, made.json()) == (201, {"id": 7})
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_an_openapi_document_is_served(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(
        "{openapi: 3.1.0, paths: {/x: {get: {responses: {'200': {content: {text/plain: {example: hi}}}}}}}}"
    )
    with serving(file) as (_, url):
        assert httpx.get(f"{url}x", trust_env=False).text == "hi"


@pytest.mark.parametrize(("option", "allowed"), [("--cors", "https://app.example"), ("--no-cors", None)])
def test_pages_of_every_origin_may_use_it_unless_said_otherwise(
    tmp_path: Path, option: str, allowed: str | None
) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES)
    with serving(file, option) as (_, url):
        answer = httpx.get(f"{url}hello", headers={"Origin": "https://app.example"}, trust_env=False)
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- [GET, /hello, {bodi: hi}]", "row 1 of the mock table, GET /hello: unknown bodi"),
        ("- {url: nowhere}", "row 1 of the mock table, * nowhere: 'nowhere' is no URL path"),
        ("just a text", "holds neither a list of rows nor an OpenAPI document"),
        ("{swagger: '2.0'}", "no OpenAPI 3 document"),
    ],
)
def test_a_mistake_in_the_file_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(text)
    done = subprocess.run([*COMMAND, "mock", str(file)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_help_lists_the_commands() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=30)
    assert "mock" in done.stdout

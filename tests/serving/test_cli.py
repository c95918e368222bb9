"""``bzz serve``, as a process of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import httpx
import pytest

COMMAND = [sys.executable, "-m", "bzz", "serve"]
GRANIAN = ["--server", "granian", "--processes", "2"]


@pytest.mark.parametrize(("options", "engine"), [([], "Tornado"), (GRANIAN, "granian")], ids=["tornado", "granian"])
def test_it_says_where_and_by_what_it_serves_and_stops_when_told(options: list[str], engine: str) -> None:
    command = [*COMMAND, "tests.serving.application:make", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found is not None, line
            assert httpx.get(found[0], trust_env=False).status_code == 200
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=15)
            assert process.returncode == 0
            assert f"serving by {engine} " in said
        finally:
            process.kill()


def fails(*arguments: str) -> str:
    run = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 1
    assert "Serving" not in run.stdout
    return run.stderr


@pytest.mark.parametrize("options", [[], GRANIAN], ids=["tornado", "granian"])
def test_a_name_that_leads_nowhere_is_told_and_nothing_is_served(options: list[str]) -> None:
    assert fails("nowhere:app", "--port", "0", *options).endswith("there is no module 'nowhere' on the path\n")


def test_several_processes_are_an_error_that_names_what_runs_them() -> None:
    assert "bzz[granian]" in fails("tests.serving.application:make", "--processes", "2")


def test_options_reach_the_server() -> None:
    message = fails("tests.serving.application:make", "--option", "xheaders=true", "--trusted-proxy", "10.0.0.0/8")
    assert message == "xheaders believes whoever connects: leave it out where trusted_proxies says whom\n"
    assert "must be NAME=VALUE" in fails("tests.serving.application:make", "--option", "xheaders")
    assert "--option port is none of the server's" in fails("tests.serving.application:make", "--option", "port=1")


def test_a_port_that_is_none_is_a_mistake_in_the_arguments() -> None:
    command = [*COMMAND, "tests.serving.application:make", "--port", "99999"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (run.returncode, "Serving" in run.stdout) == (2, False)


def test_the_access_log_is_written_as_it_is() -> None:
    command = [*COMMAND, "tests.serving.application:make_logged", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
            assert found is not None
            httpx.get(found[0], trust_env=False)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=15)
            lines = [json.loads(each) for each in said.splitlines() if each.startswith("{")]
            assert [(each["status"], each["method"]) for each in lines] == [(200, "GET")], said
        finally:
            process.kill()

"""``bzz serve``, as a process of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx


def test_it_says_where_it_serves_and_stops_when_told() -> None:
    command = [sys.executable, "-m", "bzz", "serve", "tests.serving.application:make", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
            assert found is not None
            assert httpx.get(found[0], trust_env=False).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=15) == 0
        finally:
            process.kill()


def test_a_name_that_leads_nowhere_is_told_in_one_line() -> None:
    command = [sys.executable, "-m", "bzz", "serve", "nowhere:app", "--port", "0"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (run.returncode, run.stderr) == (1, "there is no module 'nowhere' on the path\n")

"""The load generator: wrk (https://github.com/wg/wrk), told by ``load.lua`` what to send."""

from __future__ import annotations

import math
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.operations import Request

__all__ = ["Figures", "LoadError", "check_installed", "load"]

_SCRIPT = Path(__file__).with_name("load.lua")
_FIGURES = re.compile(r"^figures (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
_BAD_SHARE = 0.01
_PATIENCE_SECONDS = 20


class LoadError(Exception):
    """The load generator is not there, or what it saw cannot be counted."""


class Figures(NamedTuple):
    """What one run saw: good answers in all and per second, latency, and what an answer cost the server's processor.

    The last is the steadiest on a machine that is also busy with something else.
    """

    answers: int
    rate: float
    median_ms: float
    p99_ms: float
    cpu_ms: float = 0.0


def check_installed() -> None:
    """
    :raises LoadError: where there is no wrk on PATH.
    """
    if shutil.which("wrk") is None:
        raise LoadError("the load generator wrk is not on PATH; on Debian and Ubuntu: apt-get install wrk")


def load(port: int, requests: Sequence[Request], connections: int, seconds: float, *, once: bool = False) -> Figures:
    """Send ``requests`` in random order, or each ``once`` in the order given, and count the good answers.

    :param connections: how many are kept open, each with one request at a time.
    :raises LoadError: where more than one in a hundred answers is an error, or a connection broke.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
        file.writelines("\t".join(request) + "\n" for request in requests)
        file.flush()
        order = "once" if once else "random"
        url, path = f"http://127.0.0.1:{port}/", Path(file.name)
        output = _run(url, path, order, connections, seconds)
        while _is_silent(output) and seconds < _PATIENCE_SECONDS:  # many connections and a slow server: look longer
            seconds *= 2
            output = _run(url, path, order, connections, seconds)
    return _read(output)


def _run(url: str, requests: Path, order: str, connections: int, seconds: float) -> str:
    duration = f"{math.ceil(seconds) + 5}s"  # wrk counts whole seconds; it is stopped by a signal before
    process = subprocess.Popen(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{duration}",
            "--timeout",
            "20s",
            "-s",
            _SCRIPT,
            url,
            "--",
            requests,
            order,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    return output


def _is_silent(output: str) -> bool:
    """Whether nothing came back, and nothing broke either."""
    found = _FIGURES.search(output)
    return found is not None and not any(int(found[group]) for group in (1, 3, 4))


def _read(output: str) -> Figures:
    found = _FIGURES.search(output)
    if found is None:
        raise LoadError(f"wrk said:\n{output}")
    answers, microseconds, refused, broken, median, p99 = map(int, found.groups())
    if not answers or refused + broken > _BAD_SHARE * answers:
        raise LoadError(f"{refused} of {answers} answers were errors, {broken} connections broke; wrk said:\n{output}")
    good = answers - refused
    return Figures(good, good / microseconds * 1e6, median / 1000, p99 / 1000)

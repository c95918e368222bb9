"""Servers are measured one after the other, with the machine to themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from bench.peers import SERVERS, Running

LEFT_BEHIND = """
import time
until = time.process_time() + {seconds}
print("at work", flush=True)
while time.process_time() < until: pass
time.sleep(60)
"""
pytestmark = pytest.mark.timeout(300)  # as long as it takes: the work is measured in processor time
TICK = 0.02  # the system counts in hundredths


@contextmanager
def at_work(seconds: float) -> Iterator[Running]:
    """A server that has so many seconds of processor time of work left, and then sleeps."""
    with psutil.Popen([sys.executable, "-c", LEFT_BEHIND.format(seconds=seconds)], stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            yield Running(SERVERS["bzz"], 0, process)
        finally:
            process.kill()


def test_the_next_server_waits_until_the_one_before_is_idle() -> None:
    with at_work(0.6) as running:
        before = running.cpu_seconds
        running.wait_until_idle()
        assert running.cpu_seconds - before >= 0.6 - TICK


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux has processes share one processor")
def test_a_server_that_gets_no_processor_time_is_not_idle() -> None:
    processor = {min(os.sched_getaffinity(0))}
    with at_work(0.2) as running, psutil.Popen([sys.executable, "-c", "while 1: pass"]) as other:
        try:
            os.sched_setaffinity(other.pid, processor)
            os.sched_setaffinity(running.process.pid, processor)
            running.process.nice(10)
            before = running.cpu_seconds
            running.wait_until_idle()
            assert running.cpu_seconds - before >= 0.2 - TICK
        finally:
            other.kill()

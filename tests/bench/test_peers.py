"""Servers are measured one after the other, with the machine to themselves."""

from __future__ import annotations

import sys

import psutil

from bench.peers import SERVERS, Running

BUSY_SECONDS = 0.6
LEFT_BEHIND = f"import time\nwhile time.process_time() < {BUSY_SECONDS}: pass\ntime.sleep(60)"


def test_the_next_server_waits_until_the_one_before_is_idle() -> None:
    with psutil.Popen([sys.executable, "-c", LEFT_BEHIND]) as process:
        try:
            running = Running(SERVERS["bzz"], 0, process)
            running.wait_until_idle()
            assert running.cpu_seconds >= BUSY_SECONDS - 0.02  # the system counts in hundredths
        finally:
            process.kill()

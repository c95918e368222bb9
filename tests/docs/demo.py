"""The demo in a process of its own, as a newcomer starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docs.page import ROOT

__all__ = ["SECONDS", "Demo"]

MAIN = ROOT / "docs" / "examples" / "airports" / "main.py"
SECONDS = 50


class Demo:
    """One start of the demo."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self._log = data.with_suffix(f".{time.monotonic_ns()}.log")
        environment = {name: value for name, value in os.environ.items() if name != "BZZ_MONGODB_URI"}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-W", "error", MAIN, "--data", data, *arguments],
                cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    @property
    def output(self) -> str:
        """All that it has printed."""
        return self._log.read_text()

    def wait_for(self, text: str) -> str:
        """The output, once it holds ``text``."""
        deadline = time.monotonic() + SECONDS
        while text not in self.output:
            if "no MongoDB was found" in self.output:
                # Anywhere but on Linux on x86-64, where the wheel is for: see require_mongod().
                pytest.skip("the demo brings its own MongoDB, and there is none for this machine")
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)
        return self.output

    def wait_until_ready(self) -> str:
        """Its address, once it says that it is ready."""
        found = re.search(r"Ready at (\S+)", self.wait_for("Nowhere"))
        assert found is not None
        return found[1]

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal to all its processes, as a terminal does, and wait for the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.wait(SECONDS)

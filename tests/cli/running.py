"""The real command, run as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["COMMAND", "environment", "hear_ctrl_c", "listing", "run"]

COMMAND = [sys.executable, "-m", "bzz"]
SECONDS = 50


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: nothing in it says how wide or colourful terminals are."""
    ambient = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**ambient, **more}


def run(
    *arguments: str, given: str | bytes = b"", env: Mapping[str, str] | None = None, cwd: Any = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; no terminal is there."""
    text = given.decode() if isinstance(given, bytes) else given
    return subprocess.run(
        [*COMMAND, *arguments], input=text, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=cwd,
        env=dict(env or environment()),
    )  # fmt: skip


def listing(*arguments: str) -> Any:
    """Run a command with ``--json``, which must succeed, and return what it lists."""
    done = run(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def hear_ctrl_c() -> None:
    """Undo what a shell does to the programs that it runs in the background: they would not hear SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

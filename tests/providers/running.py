"""pytest in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "outcomes", "run"]

ROOT = Path(__file__).parents[2]
SECONDS = 55

_OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR) \S*?::(\w+::\w+)", re.MULTILINE)


def run(uri: str, *arguments: str, directory: Path = ROOT) -> str:
    """Return what pytest prints when it is run in ``directory``; its tests use the MongoDB at ``uri``."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--tb=no", "--no-header", "-p", "no:cacheprovider", *arguments],
        cwd=directory, env={**os.environ, "BZZ_MONGODB_URI": uri, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    ).stdout  # fmt: skip


def outcomes(output: str) -> dict[str, set[str]]:
    """Return the outcomes by ``Class::test``, those of all parameters that were run together."""
    found: dict[str, set[str]] = {}
    for outcome, test in _OUTCOME.findall(output):
        found.setdefault(test, set()).add(outcome)
    return found

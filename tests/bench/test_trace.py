"""What a reader has to open to follow one request does not grow unseen."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FILES = {"GET": 23, "PUT": 28}
"""As docs/architecture.md says it; the aim is 18 for a PUT."""

ARCHITECTURE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")


def traced(name: str) -> str:
    """What ``python -m bench.trace`` prints of a request."""
    command = [sys.executable, "-m", "bench.trace", name]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=50).stdout


@pytest.mark.parametrize("name", FILES)
def test_a_request_passes_no_more_files_than_the_architecture_says(name: str) -> None:
    told = traced(name)
    found = re.match(rf"{name}: (\d+) files, (\d+) functions, (\d+) moves\n", told)
    assert found is not None, told
    assert int(found[1]) <= FILES[name], told


def test_the_walk_of_a_put_in_the_architecture_names_what_it_passes_above_the_providers() -> None:
    passed = set(re.findall(r"^  ((?!providers/)[\w/]+\.py):", traced("PUT"), re.MULTILINE))
    table = ARCHITECTURE.partition("| module | what it does in a PUT |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`((?!providers/)[\w/]+\.py)`", table)) == passed

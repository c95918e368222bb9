"""What a reader has to open to follow one request does not grow unseen."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

FILES = {"GET": 32, "PUT": 42}
"""As docs/architecture.md says it; the aim is 18 for a PUT."""


@pytest.mark.parametrize("name", FILES)
def test_a_request_passes_no_more_files_than_the_architecture_says(name: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bench.trace", name], capture_output=True, text=True, check=True, timeout=50
    ).stdout
    found = re.match(rf"{name}: (\d+) files, (\d+) functions, (\d+) moves\n", told)
    assert found is not None, told
    assert int(found[1]) <= FILES[name], told

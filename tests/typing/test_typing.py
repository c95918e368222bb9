"""mypy, run on what users write."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
OPTIONS = ["--strict", "--python-version=3.11", "--follow-imports=silent", "--config-file="]
PROGRAMS = sorted(path for path in HERE.glob("*.py") if not path.name.startswith(("test_", "__")))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_mypy_accepts_what_is_right_and_only_that(program: Path) -> None:
    output, errors, status = api.run(
        ["--strict", "--python-version=3.11", "--follow-imports=silent", "--config-file=", str(program)]
    )
    assert (status, errors) == (0, ""), output

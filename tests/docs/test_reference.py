"""The reference has every public name, and the site of the manual is made without a warning."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bzz
from tests.docs.page import ROOT

MODULES = (
    "bzz",
    "bzz.auth",
    "bzz.delivery",
    "bzz.dev",
    "bzz.errors",
    "bzz.events",
    "bzz.explorer",
    "bzz.openapi",
    "bzz.providers.base",
    "bzz.providers.changes",
    "bzz.providers.deliveries",
    "bzz.providers.history",
    "bzz.signals",
    "bzz.testing",
)


def referred() -> set[str]:
    """The names in the reference, with their modules."""
    found, module = set(), ""
    for line in (ROOT / "docs" / "reference.rst").read_text().splitlines():
        if line.startswith(".. module:: "):
            module = line.removeprefix(".. module:: ")
        elif match := re.match(r"\.\. auto\w+:: (\w+)", line):
            found.add(f"{module}.{match[1]}")
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    found = importlib.import_module(module)
    names = {name for name in found.__all__ if not inspect.ismodule(getattr(found, name))}
    own = names if module == "bzz" else names - set(bzz.__all__)
    assert {f"{module}.{name}" for name in own} - referred() == set()


def test_the_reference_names_nothing_that_is_not_there() -> None:
    for name in referred():
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_site_is_made_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "docs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

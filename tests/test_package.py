"""The package as PyPI would have it: built, checked, and installed into an empty environment."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.docs.page import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # pip fetches what the package requires


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its words where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the source distribution."""
    place = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", place, ROOT, cwd=place)
    return place


def description(built: Path) -> str:
    """What PyPI shows on the project's page."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        name = next(each for each in wheel.namelist() if each.endswith("METADATA"))
        return wheel.read(name).decode().partition("\n\n")[2]


def test_twine_finds_nothing_wrong(built: Path) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(built.iterdir()), cwd=built)


def test_the_page_on_pypi_links_to_nothing_that_is_not_there(built: Path) -> None:
    links = re.findall(r"\]\(([^)]*)\)", description(built))
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_wheel_works_in_an_empty_environment(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    wheel = next(built.glob("*.whl"))
    run(python, "-m", "pip", "install", "--quiet", f"{wheel}[cli]", cwd=tmp_path)
    program = (
        "import bzz, mongoengine as me; A = type('A', (me.Document,), {}); bzz.ModelHive.routes_for('mongoengine', A)"
    )
    run(python, "-c", program, cwd=tmp_path)
    assert run(tmp_path / "env" / "bin" / "bzz", "--version", cwd=tmp_path).startswith("bzz ")

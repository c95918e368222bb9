"""The benchmark stays alive: every server starts, answers alike, and is measured once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bzz.dev import URI_VARIABLE, MongoServer

ROOT = Path(__file__).parents[2]
ALL = {
    "bzz",
    "bzz-granian",
    "bzz-receiver",
    "bzz-receiver-granian",
    "tornado-motor",
    "tornado-motor-granian",
    "tornado-pymongo",
    "fastapi-beanie",
    "fastapi-beanie-granian",
    "eve",
    "constant",
    "constant-granian",
}

pytest.importorskip("beanie", reason="the extra 'bench' is not installed")
pytest.importorskip("eve", reason="the extra 'bench' is not installed")
pytest.importorskip("matplotlib", reason="the extra 'bench' is not installed")
pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not on PATH: apt-get install wrk")


@pytest.mark.timeout(300)
@pytest.mark.slow  # every server is started
def test_a_brief_run_measures_every_server_and_leaves_figures_a_table_and_a_chart(
    mongo: MongoServer, tmp_path: Path
) -> None:
    done = bench("--brief", "--output", str(tmp_path), environment={URI_VARIABLE: mongo.uri})
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "benchmarks.json").read_text())
    assert {each["server"] for each in figures["results"]} == ALL
    assert "| bzz, on granian |" in (tmp_path / "benchmarks.md").read_text()
    assert "<svg" in (tmp_path / "benchmarks.svg").read_text()


def test_without_the_load_generator_it_says_how_to_install_it(tmp_path: Path) -> None:
    done = bench("--brief", "--output", str(tmp_path), environment={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert "apt-get install wrk" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_every_micro_benchmark_runs() -> None:
    pytest.importorskip("pytest_benchmark")
    done = run("-m", "pytest", "-q", "bench/micro", "--benchmark-disable", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout


def bench(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run("-m", "bench", *arguments, environment=environment)


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )

"""What others make of the demo's OpenAPI document: generated clients work, and random requests find no mismatch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.demo import Demo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the demo starts, and npm fetches packages

CASES_PER_OPERATION = 3
"""By chance, SOAK times as many. With those that cover what a schema allows there are some 16,000 cases in all."""

LIKE_OTHERS = r"^/(country|loading|review)/|^/airline/\{id\}/."
"""The paths that CI leaves out: others are of their kind."""

PYTHON = """
from airports_client import Client
from airports_client.api.airport import get_airport_item, list_airport, update_airport_item
from airports_client.models import AirportUpdate

client = Client("ADDRESS")
found = list_airport.sync(client=client, country="BR", city="Recife")
assert isinstance(found, list) and [each.icao for each in found] == ["SBRF"]
changed = update_airport_item.sync("SBRF", client=client, body=AirportUpdate(city="Olinda"))
assert getattr(changed, "city") == "Olinda"
shown = get_airport_item.sync("SBRF", client=client)
assert getattr(shown, "city") == "Olinda"
print("done")
"""

IMPORT_ALL = """
import importlib, pkgutil, airports_client
for each in pkgutil.walk_packages(airports_client.__path__, "airports_client."):
    importlib.import_module(each.name)
"""

TYPESCRIPT = """
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const client = createClient<paths>({ baseUrl: "ADDRESS" });

async function main(): Promise<void> {
  const list = await client.GET("/airport/", { params: { query: { country: "BR", icao__startswith: "SBRF" } } });
  const icao: string | undefined = list.data?.[0]?.icao;
  if (icao !== "SBRF") throw new Error(`found ${icao}`);
  const put = await client.PUT("/airport/{id}/", { params: { path: { id: icao } }, body: { iata: "REC" } });
  const name: string | null | undefined = put.data?.name;
  const wrong = await client.POST("/airport/", { body: {} as never });
  if (!name || wrong.error?.status !== 400) throw new Error("no problem");
  console.log("done");
}
main();
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the demo, with some airports."""
    running = Demo(tmp_path_factory.mktemp("demo") / "data", "--port", "0", "--rows", "100")
    yield running.wait_until_ready()
    assert running.stop() == 0
    assert "Traceback" not in running.output


@pytest.fixture
def described(demo: str, tmp_path: Path) -> Path:
    """The document as a file, in a directory where the test works."""
    file = tmp_path / "openapi.json"
    file.write_bytes(httpx.get(f"{demo}/openapi.json", trust_env=False).content)
    return file


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its words where it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_a_generated_python_client_type_checks_and_makes_calls(demo: str, described: Path) -> None:
    place = described.parent
    # It warns of text/csv, which it does not know, unless it is told what to take it for.
    (place / "config.yaml").write_text("content_type_overrides: {text/csv: application/octet-stream}")
    run("openapi-python-client", "generate", "--path", described, "--output-path", place / "airports_client",
        "--meta", "none", "--config", "config.yaml", "--fail-on-warning", cwd=place)  # fmt: skip
    (place / "calls.py").write_text(PYTHON.replace("ADDRESS", demo))
    run(sys.executable, "-m", "mypy", "--follow-imports", "silent", "calls.py", cwd=place)
    run(sys.executable, "-c", IMPORT_ALL, cwd=place)
    assert run(sys.executable, "calls.py", cwd=place) == "done\n"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_generated_typescript_client_compiles_and_makes_calls(demo: str, described: Path) -> None:
    place = described.parent
    (place / "package.json").write_text('{"type": "module"}')
    packages = ("openapi-typescript@7", "openapi-fetch", "typescript@5")
    run("npm", "install", "--silent", "--no-fund", "--no-audit", *packages, cwd=place)
    run("npx", "openapi-typescript", described, "-o", "api.d.ts", cwd=place)
    (place / "calls.ts").write_text(TYPESCRIPT.replace("ADDRESS", demo))
    run("npx", "tsc", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "calls.ts", cwd=place)
    assert run("node", "calls.js", cwd=place) == "done\n"


def test_random_requests_find_no_failure_and_no_mismatch(demo: str, described: Path, tmp_path: Path) -> None:
    """But that what a schema allows may be refused: it cannot say that a reference has to lead somewhere, say.

    QUERY, for which 3.1 has no place, is told as OpenAPI 3.2 has it. There is one worker: on Python 3.11, one of two
    threads that parse Python at once may fail (https://github.com/python/cpython/issues/106905).
    """
    soak = int(os.environ.get("SOAK", "1"))
    left_out = ("--exclude-path-regex", LIKE_OTHERS) if soak == 1 else ()
    newer = described.read_text().replace('"x-query":', '"query":').replace('"openapi":"3.1.1"', '"openapi":"3.2.0"')
    described.write_text(newer)
    told = run("schemathesis", "run", described, "--url", demo, "--phases", "coverage,fuzzing", "--workers", "1",
               "-n", str(CASES_PER_OPERATION * soak), "--seed", os.environ.get("SEED", "1"), "--continue-on-failure",
               "--suppress-health-check", "all", "--exclude-checks", "positive_data_acceptance", "--no-color",
               *left_out, cwd=tmp_path)  # fmt: skip
    cases = re.search(r"([\d,]+) generated, ([\d,]+) passed", told)
    assert cases is not None, told
    assert cases[1] == cases[2]
    assert int(cases[1].replace(",", "")) >= 5000

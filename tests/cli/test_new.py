"""``bzz new`` makes an application whose own targets work."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bzz.dev import MongoServer
from tests.cli.running import environment, hear_ctrl_c, run
from tests.cli.test_deliveries import until
from tests.serving.test_proxies import nginx_with

ROOT = Path(__file__).parents[2]


def test_its_files_have_the_names_put_in(tmp_path: Path) -> None:
    done = run("new", str(tmp_path / "task-list"))
    assert (done.returncode, done.stderr) == (0, "")
    made = {each.relative_to(tmp_path / "task-list").as_posix(): each for each in (tmp_path / "task-list").rglob("*.*")}
    assert {"task_list/models.py", "tests/test_tasks.py", "nginx.conf", "compose.yaml", ".gitignore"} <= set(made)
    assert [name for name, path in made.items() if "{{" in path.read_text()] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Shop", "class", "tests", "1a", "a b", "calendar"])
def test_what_cannot_be_a_package_is_no_name(tmp_path: Path, name: str) -> None:
    done = run("new", name, cwd=tmp_path, env=environment(PYTHONPATH=str(ROOT)))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be the name of a package" in done.stderr


def test_a_directory_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine.txt").touch()
    done = run("new", str(tmp_path / "shop"))
    assert (done.returncode, done.stderr) == (1, f"{tmp_path / 'shop'} is there already, and not empty\n")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, mongo: MongoServer) -> tuple[Path, dict[str, str]]:
    """A new application with its environment, into which this checkout is installed as bzz."""
    directory = tmp_path_factory.mktemp("scaffold") / "task-list"
    assert run("new", str(directory)).returncode == 0
    env = environment(BZZ=str(ROOT), BZZ_MONGODB_URI=mongo.uri)
    for name in ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # a make within a make says where it goes, too
        env.pop(name, None)
    return directory, env


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_its_own_make_test_passes(installed: tuple[Path, dict[str, str]]) -> None:
    directory, env = installed
    done = subprocess.run(["make", "test"], cwd=directory, env=env, capture_output=True, text=True, timeout=390)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_its_own_make_run_serves_until_ctrl_c(installed: tuple[Path, dict[str, str]]) -> None:
    directory, env = installed
    port = free_port()
    command = ["make", "run", f"PORT={port}"]
    with subprocess.Popen(
        command, cwd=directory, env=env, stdout=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c, process_group=0
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/task/", process.stdout.readline())
            assert found is not None
            transport = httpx.HTTPTransport(retries=5)
            with httpx.Client(transport=transport, trust_env=False) as client:
                assert client.post(found[0], json={"title": "Write"}).status_code == 201
            second = subprocess.run(
                command, cwd=directory, env=env, capture_output=True, text=True, timeout=60, check=False
            )
            assert second.stderr.startswith(f"port {port}: Address already in use\n")
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            assert process.wait(60) == -signal.SIGINT  # make ends as its recipe was ended
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_its_image_runs_answers_and_feeds_behind_its_nginx(
    installed: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    directory, env = installed
    python = tmp_path / "image" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "image")], check=True)
    [needed] = re.findall(r"bzz(\[.*?\])", (directory / "pyproject.toml").read_text())
    subprocess.run([python, "-m", "pip", "install", "-q", f"{ROOT}{needed}"], env=env, check=True, timeout=390)
    port = free_port()
    [told] = re.findall(r"^CMD (\[.*\])", (directory / "Dockerfile").read_text().replace("\\\n", ""), re.MULTILINE)
    command = [str(port) if each == "8000" else each for each in json.loads(told)]
    site = (directory / "nginx.conf").read_text().replace("app:8000", f"127.0.0.1:{port}")
    env = {**env, "MONGODB_URI": env["BZZ_MONGODB_URI"], "PATH": f"{python.parent}:{env['PATH']}"}
    with (
        subprocess.Popen(command, cwd=directory, env=env) as process,
        nginx_with(site.replace("listen 80", "listen {port}"), tmp_path) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=20) as client,
    ):
        try:
            until(lambda: client.get("/task/").status_code == 200)
            with client.stream("GET", "/task/", headers={"Accept": "text/event-stream"}) as feed:
                lines = feed.iter_lines()
                assert "event: ready" in lines
                assert client.post("/task/", json={"title": "Wash"}).status_code == 201
                assert "event: created" in lines
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0

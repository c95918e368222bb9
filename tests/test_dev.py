"""The embedded MongoDB: where it is found, how it starts and stops, and what it says when it cannot."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pymongo
import pymongo.uri_parser
import pytest

from bzz.dev import MongoServer
from bzz.errors import ConfigurationError
from tests.conftest import require_mongod

REAL_PATH = os.environ["PATH"]


@pytest.fixture
def search_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory that is all of PATH, with no server named beside it."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv("BZZ_MONGODB_URI", raising=False)
    return directory


def install(directory: Path, script: str) -> None:
    program = directory / "mongod"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is named, so one is started, on a machine that has one."""
    monkeypatch.delenv("BZZ_MONGODB_URI", raising=False)
    require_mongod()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")  # in a container nobody may have reaped the dead
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def becomes_true(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def count(uri: str) -> int:
    with pymongo.MongoClient[dict[str, object]](uri) as client:
        client["app"]["things"].insert_one({})
        return client["app"]["things"].count_documents({})


@pytest.mark.usefixtures("embedded")
def test_it_takes_transactions_and_acknowledges_by_majority() -> None:
    with MongoServer() as server, pymongo.MongoClient[dict[str, object]](server.uri) as client:
        default = client.admin.command("getDefaultRWConcern")
        with client.start_session() as session, session.start_transaction():
            client["app"]["things"].insert_one({}, session=session)
        assert client["app"]["things"].count_documents({}) == 1
    assert (default["defaultWriteConcern"]["w"], default["defaultWriteConcernSource"]) == ("majority", "global")


@pytest.mark.usefixtures("embedded")
def test_it_listens_on_loopback_only() -> None:
    with MongoServer() as server, pymongo.MongoClient[dict[str, object]](server.uri) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]
        assert options["net"]["bindIp"] == "127.0.0.1"


@pytest.mark.usefixtures("embedded")
def test_data_survives_a_restart_on_another_port(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    with MongoServer(data) as server:
        address = pymongo.uri_parser.parse_uri(server.uri)["nodelist"][0]
        assert count(server.uri) == 1
    with socket.socket() as holder:  # keeps the first port from being chosen again
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
        with MongoServer(data) as server:
            assert (count(server.uri), pymongo.uri_parser.parse_uri(server.uri)["nodelist"] == [address]) == (2, False)


@pytest.mark.usefixtures("embedded")
def test_temporary_data_is_gone_after_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with MongoServer():
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("embedded")
def test_two_servers_run_at_once_and_each_stops_only_itself() -> None:
    with MongoServer() as first:
        with MongoServer() as second:
            assert (count(first.uri), count(second.uri)) == (1, 1)
        assert count(first.uri) == 2


@pytest.mark.usefixtures("embedded")
def test_it_is_stopped_when_the_block_fails() -> None:
    server = MongoServer()
    pids = []

    def fail() -> None:
        with server:
            pids.append(server.pid or 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [is_alive(pid) for pid in pids] == [False]


@pytest.mark.usefixtures("embedded")
def test_a_second_server_on_the_same_data_says_that_one_is_running(tmp_path: Path) -> None:
    with MongoServer(tmp_path) as first:
        with pytest.raises(ConfigurationError, match=rf"already running on {tmp_path} \(pid {first.pid}\)"):
            MongoServer(tmp_path).start()
        assert count(first.uri) == 1


@pytest.mark.usefixtures("embedded")
def test_stopping_twice_is_stopping_once() -> None:
    server = MongoServer()
    server.start()
    server.stop()
    server.stop()
    assert server.pid is None


@pytest.mark.usefixtures("embedded")
# Only Linux tells a process of its parent's death, and setpriv(1) is how bzz.dev asks for that; where it is missing, so
# is the promise, and a MongoDB whose parent is killed goes on.
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv(1) of Linux")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_a_parent_that_is_killed(
    ending: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # whoever is killed cannot clean up
    code = "from bzz.dev import MongoServer as S; s = S(); s.start(); print(s.pid, flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.send_signal(ending)
    assert becomes_true(lambda: not is_alive(pid))


@pytest.mark.usefixtures("embedded")
def test_it_ends_with_a_program_that_never_stops_it() -> None:
    code = "from bzz.dev import MongoServer as S; s = S(); s.start(); print(s.pid)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not is_alive(int(done.stdout))


def test_a_server_that_is_named_is_used_and_left_running(mongo: MongoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BZZ_MONGODB_URI", mongo.uri)
    with MongoServer() as server:
        assert (server.uri, server.pid) == (mongo.uri, None)
    assert count(mongo.uri) >= 1


@pytest.mark.parametrize("uri", ["mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100", "nonsense", "mongodb://:x@"])
def test_a_named_server_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setattr("bzz.dev.ANSWER_MS", 200)
    monkeypatch.setenv("BZZ_MONGODB_URI", uri)
    with pytest.raises(ConfigurationError, match=r"(?s)BZZ_MONGODB_URI .*docker compose up -d mongo"):
        MongoServer().start()


def test_the_password_of_a_named_server_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bzz.dev.ANSWER_MS", 200)
    monkeypatch.setenv("BZZ_MONGODB_URI", "mongodb://ann:secret@127.0.0.1:1/")
    with pytest.raises(ConfigurationError) as caught:
        MongoServer().start()
    assert "secret" not in str(caught.value)


@pytest.mark.usefixtures("search_path")
def test_where_there_is_none_the_error_names_all_three_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])  # no wheel either
    with pytest.raises(ConfigurationError) as caught:
        MongoServer().start()
    expected = ["BZZ_MONGODB_URI", "on PATH", "docker compose up -d mongo", "pip install 'bzz[embedded]'"]
    assert [each for each in expected if each not in str(caught.value)] == []


def test_a_mongod_on_path_comes_before_the_embedded_one(search_path: Path) -> None:
    install(search_path, "echo mine; exit 3")
    with pytest.raises(ConfigurationError, match=r"(?s)exit code 3.*mine"):
        MongoServer().start()


def test_a_missing_shared_library_is_named(search_path: Path) -> None:
    install(
        search_path,
        "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open it' >&2; exit 127",
    )
    with pytest.raises(ConfigurationError, match=r"(?s)library libcurl\.so\.4 is missing.*docker compose up -d mongo"):
        MongoServer().start()


def test_a_server_that_never_gets_ready_is_ended(
    search_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bzz.dev.START_SECONDS", 0.5)
    install(search_path, f"echo $$ > {tmp_path}/pid; PATH={REAL_PATH} exec sleep 60")
    with pytest.raises(ConfigurationError, match="not ready within"):
        MongoServer().start()
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_server_that_will_not_stop_is_killed(
    search_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bzz.dev.START_SECONDS", 0.5)
    monkeypatch.setattr("bzz.dev.STOP_SECONDS", 0.2)
    install(search_path, f"trap '' TERM; echo $$ > {tmp_path}/pid; PATH={REAL_PATH} exec sleep 60")
    with pytest.raises(ConfigurationError):
        MongoServer().start()
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_port_that_is_taken_meanwhile_is_tried_again_elsewhere(search_path: Path, tmp_path: Path) -> None:
    install(
        search_path, f'echo "$@" >> {tmp_path}/calls; [ -e {tmp_path}/again ] && exit 3; : > {tmp_path}/again; exit 48'
    )
    with pytest.raises(ConfigurationError, match="exit code 3"):
        MongoServer().start()
    assert len((tmp_path / "calls").read_text().splitlines()) == 2


def test_data_where_a_file_is_in_the_way_is_an_error(search_path: Path, tmp_path: Path) -> None:
    install(search_path, "exit 0")
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigurationError, match=r"cannot keep its data in .*data: File exists"):
        MongoServer(tmp_path / "data").start()


def test_a_wheel_without_its_run_bit_is_made_runnable(
    search_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(search_path, "exit 3")
    wheel = tmp_path / "fiftyone" / "db" / "bin"
    wheel.mkdir(parents=True)
    shutil.move(search_path / "mongod", wheel)
    (wheel / "mongod").chmod(0o644)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ConfigurationError, match="exit code 3"):
        MongoServer().start()
    assert os.access(wheel / "mongod", os.X_OK)

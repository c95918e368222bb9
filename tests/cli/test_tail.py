"""``bzz tail`` follows a feed, over its breaks."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from bzz.cli.frames import FrameReader
from tests.cli.conftest import Shop
from tests.cli.running import COMMAND, environment, hear_ctrl_c, run

pytestmark = pytest.mark.slow  # each starts a process that follows a feed


@contextmanager
def tailing(url: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, "tail", url, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        preexec_fn=hear_ctrl_c,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def read(process: subprocess.Popen[str], event: str) -> Any:
    while True:
        found = json.loads(line(process))
        if found["event"] == event:
            return found


def test_each_change_is_a_line_with_its_diff_and_ctrl_c_ends_it_with_130(shop: Shop) -> None:
    with tailing(f"{shop.url}ware/") as process:
        assert line(process) == "waiting for changes\n"
        made = httpx.post(f"{shop.url}ware/", json={"name": "Ball", "price": 3}, trust_env=False).json()
        ware = f"{shop.url}ware/{made['id']}/"
        assert re.fullmatch(
            rf'\d\d:\d\d:\d\d created ware/{made["id"]} name="Ball" price=3.0 status="new" places=\[\]\n', line(process)
        )
        httpx.put(ware, json={"price": 4.5}, trust_env=False)
        assert line(process)[9:] == f"updated ware/{made['id']} price 3.0 -> 4.5\n"
        httpx.delete(ware, trust_env=False)
        assert line(process)[9:] == f"deleted ware/{made['id']}\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert (process.returncode, said) == (130, "")


def test_json_is_a_line_for_each_frame(shop: Shop) -> None:
    with tailing(f"{shop.url}ware/", "--json") as process:
        read(process, "ready")
        made = httpx.post(f"{shop.url}ware/", json={"name": "Bat"}, trust_env=False).json()
        frame = read(process, "created")
        assert (frame["model"], frame["id"], frame["row"]["name"]) == ("ware", made["id"], "Bat")
        assert frame["position"].startswith("v1.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("health/", "is no feed: it answers text/html"),
        ("api/supplier/", "answers 406 Not Acceptable: This is shown as application/json."),
        ("nowhere/", "answers 404 Not Found"),
    ],
)
def test_what_is_no_feed_is_one_sentence(shop: Shop, path: str, message: str) -> None:
    done = run("tail", f"{shop.url}{path}")
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_server_that_is_away_is_one_sentence() -> None:
    done = run("tail", "127.0.0.1:1/ware/")
    assert (done.returncode, done.stderr) == (1, "http://127.0.0.1:1 does not answer: Connection refused\n")


def test_a_frame_that_broke_off_has_not_moved_the_position() -> None:
    reader = FrameReader()
    assert [frame.id for frame in reader.feed(b"event: a\ndata: 1\nid: one\n\nevent: b\ndata: 2\nid: two\n")] == ["one"]
    assert reader.last_id == "one"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_frames_come_whole_from_whatever_pieces(end: bytes) -> None:
    stream = end.join([b": hi", b"retry: 2000", b"", b"event: a", b"data: 1", b"data: 2", b"id: x", b"", b""])
    reader = FrameReader()
    frames = [frame for byte in (*stream, *b":") for frame in reader.feed(bytes([byte]))]
    assert [(frame.event, frame.data, frame.id) for frame in frames] == [("a", "1\n2", "x")]
    assert reader.retry_seconds == 2


def serving(shop: Shop, port: int) -> subprocess.Popen[str]:
    """The shop on a port, once it answers."""
    command = [*COMMAND, "serve", "tests.cli.shop:make", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=shop.env)
    assert process.stdout is not None
    with process.stdout as printed:
        assert "Serving" in printed.readline()
    return process


@pytest.mark.slow
def test_after_a_restart_of_the_server_it_goes_on_where_it_was(shop: Shop) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = serving(shop, port)
    try:
        with tailing(f"127.0.0.1:{port}/ware/", "--json") as process:
            read(process, "ready")
            httpx.post(f"{shop.url}ware/", json={"name": "before"}, trust_env=False)
            assert read(process, "created")["row"]["name"] == "before"
            server.terminate()
            server.wait(30)
            httpx.post(f"{shop.url}ware/", json={"name": "meanwhile"}, trust_env=False)
            server = serving(shop, port)
            assert read(process, "created")["row"]["name"] == "meanwhile"
    finally:
        server.kill()
        server.wait()

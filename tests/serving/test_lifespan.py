"""What is attached to an application lives as long as it is served; listeners in the background are waited for."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest

PROGRAM = """
import asyncio, sys
import bzz
from tornado.web import Application, RequestHandler
from tests.serving import asgi

ENGINE = {engine!r}


class Attached:
    def __init__(self, name):
        self.name = name

    async def __aenter__(self):
        self.task = asyncio.current_task()
        print("enter", self.name, flush=True)
        if {failing}:
            raise RuntimeError("the broker is away")

    async def __aexit__(self, *error):
        assert asyncio.current_task() is self.task
        print("leave", self.name, flush=True)


@bzz.on("asked", background=True)
async def later(event):
    await asyncio.sleep(0.5)
    print("listener", flush=True)


class Ask(RequestHandler):
    async def get(self):
        await bzz.emit("asked")
        self.finish("asked")


def make():
    return Application([("/", Ask)], bzz_contexts=[Attached("a"), Attached("b")])


if ENGINE in ("uvicorn", "hypercorn"):
    asgi.serve(ENGINE, bzz.asgi_app(make()), 10)
else:
    server, _, interface = ENGINE.partition("-")
    options = {{"interface": interface}} if interface else {{}}
    bzz.serve(make, port=0, server=server, on_start=lambda port: print(port, flush=True), **options)
"""
ENGINES = ["tornado", "granian", "granian-asgi", "uvicorn", "hypercorn"]


def start(engine: str, *, failing: bool = False) -> subprocess.Popen[str]:
    program = PROGRAM.format(engine=engine, failing=failing)
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_contexts_are_entered_in_order_and_left_after_the_last_listener(engine: str) -> None:
    with start(engine) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline().strip() for _ in range(3)]
            port = next(line for line in said if line.isdigit())
            assert [line for line in said if line != port] == ["enter a", "enter b"]
            assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).text == "asked"
            process.send_signal(signal.SIGTERM)
            rest, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert rest.splitlines() == ["listener", "leave b", "leave a"]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_served_where_a_context_fails(engine: str) -> None:
    with start(engine, failing=True) as process:
        try:
            said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode != 0
    assert "the broker is away" in "".join(said)

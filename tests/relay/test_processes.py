"""Many processes on one channel: every event once, in order per origin; and an application that several serve."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

import bzz
from tests.relay.conftest import WAIT_SECONDS, MakeRelay, Soak, remote, until
from tests.relay.server import RedisServer

ROOT = Path(__file__).parents[2]


async def start(stack: AsyncExitStack, *arguments: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    async def end() -> None:
        if process.returncode is None:
            process.kill()
        await process.wait()

    stack.push_async_callback(end)
    return process


async def line(process: asyncio.subprocess.Process, seconds: float = WAIT_SECONDS) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), seconds)).decode().strip()


async def say(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    await process.stdin.drain()


@pytest.mark.slow  # it starts many processes
@pytest.mark.timeout(180)
async def test_every_event_of_many_processes_arrives_once_and_in_order(
    redis: RedisServer, channel: str, stack: AsyncExitStack, soak: Soak
) -> None:
    count, seconds = soak(4, 8), soak(2, 10)
    events = 1000 // count * seconds
    names = [f"node-{n}" for n in range(count)]
    pace = (str(events), str(1000 / count), str(count - 1))
    nodes = [await start(stack, "-m", "tests.relay.node", redis.url, channel, name, *pace) for name in names]
    for node in nodes:
        assert await line(node) == "ready"
    for node in nodes:
        await say(node)
    for name, node in zip(names, nodes, strict=True):
        report = json.loads(await line(node, 90))
        assert (report["lost"], report["sent"]) == ({}, events)
        assert report["got"] == {other: list(range(events)) for other in names if other != name}


@pytest.mark.slow  # it kills a process
async def test_a_process_that_is_killed_is_gone_and_its_events_are_counted_until_then(
    redis: RedisServer, channel: str, relay: MakeRelay, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = await stack.enter_async_context(relay("watcher"))
    node = await start(stack, "-m", "tests.relay.node", redis.url, channel, "node", "100000", "500", "1")
    assert await line(node) == "ready"
    await say(node)
    await until(lambda: watcher.stats.received >= 100)
    node.kill()
    await node.wait()
    await until(lambda: not watcher.running.peers.present())
    assert watcher.stats.lost == {}


SERVED = """
import sys
import bzz
from tornado.web import Application, RequestHandler

class Emit(RequestHandler):
    async def post(self):
        await bzz.emit("posted", n=1)

def app():
    application = Application([("/", Emit)])
    relay = bzz.RedisRelay(sys.argv[1], name="web", channel=sys.argv[2])
    relay.forward("posted")
    relay.attach(application)
    return application

bzz.serve(app, port=0, server="granian", processes=2, on_start=lambda port: print(port, flush=True))
"""


async def test_an_attached_relay_starts_and_stops_with_the_application_in_each_process(
    redis: RedisServer, channel: str, relay: MakeRelay, stack: AsyncExitStack, tmp_path: Path
) -> None:
    program = tmp_path / "served.py"
    program.write_text(SERVED)
    watcher = await stack.enter_async_context(relay("watcher"))
    server = await start(stack, str(program), redis.url, channel)
    port = int(await line(server))
    await until(lambda: len(watcher.running.peers.present()) == 2)
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(10):
            (await client.post(f"http://127.0.0.1:{port}/")).raise_for_status()
    await until(lambda: watcher.stats.received == 10)
    server.send_signal(signal.SIGTERM)
    await until(lambda: not watcher.running.peers.present(), 5)  # both said goodbye
    assert await asyncio.wait_for(server.wait(), WAIT_SECONDS) in (0, -signal.SIGTERM)


async def test_a_peer_that_says_goodbye_leaves_nothing_uncounted(relay: MakeRelay, stack: AsyncExitStack) -> None:
    seen: list[bzz.Event] = []
    bzz.on("tick")(remote(seen))
    watcher = await stack.enter_async_context(relay("watcher"))
    leaving = relay("leaving")
    leaving.forward("tick")
    async with leaving:
        for _ in range(1000):
            await bzz.emit("tick")
    await until(lambda: len(seen) == 1000)
    assert watcher.stats.lost == {}

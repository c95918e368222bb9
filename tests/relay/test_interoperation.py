"""bzz and the real state-signals package work with each other, each as either side."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import venv
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

import bzz
from bzz.relay.state_signals.protocol import SIGNALS
from tests.relay.conftest import WAIT_SECONDS, subscribed, until
from tests.relay.server import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # it installs packages into an environment of its own

PROGRAM = Path(__file__).with_name("theirs.py")


@pytest.fixture(scope="module", params=["0.2.0", "1.0.1"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has one version of the package, and a redis-py that it works with.

    The package itself asks for ``redis<4``, which does not run on the Pythons of today.
    """
    directory = tmp_path_factory.mktemp("theirs")
    venv.create(directory, with_pip=False)
    interpreter = directory / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet", "--no-deps"]
    requirements = [f"state-signals=={request.param}", "redis>=5"]
    if sys.version_info < (3, 11, 3):
        requirements.append("async-timeout")
    subprocess.run([*pip, *requirements], check=True, timeout=240)
    return interpreter


class Program:
    """One of their programs, and the lines that it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdout is not None
        assert process.stdin is not None
        self._out, self._in = process.stdout, process.stdin

    async def line(self) -> str:
        """The next line."""
        return (await asyncio.wait_for(self._out.readline(), WAIT_SECONDS)).decode().strip()

    async def say(self, text: str) -> None:
        """Give it a line."""
        self._in.write(f"{text}\n".encode())
        await self._in.drain()

    async def end_of_input(self) -> None:
        """Give it no more lines."""
        self._in.close()
        await self._in.wait_closed()


@asynccontextmanager
async def program(python: Path, side: str, port: int) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        str(python), str(PROGRAM), side, str(port), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_their_responder_answers_our_exporter_through_a_restart_of_redis(
    python: Path, own_redis: RedisServer, stack: AsyncExitStack
) -> None:
    relay = await stack.enter_async_context(bzz.RedisRelay(own_redis.url, name="ours"))
    exporter = relay.state_signals("our-process", runner_host="here").exporter
    worker = await stack.enter_async_context(program(python, "responder", own_redis.port))
    assert await worker.line() == "listening"
    assert await exporter.initialize_and_wait(1, ["start", "stop"], tag="t", periodic=True, timeout=WAIT_SECONDS)
    assert (await worker.line()).startswith("heard initialization -1 t None")
    good = await exporter.publish_signal("start", sample=0, metadata={"cool": ["info"]})
    heard = await worker.line()
    while "initialization" in heard:
        heard = await worker.line()
    assert heard == "heard start 0 No tag specified {'cool': ['info']}"
    assert (good.code, good.missing, good.failed) == (0, (), ())
    bad = await exporter.publish_signal("stop", tag="bad")
    assert (bad.code, len(bad.failed)) == (1, 1)

    own_redis.kill()
    await asyncio.to_thread(own_redis.start)
    await until(lambda: relay.healthy)
    codes: list[int] = []
    while codes[-1:] != [0]:  # their side needs a while to subscribe again
        codes.append((await exporter.publish_signal("start", timeout=1)).code)
        assert len(codes) < WAIT_SECONDS
    await exporter.shutdown()
    while "shutdown" not in heard:
        heard = await worker.line()


async def test_our_responder_answers_their_exporter_through_a_restart_of_redis(
    python: Path, own_redis: RedisServer, stack: AsyncExitStack
) -> None:
    relay = await stack.enter_async_context(bzz.RedisRelay(own_redis.url, name="ours"))
    responder = relay.state_signals("our-worker").responder
    heard = []

    async def answer() -> None:
        async for signal in responder.listen():
            heard.append(signal)
            if signal.event == "initialization":
                await responder.srespond(signal)
            elif signal.event == "stop":
                await responder.srespond(signal, 0, "no")
            else:
                await responder.respond(signal.publisher_id, signal.event, 1, "yes")

    answering = asyncio.create_task(answer())
    await subscribed(relay, SIGNALS)
    theirs = await stack.enter_async_context(program(python, "exporter", own_redis.port))
    assert await theirs.line() == "subscribed 1"
    await theirs.say("start")
    assert (await theirs.line()).startswith("result 0")
    await theirs.say("stop")
    assert (await theirs.line()).startswith("result 1")
    assert [(each.event, each.sample_no, each.tag) for each in heard] == [
        ("initialization", -1, "theirs"), ("start", 7, "No tag specified"), ("stop", 7, "No tag specified")
    ]  # fmt: skip
    assert heard[1].metadata == {"n": [1, {"deep": True}]}

    own_redis.kill()
    await asyncio.to_thread(own_redis.start)
    await until(lambda: relay.healthy)
    await theirs.say("start")
    assert (await theirs.line()).startswith("result 0")
    await theirs.end_of_input()
    assert await theirs.line() == "done"
    await until(lambda: heard[-1].event == "shutdown")
    answering.cancel()

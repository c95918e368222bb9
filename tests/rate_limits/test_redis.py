"""Requests counted in Redis: by all processes together, and not at all while it is away."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack

import httpx
import pytest

from bzz.rate_limits import redis as counting
from tests.conftest import NO_TLS
from tests.rate_limits.conftest import Limited, statuses
from tests.relay.server import RedisServer

PATIENCE = 20

SERVER = """
import asyncio, os, tornado.web, bzz
from bzz.problem import ProblemHandler

class Open(ProblemHandler):
    async def get(self):
        await self.admit()
        self.write("open")

async def main():
    app = tornado.web.Application([("/", Open)])
    bzz.RateLimits("7/hour", storage=os.environ["REDIS_URL"]).attach(app)
    server = app.listen(0, "127.0.0.1")
    print(next(iter(server._sockets.values())).getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.slow
async def test_processes_share_the_counts(redis: RedisServer) -> None:
    environment = {**os.environ, "REDIS_URL": f"{redis.url}/15"}
    async with AsyncExitStack() as stack:
        urls = [await started(stack, environment) for _ in range(2)]
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, verify=NO_TLS, timeout=PATIENCE))
        answers = await asyncio.gather(*(client.get(url) for _ in range(10) for url in urls))
    assert Counter(each.status_code for each in answers) == {200: 7, 429: 13}


async def started(stack: AsyncExitStack, environment: dict[str, str]) -> str:
    """The URL of a process that serves until the stack is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, stdout=asyncio.subprocess.PIPE, env=environment
    )
    stack.push_async_callback(process.communicate)
    stack.callback(process.kill)
    assert process.stdout is not None
    return f"http://127.0.0.1:{int(await process.stdout.readline())}/"


async def test_applications_share_the_counts(limited: Limited, redis: RedisServer) -> None:
    one, other = (limited("3/hour", storage=f"{redis.url}/14") for _ in range(2))
    assert [await statuses(each, 2) for each in (one, other)] == [[200, 200], [200, 429]]


async def test_memory_is_each_application_s_own(limited: Limited) -> None:
    one, other = (limited("1/hour") for _ in range(2))
    assert [await statuses(each, 2) for each in (one, other)] == [[200, 429], [200, 429]]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of Redis."""
    return [each.getMessage() for each in caplog.records if each.name == "bzz.rate_limits"]


async def until_counted(client: httpx.AsyncClient) -> None:
    """Wait until requests are counted."""
    deadline = time.monotonic() + PATIENCE
    while "RateLimit" not in (await client.get("/turnstile/")).headers:
        assert time.monotonic() < deadline, "nothing is counted"
        await asyncio.sleep(0.02)


async def test_while_redis_is_away_all_are_let_in_and_the_log_says_so_once(
    limited: Limited, own_redis: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "PAUSE_SECONDS", 0.05)
    client = limited("1/hour", storage=own_redis.url)
    assert await statuses(client, 2) == [200, 429]
    own_redis.kill()
    with caplog.at_level(logging.INFO, "bzz.rate_limits"):
        answers = await asyncio.gather(*(client.get("/turnstile/") for _ in range(20)))
        answers += [await client.get("/turnstile/") for _ in range(20)]
        assert {(each.status_code, "RateLimit" in each.headers) for each in answers} == {(200, False)}
        assert len(said(caplog)) == 1
        assert "all are let in" in said(caplog)[0]
        own_redis.start()
        await until_counted(client)
    (again,) = said(caplog)[1:]
    assert again.startswith("Redis counts requests again [request ")
    assert (await statuses(client, 2))[-1] == 429


async def test_an_application_starts_while_redis_is_away(limited: Limited, own_redis: RedisServer) -> None:
    own_redis.kill()
    assert await statuses(limited("1/hour", storage=own_redis.url), 3) == [200] * 3


async def test_a_redis_that_hangs_holds_up_nobody_for_long(
    limited: Limited, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "ANSWER_SECONDS", 0.25)
    client = limited("99/hour", storage=own_redis.url)
    await until_counted(client)
    own_redis.signal(signal.SIGSTOP)
    try:
        assert await statuses(client, 3) == [200] * 3
    finally:
        own_redis.signal(signal.SIGCONT)
    await until_counted(client)


async def test_of_many_at_once_nobody_waits_longer(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "ANSWER_SECONDS", 0.25)
    counter = counting.RedisCounter(own_redis.url)
    own_redis.signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(4):  # redis-py's own patience is 5 s
            assert set(await asyncio.gather(*(counter.add("a", 60) for _ in range(100)))) == {None}
            assert set(await asyncio.gather(*(counter.add("a", 60) for _ in range(100)))) == {None}
    finally:
        own_redis.signal(signal.SIGCONT)


async def test_what_is_kept_names_nobody_and_ends_with_its_window(limited: Limited, own_redis: RedisServer) -> None:
    client = limited("3/minute", storage=own_redis.url)
    await statuses(client, 1, X_User="ann")
    await statuses(client, 1)
    told = await told_by(own_redis, "KEYS", "*")
    assert len(told) == 2
    assert not any("ann" in key or "127.0.0.1" in key for key in told)
    assert [0 < int((await told_by(own_redis, "TTL", key))[0]) <= 60 for key in told] == [True, True]


async def told_by(server: RedisServer, *words: str) -> list[str]:
    """The lines that a command prints."""
    command = ["redis-cli", "-p", str(server.port), *words]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode().split("\n")[:-1]

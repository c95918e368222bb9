"""What ``/metrics`` says."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx
import mongoengine as me
import pytest
from tornado.web import Application

import bzz
from tests.conftest import Serve
from tests.docs.page import ROOT


class Measured(me.Document):
    name = me.StringField()


async def value(client: httpx.AsyncClient, line: str) -> float:
    """The value of a metric with its labels; 0 if it is not there."""
    text = (await client.get("/metrics")).text
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def measured(serve: Serve, *, live: bool = False) -> httpx.AsyncClient:
    models = bzz.ModelHive.routes_for("mongoengine", Measured, live=live)
    return serve([*models, *bzz.MetricsHive.routes_for()], bzz.MetricsHive.configure)


async def test_a_query_is_counted_by_its_own_name(serve: Serve, database_name: str) -> None:
    client = measured(serve)
    line = 'bzz_requests_total{method="QUERY",route="/measured/",status="200"}'
    before = await value(client, line)
    await client.request("QUERY", "/measured/", json={})
    assert await value(client, line) - before == 1


async def test_requests_are_counted_and_timed_by_the_template_of_their_route(serve: Serve, database_name: str) -> None:
    client = measured(serve)
    line = 'bzz_requests_total{method="GET",route="/measured/{id}/",status="200"}'
    before = await value(client, line)
    for name in ("a", "b"):
        created = await client.post("/measured/", json={"name": name})
        await client.get(created.headers["Location"])
    assert await value(client, line) - before == 2
    assert await value(client, 'bzz_request_seconds_count{method="GET",route="/measured/{id}/"}') >= 2
    assert created.json()["id"] not in (await client.get("/metrics")).text


async def test_a_log_of_requests_of_its_own_is_no_hindrance(serve: Serve, database_name: str) -> None:
    def configure(app: Application) -> None:
        bzz.MetricsHive.configure(app)
        bzz.access_log(app)

    models = bzz.ModelHive.routes_for("mongoengine", Measured)
    client = serve([*models, *bzz.MetricsHive.routes_for()], configure)
    line = 'bzz_requests_total{method="GET",route="/measured/",status="200"}'
    before = await value(client, line)
    await client.get("/measured/")
    assert await value(client, line) - before == 1


async def test_the_sizes_of_groups_are_counted(serve: Serve, database_name: str) -> None:
    client = measured(serve)
    before = await value(client, 'bzz_group_size_sum{operation="write"}')
    await asyncio.gather(*(client.post("/measured/", json={"name": "a"}) for _ in range(20)))
    assert await value(client, 'bzz_group_size_sum{operation="write"}') - before == 20


async def test_listeners_are_timed_and_those_that_raise_counted(serve: Serve, database_name: str) -> None:
    client = measured(serve)

    @bzz.on("Measured.created")
    async def broken(event: bzz.Event) -> None:
        raise RuntimeError

    labels = f'{{event="Measured.created",listener="{__name__}.{broken.__qualname__}"}}'
    await client.post("/measured/", json={"name": "a"})
    bzz.off(broken)
    assert await value(client, f"bzz_listener_errors_total{labels}") == 1
    assert await value(client, f"bzz_listener_seconds_count{labels}") == 1


async def test_a_listener_for_any_field_is_one_line(serve: Serve, database_name: str) -> None:
    client = measured(serve)

    @bzz.on("Measured.updated.name")
    async def note(event: bzz.Event) -> None: ...

    place = (await client.post("/measured/", json={"name": "a"})).headers["Location"]
    await client.put(place, json={"name": "b"})
    bzz.off(note)
    labels = f'{{event="Measured.updated.*",listener="{__name__}.{note.__qualname__}"}}'
    assert await value(client, f"bzz_listener_seconds_count{labels}") == 1


async def test_open_feeds_are_counted(serve: Serve, database_name: str) -> None:
    client = measured(serve, live=True)
    before = await value(client, "bzz_feeds")
    async with client.stream("GET", "/measured/", headers={"Accept": "text/event-stream"}) as feed:
        async for line in feed.aiter_lines():
            if line == "event: ready":
                break
        assert await value(client, "bzz_feeds") - before == 1
    async with asyncio.timeout(10):
        while await value(client, "bzz_feeds") != before:
            pass


SEVERAL = """
import os
import mongoengine as me
from tornado.web import Application, RequestHandler
import bzz


class Pid(RequestHandler):
    def get(self):
        self.write(str(os.getpid()))


def make():
    app = Application([("/pid", Pid), *bzz.MetricsHive.routes_for()])
    bzz.MetricsHive.configure(app)
    return app
"""


@pytest.mark.slow
async def test_whichever_process_is_asked_answers_for_all(tmp_path: Path) -> None:
    (tmp_path / "several.py").write_text(SEVERAL)
    (tmp_path / "metrics").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bzz", "serve", "several:make", "--server", "granian", "--processes", "2",
               "--port", str(port)]  # fmt: skip
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment)  # noqa: ASYNC220  # a server that is long at work
    try:
        asked: Counter[str] = Counter()
        async with asyncio.timeout(50):
            while len(asked) < 2:  # the system chooses which process gets a new connection
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                    with suppress(httpx.TransportError):
                        asked[(await client.get("/pid")).text] += 1
        line = 'bzz_requests_total{method="GET",route="Pid",status="200"}'
        for _ in range(10):
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                assert await value(client, line) == asked.total()
    finally:
        process.terminate()
        process.wait(30)

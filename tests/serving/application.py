"""An application for the serving tests, with a handler for everything that a server and an application do together.

Run as a program, it serves itself: ``application.py '{"engine": "granian", "processes": 2, "in_flight": 1}'``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tornado.httputil import HTTPHeaders, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler, stream_request_body
from tornado.websocket import WebSocketHandler

import bzz
from bzz.asgi.lifespan import STOPPING
from bzz.in_flight import release
from bzz.limits import Limits
from bzz.problem import BodyHandler
from tests.serving import asgi

step = asyncio.Event()
left: list[str] = []
"""The paths of the requests whose clients left before they were answered."""


class Slow(RequestHandler):
    """Answers after ``seconds`` with the id of its process."""

    begun = 0

    async def get(self) -> None:
        Slow.begun += 1
        await asyncio.sleep(float(self.get_query_argument("seconds", "0")))
        self.finish(str(os.getpid()))

    def post(self) -> None:
        self.finish(str(len(self.request.body)))

    def on_connection_close(self) -> None:
        left.append(self.request.path)


class Crash(RequestHandler):
    """Takes its process away."""

    def get(self) -> None:
        os._exit(7)


class Echo(RequestHandler):
    """Answers with everything that it was told."""

    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "QUERY")

    async def prepare(self) -> None:
        request = self.request
        await asyncio.sleep(0)
        told = [request.method, request.uri, request.version, request.remote_ip, request.protocol, request.host]
        lists = {name: request.headers.get_list(name) for name in sorted(request.headers)}
        self.finish(json.dumps([*told, lists, request.headers.get("A"), request.body.decode("latin1")]))


class Model(BodyHandler):
    """Receives its body as the handlers of models do; answers with its length."""

    max_body_bytes = 1_000_000

    def put(self) -> None:
        self.finish(str(len(self.body())))


class Status(RequestHandler):
    """Answers with a status, and a header that applications set."""

    def get(self, code: str) -> None:
        self.set_status(int(code))
        self.add_header("Set-Cookie", "a=1")
        self.add_header("Set-Cookie", "b=2")

    head = get


class Pieces(RequestHandler):
    """Streams, without a length."""

    async def get(self) -> None:
        for piece in (b"one", b"", b"two", b"three"):
            self.write(piece)
            await self.flush()

    head = get


class Steps(RequestHandler):
    """Streams a piece, and another one when it is told to by ``/step``."""

    async def get(self) -> None:
        self.write("first")
        await self.flush()
        await step.wait()
        step.clear()
        self.finish("second")


class Feed(RequestHandler):
    """Streams a piece, counts for no request in flight, and ends when the server begins to stop."""

    async def get(self) -> None:
        release(self.request.connection)
        stopped = asyncio.Event()
        self.settings.setdefault(STOPPING, []).append(lambda application: stopped.set())
        self.write("first")
        await self.flush()
        await stopped.wait()
        self.finish("last")


class Step(RequestHandler):
    """Lets :class:`Steps` go on."""

    def get(self) -> None:
        step.set()


class Loop(RequestHandler):
    """Answers with the loop that it runs on."""

    def get(self) -> None:
        self.finish(repr(asyncio.get_running_loop()))


class Latin(RequestHandler):
    """Answers with a header of Latin-1."""

    def get(self) -> None:
        self.set_header("A", "\u00e9")


class Fail(RequestHandler):
    """Fails."""

    def get(self) -> None:
        raise RuntimeError("a secret")


class Large(RequestHandler):
    """Answers with more than a kernel buffers."""

    def get(self) -> None:
        self.finish(b"x" * 20_000_001)


class Heaped(RequestHandler):
    """Answers in two pieces, and waits for neither."""

    def get(self) -> None:
        self.write(b"x" * 20_000_000)
        self.flush()
        self.write(b"y")
        self.finish()


class Wrong(RequestHandler):
    """Says another length than it writes, or breaks the head."""

    def get(self, how: str) -> None:
        connection = self.request.connection
        assert connection is not None
        start_line, headers = ResponseStartLine("", 200, "OK"), HTTPHeaders({"Content-Length": "4"})
        if how == "injected":
            start_line = ResponseStartLine("", 200, "OK\r\nSet-Cookie: stolen=1")
        elif how == "injected-value":
            headers["A"] = "b\r\nSet-Cookie: stolen=1"
        elif how == "injected-name":
            headers["A: b\r\nSet-Cookie: stolen=1"] = "c"
        connection.write_headers(start_line, headers, b"123" if how == "short" else b"12345")
        connection.finish()


class Endless(RequestHandler):
    """Streams until its client leaves, as fast as it is taken; tells how much was written by ``/left``."""

    written = 0

    async def get(self) -> None:
        Endless.written = 0
        try:
            while True:
                self.write(bytes(100_000))
                await self.flush()
                Endless.written += 100_000
        except StreamClosedError:
            left.append(self.request.path)


class Begun(RequestHandler):
    """How many requests :class:`Slow` has begun to answer."""

    def get(self) -> None:
        self.finish(str(Slow.begun))


class Left(RequestHandler):
    """What remains of requests: the clients that left, what was written, and the objects and tasks there are."""

    def get(self) -> None:
        gc.collect()  # Tornado's handlers are part of cycles where their clients leave
        counted = ("HTTPServerRequest", "HTTP1Connection", "_ASGIExchange", "_RSGIExchange", "Slow", "Task")
        names = [type(each).__name__ for each in gc.get_objects()]
        objects = {name: names.count(name) for name in counted}
        collector = {"frozen": gc.get_freeze_count(), "young": gc.get_threshold()[0]}
        self.finish({"left": left, "written": Endless.written, "objects": objects, **collector})


@stream_request_body
class Upload(RequestHandler):
    """Takes a body in pieces, and time for each; answers with its length."""

    async def prepare(self) -> None:
        self.size = 0
        await asyncio.sleep(float(self.get_query_argument("prepare", "0")))
        if "timeout" in self.request.arguments:
            self.request.connection.set_body_timeout(float(self.get_query_argument("timeout")))  # type: ignore[union-attr]
        if "limit" in self.request.arguments:
            self.request.connection.set_max_body_size(int(self.get_query_argument("limit")))  # type: ignore[union-attr]

    async def data_received(self, chunk: bytes) -> None:
        await asyncio.sleep(float(self.get_query_argument("pause", "0.001")))
        self.size += len(chunk)

    def put(self) -> None:
        self.finish(str(self.size))

    def on_connection_close(self) -> None:
        super().on_connection_close()
        left.append(self.request.path)


@stream_request_body
class Early(RequestHandler):
    """Answers before the body was read."""

    def prepare(self) -> None:
        self.set_status(401)
        self.finish("no")

    def data_received(self, chunk: bytes) -> None:
        raise AssertionError("nothing more is wanted")


class Talk(WebSocketHandler):
    """Says everything twice."""

    async def on_message(self, message: Any) -> None:
        await self.write_message(message * 2)


class Tunnel(RequestHandler):
    """Leaves HTTP, and says everything in capitals, until the other end closes."""

    async def get(self) -> None:
        stream = self.detach()
        await stream.write(b"ready\n")
        while not stream.closed():
            await stream.write((await stream.read_until(b"\n")).upper())


def make() -> Application:
    """Called in every process."""
    return Application(
        [
            ("/", Slow),
            ("/crash", Crash),
            ("/echo.*", Echo),
            ("/smuggled", Echo),
            ("/status/([0-9]+)", Status),
            ("/pieces", Pieces),
            ("/steps", Steps),
            ("/step", Step),
            ("/feed", Feed),
            ("/loop", Loop),
            ("/latin", Latin),
            ("/fail", Fail),
            ("/large", Large),
            ("/heaped", Heaped),
            ("/wrong/(.*)", Wrong),
            ("/endless", Endless),
            ("/begun", Begun),
            ("/left", Left),
            ("/upload", Upload),
            ("/model", Model),
            ("/early", Early),
            ("/talk", Talk),
            ("/tunnel", Tunnel),
        ]
    )


def make_rsgi() -> Any:
    """Return it for granian's own command line."""
    return bzz.rsgi_app(make())


def make_once() -> Application:
    """Return the application to the first process that asks; keep each other one loading for a minute."""
    try:
        Path(os.environ["FIRST"]).touch(exist_ok=False)
    except FileExistsError:
        time.sleep(60)
    return make()


LIMITS = {"header_seconds": 1, "body_seconds": 1, "body_bytes": 1000, "in_flight": 100, "grace_seconds": 10}


def main(told: dict[str, Any]) -> None:
    """Serve on the engine that is told; print the port when requests are taken."""
    engine = told.pop("engine")
    for package in told.pop("hidden", ()):
        sys.modules[package] = None  # type: ignore[assignment]  # as if it were not installed
    limits = Limits(**{name: told.pop(name, LIMITS.get(name, default)) for name, default in vars(Limits()).items()})
    if engine in ("uvicorn", "uvicorn-h11", "hypercorn"):
        asgi.serve(engine, bzz.asgi_app(make(), limits=limits, **told), int(limits.grace_seconds))
        return
    if engine == "granian-asgi":
        told["interface"] = "asgi"
    bzz.serve(
        f"tests.serving.application:{told.pop('make', 'make')}",
        port=0,
        server="granian" if engine.startswith("granian") else "tornado",
        limits=limits,
        on_start=lambda port: print(port, flush=True),
        **told,
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))


def make_logged() -> Application:
    """The same, with a line of JSON for each request."""
    app = make()
    bzz.access_log(app, json=True)
    return app

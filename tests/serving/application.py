"""A small application for the serving tests: it says which process answers, and takes the time it is told to."""

from __future__ import annotations

import asyncio
import os
import sys

from tornado.web import Application, RequestHandler

from bzz.serving.server import Limits, serve


class Slow(RequestHandler):
    """Answers after ``seconds`` with the id of its process."""

    async def get(self) -> None:
        await asyncio.sleep(float(self.get_query_argument("seconds", "0")))
        self.finish(str(os.getpid()))

    def post(self) -> None:
        self.finish(str(len(self.request.body)))


class Crash(RequestHandler):
    """Takes its process away."""

    def get(self) -> None:
        os._exit(7)


def make() -> Application:
    """Called in every process."""
    return Application([("/", Slow), ("/crash", Crash)])


if __name__ == "__main__":
    processes, in_flight = int(sys.argv[1]), int(sys.argv[2])
    serve(
        "tests.serving.application:make",
        port=0,
        processes=processes,
        limits=Limits(in_flight=in_flight, header_seconds=1, body_seconds=1, body_bytes=1000, grace_seconds=10),
        on_start=lambda port: print(port, flush=True),
    )

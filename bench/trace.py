"""What a reader meets who follows one request: the files and functions of bzz that it passes.

::

    python -m bench.trace           # a PUT of two fields; also GET, LIST, POST, DELETE

The benchmark's user is served by Tornado's server as :func:`bzz.serve` runs it, on a real MongoDB, with no receiver
connected. The request goes over a socket and is made several times before, so that what is done once for a class is
done. Each function counts by its code, generated ones too; comprehensions and lambdas belong to the function around.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import mongoengine
import pymongo
from tornado.httpserver import HTTPServer
from tornado.web import Application

import bzz
from bench import data
from bench.models import User
from bzz.addresses import Proxies
from bzz.dev import MongoServer
from bzz.in_flight import CappedApplication, InFlight
from bzz.limits import Limits

__all__ = ["REQUESTS", "Trace", "main", "trace"]

BZZ = Path(bzz.__file__).parent
BEFORE = 5
"""How many times a request is made before it is looked at."""

_ONE = f"/user/{data.seed_id(3)}"
REQUESTS = {
    "GET": ("GET", _ONE, b""),
    "LIST": ("GET", "/user?page=2", b""),
    "POST": ("POST", "/user", b'{"name": "Ann", "email": "ann@example.com"}'),
    "PUT": ("PUT", _ONE, b'{"name": "Ann", "score": 1.5}'),
    "DELETE": ("DELETE", "/user/{}", b""),
}


@dataclass
class Trace:
    """The functions of bzz that a request passed, in order of their first call.

    :ivar functions: each as its file, seen from ``bzz``, and its qualified name.
    :ivar moves: how often the next function stood in another file.
    """

    functions: dict[tuple[str, str], None] = field(default_factory=dict)
    moves: int = 0
    _last: str = ""

    @property
    def files(self) -> list[str]:
        """The files, in the order of their first call."""
        return list(dict.fromkeys(file for file, _ in self.functions))

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        """Called by the interpreter (:func:`sys.setprofile`) at each call."""
        file, name = frame.f_code.co_filename, frame.f_code.co_qualname.partition(".<locals>.<")[0]
        if event != "call" or name.startswith("<"):
            return
        if file.startswith("<bzz "):  # generated
            known = file
        elif file.startswith(str(BZZ)):
            known = Path(file).relative_to(BZZ).as_posix()
        else:
            return
        self.moves += known != self._last
        self._last = known
        self.functions.setdefault((known, name))


def trace(name: str, uri: str) -> Trace:
    """Make one of :data:`REQUESTS`, and return what it passed.

    :param uri: of a MongoDB. The database ``bench_trace`` in it is filled anew, and dropped.
    """
    database = "bench_trace"
    with pymongo.MongoClient[Any](uri) as client, _connected(database, uri):
        client.drop_database(database)
        data.fill(client[database])
        try:
            return asyncio.run(_trace(*REQUESTS[name]))
        finally:
            client.drop_database(database)


@contextmanager
def _connected(database: str, uri: str) -> Iterator[None]:
    mongoengine.connect(database, host=uri, uuidRepresentation="standard")
    try:
        yield
    finally:
        mongoengine.disconnect()


async def _trace(method: str, path: str, body: bytes) -> Trace:
    limits = Limits()
    application = Application(bzz.ModelHive.routes_for("mongoengine", User))
    server = HTTPServer(CappedApplication(application, limits, InFlight(limits.in_flight), Proxies(())))
    server.listen(0, "127.0.0.1")
    (listening,) = (each.getsockname() for each in server._sockets.values())
    reader, writer = await asyncio.open_connection(*listening)
    found = Trace()
    try:
        for number in range(BEFORE + 1):
            sys.setprofile(found.note if number == BEFORE else None)
            await _ask(reader, writer, method, path.format(data.seed_id(number)), body)
        return found
    finally:
        sys.setprofile(None)
        writer.close()
        server.stop()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str, body: bytes) -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + b"\r\n" + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"{method} {path} was answered {answer!r}")
    length = [line for line in answer.lower().splitlines() if line.startswith(b"content-length:")]
    await reader.readexactly(int(length[0].partition(b":")[2]) if length else 0)


def main(names: list[str]) -> None:
    """Print what each of the named requests passes."""
    with MongoServer() as mongo:
        for name in names:
            found = trace(name, mongo.uri)
            print(f"{name}: {len(found.files)} files, {len(found.functions)} functions, {found.moves} moves")
            for file in found.files:
                print(f"  {file}: {', '.join(function for each, function in found.functions if each == file)}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["PUT"])

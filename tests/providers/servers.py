"""MongoDBs of other kinds than the one that most tests share."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from bzz import dev
from tests.conftest import require_mongod

PATIENCE = 60.0


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[int]:
    """Run a mongod; gives its port, when it answers."""
    require_mongod()
    port = dev._free_port()
    binary = dev._runnable(dev._find_binary(), directory)
    command: list[str | Path] = [
        *dev._with_parent_death_signal(), binary, "--dbpath", directory, "--port", str(port), "--bind_ip", "127.0.0.1",
        "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", *arguments,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def guarded(directory: Path) -> Iterator[int]:
    """Run a replica set of one member that asks who it is: ``root``, with the password ``root``, may do everything."""
    key = directory / "key"
    key.write_text("a" * 40)
    key.chmod(0o600)
    with running(directory, "--replSet", dev.REPLICA_SET, "--keyFile", str(key), "--oplogSize", "64") as port:
        with _client(port) as client:
            member = {"_id": 0, "host": f"127.0.0.1:{port}"}
            client.admin.command("replSetInitiate", {"_id": dev.REPLICA_SET, "members": [member]})
            _until(lambda: client.admin.command("hello")["isWritablePrimary"])
            client.admin.command("createUser", "root", pwd="root", roles=["root"])
        yield port


def _client(port: int, **options: Any) -> MongoClient[Any]:
    return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000, **options)


def _wait_for(port: int) -> None:
    with _client(port) as client:
        _until(lambda: client.admin.command("ping"))


def _until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(PyMongoError):
            if condition():
                return
        assert time.monotonic() < deadline, "mongod does not start"
        time.sleep(0.05)

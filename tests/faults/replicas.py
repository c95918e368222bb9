"""A replica set of real MongoDBs that may be killed, frozen and told to fail."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from bzz import dev
from tests.faults.running import PATIENCE

__all__ = ["Member", "ReplicaSet"]

NAME = "faults"
ELECTION_MS = 2000
"""How long a primary may be silent before another is elected; MongoDB's own default is ten seconds."""

_STOPPED_REPLICATION = "stopReplProducer"
"""A fail point: a secondary that fetches nothing, and so falls behind."""


def until(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds, and return what it gave; PyMongo's errors count as no."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(PyMongoError):
            found = condition()
            if found:
                return found
        assert time.monotonic() < deadline, f"{condition} does not come true"
        time.sleep(0.05)


class Member:
    """One mongod, on a port and a directory that it keeps."""

    def __init__(self, directory: Path) -> None:
        self.port = dev._free_port()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._directory.mkdir(parents=True, exist_ok=True)
        binary = dev._runnable(dev._find_binary(), self._directory)
        command: list[str | Path] = [
            *dev._with_parent_death_signal(), binary, "--dbpath", self._directory, "--port", str(self.port),
            "--bind_ip", "127.0.0.1", "--replSet", NAME, "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64",
            "--nounixsocket", "--setParameter", "enableTestCommands=1", "--logpath", self._directory / "log",
            "--logappend",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        until(lambda: self.run("ping"))

    def run(self, command: str, value: Any = 1, **options: Any) -> dict[str, Any]:
        """The answer of this member itself to a command."""
        client: pymongo.MongoClient[Any]
        with pymongo.MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=1000, timeoutMS=5000
        ) as client:
            answer: dict[str, Any] = client.admin.command(command, value, **options)
            return answer

    def fail(self, point: str, mode: Any, **data: Any) -> int:
        """Set a fail point; returns how many times it has ever come into effect."""
        return int(self.run("configureFailPoint", point, mode=mode, data=data)["count"])

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class ReplicaSet:
    """So many members, all of which vote.

    :ivar uri: for any client.
    """

    def __init__(self, directory: Path, members: int = 3) -> None:
        self.members = [Member(directory / str(number)) for number in range(members)]
        self.uri = f"mongodb://{','.join(each.address for each in self.members)}/?replicaSet={NAME}"

    def start(self) -> None:
        """Start the members, and wait for a primary."""
        for each in self.members:
            each.start()
        members = [{"_id": number, "host": each.address} for number, each in enumerate(self.members)]
        settings = {"electionTimeoutMillis": ELECTION_MS, "heartbeatIntervalMillis": 500}
        self.members[0].run("replSetInitiate", {"_id": NAME, "members": members, "settings": settings})
        self.primary()
        self.wait_until_whole()

    def stop(self) -> None:
        """Kill them all."""
        for each in self.members:
            each.kill()

    def primary(self) -> Member:
        """The member that takes writes, when there is one."""

        def find() -> Member | None:
            for each in self.members:
                with suppress(PyMongoError):
                    if each.run("hello")["isWritablePrimary"]:
                        return each
            return None

        found: Member = until(find)
        return found

    def secondaries(self) -> list[Member]:
        """The others."""
        primary = self.primary()
        return [each for each in self.members if each is not primary]

    def wait_until_whole(self) -> None:
        """Wait until every member is a primary or a secondary, as the primary sees them."""

        def is_whole() -> bool:
            states = [each["stateStr"] for each in self.primary().run("replSetGetStatus")["members"]]
            return sorted(states) == ["PRIMARY", *["SECONDARY"] * (len(self.members) - 1)]

        until(is_whole)

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """The secondaries fetch nothing: what is written meanwhile, one member has."""
        secondaries = self.secondaries()
        for each in secondaries:
            each.fail(_STOPPED_REPLICATION, "alwaysOn")
        try:
            yield
        finally:
            for each in secondaries:
                with suppress(OperationFailure):
                    each.fail(_STOPPED_REPLICATION, "off")

"""A MongoDB server for development and tests, without any set-up.

::

    from bzz.dev import MongoServer

    with MongoServer(Path(".bzz")) as mongo:
        mongoengine.connect("app", host=mongo.uri, uuidRepresentation="standard")

It is the first of these that is found: the server in the environment variable ``BZZ_MONGODB_URI``; a ``mongod`` on
PATH; the one that ``pip install 'bzz[embedded]'`` installs (MongoDB 6.0.5 for Linux on x86-64). The last two are
started as a replica set of one node on a free loopback port, and stopped again.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from bzz.errors import ConfigurationError

__all__ = ["MongoServer"]

URI_VARIABLE = "BZZ_MONGODB_URI"
START_SECONDS = 60
STOP_SECONDS = 20
ANSWER_MS = 5000
REPLICA_SET = "bzz"
JOURNAL_MS = 10
"""How often the journal is written: what waits for a majority of one, such as a new index or a dropped database, waits
for that. MongoDB's own 100 ms make it 100 ms to drop a database, these 12."""

_PORT_TAKEN = 48  # exit codes of mongod: https://www.mongodb.com/docs/manual/reference/exit-codes/
_DATA_IN_USE = 100
_OUTPUT_LIMIT = 1_000_000
_ALREADY_INITIALIZED = 23  # an error code: https://www.mongodb.com/docs/manual/reference/error-codes/
_MISSING_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+)")
_NOWHERE = f"""no MongoDB was found:
  - the environment variable {URI_VARIABLE} names no server;
  - there is no mongod on PATH;
  - the wheel with an embedded mongod is not installed.
Any one of these is enough:
  - docker compose up -d mongo, then export {URI_VARIABLE}='mongodb://127.0.0.1:27017/?replicaSet=rs0';
  - install MongoDB's server, so that mongod is on PATH;
  - pip install 'bzz[embedded]' (Linux on x86-64 only)."""


class MongoServer:
    """A MongoDB server, found or started by :meth:`start`. As a context manager it is started and stopped.

    A started server acknowledges writes by majority unless the client asks for less. It is stopped by :meth:`stop`,
    when the interpreter exits, and, on Linux with ``setpriv``, when the thread that started it ends in any way.

    :param data: the directory of the data, which is created if needed and kept; None for a temporary one, which is
        removed on stop. It has no effect with ``BZZ_MONGODB_URI``.
    """

    uri: str
    """Its connection string for any MongoDB client; set by :meth:`start`."""

    pid: int | None = None
    """The id of the process that was started; None if the server runs elsewhere."""

    def __init__(self, data: Path | None = None) -> None:
        self._data = data
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Find or start the server, and wait until it takes writes.

        :raises bzz.errors.ConfigurationError: if there is no server, it does not start (a shared library is missing,
            another one uses the data), or the one in ``BZZ_MONGODB_URI`` does not answer.
        """
        named = os.environ.get(URI_VARIABLE)
        if named:
            _ping(named)
            self.uri = named
            return
        binary = _find_binary()
        atexit.register(self.stop)
        try:
            self._launch(binary)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the process that :meth:`start` started, if any, and remove the data if it is temporary."""
        atexit.unregister(self.stop)
        if self._process is not None:
            _end(self._process)
            self._process = self.pid = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def __enter__(self) -> MongoServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, binary: Path) -> None:
        data = self._make_directory()
        binary = _runnable(binary, data)
        deadline = time.monotonic() + START_SECONDS
        while True:
            port = _free_port()
            with tempfile.TemporaryFile(dir=data) as output:
                self._process = _spawn(binary, data, port, output)
                if _wait_until_listening(self._process, output, deadline):
                    break
                if self._process.returncode != _PORT_TAKEN:  # somebody was faster: try the next free port
                    raise ConfigurationError(_explain(binary, data, self._process.returncode, _read(output)))
        _make_primary(port, deadline)
        self.pid = self._process.pid
        self.uri = f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"

    def _make_directory(self) -> Path:
        if self._data is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="bzz-mongod-")
            return Path(self._temporary.name)
        try:
            self._data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"MongoDB cannot keep its data in {self._data}: {error.strerror}") from None
        return self._data.resolve()


def _ping(uri: str) -> None:
    try:
        client: pymongo.MongoClient[Any]
        with pymongo.MongoClient(uri, serverSelectionTimeoutMS=ANSWER_MS) as client:
            client.admin.command("ping")
    except (PyMongoError, ValueError) as error:
        reason = re.split(r" \(configured|, Timeout:", str(error))[0]  # the rest describes the driver
        raise ConfigurationError(
            f"the MongoDB that {URI_VARIABLE} names does not answer: {reason}\n"
            f"Start it (docker compose up -d mongo), correct {URI_VARIABLE}, or unset it to use an embedded server."
        ) from None


def _find_binary() -> Path:
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    spec = importlib.util.find_spec("fiftyone")  # a namespace package: finding it runs none of its code
    for place in spec.submodule_search_locations or () if spec else ():
        binary = Path(place, "db", "bin", "mongod")
        if binary.is_file():
            return binary
    raise ConfigurationError(_NOWHERE)


def _runnable(binary: Path, data: Path) -> Path:
    """Return ``binary`` made executable, which a wheel may not keep, or an executable copy of it in ``data``."""
    if os.access(binary, os.X_OK):
        return binary
    try:
        binary.chmod(0o755)
    except OSError:
        binary = Path(shutil.copyfile(binary, data / "mongod"))
        binary.chmod(0o755)
    return binary


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(binary: Path, data: Path, port: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    arguments: Sequence[str | Path] = (
        *_with_parent_death_signal(), binary, "--dbpath", data, "--port", str(port), "--bind_ip", "127.0.0.1",
        "--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64", "--nounixsocket",
        "--journalCommitInterval", str(JOURNAL_MS),
    )  # fmt: skip
    # A session of its own, so that Ctrl-C reaches the application first and the application stops the server.
    return subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )


def _with_parent_death_signal() -> tuple[str, ...]:
    """Return a command prefix by which Linux stops the server when its parent ends, even if killed (setpriv(1))."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _wait_until_listening(process: subprocess.Popen[bytes], output: IO[bytes], deadline: float) -> bool:
    """Return True once the server listens, False if it has ended."""
    while process.poll() is None:
        if "waiting for connections" in _read(output).lower():
            return True
        _pause(deadline)
    return False


def _read(output: IO[bytes]) -> str:
    # By position: the server shares the file's offset and goes on writing at its own.
    return os.pread(output.fileno(), _OUTPUT_LIMIT, 0).decode(errors="replace")


def _pause(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise ConfigurationError(f"the embedded MongoDB was not ready within {START_SECONDS} seconds")
    time.sleep(0.05)


def _explain(binary: Path, data: Path, code: int, output: str) -> str:
    library = _MISSING_LIBRARY.search(output)
    if library:
        return (
            f"{binary} does not run: the shared library {library[1]} is missing.\n"
            "Install it (on Debian and Ubuntu: apt-get install libcurl4 libssl3 liblzma5, which the embedded server "
            f"needs), or use another server: docker compose up -d mongo, and set {URI_VARIABLE}."
        )
    lock = data / "mongod.lock"
    if code == _DATA_IN_USE and lock.is_file() and lock.stat().st_size:
        return f"a MongoDB is already running on {data} (pid {lock.read_text().strip()}); stop that one first"
    return f"{binary} ended with exit code {code}; the end of its output:\n{output[-2000:]}"


def _make_primary(port: int, deadline: float) -> None:
    client: pymongo.MongoClient[Any]
    with pymongo.MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=ANSWER_MS) as client:
        while not _is_configured(client, {"_id": 0, "host": f"127.0.0.1:{port}"}):
            _pause(deadline)
        while not _is_primary(client):
            _pause(deadline)
        # Explicit, since before MongoDB 5.0 the default was to acknowledge by one.
        client.admin.command("setDefaultRWConcern", 1, defaultWriteConcern={"w": "majority", "wtimeout": 0})


def _configure(client: pymongo.MongoClient[Any], member: dict[str, Any]) -> None:
    """Make the replica set of this one member, or move that of an earlier start to its new port."""
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise
        config = client.admin.command("replSetGetConfig")["config"]
        config = {**config, "members": [member], "version": config["version"] + 1}
        client.admin.command("replSetReconfig", config, force=True)


def _is_configured(client: pymongo.MongoClient[Any], member: dict[str, Any]) -> bool:
    try:
        _configure(client, member)
    except ConnectionFailure:  # a server that changes its state closes its connections
        return False
    return True


def _is_primary(client: pymongo.MongoClient[Any]) -> bool:
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except ConnectionFailure:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

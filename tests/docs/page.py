"""A page of the documentation as a program that is run, and as commands that are tried on it.

The blocks of a page are taken in order:

- ``python``: added to the page's program, ``app.py``. One that has an ``async def main`` is whole and begins anew;
  what comes later is put in front of that line, as a reader would. A page without one gets the usual ending: connect,
  serve ``routes`` on port 8889.
- ``python NAME.py``, ``nginx NAME.conf`` and the like: another file beside it, which commands use. ``python theirs`` is
  another system's.
- ``console``: lines ``$ command`` and what they print, tried with a real shell while the program runs; ``...`` stands
  for anything. ``localhost:8889`` is where the program listens; ``$ name=...`` sets a variable for what follows.
- ``text`` after a ``console`` block: what the program prints meanwhile. Any other ``text`` is a picture.
- ``sh``: commands for the reader's own machine, of which the targets of make are looked up.
- ``json``: is JSON. ``html`` is tried elsewhere, in a browser.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pymongo

__all__ = ["ROOT", "Block", "Program", "blocks", "check"]

ROOT = Path(__file__).parents[2]
SECONDS = 30

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\w+ (\w+\.\w+|Dockerfile)")
_MAIN = re.compile(r"^async def main", re.MULTILINE)
_ASSIGNMENT = re.compile(r"(\w+)=")
_COMMAND = re.compile(r"^\$ ", re.MULTILINE)
_ENDING = """
import asyncio, os
import mongoengine
import tornado.web

async def main() -> None:
    mongoengine.connect("page", host=os.environ["BZZ_MONGODB_URI"], uuidRepresentation="standard")
    tornado.web.Application(routes).listen(8889)
    await asyncio.Event().wait()

asyncio.run(main())
"""
_EXPECTED = doctest.OutputChecker()


@dataclass(frozen=True)
class Block:
    """One fenced block.

    :param kind: what stands after the fence.
    :param line: where it begins in the page.
    """

    kind: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text()
    return [Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in _BLOCK.finditer(text)]


class Program:
    """The program of a page: grows block by block, and is started anew when it has grown.

    :param uri: of the MongoDB that the page uses, in a database of its own.
    :param directory: where it runs.
    """

    def __init__(self, uri: str, database: str, directory: Path) -> None:
        self._uri, self._database, self._directory = uri, database, directory
        self._port = _free_port()
        self._source = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._seen = 0
        self._variables: dict[str, str] = {}

    def add(self, source: str) -> None:
        """Put a block into the program; it starts at the next use."""
        self.stop()
        if _MAIN.search(source):
            self._source = source
            return
        main = _MAIN.search(self._source)
        at = main.start() if main else len(self._source)
        self._source = f"{self._source[:at]}{source}\n\n{self._source[at:]}"

    def write(self, name: str, text: str) -> None:
        """Put a file beside the program."""
        (self._directory / name).write_text(text)

    def run(self, command: str) -> str:
        """What a shell command prints while the program runs."""
        self._start()
        variable = _ASSIGNMENT.match(command)
        if variable:
            self._variables[variable[1]] = self._shell(f'{command}\nprintf %s "${variable[1]}"')
            return ""
        return self._shell(command).replace("\r", "").replace(f"127.0.0.1:{self._port}", "localhost:8889")

    def _shell(self, command: str) -> str:
        return subprocess.run(
            ["bash", "-c", command.replace("localhost:8889", f"127.0.0.1:{self._port}")],
            cwd=self._directory, env=self._environment(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=SECONDS, check=False,
        ).stdout  # fmt: skip

    def _environment(self) -> dict[str, str]:
        """Where commands such as ``pytest`` are those of this Python, and connect to the page's MongoDB."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "BZZ_MONGODB_URI": self._uri, **self._variables}

    def printed(self, expected: str) -> str:
        """What the program printed since it was last asked, as soon as it is what is expected, or in the end."""
        deadline = time.monotonic() + 5
        while not _matches(expected, text := self._output()[self._seen :]) and time.monotonic() < deadline:
            time.sleep(0.02)
        self._seen += len(text)
        return text

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop it, and drop what it stored."""
        self.stop()
        with pymongo.MongoClient[dict[str, object]](self._uri) as client:
            client.drop_database(self._database)

    def _start(self) -> None:
        if self._process is not None or not self._source:
            return
        path, self._seen = self._directory / "app.py", 0
        path.write_text(self._adapted())
        with self._log.open("wb") as log, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-W", "error", path.name], cwd=self._directory, stdout=log, stderr=errors,
                env={**os.environ, "BZZ_MONGODB_URI": self._uri},
            )  # fmt: skip
        self._wait()

    @property
    def _log(self) -> Path:
        return self._directory / "printed"

    @property
    def _errors(self) -> Path:
        return self._directory / "errors"

    def _output(self) -> str:
        return self._log.read_text()

    def _adapted(self) -> str:
        source = self._source if _MAIN.search(self._source) else self._source + _ENDING
        source = re.sub(r'(connect\(|client\[)"\w+"', rf'\1"{self._database}"', source)
        return source.replace("8889", str(self._port))

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the program of the page does not serve:\n{self._source}\n{self._errors.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check(program: Program, block: Block, previous: str) -> None:
    """Try one block of a page.

    :param previous: the kind of the block before.
    :raises AssertionError: where it does not do as the page says.
    """
    if block.kind == "python":
        program.add(block.text)
    elif _FILE.fullmatch(block.kind):
        program.write(block.kind.split()[1], block.text)
    elif block.kind == "console":
        _check_console(program, block.text)
    elif block.kind == "json":
        json.loads(block.text)
    elif block.kind == "sh":
        _check_commands(block.text)
    elif block.kind == "text" and previous == "console":
        _compare(block.text, program.printed(block.text), "the program's output")
    else:
        assert block.kind in ("text", "yaml", "html", "python theirs"), (
            f"nothing tries a block of the kind {block.kind!r}"
        )


def _check_console(program: Program, text: str) -> None:
    before, *steps = _COMMAND.split(text)
    assert not before, f"a console block begins with '$ ', not with {before!r}"
    for step in steps:
        command, expected = _split(step)
        _compare(expected, program.run(command), command)


def _split(step: str) -> tuple[str, str]:
    """The command, which a backslash continues on the next line, and what it prints."""
    lines = step.splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if not line.endswith("\\\n")) + 1
    return "".join(lines[:end]), "".join(lines[end:])


def _matches(expected: str, found: str) -> bool:
    return _EXPECTED.check_output(expected, found, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)


def _compare(expected: str, found: str, what: str) -> None:
    if not _matches(expected, found):
        raise AssertionError(f"{what}\n-- the page says:\n{expected}\n-- it is:\n{found}")


def _check_commands(text: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"there is no make {target}"
    subprocess.run(["bash", "-n", "-c", text], check=True)

"""The application in processes of its own, which may be stopped and killed."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from bzz.serving.granian import QUICK_SECONDS

__all__ = ["PATIENCE", "Running", "running"]

PATIENCE = 120
"""How many seconds something may take that ought to come soon: a deadline for what has gone wrong, and no measure."""

BETWEEN_KILLS = 1.5 * QUICK_SECONDS


@dataclass
class Running:
    """An application that serves on ``port``."""

    process: subprocess.Popen[str]
    port: int
    output: IO[bytes]
    killed_at: float = -math.inf

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **settings: Any) -> httpx.AsyncClient:
        """One that waits long enough for anything but a fault."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE, limits=limits, **settings)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return os.pread(self.output.fileno(), 1 << 26, 0).decode(errors="replace")

    @property
    def memory_mib(self) -> float:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def held(self) -> dict[str, int]:
        """How many tasks, descriptors, KiB of memory and feeds it holds."""
        told: dict[str, int] = httpx.get(f"{self.url}/held", trust_env=False, timeout=PATIENCE).json()
        return told

    def serving_process(self) -> int:
        """The id of one of the processes that answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return int(httpx.get(f"{self.url}/pid", trust_env=False, timeout=PATIENCE).text)
            except httpx.TransportError:  # it is being started again
                assert self.process.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.05)

    async def kill_one(self) -> None:
        """Kill one of the processes that answer: not too soon after another, which would be a crash loop."""
        await asyncio.sleep(self.killed_at + BETWEEN_KILLS - time.monotonic())
        os.kill(await asyncio.to_thread(self.serving_process), signal.SIGKILL)
        self.killed_at = time.monotonic()

    def stop(self) -> int:
        """Have it stop, and wait; returns its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def running(uri: str, database: str, **options: Any) -> Iterator[Running]:
    """Serve :mod:`tests.faults.application` until the end of the block.

    :param options: of its ``make``, ``processes``, ``in_flight``, ``write_seconds``, ``port``, ``server`` and the
        ``gate`` of ``WaitsForFile``.
    """
    command = [sys.executable, "-m", "tests.faults.application"]
    given = json.dumps({"uri": uri, "database": database, **options})
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen([*command, given], stdout=subprocess.PIPE, stderr=output, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            port = process.stdout.readline()
            it = Running(process, int(port or 0), output)
            assert port, it.log
            it.serving_process()
            yield it
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()

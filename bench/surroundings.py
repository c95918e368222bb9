"""Where and with what a run was made."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pymongo

__all__ = ["describe"]

_PACKAGES = (
    "tornado", "mongoengine", "motor", "pymongo", "orjson", "uvloop", "fastapi", "beanie", "pydantic", "uvicorn",
    "httptools", "granian", "eve", "gunicorn",
)  # fmt: skip


def describe(uri: str) -> dict[str, Any]:
    """Machine, versions and commit."""
    client: pymongo.MongoClient[Any]
    with pymongo.MongoClient(uri) as client:
        mongodb = client.server_info()["version"]
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cores": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "system": platform.platform(terse=True),
        },
        "versions": {"python": platform.python_version(), "mongodb": mongodb, **versions},
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str | None:
    """The commit that is checked out, and whether files differ from it; None where git does not know."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or None

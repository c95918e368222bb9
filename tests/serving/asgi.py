"""The ASGI servers that the tests run an application on, each told what its command line would be."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

__all__ = ["serve"]


def serve(engine: str, app: Any) -> None:
    """Serve until SIGTERM, on a free port, which is printed."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        bound.listen(1024)
        print(bound.getsockname()[1], flush=True)
        if engine == "hypercorn":
            _hypercorn(app, bound)
        else:
            _uvicorn(app, bound, "h11" if engine == "uvicorn-h11" else "httptools")


def _uvicorn(app: Any, bound: socket.socket, http: Any) -> None:
    import uvicorn

    config = uvicorn.Config(app, http=http, log_level="warning", lifespan="on", ws="none", proxy_headers=False)
    uvicorn.Server(config).run(sockets=[bound])


def _hypercorn(app: Any, bound: socket.socket) -> None:
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{bound.fileno()}"]
    config.graceful_timeout = 10
    asyncio.run(run(app, config))

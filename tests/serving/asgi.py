"""The ASGI servers that the tests run an application on, each told what its command line would be."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

__all__ = ["serve"]


def serve(engine: str, app: Any, grace: int) -> None:
    """Serve until SIGTERM, on a free port, which is printed."""
    bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(bound.getsockname()[1], flush=True)
    if engine == "hypercorn":
        _hypercorn(app, bound.detach(), grace)
    else:
        _uvicorn(app, bound, "h11" if engine == "uvicorn-h11" else "httptools", grace)


def _uvicorn(app: Any, bound: socket.socket, http: Any, grace: int) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        http=http,
        log_level="warning",
        lifespan="on",
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=grace,
    )
    uvicorn.Server(config).run(sockets=[bound])


def _hypercorn(app: Any, descriptor: int, grace: int) -> None:
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.graceful_timeout = grace
    asyncio.run(run(app, config))

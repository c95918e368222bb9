"""``bzz mock``: a mock API from a file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from bzz.cli.console import fail
from bzz.errors import ConfigurationError
from bzz.extras import needs
from bzz.origins import OriginPolicy
from bzz.routing import RouteList

with needs("cli"):
    import typer

__all__ = ["mock", "mock_application"]


def mock(
    file: Annotated[Path, typer.Argument(help="A list of rows, or an OpenAPI 3 document, in YAML or JSON.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8888,
    cors: Annotated[bool, typer.Option(help="Let pages of every origin use it.")] = True,
) -> None:
    """Serve a mock API."""
    try:
        from bzz.mock.file import routes_from  # needs packages that other commands do not

        routes = routes_from(file)
        asyncio.run(_serve(mock_application(routes, cors), host, port))
    except ConfigurationError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{host}:{port} cannot be listened on: {error.strerror}")
    except KeyboardInterrupt:
        typer.echo("Stopped.")


def mock_application(routes: RouteList, cors: bool) -> Application:
    """Return the application that is served; with ``cors`` pages of every origin may use it."""
    application = Application(list(routes))
    if cors:  # with cookies too: nothing that a mock API answers is anybody's
        OriginPolicy(None, credentials=True, max_age=0, exposed=None).apply(application)
    return application


async def _serve(application: Application, host: str, port: int) -> None:
    sockets = bind_sockets(port, host)
    HTTPServer(application).add_sockets(sockets)
    typer.echo(f"The mock API is at http://{host}:{sockets[0].getsockname()[1]}/ (Ctrl-C stops it)")
    sys.stdout.flush()
    await asyncio.Event().wait()

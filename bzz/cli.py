"""The command line, by typer (https://typer.tiangolo.com)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

import bzz
from bzz.errors import BzzError, ConfigurationError
from bzz.extras import needs
from bzz.origins import OriginPolicy
from bzz.routing import RouteList
from bzz.serving import server

with needs("cli"):
    import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bzz {bzz.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Work with bzz from the command line."""


@app.command()
def mock(
    file: Annotated[Path, typer.Argument(help="A list of rows, or an OpenAPI 3 document, in YAML or JSON.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.")] = 8888,
    cors: Annotated[bool, typer.Option(help="Let pages of every origin use it.")] = True,
) -> None:
    """Serve a mock API."""
    try:
        from bzz.mock.file import routes_from  # needs packages that other commands do not

        routes = routes_from(file)
        asyncio.run(_serve(_mock_application(routes, cors), host, port))
    except ConfigurationError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{host}:{port} cannot be listened on: {error.strerror}")
    except KeyboardInterrupt:
        typer.echo("Stopped.")


@app.command()
def serve(
    application: Annotated[str, typer.Argument(metavar="MODULE:NAME", help="An application, or what makes one.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.")] = 8888,
    processes: Annotated[int, typer.Option(min=1, help="How many processes share the port.")] = 1,
) -> None:
    """Serve an application until it is told to stop."""
    sys.path.insert(0, "")
    try:
        server.serve(
            application,
            port=port,
            address=host,
            processes=processes,
            on_start=lambda taken: typer.echo(f"Serving {application} at http://{host}:{taken}/ (Ctrl-C stops it)"),
        )
    except BzzError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{host}:{port} cannot be listened on: {error.strerror}")


def _mock_application(routes: RouteList, cors: bool) -> Application:
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


def _fail(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)

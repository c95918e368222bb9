"""The command line, by typer (https://typer.tiangolo.com)."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, cast

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
    unix_socket: Annotated[str | None, typer.Option(help="The path of a socket, in place of a port.")] = None,
    engine: Annotated[str, typer.Option("--server", help="tornado, or granian for several processes.")] = "tornado",
    processes: Annotated[int, typer.Option(min=1, help="How many processes granian runs.")] = 1,
    trusted_proxy: Annotated[
        list[str] | None, typer.Option(help="A network whose X-Forwarded-For is believed; may be repeated.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the server; may be repeated.")
    ] = None,
) -> None:
    """Serve an application until it is told to stop."""
    sys.path.insert(0, "")
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("bzz.serving").setLevel(logging.INFO)

    def on_start(taken: int) -> None:
        where = unix_socket or f"http://{host}:{taken}/"
        typer.echo(f"Serving {application} at {where} (Ctrl-C stops it)")
        sys.stdout.flush()

    try:
        server.serve(
            application,
            port=port,
            address=host,
            unix_socket=unix_socket,
            server=cast(server.Server, engine),
            processes=processes,
            trusted_proxies=trusted_proxy or (),
            on_start=on_start,
            **_options(option or ()),
        )
    except BzzError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{unix_socket or f'{host}:{port}'} cannot be listened on: {error.strerror}")


def _options(texts: Iterable[str]) -> dict[str, Any]:
    """Return options of the server; a value is JSON if it can be, and else a text."""
    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"--option {text!r} must be NAME=VALUE")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


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

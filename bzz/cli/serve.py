"""``bzz serve``: an application on a port."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from typing import Annotated, Any, cast

from bzz.cli.console import fail
from bzz.errors import BzzError, ConfigurationError
from bzz.extras import needs
from bzz.serving import server

with needs("cli"):
    import typer

__all__ = ["serve"]

ACCESS = "bzz.access"
"""The logger of :func:`bzz.access_log`."""

_OWN = ("address", "application", "limits", "on_start", "port", "processes", "server", "trusted_proxies", "unix_socket")
"""What ``bzz.serve`` takes besides the options of servers."""


def serve(
    application: Annotated[str, typer.Argument(metavar="MODULE:NAME", help="An application, or what makes one.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8888,
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
    output = logging.StreamHandler()
    output.setFormatter(_Format("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[output], level=logging.WARNING)
    for name in ("bzz.serving", ACCESS):
        logging.getLogger(name).setLevel(logging.INFO)

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
        fail(str(error))
    except OSError as error:
        fail(f"{unix_socket or f'{host}:{port}'} cannot be listened on: {error.strerror or error}")


class _Format(logging.Formatter):
    """Leaves the lines of ``bzz.access_log`` as they are: they may be JSON, and say of themselves what they are."""

    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage() if record.name == ACCESS else super().format(record)


def _options(texts: Iterable[str]) -> dict[str, Any]:
    """Return options of the server; a value is JSON if it can be, and else a text."""
    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"--option {text!r} must be NAME=VALUE")
        if name in _OWN:
            raise ConfigurationError(f"--option {name} is none of the server's: see bzz serve --help")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options

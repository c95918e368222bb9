"""The command line, by typer (https://typer.tiangolo.com). Each command is a module of its name."""

from __future__ import annotations

from typing import Annotated

import bzz
from bzz.cli.check import check
from bzz.cli.deliveries import deliveries
from bzz.cli.dump import dump
from bzz.cli.events import events
from bzz.cli.load import load
from bzz.cli.mock import mock
from bzz.cli.new import new
from bzz.cli.openapi import openapi
from bzz.cli.routes import routes
from bzz.cli.serve import serve
from bzz.cli.tail import tail
from bzz.extras import needs

with needs("cli"):
    import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


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


for command in (serve, mock, routes, openapi, events, check, tail, load, dump, new):
    app.command()(command)
app.add_typer(deliveries, name="deliveries")

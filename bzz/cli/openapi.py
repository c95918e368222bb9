"""``bzz openapi``: the OpenAPI document of an application."""

from __future__ import annotations

import json
from typing import Annotated

from bzz.cli.application import ApplicationName, load_application
from bzz.cli.console import ending
from bzz.extras import needs
from bzz.openapi.document import document, with_rate_limits
from bzz.openapi.older import as_3_0
from bzz.problem import RATE_LIMITS
from bzz.routing import rules_of

with needs("cli"):
    import typer

__all__ = ["openapi"]


def openapi(
    application: ApplicationName,
    title: Annotated[str, typer.Option(help="The title of the API.")] = "API",
    version: Annotated[str, typer.Option(help="The version of the API.")] = "1",
    older: Annotated[bool, typer.Option("--3.0", help="Write OpenAPI 3.0 in place of 3.1.")] = False,
) -> None:
    """Write the OpenAPI document of an application, as JSON."""
    with ending():
        loaded = load_application(application)
        made = document(rules_of(loaded.default_router), title=title, version=version)
        if RATE_LIMITS in loaded.settings:
            made = with_rate_limits(made)
        typer.echo(json.dumps(as_3_0(made) if older else made, indent=2, ensure_ascii=False))

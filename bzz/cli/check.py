"""``bzz check``: what somebody should look at before an application meets strangers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from bzz.cli.application import ApplicationName, AsJson, load_application, mounted
from bzz.cli.console import console, ending, show_rows
from bzz.cli.findings import Finding, findings_of_routes
from bzz.cli.storage import findings_of_storage
from bzz.extras import needs

with needs("cli"):
    import typer
    from rich.text import Text

__all__ = ["check"]

_STYLES = {"attention": "yellow", "note": "dim"}


def check(
    application: ApplicationName,
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 where something needs attention.")] = False,
) -> None:
    """Tell what is open to strangers, what is hidden, which filters have no index, what the server cannot do.

    Nothing is written to the database. A filter without an index needs attention from 10,000 documents on.
    """
    with ending():
        loaded = load_application(application)
        routes = list(mounted(loaded))
        found = [*findings_of_routes(loaded, routes), *asyncio.run(findings_of_storage(routes))]
        if as_json:
            show_rows([asdict(each) for each in found], [], as_json=True)
        else:
            _show(found)
        if strict and any(each.level == "attention" for each in found):
            raise typer.Exit(1)


def _show(found: Sequence[Finding]) -> None:
    out = console()
    for each in found:
        where = f"{each.where}: " if each.where else ""
        out.print(Text(f"{each.level:9}", style=_STYLES[each.level]), f"{each.about:6}", Text(f"{where}{each.message}"))
    count = sum(each.level == "attention" for each in found)
    out.print(f"{count or 'Nothing'} {'need' if count > 1 else 'needs'} attention.")

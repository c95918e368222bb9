"""What commands write, and how they end.

Results go to the standard output, everything else to the standard error. There are colours on a terminal only, and none
where ``NO_COLOR`` is set (https://no-color.org).

A command ends with 0, with 1 where something went wrong, with 2 for a mistake in its arguments (typer's own), and with
130 where Ctrl-C ended it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from bzz.errors import BzzError
from bzz.extras import needs

with needs("cli"):
    import typer
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["INTERRUPTED", "Failure", "console", "ending", "fail", "show_rows"]

INTERRUPTED = 130
"""What shells say of a program that SIGINT ended: 128 and its number."""

PIPED_WIDTH = 1000
"""How wide a table may be that no terminal shows: what reads it wants one line for each row."""


class Failure(Exception):
    """A command cannot go on; the message is one sentence for the person who gave it."""


def console(*, stderr: bool = False) -> Console:
    """Return the console of the standard output, or of the standard error."""
    plain = bool(os.environ.get("NO_COLOR"))
    made = Console(stderr=stderr, color_system=None if plain else "auto", highlight=False, soft_wrap=False)
    if not made.is_terminal:
        made.width = PIPED_WIDTH
    return made


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong and end the command."""
    console(stderr=True).print(Text(message, style="red"), soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def ending() -> Iterator[None]:
    """End the command in good order where the block fails, or is ended by Ctrl-C."""
    try:
        yield
    except (Failure, BzzError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], *, as_json: bool) -> None:
    """Write a listing: a JSON array of all that is in ``rows``, or a table of some ``columns``.

    A list in a cell is joined by commas; None is an empty cell.
    """
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = list(columns)
    for name in names:
        table.add_column(name.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in names))
    console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)

"""How far a long command has come: a bar on a terminal, and else a line now and then. On the standard error."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from bzz.cli.console import console
from bzz.extras import needs

with needs("cli"):
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

__all__ = ["Report"]

LINE_SECONDS = 2.0


class Report:
    """Shows how many rows there were, while it is entered.

    :param total: the bytes of all; None where nobody knows.
    """

    def __init__(self, total: int | None) -> None:
        self._console = console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("0 rows", total=total)
        self._total = total
        self._began = self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, words: str, rows: int, read: int) -> None:
        """Show where things stand.

        :param words: what was done so far.
        :param rows: how many rows this run has taken.
        :param read: how many bytes of the total these were.
        """
        now = time.monotonic()
        text = f"{words}, {rows / max(now - self._began, 0.001):,.0f} rows/s"
        if self._console.is_terminal:
            self._bar.update(self._task, description=text, completed=read)
        elif now - self._told >= LINE_SECONDS:
            self._told = now
            share = f" ({min(100, 100 * read // self._total)} %)" if self._total else ""
            self._console.print(Text(text + share), soft_wrap=True)

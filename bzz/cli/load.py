"""``bzz load``: the rows of a file into a list."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, cast

from bzz.cli.bodies import TEXTS, VALUES
from bzz.cli.client import Client, Headers, Token, Url, make_client
from bzz.cli.console import Failure, console, ending, fail
from bzz.cli.refused import RefusedRows
from bzz.cli.reporting import Report
from bzz.cli.resuming import Progress
from bzz.cli.rows import Format, Row, format_of, read_rows
from bzz.cli.sending import Outcome, Sender
from bzz.extras import needs

with needs("cli"):
    import typer
    from rich.text import Text

__all__ = ["load"]

MAX_BATCH_BYTES = 512 * 1024
"""How long the rows of one request may be: bzz takes bodies up to 1 MiB."""


def load(
    url: Url,
    file: Annotated[str, typer.Argument(metavar="FILE", help="NDJSON, a JSON array or CSV; - is the standard input.")],
    form: Annotated[
        str | None, typer.Option("--format", help="ndjson, json or csv.  [default: by the name of the file]")
    ] = None,
    refused: Annotated[Path | None, typer.Option(help="Where refused rows go.  [default: FILE.refused.ndjson]")] = None,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="How many rows are sent at a time.")] = 500,
    token: Token = None,
    header: Headers = None,
) -> None:
    """Send the rows of a file to a list.

    Refused rows go to a file, with the reasons; they make the command end with 1. A load that was ended, even by a
    kill, is gone on with by the same command: FILE.bzz-load says how far it came.
    """
    with ending():
        if form not in (None, "ndjson", "json", "csv"):
            raise typer.BadParameter("one of ndjson, json and csv is expected", param_hint="--format")
        chosen = cast("Format", form) if form else format_of(file)
        client = make_client(url, header, token)
        name = "stdin" if file == "-" else file
        progress = Progress(client.url) if file == "-" else Progress.of(client.url, Path(f"{file}.bzz-load"))
        reasons = RefusedRows(refused or Path(f"{name}.refused.ndjson"), progress.refused_bytes)
        with _opened(file) as stream:
            asyncio.run(_Load(client, progress, reasons, batch).run(stream, chosen))
        _tell_end(progress, reasons)


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}") from None


def _tell_end(progress: Progress, reasons: RefusedRows) -> None:
    progress.forget()
    refused = progress.done - progress.stored
    typer.echo(f"{progress.stored:,} rows stored, {refused:,} refused")
    if refused:
        fail(f"{refused:,} rows are in {reasons.path}, each with the reason")


class _Load:
    """One run of the command."""

    def __init__(self, client: Client, progress: Progress, reasons: RefusedRows, batch: int) -> None:
        self._client, self._progress, self._reasons, self._batch = client, progress, reasons, batch

    async def run(self, stream: BinaryIO, form: Format) -> None:
        """Send all rows that are not done yet."""
        progress, before = self._progress, self._progress.done
        self._tell_beginning()
        sender = Sender(self._client, progress, TEXTS if form == "csv" else VALUES)
        with Report(_size(stream)) as report:
            for rows in _batches(self._remaining(stream, form), self._batch):
                progress.sends(len(rows))
                await self._take(rows, sender)
                words = f"{progress.stored:,} rows stored, {progress.done - progress.stored:,} refused"
                report.update(words, progress.done - before, rows[-1].read)

    def _tell_beginning(self) -> None:
        progress, messages = self._progress, console(stderr=True)
        if progress.done or progress.sending:
            messages.print(f"going on after {progress.done:,} rows")
        if progress.sending and progress.takes_ids is False:
            rows = f"rows {progress.done + 1:,} to {progress.done + progress.sending:,}"
            message = f"{rows} were on their way when the last run ended: those without an id may be stored twice"
            messages.print(Text(message, style="yellow"), soft_wrap=True)

    def _remaining(self, stream: BinaryIO, form: Format) -> Iterator[Row]:
        last = 0
        done = self._progress.done
        for row in read_rows(stream, form):
            last = row.number
            if row.number <= done:
                self._progress.skip(row)
            else:
                yield row
        if last < done:
            raise Failure(f"the file has fewer rows than were loaded: remove {self._progress.file} to begin anew")

    async def _take(self, rows: list[Row], sender: Sender) -> None:
        readable = [row for row in rows if row.data is not None]
        outcomes = [Outcome(row, {"title": "Unreadable", "detail": row.problem}) for row in rows if row.data is None]
        outcomes += await sender.send(readable)
        refused = sorted((each for each in outcomes if each.reason is not None), key=lambda each: each.row.number)
        self._progress.has_done(rows, len(outcomes) - len(refused), self._reasons.write(refused))


def _size(stream: BinaryIO) -> int | None:
    if stream is sys.stdin.buffer:
        return None
    return Path(stream.name).stat().st_size


def _batches(rows: Iterator[Row], most: int) -> Iterator[list[Row]]:
    batch, size = list[Row](), 0
    for row in rows:
        if batch and (len(batch) == most or size + len(row.text) > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row.text)
    if batch:
        yield batch

"""``bzz dump``: all rows of a list."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from bzz.cli.client import Client, Headers, Token, Url, make_client, refusal
from bzz.cli.console import Failure, ending
from bzz.cli.reporting import Report
from bzz.extras import needs

with needs("cli"):
    import typer

__all__ = ["dump"]

PER_PAGE = 100
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next\b')
Row = dict[str, Any]


def dump(
    url: Url,
    form: Annotated[str, typer.Option("--format", help="ndjson, json or csv.")] = "ndjson",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write.  [default: the standard output]")
    ] = None,
    token: Token = None,
    header: Headers = None,
) -> None:
    """Write all rows of a list, page by page; filters, sort and fields in the URL count.

    Rows that are written meanwhile may be among them or not. CSV has the columns of the first row; lists and objects
    are JSON in their cells.
    """
    with ending():
        if form not in _WRITERS:
            raise typer.BadParameter("one of ndjson, json and csv is expected", param_hint="--format")
        client = make_client(url, header, token)
        with _opened(output) as file:
            asyncio.run(_dump(client, _WRITERS[form](file), is_told=output is not None))


async def _dump(client: Client, writer: _Writer, *, is_told: bool) -> None:
    count = 0
    with Report(None) as report:
        async for rows in _pages(client):
            for row in rows:
                writer.write(row)
            count += len(rows)
            if is_told:
                report.update(f"{count:,} rows", count, 0)
    writer.end()
    if is_told:
        typer.echo(f"{count:,} rows written", err=True)


async def _pages(client: Client) -> AsyncGenerator[list[Row]]:
    """Yield the pages of a list, from one link to the next."""
    following: str | None = _with_page_size(client.url)
    while following is not None:
        answer = await client.send("GET", following, headers={"Accept": "application/json"})
        if answer.code != 200:
            raise refusal(answer)
        try:
            rows = json.loads(answer.body)
        except ValueError:
            rows = None
        if not isinstance(rows, list):
            raise Failure(f"{client.url} is no list: it answers {answer.headers.get('Content-Type', 'nothing')}")
        yield rows
        found = _NEXT.search(answer.headers.get("Link", ""))
        following = urljoin(following, found[1]) if found else None


def _with_page_size(url: str) -> str:
    """Return a URL that asks for long pages, unless it says how long they are.

    >>> _with_page_size("http://localhost/user/?sort=age")
    'http://localhost/user/?sort=age&per_page=100'
    """
    parts = urlsplit(url)
    if any(name == "per_page" for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return url
    query = "&".join(each for each in (parts.query, urlencode({"per_page": PER_PAGE})) if each)
    return parts._replace(query=query).geturl()


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from None
    with file:
        yield file


class _Writer:
    """Writes rows as NDJSON."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.count = 0

    def write(self, row: Row) -> None:
        """Write one row."""
        self.count += 1
        self.file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def end(self) -> None:
        """Write what comes after all rows."""


class _JsonWriter(_Writer):
    """Writes one JSON array."""

    def write(self, row: Row) -> None:
        self.file.write(("[\n" if self.count == 0 else ",\n") + json.dumps(row, ensure_ascii=False))
        self.count += 1

    def end(self) -> None:
        self.file.write("\n]\n" if self.count else "[]\n")


class _CsvWriter(_Writer):
    """Writes CSV (RFC 4180)."""

    def write(self, row: Row) -> None:
        if self.count == 0:
            self._columns = list(row)
            self._line(self._columns)
        self.count += 1
        more = [name for name in row if name not in self._columns]
        if more:
            raise Failure(f"row {self.count:,} has {', '.join(more)}, which the first row has not: dump NDJSON instead")
        self._line([_cell(row.get(name)) for name in self._columns])

    def _line(self, cells: list[str]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        self.file.write(line.getvalue())


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


_WRITERS = {"ndjson": _Writer, "json": _JsonWriter, "csv": _CsvWriter}

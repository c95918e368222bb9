"""The rows of a file: NDJSON, a JSON array, or CSV with a header."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, Literal

from bzz.cli.console import Failure

__all__ = ["Format", "Row", "format_of", "read_rows"]

Format = Literal["ndjson", "json", "csv"]

_SUFFIXES: dict[str, Format] = {".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".csv": "csv"}


@dataclass(frozen=True)
class Row:
    """One row of a file.

    :param number: from 1.
    :param data: its fields; None where it cannot be read.
    :param text: how it stands in the file, about.
    :param read: how many bytes of the file have been read by now, about.
    :param problem: why it cannot be read.
    """

    number: int
    data: dict[str, Any] | None
    text: str
    read: int
    problem: str = ""


def format_of(name: str) -> Format:
    """Return the format of a file by its name; NDJSON for the standard input.

    :raises Failure: for any other ending.
    """
    if name == "-":
        return "ndjson"
    found = _SUFFIXES.get(PurePath(name).suffix.lower())
    if found is None:
        raise Failure(f"{name} ends in none of {', '.join(_SUFFIXES)}: say what it is, --format ndjson, json or csv")
    return found


def read_rows(stream: BinaryIO, form: Format) -> Iterator[Row]:
    """Yield the rows of a stream. All of a JSON array is read first, the other formats row by row.

    :raises Failure: where it cannot be read on: not the format, or not UTF-8.
    """
    try:
        yield from {"ndjson": _ndjson, "json": _json, "csv": _csv}[form](stream)
    except UnicodeDecodeError:
        raise Failure("the file is not UTF-8") from None


def _ndjson(stream: BinaryIO) -> Iterator[Row]:
    read = number = 0
    for line in stream:
        read += len(line)
        text = line.decode(errors="replace").strip()
        if text:
            number += 1
            try:
                yield _row(number, json.loads(line), text, read)
            except ValueError as error:
                yield Row(number, None, text, read, f"This line is no JSON: {error}.")


def _json(stream: BinaryIO) -> Iterator[Row]:
    content = stream.read()
    try:
        found = json.loads(content)
    except ValueError as error:
        raise Failure(f"the file is no JSON: {error}") from None
    if not isinstance(found, list):
        raise Failure("the file holds no JSON array")
    for number, value in enumerate(found, start=1):
        yield _row(number, value, json.dumps(value), len(content) * number // len(found))


def _row(number: int, value: Any, text: str, read: int) -> Row:
    if not isinstance(value, dict):
        return Row(number, None, text, read, "This row is no JSON object.")
    return Row(number, value, text, read)


def _csv(stream: BinaryIO) -> Iterator[Row]:
    reader = csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""), strict=True)
    read = number = 0
    try:
        header = next(reader, [])
        for cells in filter(None, reader):  # a blank line is no row
            number += 1
            text = json.dumps(cells)
            read += len(text)
            if len(cells) > len(header) or "" in header:
                yield Row(number, None, text, read, "This row has more cells than the header, or one without a name.")
            else:
                yield Row(number, _named(header, cells), text, read)
    except csv.Error as error:
        raise Failure(f"the file is no CSV: {error}") from None


def _named(header: list[str], cells: list[str]) -> dict[str, Any]:
    """Return the cells that are not empty by the names of their columns; those of a repeated column in a list."""
    named: dict[str, list[str]] = {}
    for name, cell in zip(header, cells, strict=False):
        if cell:
            named.setdefault(name, []).append(cell)
    return {name: texts if len(texts) > 1 else texts[0] for name, texts in named.items()}

"""The rows of a body in CSV (RFC 4180), each read as the form that has its cells.

Whether a request takes rows, and what becomes of each, is for :mod:`bzz.model.bulk` to know.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from bzz.errors import BadRequest, Invalid
from bzz.model.body import MAX_FORM_FIELDS, field_at, form_value, put_at
from bzz.shape import Field, Shape

__all__ = ["read_csv"]


def read_csv(shape: Shape, body: bytes) -> Iterator[dict[str, Any] | Invalid]:
    """Yield the data of each row, in the types of JSON; in its place an error, for a row with too many cells.

    The first line names the fields, as forms do: dotted names build embedded documents, and repeated columns are the
    items of a list. Cells are read as the values of forms, but empty ones are left out. Lines end with CRLF, LF or CR,
    blank ones are no rows, and a byte order mark is passed over. A quote within a cell that does not begin with one is
    text.

    :param shape: says which fields are lists, numbers and truth values.
    :raises bzz.errors.BadRequest: for text that is not UTF-8 or not CSV, and for a header that cannot be the names of
        one form; while it yields, where it comes to it.

    >>> from bzz.shape import Field
    >>> from bzz.shape.scalars import IntegerKind
    >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
    >>> list(read_csv(user, b'age,address.city\\r\\n3,"Rio, the city"\\r\\n,Olinda\\r\\n'))
    [{'age': 3, 'address': {'city': 'Rio, the city'}}, {'address': {'city': 'Olinda'}}]
    """
    lines = _lines(body)
    header = next(lines, [])
    columns = _columns(shape, header)
    for cells in lines:
        if len(cells) > len(header):
            yield Invalid({"*": [f"Must have no more cells than the header, which has {len(header)}."]})
        elif cells:
            yield _data(columns, cells)


class _Column(NamedTuple):
    """One field, and the columns that hold it: looked up once, for a body may have half a million cells."""

    name: str
    field: Field | None
    is_list: bool
    places: list[int]


def _columns(shape: Shape, header: list[str]) -> list[_Column]:
    if not header:
        raise BadRequest("The first line must name the fields.")
    if len(header) > MAX_FORM_FIELDS:
        raise BadRequest(f"The header has more than {MAX_FORM_FIELDS} names.")
    places: dict[str, list[int]] = {}
    lists = {written.removesuffix("[]") for written in header if written.endswith("[]")}
    for place, written in enumerate(header):
        if not written:
            raise BadRequest(f"The header names no field in column {place + 1}.")
        places.setdefault(written.removesuffix("[]"), []).append(place)
    try:
        columns = [_Column(name, field_at(shape, name), name in lists, at) for name, at in places.items()]
        _data(columns, ["x"] * len(header))  # a row with all cells: what it can hold, any other can
    except BadRequest as error:
        raise BadRequest(f"The header cannot be read: {error.detail}") from None
    return columns


def _data(columns: list[_Column], cells: list[str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, field, is_list, places in columns:
        texts = [cells[place] for place in places if place < len(cells) and cells[place]]
        if texts:
            put_at(data, name, form_value(field, name, texts, is_list=is_list))
    return data


def _lines(body: bytes) -> Iterator[list[str]]:
    """Yield the cells of each line; none for a blank one."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise BadRequest(f"The body is not valid UTF-8, from line {line} on.") from None
    reader, read = csv.reader(io.StringIO(text, newline=""), strict=True), 0
    try:
        for cells in reader:
            yield cells
            read = reader.line_num
    except csv.Error as error:
        raise BadRequest(f"The body is not CSV, from line {read + 1} on: {error}.") from None

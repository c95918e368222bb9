"""Rows as the bodies of requests: in JSON, or in forms and CSV, whose texts the server reads by the model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

__all__ = ["TEXTS", "VALUES", "Bodies", "Payload"]

Payload = dict[str, Any]


class Bodies(NamedTuple):
    """How rows are sent.

    :param one: the media type of one row.
    :param many: that of several.
    """

    one: str
    encode_one: Callable[[Payload], bytes]
    many: str
    encode_many: Callable[[Sequence[Payload]], bytes]


def _json(payload: Payload | Sequence[Payload]) -> bytes:
    return json.dumps(payload).encode()


def _form(payload: Payload) -> bytes:
    return urlencode(payload, doseq=True).encode()


def _csv(payloads: Sequence[Payload]) -> bytes:
    """Return CSV with the columns of all rows; a name that has several texts somewhere has so many columns.

    >>> _csv([{"name": "a", "tags[]": ["x", "y"]}, {"name": "b", "size": "1"}])
    b'name,tags[],tags[],size\\r\\na,x,y,\\r\\nb,,,1\\r\\n'
    """
    columns: dict[str, int] = {}
    for payload in payloads:
        for name, value in payload.items():
            columns[name] = max(columns.get(name, 1), len(_texts(value)))
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([name for name, count in columns.items() for _ in range(count)])
    for payload in payloads:
        texts = ((_texts(payload.get(name, "")), count) for name, count in columns.items())
        writer.writerow([cell for given, count in texts for cell in [*given, *[""] * (count - len(given))]])
    return written.getvalue().encode()


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


VALUES = Bodies("application/json", _json, "application/json", _json)
TEXTS = Bodies("application/x-www-form-urlencoded", _form, "text/csv", _csv)

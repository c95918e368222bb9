"""The routes of a file: a mock table, or an OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bzz.errors import ConfigurationError
from bzz.mock.document import read_document
from bzz.mock.hive import MockHive
from bzz.routing import RouteList

__all__ = ["routes_from"]


def routes_from(path: Path) -> RouteList:
    """Return the routes of a file with a list of rows, or with an OpenAPI 3 document.

    A row is a list, ``[GET, /hello, {body: hi}]``, or a mapping, ``{method: GET, url: /hello, body: hi}``.

    :raises bzz.errors.ConfigurationError: if the file cannot be read, or has a mistake; the message names the row.
    """
    document = read_document(path)
    if isinstance(document, Mapping):
        return MockHive.from_openapi(path)
    if not isinstance(document, list):
        raise ConfigurationError(f"{path} holds neither a list of rows nor an OpenAPI document")
    return MockHive.routes_for([_row(each) for each in document])


def _row(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    answer = {name: value for name, value in row.items() if name not in ("method", "url")}
    return row.get("method", "*"), row.get("url"), answer

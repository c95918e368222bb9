"""An example for a JSON Schema of OpenAPI 3.0 or 3.1: one that it states, else the simplest value that it accepts."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from typing import Any

from bzz.mock.schema import Schema, SchemaReader, branches
from bzz.mock.text import is_known_format
from bzz.mock.values import MOST_BRANCHES, Nesting, proposed, valid_values

__all__ = ["Examples", "example_of"]

logger = logging.getLogger("bzz.mock")


def example_of(schema: Any, where: str = "a schema") -> Any:
    """Return a value for ``schema``, whose references are resolved. Recursion ends with null or an absent property.

    If no valid value is found, log a warning that names ``where``, and return the first value that was tried.

    >>> example_of({"properties": {"id": {"type": "integer", "example": 7}, "name": {"enum": ["Rex"]}}})
    {'id': 7, 'name': 'Rex'}
    >>> example_of({"type": ["null", "array"], "items": {"type": "string", "format": "date"}})
    ['2026-01-31']
    >>> example_of({"type": "integer", "exclusiveMinimum": 10, "multipleOf": 4})
    12
    """
    return Examples().of(schema, where)


class Examples:
    """The examples for the schemas of one document, each made once."""

    def __init__(self) -> None:
        self._reader = SchemaReader()
        self._made: dict[int, tuple[Any, Any]] = {}  # with its schema, so that no other gets its identity

    def of(self, schema: Any, where: str) -> Any:
        """Return an example, as :func:`example_of` does."""
        if schema is None:
            return None
        if id(schema) not in self._made:
            self._made[id(schema)] = schema, _made(self._reader.read(schema), where)
        return self._made[id(schema)][1]


def _made(schema: Schema, where: str) -> Any:
    try:
        for value in valid_values(schema, Nesting()):
            _warn_of_unknown_formats(schema, value, where)
            return value
    except RecursionError:
        logger.warning("no example can be made for %s: its schema is nested too deep", where)
        return None
    logger.warning("no example can be made for %s: nothing was found that satisfies its schema", where)
    return next(proposed(schema, Nesting()), None)


def _warn_of_unknown_formats(schema: Schema, value: Any, where: str) -> None:
    """Log each text format of the example that is not known."""
    for name in sorted(set(_formats(schema, value))):
        logger.warning("no example can be made for %s: its format %r is not known", where, name)


def _formats(schema: Schema, value: Any) -> Iterator[str]:
    """Yield the unknown formats of the strings in ``value``."""
    for branch in itertools.islice(branches(schema), MOST_BRANCHES):
        if isinstance(value, str) and value not in branch.get("stated", []) and "enum" not in branch:
            name = branch.get("format")
            if isinstance(name, str) and not is_known_format(name):
                yield name
        elif isinstance(value, dict):
            for name, each in value.items():
                yield from _formats(branch.get("properties", {}).get(name, True), each)
        elif isinstance(value, list):
            for each in value:
                yield from _formats(branch.get("items", True), each)

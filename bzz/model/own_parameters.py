"""Parameters of lists that an application declares: ``?near_me=5`` beside the filters that models have."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from bzz.calling import check_takes
from bzz.errors import BadRequest, ConfigurationError
from bzz.model.filter_tree import read_tree
from bzz.model.parameters import unreadable
from bzz.model.query import MAX_PARAMETERS, RESERVED, pairs
from bzz.model.scopes import opened
from bzz.providers.base import Criterion, ListQuery, Path
from bzz.shape import Kind, Shape
from bzz.shape.scalars import BooleanKind, FloatKind, IntegerKind, StringKind
from bzz.shape.texts import DecimalKind, UUIDKind
from bzz.shape.times import DateKind, DateTimeKind

__all__ = ["Narrow", "QueryParameter", "check_parameters", "narrowed"]

Narrow = Callable[[Any, Any], Mapping[str, Any] | None]
"""Called with the value and the handler; returns conditions as ``filter`` takes them, or None for none.

A :class:`ValueError` is a 400 with its message."""

_KINDS: dict[type, Kind] = {
    str: StringKind(),
    int: IntegerKind(),
    float: FloatKind(),
    bool: BooleanKind(),
    datetime: DateTimeKind(),
    date: DateKind(),
    Decimal: DecimalKind(),
    UUID: UUIDKind(),
}
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9-])*")
_OF_FEEDS = ("snapshot", "last_event_id", "models")


@dataclass(frozen=True)
class QueryParameter:
    """A parameter that the list of a model takes, beside its filters; others stay a 400.

    What it was given is in ``handler.parameters``, where the model's ``get_list_queryset`` and receivers find it.

    :param name: as it stands in URLs and bodies: letters, digits, ``-`` and single ``_``.
    :param type: of its value: str, int, float, bool, datetime, date, Decimal or UUID.
    :param narrow: is called with the value and the handler, and returns conditions that the list has to meet, too, as
        ``filter`` takes them. A :class:`ValueError` is a 400 with its message.
    :param description: for the OpenAPI document.
    :raises bzz.errors.ConfigurationError: for a mistake in any of these.
    """

    name: str
    type: type = str
    narrow: Narrow | None = None
    description: str = ""

    def __post_init__(self) -> None:
        name: Any = self.name
        if not isinstance(name, str) or not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"QueryParameter: a name of letters, digits, '-' and single '_' is expected, not {self.name!r}"
            )
        if self.type not in _KINDS:
            known = ", ".join(each.__name__ for each in _KINDS)
            raise ConfigurationError(f"{self._called}: type is one of {known}, not {self.type!r}")
        if self.narrow is not None:
            narrow: Any = self.narrow
            if not callable(narrow) or inspect.iscoroutinefunction(self.narrow):
                raise ConfigurationError(f"{self._called}: narrow is a plain function, not {self.narrow!r}")
            check_takes(self.narrow, ("value", "handler"), f"{self._called}: narrow")
        if not isinstance(self.description, str):
            raise ConfigurationError(f"{self._called}: description is a text, not {self.description!r}")

    @property
    def _called(self) -> str:
        return f"QueryParameter {self.name!r}"

    @property
    def kind(self) -> Kind:
        """The kind that reads its values."""
        return _KINDS[self.type]

    def criteria(self, shape: Shape, text: str, handler: Any) -> Sequence[Criterion]:
        """Keep the value of a text in ``handler.parameters``, and return the criteria that it narrows a list to.

        :raises bzz.errors.BadRequest: if it cannot be read.
        :raises bzz.errors.ConfigurationError: if ``narrow`` returns no conditions that this model can meet.
        """
        try:
            value = self.kind.from_text(text)
            handler.parameters[self.name] = value
            found = None if self.narrow is None else self.narrow(value, handler)
        except ValueError as error:
            raise unreadable(self.name, error) from None
        if found is None:
            return ()
        try:
            return read_tree(opened(shape), found, self.name)
        except BadRequest as error:
            raise ConfigurationError(f"{self._called}: narrow returned conditions that fail: {error}") from error


def check_parameters(shape: Shape, parameters: Any) -> dict[str, QueryParameter]:
    """Return what an application declares, by name; raise ConfigurationError for a mistake in it."""
    if not isinstance(parameters, list | tuple) or not all(isinstance(each, QueryParameter) for each in parameters):
        raise ConfigurationError(f"parameters: a list of bzz.QueryParameter is expected, not {parameters!r}")
    found: dict[str, QueryParameter] = {}
    for each in parameters:
        if each.name in (*RESERVED, *_OF_FEEDS):
            raise ConfigurationError(f"parameters: {each.name!r} is a parameter that lists have already")
        if each.name in shape.fields or each.name in shape.fields_below:
            raise ConfigurationError(f"parameters: {each.name!r} is a field of {shape.name}, and a filter by it")
        if each.name in found:
            raise ConfigurationError(f"parameters: {each.name!r} is declared twice")
        found[each.name] = each
    return found


def narrowed(
    parameters: Mapping[str, QueryParameter], path: Path, query: str, handler: Any, read: Callable[[str], ListQuery]
) -> ListQuery:
    """Return what a list request asks for, narrowed by the parameters of the application.

    :param query: the raw query string.
    :param read: reads what it holds beside these.
    :raises bzz.errors.BadRequest: if one of them cannot be read, or is given twice.
    """
    if len(path.steps) > 1 or not query:  # they are parameters of the list of the model, not of those inside
        return read(query)
    given = [pair for pair in pairs(query, limit=MAX_PARAMETERS) if pair[0] in parameters]
    if len(dict(given)) < len(given):
        twice = next(name for name, _ in given if [each for each, _ in given].count(name) > 1)
        raise BadRequest(f"The parameter {twice!r} is given more than once.")
    parts = query.split("&")
    rest = "&".join(each for each in parts if unquote_plus(each.partition("=")[0]) not in parameters)
    asked = read(rest)
    criteria = [each for name, text in given for each in parameters[name].criteria(path.last.shape, text, handler)]
    return replace(asked, filters=(*asked.filters, *criteria)) if criteria else asked

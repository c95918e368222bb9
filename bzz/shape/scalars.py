"""Strings, numbers, truth values and ids, and what all kinds of one value share.

Here belongs a kind whose values most bodies and URLs hold. What JSON writes as a string and Python as something else
is in :mod:`bzz.shape.texts` and :mod:`bzz.shape.times`. Nothing here knows a model.
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from bzz.shape.base import JsonSchema, Kind, Refer
from bzz.shape.operators import COMPARABLE, ORDERED, PATTERNS, Operator
from bzz.shape.place import Place
from bzz.shape.reading import Reading

__all__ = [
    "BooleanKind",
    "FloatKind",
    "IdKind",
    "IntegerKind",
    "Scalar",
    "StringKind",
    "Textual",
    "is_number",
    "match",
    "refuse",
]

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?")


class Scalar(Kind):
    """One value that can be compared.

    A subclass says in :meth:`parse` how text is read and in :meth:`accept` how JSON is. Both may raise any ValueError
    or ArithmeticError: the error message is :attr:`expected`.
    """

    is_scalar = True

    @property
    def operators(self) -> frozenset[Operator]:
        return ORDERED

    def from_text(self, text: str) -> Any:
        try:
            text.encode()  # lone surrogates cannot be stored
            return self.parse(text)
        except (ValueError, ArithmeticError):
            raise ValueError(self.expected) from None

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        try:
            return self.accept(value)
        except (ValueError, ArithmeticError):
            return reading.note(place, self.expected)

    def filter_json(self, value: Any) -> Sequence[Any]:
        try:
            return (self.accept(value),)
        except (ValueError, ArithmeticError):
            raise ValueError(self.expected) from None

    @abstractmethod
    def parse(self, text: str) -> Any:
        """Return the Python value of valid Unicode."""

    @abstractmethod
    def accept(self, value: Any) -> Any:
        """Return the Python value of a JSON value, or of the Python value that a signal receiver left."""


class Textual(Scalar):
    """One value that JSON writes as a string: the text that a URL holds, too."""

    def accept(self, value: Any) -> Any:
        if not isinstance(value, str):
            return self.accept_value(value)
        value.encode()  # lone surrogates cannot be stored
        return self.parse(value)

    def accept_value(self, value: Any) -> Any:
        """Return a value that is not a string, if it is of this kind already; else raise ValueError."""
        refuse()


class StringKind(Textual):
    """Text of valid Unicode."""

    name = "string"
    expected = "Must be a string of valid Unicode."

    def from_form(self, text: str) -> Any:
        return text

    @property
    def operators(self) -> frozenset[Operator]:
        return ORDERED | PATTERNS

    def parse(self, text: str) -> str:
        return str(text)  # a receiver may have left a subclass

    def accept(self, value: Any) -> Any:
        if type(value) is not str:
            return super().accept(value)
        value.encode()
        return value

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string"}


class IdKind(Textual):
    """An id whose form only the provider knows.

    :param parse: reads the text of an id; raises ValueError if it cannot.
    :param pattern: which texts it reads, as a regular expression of JSON Schema; None if that is not known.
    """

    name = "id"
    expected = "Must be a valid id."

    def __init__(self, parse: Callable[[str], Any] = str, pattern: str | None = None) -> None:
        self._parse = parse
        self._pattern = pattern

    def parse(self, text: str) -> Any:
        return self._parse(text)

    def accept_value(self, value: Any) -> Any:
        """Return an id that was read before: its text reads back to it. (No driver's class is named here.)"""
        if isinstance(value, (bool, int, float, dict, list)) or self.from_text(str(value)) != value:
            refuse()
        return value

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string"} if self._pattern is None else {"type": "string", "pattern": self._pattern}


class _Literal(Scalar):
    """A value that JSON does not write as a string."""

    def from_form(self, text: str) -> Any:
        try:
            return self.from_text(text) if text else None
        except ValueError:
            return text


class IntegerKind(_Literal):
    """A whole number within 64 bits; JSON's ``12.0`` and ``true`` are none.

    >>> IntegerKind().from_text("42")
    42
    """

    name = "integer"
    expected = "Must be an integer within 64 bits."

    def parse(self, text: str) -> int:
        return self.accept(int(match(_INTEGER, text)[0]))

    def accept(self, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            refuse()
        return value if -(2**63) <= value < 2**63 else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1}


class FloatKind(_Literal):
    """A finite number of double precision."""

    name = "float"
    expected = "Must be a finite number."

    def parse(self, text: str) -> float:
        return self.accept(float(match(_FLOAT, text)[0]))

    def accept(self, value: Any) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            refuse()
        return float(value)

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "number", "format": "double"}


class BooleanKind(_Literal):
    """``true`` or ``false``."""

    name = "boolean"
    expected = "Must be true or false."

    @property
    def operators(self) -> frozenset[Operator]:
        return COMPARABLE

    def parse(self, text: str) -> bool:
        return text == "true" if text in ("true", "false") else refuse()

    def to_text(self, value: Any) -> str:
        return "true" if value else "false"

    def from_form(self, text: str) -> Any:
        """Return true for ``on`` as well, as a checkbox without a value is sent (the HTML standard, section 4.10.5)."""
        return True if text == "on" else super().from_form(text)

    def accept(self, value: Any) -> bool:
        return value if isinstance(value, bool) else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "boolean"}


def match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    """Return the match of a whole text.

    :raises ValueError: if there is none.
    """
    return pattern.fullmatch(text) or refuse()


def refuse() -> NoReturn:
    """Raise the ValueError of a value that is not of the kind."""
    raise ValueError


def is_number(value: Any) -> bool:
    """Return whether a value is a number; to Python, truth values are integers too."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)

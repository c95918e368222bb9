"""What all kinds of one value share, and what those share that JSON writes as strings."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, NoReturn

from bzz.shape.base import Kind, Reading
from bzz.shape.operators import ORDERED, Operator
from bzz.shape.place import Place

__all__ = ["Scalar", "Textual", "match", "refuse"]


class Scalar(Kind):
    """One value that can be compared.

    A subclass says in :meth:`parse` how text is read and in :meth:`accept` how JSON is. Both may raise any ValueError
    or ArithmeticError: what people are told is :attr:`expected`.
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
            return self.accept_typed(value)
        value.encode()  # lone surrogates cannot be stored
        return self.parse(value)

    def accept_typed(self, value: Any) -> Any:
        """Return a value that is no string, if it is one of this kind already."""
        refuse()


def match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    """Return the match of a whole text.

    :raises ValueError: if there is none.
    """
    return pattern.fullmatch(text) or refuse()


def refuse() -> NoReturn:
    """Raise the ValueError of a value that is not of the kind."""
    raise ValueError

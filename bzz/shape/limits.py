"""The limits of the storage behind a provider, among the values that JSON can write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["UNLIMITED", "Limits"]


@dataclass(frozen=True)
class Limits:
    """The limits that a provider states. Bodies, forms and filters are read within them.

    :param depth: how many levels of objects and arrays a body may nest.
    :param decimal_digits: how many significant digits a decimal number may have.
    :param decimal_exponents: the lowest and the highest exponent of a decimal number in scientific notation.
    :param allows_key: whether an object with free keys may have a key; it is a text of at least one character.
    :param key_pattern: those keys as a regular expression of JSON Schema; None if all are allowed.
    """

    depth: int = 32
    decimal_digits: int | None = None
    decimal_exponents: tuple[int, int] | None = None
    allows_key: Callable[[str], bool] = bool
    key_pattern: str | None = None


UNLIMITED = Limits()

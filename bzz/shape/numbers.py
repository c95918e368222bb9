"""Numbers and truth values."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from bzz.shape.base import JsonSchema, Refer
from bzz.shape.limits import UNLIMITED, Limits
from bzz.shape.operators import COMPARABLE, Operator
from bzz.shape.scalar import Scalar, Textual, match, refuse

__all__ = ["BooleanKind", "DecimalKind", "FloatKind", "IntegerKind"]

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?")
_DECIMAL = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,5})?")


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
        number = float(value) if _is_number(value) else refuse()
        return number if math.isfinite(number) else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "number", "format": "double"}


class DecimalKind(Textual):
    """An exact decimal number, shown as a string; JSON's numbers are read too, by their shortest digits.

    :param limits: how many digits and which exponents can be stored.
    """

    name = "decimal"

    def __init__(self, limits: Limits = UNLIMITED) -> None:
        self._digits, self._exponents = limits.decimal_digits, limits.decimal_exponents
        bound = "" if self._digits is None else f" of at most {self._digits} digits"
        if self._exponents is not None:
            bound += f", with an exponent from {self._exponents[0]} to {self._exponents[1]}"
        self.expected = f"Must be a decimal number{bound}."

    def parse(self, text: str) -> Decimal:
        return self._exact(Decimal(match(_DECIMAL, text)[0]))

    def accept_typed(self, value: Any) -> Decimal:
        number = Decimal(repr(value)) if _is_number(value) else value
        return self._exact(number) if isinstance(number, Decimal) else refuse()

    def _exact(self, number: Decimal) -> Decimal:
        if not number.is_finite():
            refuse()
        if self._digits is not None and len(number.as_tuple().digits) > self._digits:
            refuse()
        if self._exponents is not None and not self._exponents[0] <= number.adjusted() <= self._exponents[1]:
            refuse()
        return number

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": ["string", "number"], "format": "decimal", "pattern": f"^{_DECIMAL.pattern}$"}


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


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

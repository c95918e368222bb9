"""Kinds that JSON writes as a string and Python as something else: bytes, UUIDs, decimal numbers."""

from __future__ import annotations

import base64
import re
import uuid
from decimal import Decimal
from typing import Any

from bzz.shape.base import JsonSchema, Refer
from bzz.shape.limits import UNLIMITED, Limits
from bzz.shape.operators import COMPARABLE, Operator
from bzz.shape.scalars import Textual, is_number, match, refuse

__all__ = ["BinaryKind", "DecimalKind", "UUIDKind"]

_DECIMAL = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,5})?")


class BinaryKind(Textual):
    """Bytes, written in base64 (RFC 4648, section 4)."""

    name = "binary"
    expected = "Must be base64."

    @property
    def operators(self) -> frozenset[Operator]:
        return COMPARABLE

    def parse(self, text: str) -> bytes:
        return base64.b64decode(text, validate=True)

    def to_text(self, value: bytes) -> str:
        return base64.b64encode(value).decode("ascii")

    def accept_value(self, value: Any) -> bytes:
        return value if isinstance(value, bytes) else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string", "contentEncoding": "base64"}


class UUIDKind(Textual):
    """A UUID in its one canonical form (RFC 9562, section 4)."""

    name = "uuid"
    expected = "Must be a UUID."

    def parse(self, text: str) -> uuid.UUID:
        value = uuid.UUID(text)  # takes braces and "urn:" too, so that one id would have many URLs
        return value if str(value) == text.lower() else refuse()

    def accept_value(self, value: Any) -> uuid.UUID:
        return value if isinstance(value, uuid.UUID) else refuse()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string", "format": "uuid"}


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

    def accept_value(self, value: Any) -> Decimal:
        number = Decimal(repr(value)) if is_number(value) else value
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

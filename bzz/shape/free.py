"""Values of no declared kind: whatever JSON can write."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from bzz.shape.base import JsonSchema, Kind, Refer
from bzz.shape.limits import UNLIMITED, Limits
from bzz.shape.operators import COMPARABLE, Operator
from bzz.shape.place import Place
from bzz.shape.reading import Reading
from bzz.shape.scalars import BooleanKind, FloatKind, IntegerKind, Scalar, StringKind
from bzz.shape.texts import BinaryKind, DecimalKind, UUIDKind
from bzz.shape.times import DateTimeKind

__all__ = ["AnyKind", "SelfCheckingKind", "allowed_entries"]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")  # RFC 8259, section 6


class AnyKind(Kind):
    """Any JSON value, and what a signal receiver may leave in its place.

    :param limits: which keys, which decimal numbers, and how many levels can be stored.
    """

    name = "any"
    is_free = True
    expected = "Must be a JSON value: strings of valid Unicode, integers within 64 bits, finite numbers."

    def __init__(self, limits: Limits = UNLIMITED) -> None:
        self._limits = limits
        self._kinds: tuple[tuple[type, Scalar], ...] = (
            (str, StringKind()),
            (bool, BooleanKind()),
            (int, IntegerKind()),
            (float, FloatKind()),
            (datetime, DateTimeKind()),
            (Decimal, DecimalKind(limits)),
            (bytes, BinaryKind()),
            (uuid.UUID, UUIDKind()),
        )

    @property
    def operators(self) -> frozenset[Operator]:
        return COMPARABLE

    def from_form(self, text: str) -> Any:
        return text

    def filter_values(self, text: str) -> Sequence[Any]:
        """Return the text, and the number or truth value that it is in JSON; in quotes it is text only."""
        if len(text) > 1 and text[0] == text[-1] == '"':
            return (StringKind().from_text(text[1:-1]),)
        read: list[Any] = [StringKind().from_text(text)]
        if text in ("true", "false"):
            return [*read, text == "true"]
        if not _NUMBER.fullmatch(text):
            return read
        for kind in (IntegerKind(), FloatKind()):
            with suppress(ValueError):
                return [*read, kind.from_text(text)]
        return read

    def filter_json(self, value: Any) -> Sequence[Any]:
        try:
            return (self._scalar(value),)
        except (ValueError, ArithmeticError):
            raise ValueError("Must be a text, a number or a truth value.") from None

    def to_text(self, value: Any) -> str:
        kind = next((kind for python, kind in self._kinds if isinstance(value, python)), None)
        return str(value) if kind is None else kind.to_text(value)

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        return self._read(value, place, reading, 0)

    def _read(self, value: Any, place: Place, reading: Reading, depth: int) -> Any:
        if depth > self._limits.depth:
            return reading.note(place, f"Must not nest deeper than {self._limits.depth} levels.")
        if isinstance(value, dict):
            entries = allowed_entries(value, self._limits, place, reading)
            return {key: self._read(each, (place, key), reading, depth + 1) for key, each in entries}
        if isinstance(value, list):
            return [self._read(each, (place, at), reading, depth + 1) for at, each in enumerate(value)]
        try:
            return None if value is None else self._scalar(value)
        except (ValueError, ArithmeticError):
            return reading.note(place, self.expected)

    def _scalar(self, value: Any) -> Any:
        for python, kind in self._kinds:
            if isinstance(value, python):
                return kind.accept(value)
        raise ValueError(self.expected)

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {}


class SelfCheckingKind(AnyKind):
    """Any JSON value, of a field class that converts and checks values by itself, whatever its base would take.

    Texts in URLs, filters and forms are read as its base reads them.

    :param base: the kind of the class that it extends.
    """

    is_scalar = True
    is_free = False

    def __init__(self, base: Scalar, limits: Limits = UNLIMITED) -> None:
        super().__init__(limits)
        self._base = base
        self.name = base.name  # type: ignore[misc]
        self.expected = base.expected

    @property
    def operators(self) -> frozenset[Operator]:
        return self._base.operators

    def from_text(self, text: str) -> Any:
        return self._base.from_text(text)

    def from_form(self, text: str) -> Any:
        return self._base.from_form(text)

    def filter_values(self, text: str) -> Sequence[Any]:
        return self._base.filter_values(text)

    def filter_json(self, value: Any) -> Sequence[Any]:
        return self._base.filter_json(value)

    def to_text(self, value: Any) -> str:
        return self._base.to_text(value)

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        try:
            return self._base.accept(value)
        except (ValueError, ArithmeticError):
            return super().read(value, place, reading)


def allowed_entries(value: Mapping[Any, Any], limits: Limits, place: Place, reading: Reading) -> list[tuple[str, Any]]:
    """Return the entries whose keys an object with free keys may have; note the others."""
    allowed = []
    for key, inner in value.items():
        if isinstance(key, str) and key and limits.allows_key(key):
            allowed.append((key, inner))
        else:
            reading.note((place, key), "This key is not allowed.")
    return allowed

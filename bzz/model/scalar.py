"""Single values, read strictly: from text, as URLs, filters and forms carry them, and from JSON."""

from __future__ import annotations

import base64
import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn

from bzz.shape import Kind

__all__ = ["EXPECTED", "read_json", "read_text"]

EXPECTED: dict[Kind, str] = {
    Kind.STRING: "Must be a string of valid Unicode.",
    Kind.INTEGER: "Must be an integer within 64 bits.",
    Kind.FLOAT: "Must be a finite number.",
    Kind.DECIMAL: "Must be a decimal number of at most 34 digits.",
    Kind.BOOLEAN: "Must be true or false.",
    Kind.DATETIME: "Must be a date and time by ISO 8601, such as 2026-01-31T12:00:00Z.",
    Kind.DATE: "Must be a date, such as 2026-01-31.",
    Kind.UUID: "Must be a UUID.",
    Kind.ID: "Must be a valid id.",
    Kind.BINARY: "Must be base64.",
    Kind.ANY: "Must be a JSON value: strings of valid Unicode, integers within 64 bits, finite numbers.",
    Kind.MAP: "Must be an object.",
    Kind.LIST: "Must be an array.",
    Kind.GEO: "Must be a GeoJSON geometry.",
    Kind.EMBEDDED: "Must be an object.",
    Kind.REFERENCE: "Must be a valid id.",
    Kind.ANY_EMBEDDED: "Must be an object.",
    Kind.ANY_REFERENCE: "Must be an object.",
}
"""What is said of a value that cannot be read as its kind."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?")
_DECIMAL = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,5})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    rf"({_DATE.pattern})"
    r"(?:[Tt ]((?:[01][0-9]|2[0-3]):[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))?)?"
)


def read_text(kind: Kind, text: str) -> Any:
    """The Python value that ``text`` stands for.

    :raises ValueError: where it is none of this kind, or the kind has no text form; the message is for people.

    >>> read_text(Kind.INTEGER, "42")
    42
    >>> read_text(Kind.DATETIME, "2026-01-31T12:00:00+02:00")
    datetime.datetime(2026, 1, 31, 10, 0)
    """
    reader = _TEXT_READERS.get(kind)
    if reader is None:
        raise ValueError(f"This is {kind.value}, which has no text form.")
    try:
        text.encode()  # lone surrogates cannot be stored
        return reader(text)
    except (ValueError, ArithmeticError):
        raise ValueError(EXPECTED[kind]) from None


def read_json(kind: Kind, value: Any) -> Any:
    """The Python value of a JSON value; one that a signal receiver left as a Python value already is taken too.

    :raises ValueError: as in :func:`read_text`.

    >>> read_json(Kind.DECIMAL, 1.5)
    Decimal('1.5')
    """
    if isinstance(value, str) and kind in _STRINGS_IN_JSON:
        return read_text(kind, value)
    try:
        return _JSON_READERS[kind](value)
    except (KeyError, ValueError, ArithmeticError):
        raise ValueError(EXPECTED[kind]) from None


def _integer_text(text: str) -> int:
    return _integer(int(_match(_INTEGER, text)[0]))


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse()
    return value if -(2**63) <= value < 2**63 else _refuse()


def _float_text(text: str) -> float:
    return _float(float(_match(_FLOAT, text)[0]))


def _float(value: Any) -> float:
    number = float(value) if _is_number(value) else _refuse()
    return number if math.isfinite(number) else _refuse()


def _decimal_text(text: str) -> Decimal:
    return _decimal(Decimal(_match(_DECIMAL, text)[0]))


def _decimal(value: Any) -> Decimal:
    """A Decimal that BSON's decimal128 holds exactly: IEEE 754, 34 digits, exponents from -6143 to 6144."""
    number = Decimal(repr(value)) if _is_number(value) else value
    if not isinstance(number, Decimal):
        _refuse()
    is_exact = number.is_finite() and len(number.as_tuple().digits) <= 34 and -6143 <= number.adjusted() <= 6144
    return number if is_exact else _refuse()


def _boolean_text(text: str) -> bool:
    return text == "true" if text in ("true", "false") else _refuse()


def _date_text(text: str) -> date:
    return date.fromisoformat(_match(_DATE, text)[0])


def _date(value: Any) -> date:
    return value if isinstance(value, date) and not isinstance(value, datetime) else _refuse()


def _datetime_text(text: str) -> datetime:
    day, clock, second, fraction, sign, hours, minutes = _match(_DATETIME, text).groups("")
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{second or '00'}")
    if fraction:
        moment = moment.replace(microsecond=int(f"{fraction:0<6}"[:6]))
    if not sign:
        return moment
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return moment + offset if sign == "-" else moment - offset


def _datetime(value: Any) -> datetime:
    moment: datetime = _typed(datetime)(value)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _uuid_text(text: str) -> uuid.UUID:
    value = uuid.UUID(text)  # takes braces and "urn:" too, so that one id would have many URLs
    return value if str(value) == text.lower() else _refuse()


def _binary_text(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _typed(expected: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        is_one = isinstance(value, expected) and (expected is bool or not isinstance(value, bool))
        return value if is_one else _refuse()

    return check


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    return pattern.fullmatch(text) or _refuse()


def _refuse() -> NoReturn:
    raise ValueError


_TEXT_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.STRING: str,
    Kind.INTEGER: _integer_text,
    Kind.FLOAT: _float_text,
    Kind.DECIMAL: _decimal_text,
    Kind.BOOLEAN: _boolean_text,
    Kind.DATETIME: _datetime_text,
    Kind.DATE: _date_text,
    Kind.UUID: _uuid_text,
    Kind.BINARY: _binary_text,
}

_JSON_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _typed(bool),
    Kind.DATETIME: _datetime,
    Kind.DATE: _date,
    Kind.UUID: _typed(uuid.UUID),
    Kind.BINARY: _typed(bytes),
}

_STRINGS_IN_JSON = frozenset(_TEXT_READERS) - {Kind.INTEGER, Kind.FLOAT, Kind.BOOLEAN}

"""Strings of a format, of a pattern and of a length."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bzz.mock.regex import matching

__all__ = ["is_known_format", "texts"]

_FORMATS = {
    "base64url": "Ynp6",
    "binary": "string",
    "byte": "Ynp6",
    "char": "a",
    "commonmark": "string",
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "date-time-local": "2026-01-31T12:00:00",
    "decimal": "0",
    "decimal128": "0",
    "double": "0",
    "double-int": "0",
    "duration": "P1D",
    "email": "someone@example.org",
    "float": "0",
    "hostname": "example.org",
    "html": "<p>string</p>",
    "http-date": "Sat, 31 Jan 2026 12:00:00 GMT",
    "idn-email": "someone@example.org",
    "idn-hostname": "example.org",
    "int8": "0",
    "int16": "0",
    "int32": "0",
    "int64": "0",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.org/",
    "iri-reference": "https://example.org/",
    "json-pointer": "/name",
    "media-range": "text/plain",
    "password": "string",
    "regex": "string",
    "relative-json-pointer": "0",
    "time": "12:00:00Z",
    "time-local": "12:00:00",
    "uint8": "0",
    "uint16": "0",
    "uint32": "0",
    "uint64": "0",
    "uri": "https://example.org/",
    "uri-reference": "https://example.org/",
    "uri-template": "https://example.org/{name}",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""An example of each format of JSON Schema, and of those in OpenAPI's registry."""

_GROWS = {
    "binary",
    "commonmark",
    "html",
    "iri",
    "iri-reference",
    "json-pointer",
    "media-range",
    "password",
    "regex",
    "uri",
    "uri-reference",
    "uri-template",
}
"""The formats that stay valid when letters are appended."""

_SHORT = {
    **dict.fromkeys(("binary", "commonmark", "html", "password", "regex", "uri-reference", "iri-reference"), "a"),
    **dict.fromkeys(("email", "idn-email"), "a@b.cd"),
    **dict.fromkeys(("hostname", "idn-hostname", "uri-template"), "a"),
    **dict.fromkeys(("uri", "iri"), "a:b"),
    "ipv4": "1.1.1.1",
    "ipv6": "::1",
    "json-pointer": "/",
    "media-range": "a/b",
}
"""Short examples, for schemas with a small ``maxLength``."""

_LABEL = 50
"""How much may be put before the first label of a host name, which has 63 characters at most."""

MOST_CHARACTERS = 10_000


def is_known_format(name: Any) -> bool:
    """Return whether strings of the format ``name`` can be made."""
    return name in _FORMATS


def texts(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield strings that ``schema`` may accept, the simplest first.

    :param schema: ``format``, ``minLength``, ``maxLength``, and ``pattern``, which may be a list.
    """
    patterns = schema.get("pattern", [])
    if is_known_format(schema.get("format")):
        yield from itertools.islice(_of_format(schema["format"], schema), 20 if patterns else None)
    for pattern in patterns:
        yield from _of_pattern(pattern, schema)
    if not patterns and not is_known_format(schema.get("format")):
        yield from _plain(schema)


def _plain(schema: Mapping[str, Any]) -> Iterator[str]:
    least, most = _lengths(schema)
    yield ("string" * (least // 6 + 1))[: max(least, min(6, most))]
    for number in itertools.count(1):
        end = str(number)
        if len(end) > most:
            return
        yield ("string" * (least // 6 + 1))[: max(least - len(end), min(6, most - len(end)))] + end


def _of_format(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    example, (least, most) = _FORMATS[name], _lengths(schema)
    if len(example) > most and name in _SHORT:
        example = _SHORT[name]
    if not most:
        yield ""
    short = max(0, least - len(example))
    if name in ("byte", "base64url"):
        yield example * max(1, -(-least // 4))
        yield from (f"{end:04d}" * max(1, -(-least // 4)) for end in range(1, 10_000))
    elif name in ("email", "idn-email"):
        yield "a" * short + example
        yield from ("a" * short + f"{number}{example}" for number in itertools.count(1))
    elif name in ("hostname", "idn-hostname"):
        start = "a" * short if short < _LABEL else "example." * -(-short // 8)
        yield start + example
        yield from (f"a{number}.{start}{example}" for number in itertools.count(1))
    elif name in _GROWS:
        yield example + "a" * short
        yield from (example + "a" * short + str(number) for number in itertools.count(1))
    else:
        yield example
        yield from _others(name, example)


def _others(name: str, example: str) -> Iterator[str]:
    """Yield further strings of a format in which only digits may differ."""
    digits = [each.start() for each in re.finditer(r"\d", example)]
    if name == "duration":
        yield from (f"P{number}D" for number in range(2, 1000))
    elif name == "uuid":
        yield from (f"{example[:24]}{number:012d}" for number in range(1, 10_000))
    elif name in ("ipv4", "ipv6"):
        yield from (f"{example[:-1]}{number}" for number in range(2, 200))
    elif name.startswith(("date", "time")):
        place = digits[4] if name.startswith("date") else digits[2]
        yield from (f"{example[:place]}{number:02d}{example[place + 2 :]}" for number in (3, 5, 7, 8, 10, 12))
    elif example == "0":
        yield from map(str, range(1, 100))


def _of_pattern(pattern: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield strings that match, and the same padded on either side, for patterns without anchors."""
    least, most = _lengths(schema)
    try:
        for text in matching(pattern):
            if len(text) > most:
                return
            if len(text) >= least:
                yield text
            else:
                yield text + "a" * (least - len(text))
                yield "a" * (least - len(text)) + text
    except (re.error, OverflowError, RecursionError):
        return


def _lengths(schema: Mapping[str, Any]) -> tuple[int, int]:
    least = min(int(schema.get("minLength", 0)), MOST_CHARACTERS)
    return least, int(schema.get("maxLength", MOST_CHARACTERS + 10))

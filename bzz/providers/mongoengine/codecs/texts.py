"""The codecs of texts: plain ones, web addresses, email addresses."""

from __future__ import annotations

import re
from typing import Any

import mongoengine as me

from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.ranges import counted
from bzz.providers.mongoengine.codecs.scalars import PlainCodec
from bzz.shape.scalars import StringKind

__all__: list[str] = []


@converts(me.StringField)
class StringCodec(PlainCodec):
    """A text."""

    kind = StringKind
    plain = me.StringField

    def _expected(self) -> str:
        regex = self.source.regex
        form = "" if regex is None else f" that matches the pattern {_one_line(regex)}"
        bounds = self._length() + form
        return f"Must be a string{bounds}." if bounds else super()._expected()

    def _length(self) -> str:
        return counted("character", self.source.min_length, self.source.max_length)

    def _bounds(self) -> dict[str, Any]:
        regex = self.source.regex
        pattern = None if regex is None else _pattern(regex)
        return {"minLength": self.source.min_length, "maxLength": self.source.max_length, "pattern": pattern}


@converts(me.URLField)
class URLCodec(StringCodec):
    """A web address."""

    def _bounds(self) -> dict[str, Any]:
        return {"format": "uri"}

    def _expected(self) -> str:
        schemes = " or ".join(f"{each}://" for each in self.source.schemes)  # of lengths MongoEngine checks none
        return f"Must be a URL that begins with {schemes} and names a host."


@converts(me.EmailField)
class EmailCodec(StringCodec):
    """An email address."""

    def _bounds(self) -> dict[str, Any]:
        return {**super()._bounds(), "format": "email"}

    def _expected(self) -> str:
        return f"Must be an email address{self._length()}, such as ann@example.com."


def _one_line(regex: re.Pattern[str]) -> str:
    return "/" + " ".join(regex.pattern.split()) + "/"


def _pattern(regex: re.Pattern[str]) -> str:
    """Return a pattern that is matched from the start in Python as one of JSON Schema, which is searched for."""
    return f"^(?:{regex.pattern})".replace(r"\Z", "$")

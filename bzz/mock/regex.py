"""Strings that a regular expression matches, the shortest first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from re import _constants as codes  # type: ignore[attr-defined]  # the standard library has no public parser of these
from re import _parser as parser  # type: ignore[attr-defined]  # as above
from typing import Any

__all__ = ["matching"]

MOST_REPEATS = 300
"""How many repeats beyond the minimum are tried: enough for the length of any string in an API."""

_TRIED = "aA0 -_.:/@!" + "".join(map(chr, range(33, 127))) + "\n\té"


def matching(pattern: str) -> Iterator[str]:
    """Yield strings in which ``pattern`` is found; some features, such as look-behind, are not supported.

    :raises re.error: if Python cannot parse the expression.

    >>> next(matching("^[A-Z]{3}-[0-9]+$"))
    'AAA-0'
    """
    expression = re.compile(pattern)
    parsed = parser.parse(pattern)
    for more in range(MOST_REPEATS):
        for choice in range(4 if more < 10 else 1):
            for overlaps in (True, False) if "(?=" in pattern else (False,):
                text = _Writer(more, choice, overlaps).sequence(parsed)
                if expression.search(text):
                    yield text


class _Writer:
    """Writes one string.

    :param more: how many repeats beyond the minimum to write.
    :param choice: which of several branches and characters to take.
    :param overlaps: whether the text of a look-ahead replaces the text that follows, or comes before it.
    """

    def __init__(self, more: int, choice: int, overlaps: bool) -> None:
        self._more = more
        self._choice = choice
        self._overlaps = overlaps
        self._groups: dict[int, str] = {}

    def sequence(self, parsed: Any) -> str:
        parts = [(code is codes.ASSERT, self._written(code, argument)) for code, argument in parsed]
        text = ""
        for is_ahead, group in reversed([(is_ahead, list(group)) for is_ahead, group in groupby(parts, itemgetter(0))]):
            written = "".join(part for _, part in group)
            text = written + (text[len(written) :] if is_ahead and self._overlaps else text)
        return text

    def _written(self, code: Any, argument: Any) -> str:
        if code is codes.LITERAL:
            return chr(argument)
        if code is codes.NOT_LITERAL:
            return next(each for each in _TRIED if ord(each) != argument)
        if code is codes.ANY:
            return "a"
        if code is codes.IN:
            return self._one_of(argument)
        if code is codes.BRANCH:
            branches = argument[1]
            return self.sequence(branches[self._choice % len(branches)])
        if code is codes.SUBPATTERN:
            text = self.sequence(argument[3])
            self._groups[argument[0]] = text
            return text
        if code is codes.GROUPREF:
            return self._groups.get(argument, "")
        if code is codes.ASSERT and argument[0] == 1:  # look-ahead
            return self.sequence(argument[1])
        if str(code).endswith("REPEAT"):  # greedy, lazy and possessive
            least, most, repeated = argument
            return "".join(self.sequence(repeated) for _ in range(min(int(most), least + self._more)))
        return ""

    def _one_of(self, members: Any) -> str:
        fitting = (each for each in _TRIED if _holds(members, each))
        found = [each for each, _ in zip(fitting, range(self._choice + 1), strict=False)]
        return found[-1] if found else _first(members)


def _holds(members: Any, character: str) -> bool:
    negated = members[0][0] is codes.NEGATE
    found = any(_is_in(code, argument, character) for code, argument in members)
    return bool(found != negated)


def _is_in(code: Any, argument: Any, character: str) -> bool:
    if code is codes.LITERAL:
        return bool(ord(character) == argument)
    if code is codes.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    return code is codes.CATEGORY and re.fullmatch(_CLASSES[argument], character) is not None


def _first(members: Any) -> str:
    """Return a character of a class that holds none of the usual ones."""
    for code, argument in members:
        if code is codes.LITERAL:
            return chr(argument)
        if code is codes.RANGE:
            return chr(argument[0])
    return ""


_CLASSES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_NOT_WORD: r"\W",
}

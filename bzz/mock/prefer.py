"""The answers of one operation, of which a client may prefer one: ``Prefer: code=404, example=name`` (RFC 7240)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tornado.httputil import HTTPHeaders

from bzz.errors import BadRequest
from bzz.mock.answer import Answer

__all__ = ["Choice", "preferences"]

_PREFERENCE = re.compile(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,;]+))')


def preferences(headers: HTTPHeaders) -> dict[str, str]:
    """Return the preferences in the ``Prefer`` headers of a request, the first of each name.

    >>> preferences(HTTPHeaders({"Prefer": 'code=404, example="not found"'}))["example"]
    'not found'
    """
    found = [match for line in headers.get_list("Prefer") for match in _PREFERENCE.finditer(line)]
    return {match[1].lower(): match[2] if match[3] is None else match[3] for match in reversed(found)}


@dataclass(frozen=True)
class Choice:
    """The answers of an operation.

    :param answers: by status as in the document (``200``, ``4XX``, ``DEFAULT``), the default one first, then by the
        name of the example, which is empty for the default one.
    """

    answers: Mapping[str, Mapping[str, Answer]]

    def chosen(self, headers: HTTPHeaders) -> Answer:
        """Return the answer to a request with ``headers``.

        :raises bzz.errors.BadRequest: if it prefers an answer that the operation does not have.
        """
        wanted = preferences(headers)
        code, example = wanted.get("code"), wanted.get("example")
        found = list(self.answers.values()) if code is None else [self._of_code(code)]
        if example is None:
            answer = found[0][""]
        else:
            answer = next((each[example] for each in found if example in each), None) or self._no_example(example)
        return answer if code is None else answer.with_status(int(code))

    def _of_code(self, code: str) -> Mapping[str, Answer]:
        if re.fullmatch("[2-5][0-9]{2}", code):
            for status in (code, f"{code[0]}XX", "DEFAULT"):
                if status in self.answers:
                    return self.answers[status]
        raise BadRequest(f"This operation has no answer {code}; it has {', '.join(self.answers)}.")

    def _no_example(self, name: str) -> Answer:
        names = sorted({each for answers in self.answers.values() for each in answers if each})
        raise BadRequest(f"This answer has no example {name!r}; the operation has {', '.join(names) or 'none'}.")

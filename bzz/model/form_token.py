"""The token of Tornado's ``xsrf_cookies`` in the body of a form, where ``xsrf_form_html()`` has browsers put it.

Tornado looks for the token before the handlers of models have read the body. So a form that names it nowhere else is
looked at when its body is here, before its verb runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from bzz.calling import call
from bzz.problem import BodyHandler

__all__ = ["FormTokenHandler"]

NAME = "_xsrf"


class FormTokenHandler(BodyHandler):
    """A handler that takes the token from the body of a form, and leaves the form without it."""

    def check_xsrf_cookie(self) -> None:
        """Called by Tornado before the body is read, where the application has ``xsrf_cookies``."""
        headers = self.request.headers
        is_named = self.get_argument(NAME, "") or "X-Xsrftoken" in headers or "X-Csrftoken" in headers
        if is_named or not _is_form(headers.get("Content-Type", "")):
            super().check_xsrf_cookie()
        else:
            setattr(self, "prepare", functools.partial(self._prepare, self.prepare))  # noqa: B010  # for this request

    async def _prepare(self, prepare: Callable[[], Any]) -> None:
        """Let the request in, which may settle what its verb is, and have the verb wait for the token."""
        await call(prepare)
        verb = str(self.request.method).lower()
        setattr(self, verb, functools.partial(self._check_before, getattr(self, verb)))

    async def _check_before(self, verb: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        tokens, body = _take(super().body())  # not what somebody made of it meanwhile
        self.request.arguments[NAME] = tokens
        super().check_xsrf_cookie()
        self._chunks = [body]
        await call(verb, *arguments, **named)


def _is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _take(body: bytes) -> tuple[list[bytes], bytes]:
    """Return the tokens in the body of a form, and the body without them.

    >>> _take(b"a=1&_xsrf=2%7Cx&b=")
    ([b'2|x'], b'a=1&b=')
    """
    mark = f"{NAME}=".encode()
    pairs = body.split(b"&")
    tokens = [unquote_to_bytes(each.removeprefix(mark)) for each in pairs if each.startswith(mark)]
    return tokens, b"&".join(each for each in pairs if not each.startswith(mark))

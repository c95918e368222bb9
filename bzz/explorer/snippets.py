"""The request that a page shows, to be copied: for curl, Python and JavaScript."""

from __future__ import annotations

import json
import shlex
from functools import lru_cache
from typing import NamedTuple

from bzz.explorer.addresses import REMEMBERED, REMEMBERED_LENGTH

__all__ = ["Snippet", "snippets_of"]


class Snippet(NamedTuple):
    """A request in one language."""

    language: str
    text: str


def snippets_of(url: str, signed_in: bool) -> list[Snippet]:
    """Return a GET of a URL in each language; those of long URLs are not remembered.

    :param signed_in: whether the reader has a session: then the request needs a token of its own.
    """
    make = _snippets_of if len(url) <= REMEMBERED_LENGTH else _snippets_of.__wrapped__
    return make(url, signed_in)


@lru_cache(REMEMBERED)
def _snippets_of(url: str, signed_in: bool) -> list[Snippet]:
    token = "Authorization: Bearer $TOKEN" if signed_in else ""
    curl = f"curl {shlex.quote(url)}" + (f' -H "{token}"' if token else "")
    headers = ', headers={"Authorization": f"Bearer {token}"}' if token else ""
    options = ", { headers: { Authorization: `Bearer ${token}` } }" if token else ""
    get = f"answer = httpx.get({json.dumps(url)}{headers})"
    python = f"import httpx\n\n{get}\nanswer.raise_for_status()\nprint(answer.json())"
    script = (
        f"const answer = await fetch({json.dumps(url)}{options});\n"
        "if (!answer.ok) throw new Error((await answer.json()).detail);\n"
        "console.log(await answer.json());"
    )
    return [Snippet("curl", curl), Snippet("Python", python), Snippet("JavaScript", script)]

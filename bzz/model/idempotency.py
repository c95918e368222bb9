"""``Idempotency-Key``: a POST that may be sent again and again, and is done once.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ is followed; what it leaves open is on the
page ``docs/idempotency.md``. The records are in :mod:`bzz.model.claims`, a request while it is being answered in
:mod:`bzz.model.keyed_request`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable

from bzz.errors import BadRequest
from bzz.model.bulk import BulkHandler
from bzz.model.claims import KeptAnswer, claim
from bzz.model.keyed_request import KeyedRequest, chosen_id, may_see, show_created, view_of
from bzz.providers.base import Provider
from bzz.providers.changes import LiveProvider
from bzz.users import name_of

__all__ = ["IDEMPOTENCY_KEY", "REPLAYED", "keeps_answers", "post_once", "read_key"]

IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"')  # RFC 9651, section 3.3.3
_BARE = re.compile(r"[!#-+\--:<-\[\]-~]{1,255}")
_FORM = f'{IDEMPOTENCY_KEY}: a string of 1 to 255 ASCII characters is expected, such as "8e03978e-40d5-43e8-bc93".'


def keeps_answers(provider: Provider) -> bool:
    """Return whether requests with an ``Idempotency-Key`` can be answered: whether the provider has a small store."""
    return isinstance(provider, LiveProvider)


def read_key(header: str) -> str:
    """Return the key in a header: a string of RFC 9651, or the same characters without quotes, as most clients send it.

    :raises bzz.errors.BadRequest: for anything else.

    >>> read_key('"a \\\\"key\\\\""'), read_key("8e03978e-40d5")
    ('a "key"', '8e03978e-40d5')
    """
    text = header.strip()
    quoted = _STRING.fullmatch(text)
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if _BARE.fullmatch(text) is None:
        raise BadRequest(_FORM)
    return text


async def post_once(handler: BulkHandler, write: Callable[[], Awaitable[None]]) -> None:
    """Answer a POST that has a key: by what was answered before, or by ``write``.

    :param write: answers it as one without a key.
    :raises bzz.errors.BadRequest: for a malformed key, and where the provider has no store.
    :raises bzz.errors.Conflict: with ``Retry-After``, while another request with this key is being answered.
    :raises bzz.errors.UnprocessableContent: if the key was used for another request.
    """
    key = read_key(handler.request.headers[IDEMPOTENCY_KEY])
    provider = handler.provider
    if not isinstance(provider, LiveProvider):
        raise BadRequest(f"{IDEMPOTENCY_KEY}: these resources keep no answers; send the request without it.")
    user = name_of(handler.current_user)
    fingerprint = _fingerprint(handler, key)
    mended = [fingerprint] if handler.has_form_key else []
    name = "idempotency:" + _digest(user or "", handler.resource.url, key, *mended)
    is_one = not handler.path.last.is_reference and not handler.posts_array()
    ids = [chosen_id(provider, handler.path)] if is_one else []
    found = await claim(provider.changes().store, name, fingerprint, ids)
    if isinstance(found, KeptAnswer):
        await _replay(handler, found)
    else:
        await KeyedRequest(handler, found).answer(write)


async def _replay(handler: BulkHandler, kept: KeptAnswer) -> None:
    """Answer as before, or with what the user may see by now of what was created."""
    handler.set_status(kept.status)
    for name, text in kept.headers.items():
        handler.set_header(name, text)
    handler.set_header(REPLAYED, "true")
    if "Content-Type" not in kept.headers:
        handler.clear_header("Content-Type")
    if kept.body is None or (kept.body and kept.status < 400 and not await _may_see_the_same(handler, kept)):
        await show_created(handler, kept.ids, is_array="Location" not in kept.headers)
    else:
        handler.finish(kept.body or None)


async def _may_see_the_same(handler: BulkHandler, kept: KeptAnswer) -> bool:
    is_same_view = handler.is_shown and kept.view == view_of(handler.provider.shape)
    return is_same_view and await may_see(handler, kept.ids)


def _fingerprint(handler: BulkHandler, key: str) -> str:
    """Return a digest of what a request asks for. The key, which is not stored, keeps others from guessing the body."""
    request = handler.request
    content_type = request.headers.get("Content-Type", "")
    return _digest(key, request.method or "", request.path, request.query, content_type, handler.body())


def _digest(*parts: str | bytes) -> str:
    """Return a digest of parts, each with its length before it, so that none can pass for another's end."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()

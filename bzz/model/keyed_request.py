"""A POST with an ``Idempotency-Key`` while it is being answered: its ids, its answer, and what a crash left of it.

The id of what is created is stored with the key before the document is. So a request that comes after a crash finds the
document, and answers from it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from tornado.web import Finish, HTTPError

from bzz.errors import Conflict, NotFound, OutcomeUnknown, RequestError, Unavailable
from bzz.model.bulk import BulkHandler
from bzz.model.claims import Claim, Id, KeptAnswer
from bzz.model.links import created_headers
from bzz.model.prefer import wants_lenient
from bzz.providers.base import Path, Provider, Record, Written
from bzz.shape import Shape
from bzz.shape.walk import reachable

__all__ = ["MAX_KEPT_BYTES", "KeyedRequest", "chosen_id", "may_see", "show_created", "view_of"]

logger = logging.getLogger("bzz.model")

MAX_KEPT_BYTES = 256 * 1024
"""The longest body of an answer that is kept: that of a lenient array of a thousand rows has some 100 KiB."""

_KEPT_HEADERS = ("Content-Type", "Location", "X-Created-Id", "ETag", "Preference-Applied")

_NOT_KEPT = frozenset({400, 401, 403, 408, 411, 413, 415, 429})
"""Refusals before anything was done, which say that the client should mend the request, or come again."""

_SEND_AGAIN = "The outcome of this write is unknown; send it again with the same Idempotency-Key to learn it."


class KeyedRequest:
    """A POST with a key, while it is being answered. It stands in the place of the provider for what it creates.

    Its answer is held back until it is kept.
    """

    def __init__(self, handler: BulkHandler, claim: Claim) -> None:
        self._handler = handler
        self._provider = handler.provider
        self._path = handler.path
        self._claim = claim
        self._ids: dict[int, Id | None] = {}
        self._finish = handler.finish

    async def answer(self, write: Callable[[], Awaitable[None]]) -> None:
        """Answer by ``write``, or by what an earlier request has created that died before it was answered."""
        handler = self._handler
        handler.keyed = self
        handler.finish = self._hold  # type: ignore[method-assign]
        try:
            if not (self._claim.is_repeated and await self._answer_created()):
                await self._write(write)
        except BaseException as error:
            self._let_go()
            await self._give_up(error)
            raise
        self._let_go()
        await self._keep()
        self._finish()

    async def _write(self, write: Callable[[], Awaitable[None]]) -> None:
        handler = self._handler
        try:
            await write()
        except Finish as finish:
            if not handler._finished:
                handler.finish(*finish.args)
        except (RequestError, HTTPError) as error:
            if isinstance(error, Conflict) and await self._answer_created():
                return  # another request came first to the id that bzz has chosen for both
            if isinstance(error, OutcomeUnknown) and self._is_found_again():
                raise OutcomeUnknown(_SEND_AGAIN) from error
            if not _is_kept(error) or handler.has_form_key:  # whoever is refused mends the form, and sends it again
                raise
            handler.log_exception(type(error), error, error.__traceback__)
            handler.send_error(_status_of(error), exc_info=(type(error), error, error.__traceback__))

    def _hold(self, chunk: str | bytes | dict[str, Any] | None = None) -> Any:
        """Take the place of ``finish``: whoever asks is told that the request is answered."""
        if chunk is not None:
            self._handler.write(chunk)
        self._handler._finished = True

    def _let_go(self) -> None:
        self._handler.finish = self._finish  # type: ignore[method-assign]
        self._handler._finished = False

    async def _keep(self) -> None:
        """Have the answer kept before it is given. If it cannot be, the next request is answered by the document."""
        handler = self._handler
        status, body = handler.get_status(), b"".join(handler._write_buffer)
        try:
            if status >= 500 or status in _NOT_KEPT:
                await self._claim.give_up()
                return
            headers = {name: handler._headers[name] for name in _KEPT_HEADERS if name in handler._headers}
            kept = body if len(body) <= MAX_KEPT_BYTES and _is_text(body) else None
            await self._claim.finish(
                KeptAnswer(status, headers, kept, self._known_ids() or self._claim.ids, view_of(self._provider.shape))
            )
        except (Conflict, Unavailable, OutcomeUnknown) as error:
            logger.warning("the answer to %s %s is not kept: %s", handler.request.method, handler.request.path, error)

    async def _give_up(self, error: BaseException) -> None:
        """Leave the key to the next request at once where this one was refused; else when its lease ends."""
        if isinstance(error, RequestError | HTTPError) and _status_of(error) < 500:
            with suppress(Conflict, Unavailable, OutcomeUnknown):
                await self._claim.give_up()

    # -- in the place of the provider

    def with_id(self, values: Mapping[str, Any], position: int = 0) -> Mapping[str, Any]:
        """Return the values of what is created, with the id that an earlier attempt had, or a new one.

        :param position: of a row of an array.
        """
        pk = self._path.last.shape.pk
        if pk is None or self._path.last.is_reference:
            return values
        known = self._claim.ids[position] if position < len(self._claim.ids) else None
        named = values.get(pk.name)
        if named is not None and (known is None or known.is_chosen):
            self._ids[position] = _id_of(self._path, named, is_chosen=False)
            return values
        self._ids[position] = known or chosen_id(self._provider, self._path)
        found = self._ids[position]
        return values if found is None else {**values, pk.name: pk.kind.from_text(found.text)}

    async def create(self, path: Path, values: Mapping[str, Any], context: Any) -> Written:
        """Create as :meth:`bzz.providers.base.Provider.create`, when the id is in the record."""
        values = self.with_id(values)
        await self._claim.prepare(self._known_ids())
        written = await self._provider.create(path, values, context)
        if path.last.field is None and self._ids.get(0) is None:  # only now it has one
            self._ids[0] = _id_of(path, written.change.id, is_chosen=False)
        return written

    async def create_many(
        self, path: Path, values: Sequence[Mapping[str, Any]], context: Any, *, all_or_none: bool
    ) -> list[Written | Exception]:
        """Create as :meth:`bzz.providers.base.Provider.create_many`, but for rows that an earlier attempt has stored.

        :param values: with the ids that :meth:`with_id` gave them.
        """
        await self._claim.prepare(self._known_ids())
        stored = await self._stored() if self._claim.is_repeated else {}
        pk = self._path.last.shape.pk
        keys = [None if pk is None else values_of.get(pk.name) for values_of in values]
        rest = [each for each, key in zip(values, keys, strict=True) if key not in stored]
        outcomes = iter(await self._provider.create_many(path, rest, context, all_or_none=all_or_none))
        return [stored[key] if key in stored else next(outcomes) for key in keys]

    def _known_ids(self) -> list[Id | None]:
        return [self._ids.get(position) for position in range(max(self._ids, default=-1) + 1)]

    # -- what an earlier attempt has stored

    async def _stored(self) -> Mapping[Any, Written]:
        """Return what is stored under the ids that bzz chose for this request, by primary key."""
        keys = [_key_of(self._path, each) for each in self._claim.ids if each is not None and each.is_chosen]
        return await self._provider.find_created(self._path, keys, self._handler) if keys else {}

    def _is_found_again(self) -> bool:
        """Return whether the next request will find whatever this one has created."""
        return bool(self._ids) and all(each is not None and each.is_chosen for each in self._ids.values())

    async def _answer_created(self) -> bool:
        """Answer with what an earlier attempt has created; return whether there is anything.

        Rows that are stored one by one are left to :meth:`create_many`, for others may be missing.
        """
        handler = self._handler
        is_array = handler.posts_array()
        if is_array and wants_lenient(handler.request.headers.get("Prefer")):
            return False
        stored = await self._stored()
        if not stored:
            return False
        handler.set_status(201)
        if not is_array:
            (written,) = stored.values()
            in_list = self._path.last.is_list
            handler._headers.update(created_headers(handler.request.path, written.record.id, in_list=in_list))
        await show_created(handler, self._claim.ids, is_array=is_array)
        return True


async def show_created(handler: BulkHandler, ids: Sequence[Id | None], *, is_array: bool) -> None:
    """Finish with documents as they are now, as far as this client may see them; without a body if it may see none."""
    records = await _visible(handler, [each for each in ids if each is not None and each.is_chosen])
    if not records:
        handler.clear_header("Content-Type")
        handler.finish()
    elif is_array:
        handler._finish_written_json(await handler._render_rows(records))
    else:
        body = await handler._render(records[0])  # type: ignore[attr-defined]  # of ModelHandler
        handler.set_header("ETag", handler._etag)  # type: ignore[attr-defined]
        handler._finish_written_json(body)


async def may_see(handler: BulkHandler, ids: Sequence[Id | None]) -> bool:
    """Return whether a client may still see what it has created, or it is gone."""
    path, provider = handler.path, handler.provider
    if path.last.field is not None:
        try:
            await provider.get(Path(path.steps[:-1]), handler)
        except NotFound:
            return False
        return True
    keys = [_key_of(path, each) for each in ids if each is not None]
    found = await provider.fetch(path.last.shape, keys, handler) if keys else {}
    unseen = [key for key in keys if str(key) not in found]
    return not unseen or not await provider.find_created(path, unseen, handler)


async def _visible(handler: BulkHandler, ids: Sequence[Id]) -> list[Record]:
    path, keys = handler.path, [_key_of(handler.path, each) for each in ids]
    if path.last.field is not None:
        inside = await handler.provider.find_created(path, keys, handler)
        return [inside[key].record for key in keys if key in inside]
    found = await handler.provider.fetch(path.last.shape, keys, handler)
    return [found[str(key)] for key in keys if str(key) in found]


def chosen_id(provider: Provider, path: Path) -> Id | None:
    """Return a new id for what is to be created at the end of a path; None where it cannot be chosen."""
    key = provider.new_key(path)
    return None if key is None else _id_of(path, key, is_chosen=True)


def _id_of(path: Path, key: Any, *, is_chosen: bool) -> Id | None:
    """Return an id for a record; None for a key that is no single value, whose text would not lead back to it."""
    text = str(key)
    try:
        return Id(text, is_chosen) if _key_of(path, Id(text, is_chosen)) == key else None
    except (ValueError, LookupError, NotImplementedError):
        return None


@lru_cache(256)
def view_of(shape: Shape) -> str:
    """Return a digest of the names of all fields that answers may show: it is another one for another user's rights."""
    shapes = reachable(shape, lambda shape, error: None)
    names = sorted(f"{each.name}.{name}" for each in shapes for name in each.visible)
    return hashlib.sha256(" ".join(names).encode()).hexdigest()


def _key_of(path: Path, id: Id) -> Any:
    pk = path.last.shape.pk
    assert pk is not None
    return pk.kind.from_text(id.text)


def _is_kept(error: RequestError | HTTPError) -> bool:
    """Return whether an error is the answer once and for all."""
    passes = isinstance(error, RequestError) and "Retry-After" in error.headers
    return 400 <= _status_of(error) < 500 and _status_of(error) not in _NOT_KEPT and not passes


def _status_of(error: RequestError | HTTPError) -> int:
    return error.status if isinstance(error, RequestError) else error.status_code


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True

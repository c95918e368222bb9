"""Who works on a request with an ``Idempotency-Key``, and how it was answered: one record each in the small store.

A record is open while a request works, with the time until which nobody else may, and then holds the answer. Each
change of it is a compare-and-put on what this process has put before, so a process that was stopped for longer than
its time can change nothing any more. Requests, paths and models are not known here.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bzz.codec import dumps, loads
from bzz.errors import Conflict, OutcomeUnknown, Unavailable, UnprocessableContent
from bzz.providers.base import Entry, Store

__all__ = ["KEPT_SECONDS", "LEASE_SECONDS", "Claim", "Id", "KeptAnswer", "claim"]

KEPT_SECONDS = 24 * 60 * 60.0
"""How long a key is remembered."""

LEASE_SECONDS = 20.0
"""How long a request that died keeps others with its key waiting. It is longer than what was begun in the first of them
can take: see :data:`FRESH_SECONDS`."""

FRESH_SECONDS = 5.0
"""How old a lease may be when a write begins. Waiting for its turn and the write itself take 13 seconds at the most."""

RETRY_SECONDS = 1

_BUSY = "A request with this Idempotency-Key is being answered; send it again in a moment."
_OTHER = "This Idempotency-Key was used for another request; use a new one."
_TRIES = 10


class Id(NamedTuple):
    """The id of a document that a request creates.

    :param text: of its primary key.
    :param is_chosen: whether bzz chose it, so that a document which has it can only be of this request. One that the
        client or a receiver named may be somebody else's.
    """

    text: str
    is_chosen: bool


class KeptAnswer(NamedTuple):
    """The answer to a request that was made before.

    :param body: None where it was too long to be kept.
    :param ids: of what was created, where that is known.
    :param view: which fields the user could see.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    ids: Sequence[Id | None]
    view: str


class Claim:
    """The right to do what was asked under a key.

    :param name: of the record.
    :param entry: the record, as it was put.
    :ivar ids: of what the request creates, as they are in the record: before it is stored.
    :ivar is_repeated: whether an earlier request had the right, and may have written before it died.
    """

    def __init__(self, store: Store, name: str, entry: Entry, *, is_repeated: bool) -> None:
        self._store = store
        self._name = name
        self._entry = entry
        self._since = time.monotonic()
        self.ids = _ids_in(entry)
        self.is_repeated = is_repeated

    async def prepare(self, ids: Sequence[Id | None]) -> None:
        """Have ids in the record, and enough time for the write that follows at once.

        :raises bzz.errors.Conflict: if another request has the right by now.
        :raises bzz.errors.Unavailable: if the store does not say so; nothing was done.
        """
        if list(ids) == self.ids and time.monotonic() - self._since < FRESH_SECONDS:
            return
        since = time.monotonic()
        try:
            await self._put({**self._entry.value, **_open(ids)})
        except OutcomeUnknown:
            raise Unavailable() from None
        self._since, self.ids = since, list(ids)

    async def finish(self, answer: KeptAnswer) -> None:
        """Keep the answer.

        :raises bzz.errors.Conflict: if another request has the right by now; it comes to the same document.
        """
        await self._put(
            {
                "fingerprint": self._entry.value["fingerprint"],
                "ids": _text_of(answer.ids),
                "status": answer.status,
                "headers": dumps(dict(answer.headers)).decode(),
                "body": None if answer.body is None else answer.body.decode(),
                "view": answer.view,
            }
        )

    async def give_up(self) -> None:
        """Let the next request with the key begin anew: this one has certainly written nothing.

        Where an earlier one may have, the ids stay, so that the next one comes to the same document.

        :raises bzz.errors.Conflict: if another request has the right by now.
        """
        if self.is_repeated:
            await self._put({**self._entry.value, "until": 0.0})
        else:
            await self._put({}, seconds=-1.0)

    async def _put(self, value: Mapping[str, Any], seconds: float = KEPT_SECONDS) -> None:
        put = await self._store.put(self._name, value, self._entry, expires=time.time() + seconds)
        if put is None:
            raise in_progress()
        self._entry = put


def in_progress() -> Conflict:
    """Return the error for a request while another one with its key is being answered."""
    return Conflict(_BUSY, headers={"Retry-After": str(RETRY_SECONDS)})


async def claim(store: Store, name: str, fingerprint: str, ids: Sequence[Id | None]) -> Claim | KeptAnswer:
    """Claim the right to do what is asked under a key, or return the answer that was given before.

    :param name: of the record: one for each user, route and key.
    :param fingerprint: of the request; it has to be the same whenever the key is.
    :param ids: of what is to be created, where they can be known yet.
    :raises bzz.errors.Conflict: with ``Retry-After``, while another request works on it.
    :raises bzz.errors.UnprocessableContent: if the key belongs to another request.
    :raises bzz.errors.Unavailable: if the store cannot be asked; nothing was done.
    """
    try:
        return await _claim(store, name, fingerprint, ids)
    except OutcomeUnknown:  # nothing but the record can have been written, and that will be claimed again
        raise Unavailable() from None


async def _claim(store: Store, name: str, fingerprint: str, ids: Sequence[Id | None]) -> Claim | KeptAnswer:
    known: Entry | None = None
    for _ in range(_TRIES):
        value = (
            {"fingerprint": fingerprint, **_open(ids)} if known is None else {**known.value, **_open(_ids_in(known))}
        )
        put = await store.put(name, value, known, expires=time.time() + KEPT_SECONDS)
        if put is not None:
            return Claim(store, name, put, is_repeated=known is not None)
        known = (await store.get([name])).get(name)
        if known is None:
            continue
        if known.value["fingerprint"] != fingerprint:
            raise UnprocessableContent(_OTHER)
        if "status" in known.value:
            return _kept(known)
        if known.value["until"] > time.time():
            raise in_progress()
    raise in_progress()


def _open(ids: Sequence[Id | None]) -> dict[str, Any]:
    """Return what is in a record while a request works on it."""
    return {"ids": _text_of(ids), "until": time.time() + LEASE_SECONDS, "holder": uuid.uuid4().hex}


def _text_of(ids: Sequence[Id | None]) -> str:
    return dumps([None if each is None else list(each) for each in ids]).decode()


def _ids_in(entry: Entry) -> list[Id | None]:
    return [None if each is None else Id(*each) for each in loads(entry.value["ids"].encode())]


def _kept(entry: Entry) -> KeptAnswer:
    value = entry.value
    body = None if value["body"] is None else value["body"].encode()
    return KeptAnswer(value["status"], loads(value["headers"].encode()), body, _ids_in(entry), value["view"])

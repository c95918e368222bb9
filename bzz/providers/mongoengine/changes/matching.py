"""Which scopes the two sides of a commit lie in: MongoDB itself is asked, on the exact documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pymongo.errors import DocumentTooLarge, OperationFailure

from bzz.errors import BadRequest, PayloadTooLarge
from bzz.providers.changes import Matches
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.changes.commands import Commands
from bzz.providers.mongoengine.changes.commits import StoredCommit
from bzz.providers.mongoengine.changes.scopes import StoredScope, unaskable
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.raw import Raw

__all__ = ["match", "try_query"]

SCOPES_OF_A_COMMAND = 200
BYTES_OF_A_COMMAND = 1024 * 1024
"""So many scopes, and so large ones, are asked in one command, beside the two documents."""

_TOO_LARGE = frozenset({10334, 40228, 17420})
_SERVERS_OWN = frozenset({11600, 11601, 11602, 13, 18, 50, 91, 189, 262})
"""Failures for which no query is to blame: interrupted, not authorized, too late, shutting down, stepping down."""


async def match(
    commands: Commands, commit: StoredCommit, scopes: Sequence[StoredScope], collation: Mapping[str, Any] | None
) -> list[Matches]:
    """Return, for each scope, which sides of a commit lie in it.

    :param collation: of the collection, by which its queries compare texts.
    :raises bzz.errors.PayloadTooLarge: if both sides do not fit into one command.
    :raises bzz.errors.BadRequest: if the server refuses a scope on these documents.
    :raises bzz.errors.Unavailable: if the database is away.
    """
    found = {scope: _by_class(commit, scope) for scope in scopes if scope.is_all or scope.classes is not None}
    asked = [scope for scope in scopes if scope not in found]
    if any(each is not None for each in commit.images):
        chunks = list(_chunks(asked))
        answers = await asyncio.gather(*(_ask(commands, commit, chunk, collation) for chunk in chunks))
        for chunk, answer in zip(chunks, answers, strict=True):
            found.update(zip(chunk, answer, strict=True))
    return [found.get(scope, Matches(before=False, after=False)) for scope in scopes]


async def try_query(commands: Commands, query: Raw, encoded: Any) -> None:
    """Check that a query can be asked of single documents.

    :param encoded: the query in BSON; commands by themselves know no way to encode a UUID.
    :raises bzz.errors.BadRequest: if it cannot.
    """
    pipeline = [{"$documents": []}, {"$facet": {"0": [{"$match": encoded}]}}]
    with reading():
        try:
            await commands.run({"aggregate": 1, "pipeline": pipeline, "cursor": {}})
        except OperationFailure as error:
            if _is_servers_own(error) or error.code == 51091:  # a pattern that is too long
                raise
            raise unaskable(query) from error


def _by_class(commit: StoredCommit, scope: StoredScope) -> Matches:
    """The same for a scope that is about nothing but the class."""

    def holds(document: Any) -> bool:
        if document is None:
            return False
        return scope.classes is None or document.get(internals.CLASS_KEY) in scope.classes

    return Matches(before=holds(commit.before), after=holds(commit.after))


def _chunks(scopes: Sequence[StoredScope]) -> Iterator[list[StoredScope]]:
    chunk: list[StoredScope] = []
    size = 0
    for scope in scopes:
        length = len(scope.query.raw)
        if chunk and (len(chunk) == SCOPES_OF_A_COMMAND or size + length > BYTES_OF_A_COMMAND):
            yield chunk
            chunk, size = [], 0
        chunk.append(scope)
        size += length
    if chunk:
        yield chunk


async def _ask(
    commands: Commands, commit: StoredCommit, scopes: Sequence[StoredScope], collation: Mapping[str, Any] | None
) -> list[Matches]:
    facets = {str(rank): [{"$match": scope.query}, {"$count": "n"}] for rank, scope in enumerate(scopes)}
    command: Raw = {"aggregate": 1, "pipeline": [{"$documents": _sides(commit)}, {"$facet": facets}], "cursor": {}}
    if collation is not None:
        command["collation"] = collation
    with reading():
        try:
            reply = await commands.run(command)
        except DocumentTooLarge:
            raise PayloadTooLarge("A change is too large to be judged.") from None
        except OperationFailure as error:
            if error.code in _TOO_LARGE:
                raise PayloadTooLarge("A change is too large to be judged.") from error
            if _is_servers_own(error):
                raise
            raise BadRequest(f"The database refuses to judge a change (code {error.code}).") from error
    counts = reply["cursor"]["firstBatch"][0]
    return [_matches(commit, counts[str(rank)]) for rank in range(len(scopes))]


def _sides(commit: StoredCommit) -> Any:
    """An expression for the list of both sides: the one before once, and the one after twice.

    So the number of documents that a scope holds tells which they are, and nothing is added to them, by which a query
    could tell them from the stored ones. They are literals: no key of theirs is read as an operator.
    """
    before, after = commit.sides
    sides = [*([{"$literal": before}] if before is not None else ()), *(["$$after"] * 2 if after is not None else ())]
    return {"$let": {"vars": {"after": {"$literal": after}}, "in": sides}}


def _matches(commit: StoredCommit, found: Sequence[Mapping[str, Any]]) -> Matches:
    number = found[0]["n"] if found else 0
    return Matches(before=number % 2 == 1, after=number >= 2)


def _is_servers_own(error: OperationFailure) -> bool:
    return error.timeout or error.code in _SERVERS_OWN

"""The seam of committed changes: what a provider that can watch its database tells of it.

Live feeds follow it. It says what was stored, in which order, and which of many scopes a change lies in. It knows
nothing of clients, frames or HTTP; how a database tells its changes is the provider's own matter.

The order of use: :meth:`Changes.prepare` once per process, :meth:`LiveProvider.scope` for each client,
:meth:`Changes.stream` once per process, then :meth:`LiveProvider.snapshot`; for each :class:`Commit` of the stream
:meth:`Changes.match` once for all scopes, and :meth:`LiveProvider.change` once for each set of options.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from bzz.change import Change, Position
from bzz.providers.base import ListQuery, Path, Provider, Record, Store
from bzz.providers.commit import Commit, CommitKind, Tick
from bzz.providers.deliveries import Deliveries
from bzz.providers.history import History

__all__ = [
    "ChangeCapability",
    "Changes",
    "Commit",
    "CommitKind",
    "HistoryLost",
    "LiveProvider",
    "Matches",
    "Position",
    "Scope",
    "Snapshot",
    "Tick",
    "Wanted",
]

ChangeCapability = Literal["diff", "resume", "watch"]
"""What a provider can tell of committed changes. ``watch``: each of them, whoever made it. ``diff``: with both versions
of the document. ``resume``: all that followed a position, later and in any process."""


class HistoryLost(Exception):
    """The database does not know any more what happened after a position. Loud: whoever followed has to begin anew."""


@dataclass(frozen=True, eq=False)
class Scope:
    """What one client may see and wants to see: its filters within the model's own hooks. Made by the provider.

    :param key: names the scope: two scopes with one key hold the same documents. It changes with filters and hooks.
    :param collection: of the documents, as in :attr:`Commit.collection`.
    :param query: the provider's own.
    :param only: the primary key, as in :attr:`Commit.key`, of the one document that can lie in it; None for any.
    :param is_all: whether every document lies in it.
    """

    key: str
    collection: str
    query: Any
    only: Any = None
    is_all: bool = False


class Matches(NamedTuple):
    """Whether the two sides of a change lie in a scope; a side that is not there does not."""

    before: bool
    after: bool


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The documents of a scope, all as they were at one position.

    :param position: what the stream tells at or before it is in the snapshot already.
    :param batches: documents in the order of the query, each as one side of a :class:`Commit`, read as they are asked
        for. They are to be read within a few minutes: databases do not keep what was for long.
    """

    position: Position
    batches: AsyncGenerator[Sequence[Any]]


Wanted = Callable[[str, Any], bool] | None
"""Called with a collection and a primary key; returns whether the changes of this document are wanted. None for all."""


class Changes(ABC):
    """The committed changes of one database. One for each event loop and database, shared by all of its providers."""

    @abstractmethod
    async def prepare(self, collections: Collection[str]) -> None:
        """Have the database keep both sides of each change of these collections.

        :raises bzz.errors.ConfigurationError: with the remedy, where the database cannot tell its changes.
        """

    @property
    @abstractmethod
    def store(self) -> Store:
        """The small store in the same database."""

    @property
    @abstractmethod
    def deliveries(self) -> Deliveries:
        """The progress of durable listeners, in the same database."""

    @property
    @abstractmethod
    def history(self) -> History:
        """The histories of documents, in the same database."""

    @abstractmethod
    async def now(self) -> Position:
        """Return the position behind all that is committed now.

        :raises bzz.errors.Unavailable: where the database is away.
        """

    @abstractmethod
    def stream(
        self,
        collections: Collection[str],
        after: Position | None = None,
        wanted: Wanted = None,
    ) -> AsyncGenerator[Commit | Tick]:
        """Tell each committed change once, in order, until the iterator is closed.

        The first thing is a :class:`Tick` with the position after which it tells, as soon as the stream is open. It
        outlives elections, restarts and lost connections of the database. A change whose sides are too large for the
        database to tell comes without them.

        :param collections: no others are told.
        :param after: None for from now on. Numbers count in each collection by itself: who follows several, and goes on
            in the middle of a cluster time, asks from its number 0, and drops what it knows of each.
        :param wanted: of the changes of documents that are not, only the position is told.
        :raises HistoryLost: where ``after`` is too long ago, or the history was cut, or the database has not come that
            far: it is another, or an older copy.
        """

    @abstractmethod
    async def existing(self, collection: str, at: Position, after: Any = None) -> AsyncGenerator[Sequence[Commit]]:
        """Read the documents of a collection as they were at a position, in the order of their primary keys.

        Each is given as if it had been created there, with number 0. They are to be read within a few minutes.

        :param at: without a number, and not older than a few minutes: what happened before it is in the documents.
        :param after: only those behind this primary key; None for all.
        :raises bzz.errors.Unavailable: where the database is away, or does not know any more what was.
        """

    @abstractmethod
    def is_behind(self, key: Any, other: Any) -> bool:
        """Return whether :meth:`existing` reads a document with primary key ``key`` after that with ``other``."""

    @abstractmethod
    async def match(self, commit: Commit, scopes: Sequence[Scope]) -> list[Matches]:
        """Let the database decide, on the two exact versions of the document, which scopes a change lies in.

        :param scopes: distinct ones; all are asked in one command.
        :raises bzz.errors.PayloadTooLarge: where the two versions do not fit into one command.
        :raises bzz.errors.BadRequest: where the database refuses one of the scopes on these versions; the others may
            be asked without it.
        :raises bzz.errors.Unavailable: where the database is away.
        """


class LiveProvider(Provider):
    """A provider whose changes can be followed. ``routes_for(..., live=True)`` asks for one.

    :cvar capabilities: what it can tell of changes; what needs one that is not among them is refused when it is asked
        for. What the very server lacks, :meth:`Changes.prepare` says.
    """

    capabilities: ClassVar[frozenset[ChangeCapability]] = frozenset()

    collection: str
    """Where the documents of the model are stored, as in :attr:`Commit.collection`."""

    @classmethod
    @abstractmethod
    def models(cls) -> Mapping[type, type]:
        """Return all models whose documents are stored by themselves, as far as this process knows them.

        :returns: for each the topmost model whose collection it shares.
        """

    @abstractmethod
    def changes(self) -> Changes:
        """Return the changes of the database that the model is stored in, on the running event loop."""

    @abstractmethod
    async def scope(self, path: Path, query: ListQuery, context: Any) -> Scope:
        """Return the scope of what stands at the end of ``path``: the model's hooks, then the filters.

        The hooks are asked anew at each call, so that a scope that has changed can be told by its key.

        :param path: it does not lead through a reference. Where it ends inside of a document, the scope is that of the
            document: :meth:`rows` finds what the path ends at.
        :raises bzz.errors.BadRequest: for a filter that cannot be asked of a single document.
        """

    async def resolve(self, path: Path, query: ListQuery, context: Any) -> ListQuery:
        """Return a query for :meth:`rows`, whose filters name documents by their primary keys."""
        return query

    @abstractmethod
    async def snapshot(self, scope: Scope, query: ListQuery, at: Position | None = None) -> Snapshot:
        """Read the documents of a scope as they were at one position, in the order of ``query``.

        :param at: the position, from another snapshot of a moment ago; None for now.
        :raises bzz.errors.Unavailable: where the database is away.
        """

    @abstractmethod
    def record(self, document: Any) -> Record:
        """Return one side of a :class:`Commit` as these routes show it."""

    @abstractmethod
    def id_of(self, key: Any) -> str | None:
        """Return the id in URLs of the document with a primary key, as in :attr:`Commit.key`.

        :returns: None where the id is that of another field, and so not known.
        """

    @abstractmethod
    async def rows(self, path: Path, query: ListQuery, document: Any) -> list[Record]:
        """Return what stands at the end of ``path`` inside of one side of a :class:`Commit`, filtered and in order.

        For paths that end at the root model it is the document alone.

        :raises bzz.errors.PayloadTooLarge: where the document is too large to be filtered.
        :raises bzz.errors.Unavailable: where the database is away.
        """

    @abstractmethod
    def change(self, commit: Commit) -> Change:
        """Return a commit of a document as receivers get it, like ``change`` of the signals.

        Its model is the very class that the document names, where this process knows it. The diff is None where not
        both sides are known.
        """

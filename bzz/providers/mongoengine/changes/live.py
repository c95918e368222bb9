"""What a provider of MongoEngine documents tells of committed changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import mongoengine as me

from bzz.change import Change, ChangeKind, Position
from bzz.errors import NotFound
from bzz.providers.base import ListQuery, Path, Record
from bzz.providers.changes import ChangeCapability, Changes, Commit, LiveProvider, Scope, Snapshot
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.changes import nested_rows
from bzz.providers.mongoengine.changes.database_changes import DatabaseChanges, changes_of
from bzz.providers.mongoengine.changes.scopes import StoredScope, make_scope
from bzz.providers.mongoengine.changes.snapshot import read_snapshot
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.registry import Registry
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.filters import filter_query
from bzz.providers.mongoengine.listing import document_order
from bzz.providers.mongoengine.path_reader import PathReader
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.record import DocumentRecord
from bzz.providers.public_ids import PublicIds

__all__ = ["LiveDocuments"]

logger = logging.getLogger("bzz.database")

_unknown_classes: set[str] = set()
MOST_UNKNOWN = 100


class LiveDocuments(LiveProvider):
    """The part of :class:`~bzz.providers.mongoengine.provider.MongoEngineProvider` that follows changes."""

    capabilities: ClassVar[frozenset[ChangeCapability]] = frozenset({"diff", "resume", "watch"})

    _reader: PathReader
    _registry: Registry
    _public_ids: PublicIds

    @property
    def _root(self) -> DocumentStore:
        return self._reader.documents(self._registry.root)

    @property
    def collection(self) -> str:  # type: ignore[override]  # which nobody sets
        return self._root.collection_name

    @classmethod
    def models(cls) -> Mapping[type, type]:
        found = (each for each in internals.all_registered() if issubclass(each, me.Document))
        return {each: internals.root_of(each) for each in found if not internals.is_abstract(each)}

    def changes(self) -> Changes:
        return self._changes()

    def _changes(self) -> DatabaseChanges:
        changes = changes_of(self._root.database())
        changes.know(self._root)
        return changes

    # -- who may see what

    async def scope(self, path: Path, query: ListQuery, context: Any) -> Scope:
        documents, changes = self._root, self._changes()
        options = (await documents.collection()).raw.codec_options
        if path.steps[0].key is None:
            conditions, ordering = await self._list_conditions(path, query, context)
            asked = {"$and": conditions} if len(conditions) > 1 else conditions[0] if conditions else {}
            scope = make_scope(documents, asked, ordering, options)
        else:
            _check(self._registry.of(path.last.shape.model), query)
            asked = await self._instance_query(path, context)
            scope = make_scope(documents, asked, (), options, self._only(path))
        await changes.try_scope(scope, asked)
        return scope

    async def resolve(self, path: Path, query: ListQuery, context: Any) -> ListQuery:
        if not self.has_public_ids(path.last.shape):
            return query
        return await self._public_ids.resolve_filters(query, context)

    async def _list_conditions(
        self, path: Path, query: ListQuery, context: Any
    ) -> tuple[list[Raw], Sequence[tuple[str, int]]]:
        query = await self.resolve(path, query, context)
        own, ordering = await self._root.list_query(context)
        return [*([own] if own else ()), *filter_query(self._registry.root, query.filters)], ordering

    async def _instance_query(self, path: Path, context: Any) -> Raw:
        step = path.steps[0]
        assert step.shape.url_id is not None
        return await self._root.query(step.shape.url_id, step.key, context)

    def _only(self, path: Path) -> Any:
        """The stored primary key of the document that a path names; None where it names it by another field."""
        step = path.steps[0]
        return self._registry.root.store_key(step.key) if step.shape.url_id is step.shape.pk else None

    async def snapshot(self, scope: Scope, query: ListQuery, at: Position | None = None) -> Snapshot:
        own = cast("StoredScope", scope)
        keys = document_order(self._registry.root, query.sort if own.only is None else (), own.ordering)
        options = (await own.documents.collection()).raw.codec_options
        commands = self._changes().commands
        return Snapshot(*await read_snapshot(commands, own.collection, own.query, keys, options, at))

    # -- how it is shown

    def record(self, document: Any) -> Record:
        self._note_class(document)
        return DocumentRecord(self._registry.root, document)

    def id_of(self, key: Any) -> str | None:
        shape = self._registry.root.shape
        return DocumentRecord(self._registry.root, {"_id": key}).id if shape.url_id is shape.pk else None

    async def rows(self, path: Path, query: ListQuery, document: Any) -> list[Record]:
        if len(path.steps) == 1:
            return [self.record(document)]
        try:
            return await nested_rows.rows(self._changes().commands, self._root, path, query, document)
        except NotFound:  # something on the way is not there
            return []

    def change(self, commit: Commit) -> Change:
        codec = self._registry.root
        assert codec.pk is not None
        before, after = commit.before, commit.after
        known = after or before or {}
        self._note_class(known)

        def compare() -> Any:
            if not commit.is_whole:
                return None
            return diff(codec, before, after, by_item=True, instance=lambda: self._instance(after))

        return Change(
            model=codec.variant(known).model,
            id=codec.pk.diff_form(commit.key),
            kind=cast("ChangeKind", commit.kind),
            compare=compare,
            load_before=lambda: self._instance(before),
            load_after=lambda: self._instance(after),
            position=commit.position,
            at=commit.at,
        )

    def _instance(self, document: Any) -> Any:
        return None if document is None else DocumentRecord(self._registry.root, document).instance

    def _note_class(self, document: Raw) -> None:
        """Log once for each class that this process has not imported. Its documents are shown as the root model's."""
        name = document.get(internals.CLASS_KEY)
        if name is None or not self._registry.root.inherits or self._registry.find(name) is not None:
            return
        text = str(name)
        if text not in _unknown_classes and len(_unknown_classes) < MOST_UNKNOWN:
            _unknown_classes.add(text)
            logger.warning("%s holds documents of an unknown class %r: is it imported?", self.collection, text)


def _check(codec: DocumentCodec, query: ListQuery) -> None:
    """Refuse at once what would fail for each change."""
    filter_query(codec, query.filters)
    document_order(codec, query.sort, ())

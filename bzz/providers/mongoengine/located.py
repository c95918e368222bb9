"""Walking a path: from the root document over references to the document that holds its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bzz.errors import Conflict, NotFound
from bzz.providers.base import Stale, Step
from bzz.providers.compare_and_set import Conditions
from bzz.providers.missing import Missing, missing_at
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.references import reference_key
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.providers.mongoengine.record import DocumentRecord

__all__ = ["MOVED", "Located", "Subdocument", "find_item", "linked_keys"]


@dataclass(frozen=True)
class Subdocument:
    """A document embedded somewhere in a root document, or that document itself.

    :param where: the MongoDB path from the root, by positions: ``addresses.1.phones.0``; empty for the root itself.
    :param in_list: whether it is an item of a list.
    """

    codec: DocumentCodec
    raw: Raw
    where: str = ""
    in_list: bool = False

    def below(self, name: str) -> str:
        """Return the MongoDB path of a key of this document."""
        return f"{self.where}.{name}" if self.where else name

    def field(self, step: Step) -> FieldCodec:
        """Return the codec of the field that a step follows from here.

        :raises bzz.errors.NotFound: if only other subclasses declare it.
        """
        assert step.field is not None
        found = self.codec.fields.get(step.field.name)
        if found is None:
            raise Missing(step)
        return found

    @property
    def record(self) -> DocumentRecord:
        """The record of this document."""
        return DocumentRecord(self.codec, self.raw)

    @property
    def is_positional(self) -> bool:
        """Whether nothing but its position in a list tells it from its neighbours."""
        return self.in_list and self.codec.shape.url_id is None


@dataclass(frozen=True)
class Located:
    """A document in the database and a way inside it.

    :param documents: its class's documents.
    :param query: finds it again, within the model's hooks.
    :param raw: as it was just read.
    :param inner: the steps inside it, over embedded documents only.
    :param scope: a query that it has to match still when it is written; None if it may become what it likes.
    """

    documents: DocumentStore
    query: Raw
    raw: Raw
    inner: tuple[Step, ...] = ()
    scope: Raw | None = None

    @property
    def subdocument(self) -> Subdocument:
        """The embedded document at the end of ``inner``, in the document as it was read."""
        return self.ending(self.raw)

    @property
    def is_positional(self) -> bool:
        """Whether some item on the way is told from its neighbours by nothing but its position."""
        return any(each.is_positional for each in self._way(self.raw))

    async def read_again(self) -> Raw:
        """Return the document as it is stored now.

        :raises bzz.errors.NotFound: if it is gone.
        """
        return await self.documents.find_by(self.query)

    def require(self, conditions: Conditions, record: DocumentRecord) -> None:
        """Refuse a write at the end of the way that does not meet its conditions.

        :raises bzz.errors.PreconditionFailed: if the precondition says no to what is stored.
        :raises bzz.errors.Conflict: if only a position leads to something unexpected: it may be another item.
        :raises Stale: if something unexpected is stored anywhere else.
        """
        try:
            conditions.require(record)
        except Stale:
            if self.is_positional:
                raise Conflict(MOVED) from None
            raise

    def within(self, step: Step) -> Located:
        """Return what is located one step further, in an embedded document."""
        return replace(self, inner=(*self.inner, step))

    def at_position(self, position: int) -> Located:
        """Return the place of the same item of a list after it has moved: ``self``, if its id names it."""
        if not self.subdocument.is_positional:
            return self
        return Located(self.documents, self.query, self.raw, (*self.inner[:-1], self.inner[-1]._replace(key=position)))

    def ending(self, raw: Raw) -> Subdocument:
        """Return the end of the way in any state of the root document, wherever positions lead in it."""
        return self._way(raw)[-1]

    def find_again(self, raw: Raw) -> Subdocument:
        """Return the end of the way in a later reading of the root document.

        :raises bzz.errors.Conflict: if a position on the way does not hold the item that this request found there.
        :raises bzz.errors.NotFound: if something on the way is gone.
        """
        known = next((each for each in self._way(self.raw) if each.is_positional), None)
        if known is None or raw is self.raw:
            return self.ending(raw)
        try:
            way = self._way(raw)
        except NotFound:
            raise Conflict(MOVED) from None
        if any(each.where == known.where and not differ(each.raw, known.raw) for each in way):
            return way[-1]
        raise Conflict(MOVED)

    def identities(self, raw: Raw) -> list[str]:
        """Return the MongoDB paths that must be unchanged for positions in ``raw`` to lead to the same items.

        They are the ids of the items on the way; an item without an id stands for itself, with all that is in it.
        """
        paths: list[str] = []
        for each in self._way(raw):
            if each.is_positional:
                return [*paths, each.where]
            if each.in_list:
                paths.append(each.below(each.codec.stored_id))
        return paths

    def holder(self, raw: Raw) -> tuple[Subdocument, str]:
        """Return the document that holds the end of the way, and the name of its field."""
        field = self.inner[-1].field
        assert field is not None
        return self._way(raw)[-2], field.name

    def last_item(self, raw: Raw) -> Subdocument | None:
        """Return the innermost item of a list on the way, or None where the way leads through no list."""
        return next((each for each in reversed(self._way(raw)) if each.in_list), None)

    def _way(self, raw: Raw) -> list[Subdocument]:
        """Return the root document and each embedded document down to the end.

        :raises bzz.errors.NotFound: if one of them is missing.
        """
        way = [Subdocument(self.documents.codec.variant(raw), raw)]
        for step in self.inner:
            with missing_at(step):
                way.append(_into(way[-1], step))
        return way


MOVED = "The item at this position is not the one that was there a moment ago; read the list again."


def _into(subdocument: Subdocument, step: Step) -> Subdocument:
    field = subdocument.field(step)
    value = subdocument.raw.get(field.stored)
    if field.item is None:
        return _into_single(subdocument, field, value, step)
    items = value if isinstance(value, list) else []
    position = find_item(field, items, step.key)
    item = items[position]
    return Subdocument(field.item.target(item), item, f"{subdocument.below(field.stored)}.{position}", in_list=True)


def _into_single(subdocument: Subdocument, field: FieldCodec, value: Any, step: Step) -> Subdocument:
    if not isinstance(value, dict):
        raise NotFound()
    codec = field.target(value)
    if step.key is not None and codec.key_of(value) != step.key:
        raise NotFound()
    return Subdocument(codec, value, subdocument.below(field.stored))


def find_item(field: FieldCodec, items: Sequence[Any], key: Any) -> int:
    """Return the position of the embedded document that ``key`` names.

    :param key: its id, or its position if the class has no id.
    :raises bzz.errors.NotFound: if no item has it.
    """
    assert field.item is not None
    for position, item in enumerate(items):
        codec = field.item.target_of(item)
        if codec is not None and key == _name_of(codec, item, position):
            return position
    raise NotFound()


def _name_of(codec: DocumentCodec, item: Raw, position: int) -> Any:
    return position if codec.shape.url_id is None else codec.key_of(item)


def linked_keys(value: Any) -> list[Any]:
    """Return the raw primary keys of the references that a list or single property holds."""
    held = value if isinstance(value, list) else [value]
    return [reference_key(each) for each in held if each is not None]

"""The codec of lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from operator import itemgetter
from typing import Any

import mongoengine as me
from mongoengine.base import BaseList
from mongoengine.base.datastructures import EmbeddedDocumentList

from bzz.errors import Conflict, Invalid
from bzz.providers.base import Appended
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.checks import Errors, Refusal, below
from bzz.providers.mongoengine.codecs.containers import ContainerCodec
from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.generated import FunctionSource
from bzz.providers.mongoengine.codecs.pairs import Pairs, twins
from bzz.providers.mongoengine.codecs.ranges import counted
from bzz.providers.mongoengine.limits import LIMITS
from bzz.shape import Field, Kind
from bzz.shape.containers import ListKind
from bzz.shape.free import AnyKind

__all__: list[str] = []

TWIN = "Another item of the list has this id."


@converts(me.ListField)
class ListCodec(ContainerCodec):
    """A list of values of one kind."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        is_plain = type(self.source) is me.ListField and self.item is not None
        self.is_stored_as_is = is_plain and self.item is not None and self.item.is_stored_as_is
        self.takes_appended = not isinstance(self.source, me.SortedListField)

    def _kind(self) -> Kind:
        return ListKind(Field("", AnyKind(LIMITS)) if self.item is None else self.item.declared)

    # -- conversions

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        if value is None or self.is_stored_as_is:
            return value
        if self.item is None:
            return self.source.to_mongo(value)
        return self.sorted(self._items_to_bson(self.item, value, stored))

    def _items_to_bson(self, item: Any, values: list[Any], stored: Any) -> list[Any]:
        """Return the bson of items that are written whole, over those that are stored.

        :raises bzz.errors.Conflict: if it cannot be told which item is which.
        """
        if not isinstance(stored, list) or not item.holds_documents:
            return [item.item_to_bson(index, each) for index, each in enumerate(values)]
        sent = [item.sent_key(each) for each in values]
        knowing = all(item.names_class(each) for each, key in zip(values, sent, strict=True) if key is None)
        pairs = Pairs(self.name, sent, stored, key_of=item.known_key, keeps=item.keeps, knowing=knowing)
        beside = enumerate(zip(values, sent, pairs.counterparts, strict=True))
        written = [
            item.item_to_bson(index, each, None if key is None and item.is_of_another_class(each, known) else known)
            for index, (each, key, known) in beside
        ]
        pairs.check(written, sets_unseen=[item.sets_write_only(each) for each in values])
        return written

    def sorted(self, items: list[Any]) -> list[Any]:
        """The stored items in the order in which MongoEngine stores them.

        :raises ValueError: where they have none.
        """
        if not isinstance(self.source, me.SortedListField):
            return items
        ordering, is_descending = internals.item_order(self.source)
        key: Any = itemgetter(ordering) if ordering else None
        try:
            return sorted(items, key=key, reverse=is_descending)
        except (KeyError, TypeError):
            raise ValueError(f"Every item needs a value to be sorted by ({ordering or 'its own'}).") from None

    def orders(self) -> Iterator[tuple[str, Any]]:
        ordering = internals.item_order(self.source)[0] if isinstance(self.source, me.SortedListField) else None
        if ordering is not None:
            yield from ((ordering, each) for each in self.models())
        yield from super().orders()

    def json_source(self, source: FunctionSource, bson: str, *, whole: bool) -> str:
        if self.item is None or self.shows_as_is:
            return bson
        items, each, otherwise = source.variable(), source.variable(), source.bind(self.to_json, "to_json")
        if self.item.converted is not None:  # of many numbers, one look tells that none has to be converted
            name = source.bind(self.item.converted, "converted")
            is_shown = f"type({items} := {bson}) is list and {name}.isdisjoint(map(type, {items}))"
            return f"({items} if {is_shown} else {otherwise}({items}))"
        shown = self.item.json_source(source, each, whole=False)
        return f"([{shown} for {each} in {items}] if type({items} := {bson}) is list else {otherwise}({items}))"

    def default(self) -> Any:
        found = super().default()
        try:
            return self.sorted(found) if isinstance(found, list) else found
        except ValueError:  # as MongoEngine stores what it cannot sort
            return found

    def own(self, attribute: Any, instance: Any) -> Any:
        items = [] if attribute is None else attribute
        if not isinstance(items, (list, tuple)):  # something else that stood in its place
            return items
        if self.item is not None:
            for each in items:
                self.item.own(each, instance)
        kind = EmbeddedDocumentList if isinstance(self.source, me.EmbeddedDocumentListField) else BaseList
        return kind(items, instance, self.declared.name)

    def names_class(self, value: Any) -> bool:
        return self.item is not None and isinstance(value, list) and all(map(self.item.names_class, value))

    # -- updates

    def replaces(self, value: Any, *, merge: bool) -> bool:
        return super().replaces(value, merge=merge) and (type(value) is not Appended or self._judges_items_only)

    @cached_property
    def _judges_items_only(self) -> bool:
        """Whether nothing is asked of the list as a whole, so that an item may come to it whatever it holds."""
        return type(self.source) is me.ListField and self._longest() is None and not self.source.validation

    def update(self, current: Any, value: Any, errors: Errors, *, merge: bool) -> Any:
        if type(value) is not Appended:
            return super().update(current, value, errors, merge=merge)
        if not isinstance(current, list):
            raise Conflict(f"There is no list in {self.name!r}; nothing was done.")
        after = [*current, *(self.check(list(value), errors) or ())]
        self.require(after, current)
        if self.item is not None and twins([self.item.stored_key(each) for each in after]):
            raise Invalid({self.name: [TWIN]})
        return after

    # -- checks

    def _check_new(self, value: Any, bson: Any, errors: Errors) -> None:
        super()._check_new(value, bson, errors)
        if self.item is not None and self.holds_documents and isinstance(bson, list):
            for position in twins([self.item.stored_key(each) for each in bson]):
                errors.setdefault(f"{self.name}.{position}", []).append(TWIN)

    def _expected(self) -> str:
        return f"Must be an array{counted('item', int(self.declared.required), self._longest())}."

    def _bounds(self) -> dict[str, Any]:
        return {"maxItems": self._longest()}

    def _longest(self) -> int | None:
        longest: int | None = getattr(self.source, "max_length", None)
        return longest

    def _refusals(self, value: Any) -> Iterator[Refusal]:
        if self.item is None or not self._holds_parts(value):
            yield from super()._refusals(value)
            return
        for part in self.value_parts(value):
            yield from below(str(part.key), part.field.refusals(part.value))
        longest = self._longest()
        if isinstance(value, list) and longest is not None and len(value) > longest:
            yield "", self.expected
        if isinstance(value, list) and self.holds_documents:
            for position in twins([self.item.sent_key(each) for each in value]):
                yield str(position), TWIN

    def _holds_parts(self, value: Any) -> bool:
        """Whether there are items that cannot be checked as a whole: documents, and those that could not be read."""
        return isinstance(value, dict) or None in value or any(isinstance(each, (dict, list)) for each in value)

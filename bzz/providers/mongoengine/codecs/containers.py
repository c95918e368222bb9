"""What lists and maps have in common: many values of one kind."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mongoengine.base import BaseField

from bzz.providers.base import Unchanged
from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.dispatch import codec_for
from bzz.providers.mongoengine.codecs.field import FieldCodec, Part
from bzz.providers.mongoengine.codecs.free_form import kept_inside
from bzz.providers.mongoengine.raw import differ

__all__ = ["ContainerCodec"]


class ContainerCodec(FieldCodec):
    """Many values of one kind; of any kind where the model does not tell.

    What is stored is read by its own shape: whatever writes beside bzz may leave a list for a map.
    """

    is_mutable = True
    tells_default = False

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        item = self.item
        self.reads_as_is = item is None or item.reads_as_is
        self.shows_as_is = item is None or item.shows_as_is
        self.holds_documents = item is not None and item.holds_documents
        self.leads_anywhere = item is not None and item.leads_anywhere
        self.compares_attributes = item is not None and item.compares_attributes
        self.may_be_custom = not (self.holds_documents or self.refers)

    def _make_item(self, declaration: Declaration) -> FieldCodec | None:
        inner: BaseField | None = getattr(declaration.source, "field", None)
        if inner is None:
            return None
        return codec_for(Declaration("", inner, declaration.model, declaration.place, declaration.registry))

    # -- conversions

    def to_value(self, bson: Any) -> Any:
        if self.item is None or self.reads_as_is:
            return bson
        return _each(self.item.to_value, bson, otherwise=bson)

    def to_json(self, bson: Any) -> Any:
        if self.item is None or self.shows_as_is:
            return bson
        return _each(self.item.to_json, bson, otherwise=bson)

    def to_attribute(self, bson: Any) -> Any:
        if bson is None or self.item is None:
            return bson
        return _each(self.item.to_attribute, bson) if isinstance(bson, (dict, list)) else self.source.to_python(bson)

    def to_saved_attribute(self, bson: Any) -> Any:
        if self.item is not None and isinstance(bson, list):
            return [self.item.to_saved_attribute(each) for each in bson]
        return self.to_attribute(bson)

    def from_attribute(self, attribute: Any) -> Any:
        if self.item is not None and isinstance(attribute, (dict, list, tuple)):
            return _each(self.item.from_attribute, attribute)
        return super().from_attribute(attribute)

    def shown_bson(self, attribute: Any) -> Any:
        if self.holds_documents and isinstance(attribute, (dict, list, tuple)) and self.item is not None:
            return _each(self.item.shown_bson, attribute)
        return self.from_attribute(attribute)

    def attribute_of(self, value: Any) -> Any:
        return value if self.item is None else _each(self.item.attribute_of, value, otherwise=value)

    def value_of(self, attribute: Any) -> Any:
        return attribute if self.item is None else _each(self.item.value_of, attribute, otherwise=attribute)

    def diff_form(self, bson: Any) -> Any:
        if self.item is None or not self.refers or bson is None:
            return super().diff_form(bson)
        return _each(self.item.diff_form, bson, otherwise=bson)

    def tells_same(self, old: Any, new: Any) -> bool:
        if self.item is None or not self.holds_documents:
            return super().tells_same(old, new)
        before, after = ({part.key: part.value for part in self.parts(each)} for each in (old, new))
        if type(old) is not type(new) or before.keys() != after.keys():
            return False
        pairs = [(each, after[key]) for key, each in before.items()]
        return all(self.item.tells_same(*pair) for pair in pairs if differ(*pair))

    def masked(self, attribute: Any) -> Any:
        if self.item is None or not self.holds_documents:
            return attribute
        return _each(self.item.masked, attribute, otherwise=attribute)

    # -- what is inside

    def parts(self, bson: Any) -> Iterator[Part]:
        if self.item is not None and isinstance(bson, (dict, list)):
            for key, each in bson.items() if isinstance(bson, dict) else enumerate(bson):
                yield Part(key, self.item, each)

    def value_parts(self, value: Any) -> Iterator[Part]:
        return self.parts(value)

    def with_parts(self, bson: Any, parts: dict[Any, Any]) -> Any:
        if self.item is None:
            return bson
        return [parts[position] for position in range(len(bson))] if isinstance(bson, list) else parts

    def open_name(self, where: str) -> str:
        if self.item is None:
            return where
        key, dot, rest = where.partition(".")
        return f"{key}.{self.item.open_name(rest)}" if dot else key

    def expected_at(self, where: str) -> str:
        if self.item is None or not where:
            return super().expected_at(where)
        return self.item.expected_at(where.partition(".")[2])

    @cached_property
    def has_custom_json(self) -> bool:
        return self.item is not None and self.item.has_custom_json

    def custom_json(self, attribute: Any) -> Any:
        return attribute if self.item is None else _each(self.item.custom_json, attribute, otherwise=attribute)

    # -- updates and checks

    def replaces(self, value: Any, *, merge: bool) -> bool:
        if isinstance(value, Unchanged) or (value is None and self.falls_back) or self.item is None:
            return False
        if self.holds_documents and value is not None:
            return False
        return self.item.replaces(value, merge=merge)

    def keep(self, bson: Any, stored: Any) -> Any:
        if stored is None:
            return bson
        if self.holds_documents:
            return bson if differ(bson, stored) else stored
        return kept_inside(bson, stored) if self.item is None else super().keep(bson, stored)

    def keeps(self, bson: Any, *, knowing: bool = False) -> bool:
        return self.holds_documents and any(part.field.keeps(part.value, knowing=knowing) for part in self.parts(bson))

    @cached_property
    def is_validated_by_itself(self) -> bool:
        return self.item is not None and self.item.is_validated_by_itself


def _each(convert: Any, value: Any, otherwise: Any = None) -> Any:
    """Convert each item of a list or map; return anything else as ``otherwise``."""
    if isinstance(value, dict):
        return {key: convert(each) for key, each in value.items()}
    return [convert(each) for each in value] if isinstance(value, (list, tuple)) else otherwise

"""The codec of embedded documents of any class, or of a few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mongoengine as me

from bzz.providers.mongoengine.codecs.checks import Errors
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.embedded import EmbeddedCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec, Part
from bzz.providers.mongoengine.codecs.forms import put_in_place
from bzz.providers.mongoengine.codecs.generated import FunctionSource
from bzz.providers.mongoengine.codecs.instance import class_tag
from bzz.providers.mongoengine.raw import Raw
from bzz.shape import Kind
from bzz.shape.documents import TAG, AnyEmbeddedKind

__all__: list[str] = []


@converts(me.GenericEmbeddedDocumentField)
class GenericEmbeddedCodec(EmbeddedCodec):
    """A document of any class, or of a few; clients see which in ``@type``."""

    refers = True  # nobody knows
    leads_anywhere = True

    def _kind(self) -> Kind:
        choices = self.source.choices or ()
        return AnyEmbeddedKind(lambda: self._registry.variants(choices, me.EmbeddedDocument), is_open=not choices)

    def _choices(self) -> tuple[Any, ...]:
        return ()

    def target(self, bson: Any = None) -> DocumentCodec:
        return self._registry.named(bson["_cls"])

    def target_of(self, bson: Any) -> DocumentCodec | None:
        return self._registry.find(bson.get("_cls")) if isinstance(bson, dict) else None

    def _sent_class(self, value: Any) -> DocumentCodec:
        return self._registry.named(value[TAG])

    def models(self) -> set[Any]:
        return {shape.model for shape in self.declared.kind.leads_to()}

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        if value is None:
            return None
        target = self._sent_class(value)
        rest = {key: each for key, each in value.items() if key != TAG}
        same = stored if self.target_of(stored) is target else None
        return {"_cls": target.class_name, **put_in_place(target, rest, same, target)}

    def _tagged(self, bson: Raw, converted: dict[str, Any]) -> dict[str, Any]:
        return {TAG: bson["_cls"], **converted}

    def json_source(self, source: FunctionSource, bson: str, *, whole: bool) -> str:
        return source.call(self.to_json, bson)

    def from_attribute(self, attribute: Any) -> Any:
        if not isinstance(attribute, me.EmbeddedDocument):
            return attribute
        return {**class_tag(attribute), **super().from_attribute(attribute)}

    def shown_bson(self, attribute: Any) -> Any:
        shown = super().shown_bson(attribute)
        return {**class_tag(attribute), **shown} if isinstance(attribute, me.EmbeddedDocument) else shown

    def value_parts(self, value: Any) -> Iterator[Part]:
        target = self._registry.find(value.get(TAG)) if isinstance(value, dict) else None
        return iter(()) if target is None else target.value_parts(value)

    def open_name(self, where: str) -> str:
        return where

    def embedded_pairs(self, old: Any, new: Any) -> None:
        return None

    def identity(self, bson: Any) -> Any:
        return None

    def replaces(self, value: Any, *, merge: bool) -> bool:
        return value is None and super().replaces(value, merge=merge)

    def parts_in_place(self, value: Any) -> Iterator[Part] | None:
        return None

    def update(self, current: Any, value: Any, errors: Errors, *, merge: bool) -> Any:
        if isinstance(value, dict) and self.target_of(current) is self._sent_class(value):
            value = {name: each for name, each in value.items() if name != TAG}
            return super().update(current, value, errors, merge=merge)
        return FieldCodec.update(self, current, value, errors, merge=merge)

    def keeps(self, bson: Any, *, knowing: bool = False) -> bool:
        target = self.target_of(bson)
        return bson is not None if target is None else target.keeps(bson, knowing=knowing)

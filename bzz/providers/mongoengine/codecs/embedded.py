"""The codec of documents embedded in others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any
from weakref import proxy

import mongoengine as me

from bzz.errors import Invalid
from bzz.providers.base import Unchanged
from bzz.providers.diff import FieldPair
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.checks import Errors, Refusal
from bzz.providers.mongoengine.codecs.classes import named_class
from bzz.providers.mongoengine.codecs.declared import overrides
from bzz.providers.mongoengine.codecs.diff import diff, field_pairs
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import Part
from bzz.providers.mongoengine.codecs.forms import merged, put_in_place
from bzz.providers.mongoengine.codecs.generated import FunctionSource
from bzz.providers.mongoengine.codecs.instance import class_tag
from bzz.providers.mongoengine.codecs.links import LinkCodec
from bzz.providers.mongoengine.codecs.refusals import refusals_of
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.shape import Kind
from bzz.shape.documents import TAG, EmbeddedKind

__all__ = ["EmbeddedCodec"]


@converts(me.EmbeddedDocumentField)
class EmbeddedCodec(LinkCodec):
    """A document of one class, or of a class below it."""

    holds_documents = True
    is_mutable = True

    def _kind(self) -> Kind:
        return EmbeddedKind(lambda: self.target().shape)

    # -- which class

    def target(self, bson: Any = None) -> DocumentCodec:
        declared = self._registry.of(self.source.document_type)
        return declared.variant(bson) if isinstance(bson, dict) else declared

    def target_of(self, bson: Any) -> DocumentCodec | None:
        return self.target(bson) if isinstance(bson, dict) else None

    def _sent_class(self, value: Any) -> DocumentCodec:
        """The codec of the class that a value names, or else of the declared one."""
        declared = self.target()
        return named_class(declared, value) if declared.inherits else declared

    def models(self) -> set[Any]:
        model: Any = self.target().model
        return {self._registry.named(name).model for name in internals.family(model)}

    @cached_property
    def _all_models(self) -> set[Any]:
        """Every class whose documents may be embedded here, at any depth."""
        return {each for model in self.models() for each in self._registry.embedded_in(model)}

    # -- conversions

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return None if value is None else put_in_place(self.target(stored), value, stored, self._sent_class(value))

    def to_value(self, bson: Any) -> Any:
        target = self.target_of(bson)
        return bson if target is None else self._tagged(bson, target.to_value(bson))

    def to_json(self, bson: Any) -> Any:
        target = self.target_of(bson)
        if target is None:
            return _without_documents(bson)
        return self._tagged(bson, target.to_json(bson))

    def _tagged(self, bson: Raw, converted: dict[str, Any]) -> dict[str, Any]:
        return converted

    def json_source(self, source: FunctionSource, bson: str, *, whole: bool) -> str:
        target = self.target()
        if target.inherits or target.is_dynamic or source.is_inside(target):
            return source.call(self.to_json, bson)
        document = source.variable()
        with source.inside(target):
            shown = target.json_source(source, document)
            if whole:
                fast = target.json_source(source, document, whole=True)
                shown = f"({fast} if len({document}) >= {len(target.visible)} else {shown})"
        otherwise = source.call(_without_documents, document)
        return f"({shown} if isinstance({document} := {bson}, dict) else {otherwise})"

    def to_attribute(self, bson: Any) -> Any:
        target = self.target_of(bson)
        return bson if target is None else target.load(bson)

    def from_attribute(self, attribute: Any) -> Any:
        if not isinstance(attribute, me.EmbeddedDocument):  # something else that stood in its place
            return attribute
        return self._registry.of(type(attribute)).dump(attribute)

    def shown_bson(self, attribute: Any) -> Any:
        if not isinstance(attribute, me.EmbeddedDocument):
            return attribute
        return self._registry.of(type(attribute)).dump_shown(attribute)

    def own(self, attribute: Any, instance: Any) -> Any:
        if isinstance(attribute, me.EmbeddedDocument) and instance is not None:
            internals.give_owner(attribute, proxy(instance))
        return attribute

    @cached_property
    def has_custom_json(self) -> bool:
        return any(hasattr(each, "to_dict") for each in self._all_models)

    def custom_json(self, attribute: Any) -> Any:
        if not isinstance(attribute, me.EmbeddedDocument):
            return attribute
        shown = self._registry.of(type(attribute)).custom_json(attribute)
        return shown if hasattr(attribute, "to_dict") else self._tagged(class_tag(attribute), shown)

    # -- what is inside

    def parts(self, bson: Any) -> Iterator[Part]:
        target = self.target_of(bson)
        return iter(()) if target is None else target.parts(bson)

    def value_parts(self, value: Any) -> Iterator[Part]:
        return self._sent_class(value).value_parts(value) if isinstance(value, dict) else iter(())

    def with_parts(self, bson: Any, parts: dict[Any, Any]) -> Any:
        if self.target_of(bson) is None:
            return _without_documents(bson)
        return {"_cls": bson["_cls"], **parts} if "_cls" in bson else parts

    def open_name(self, where: str) -> str:
        return self.target().open_name(where)

    # -- differences and updates

    def embedded_pairs(self, old: Any, new: Any) -> Iterable[FieldPair] | None:
        are_documents = all(each is None or isinstance(each, dict) for each in (old, new))
        return field_pairs(self.target(), old, new) if are_documents else None

    def tells_same(self, old: Any, new: Any) -> bool:
        before, after = self.target_of(old), self.target_of(new)
        return before is not None and before is after and not diff(before, old, new)

    def masked(self, attribute: Any) -> Any:
        if isinstance(attribute, me.EmbeddedDocument):
            self._registry.of(type(attribute)).mask(attribute)
        return attribute

    def identity(self, bson: Any) -> Any:
        return (bson.get("_cls"), self.target(bson).key_of(bson)) if isinstance(bson, dict) else None

    def replaces(self, value: Any, *, merge: bool) -> bool:
        if value is None:
            return not self.falls_back
        if not (self._is_validated_inside and isinstance(value, dict)) or self.declared.write_only:
            return False
        return bool(value) and not self.target().inherits and self.target().replaces(value, merge=merge)

    def parts_in_place(self, value: Any) -> Iterator[Part] | None:
        return None if value is None else self.value_parts(value)

    def update(self, current: Any, value: Any, errors: Errors, *, merge: bool) -> Any:
        if not (isinstance(current, dict) and isinstance(value, dict)):
            return super().update(current, value, errors, merge=merge)
        try:
            after = merged(self.target(current), current, value, merge=merge)
            self.check_bson(after, errors)
        except Invalid as error:
            for where, told in (error.errors or {}).items():
                errors.setdefault(f"{self.declared.name}.{where}", []).extend(self.openly(told, value))
            return current
        return after

    # -- what a client may not write

    def keep(self, bson: Any, stored: Any) -> Any:
        return bson if stored is None or differ(bson, stored) else stored

    def keeps(self, bson: Any, *, knowing: bool = False) -> bool:
        target = self.target_of(bson)
        if target is None:
            return bson is not None
        return target.keeps(bson, knowing=knowing) or not (knowing or target is self.target())

    def names_class(self, value: Any) -> bool:
        return isinstance(value, dict) and TAG in value

    def is_of_another_class(self, value: Any, bson: Any) -> bool:
        return self.names_class(value) and self._sent_class(value) is not self.target_of(bson)

    def sent_key(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return None
        target = self._sent_class(value)
        if target.shape.url_id is None or target.hides_id:
            return None
        key = value.get(target.shape.url_id.name)
        return key.value if isinstance(key, Unchanged) else key

    def known_key(self, bson: Any) -> Any:
        target = self.target_of(bson)
        return None if target is None or target.hides_id else target.key_of(bson)

    def stored_key(self, bson: Any) -> Any:
        target = self.target_of(bson)
        return None if target is None else target.key_of(bson)

    # -- checks

    def _validate_stored(self, bson: Any) -> None:
        if not self._is_validated_inside:
            super()._validate_stored(bson)

    @cached_property
    def _is_validated_inside(self) -> bool:
        """Whether nothing is left to check of a document whose fields have been checked one by one."""
        return type(self.source) is me.EmbeddedDocumentField and not (self.source.validation or self.source.choices)

    @cached_property
    def is_validated_by_itself(self) -> bool:
        return any(overrides(each, "clean", "validate") for each in self._all_models)

    def _refusals(self, value: Any) -> Iterator[Refusal]:
        return refusals_of(self._sent_class(value), value)


def _without_documents(bson: Any) -> Any:
    """Return what stands in the place of a document; None where there is one in it whose class nobody knows.

    For of such a document nobody knows what clients may see.
    """
    return None if _holds_document(bson) else bson


def _holds_document(bson: Any) -> bool:
    return isinstance(bson, dict) or (isinstance(bson, list) and any(map(_holds_document, bson)))

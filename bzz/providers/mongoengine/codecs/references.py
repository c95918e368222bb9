"""The codecs of references to documents: of one declared class, and of any."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import mongoengine as me
from bson import DBRef, ObjectId
from mongoengine.errors import NotRegistered

from bzz.errors import ConfigurationError
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.links import LinkCodec
from bzz.providers.mongoengine.codecs.scalars import ObjectIdCodec
from bzz.shape import Kind
from bzz.shape.documents import TAG, AnyReferenceKind, ReferenceKind
from bzz.shape.values import key_json

__all__ = ["ReferenceCodec", "reference_key"]


def reference_key(bson: Any) -> Any:
    """The stored primary key in a reference, in any of the forms in which MongoEngine stores one."""
    if isinstance(bson, DBRef):
        return bson.id
    return bson.get("_id") if isinstance(bson, dict) else bson


def _key_json(target: DocumentCodec | None, bson: Any) -> Any:
    """Return a stored primary key as JSON holds it: an integer, or else its text; of several values an object.

    :param target: the codec of the documents that have it; None if no class is known.
    """
    if target is None or target.pk is None:
        return bson if isinstance(bson, int) else str(bson)
    key = target.key_value(bson)
    return target.pk.to_json(bson) if isinstance(key, dict) else key_json(target.shape.pk, key)


@converts(me.ReferenceField, me.LazyReferenceField)
class ReferenceCodec(LinkCodec):
    """A reference to a document of one class, stored by its primary key."""

    refers = True
    compares_attributes = True

    @classmethod
    def chosen_for(cls, declaration: Declaration) -> type[FieldCodec]:
        try:
            is_abstract = internals.is_abstract(declaration.source.document_type)
        except NotRegistered:  # the registry tells of it, with the name of the field
            is_abstract = False
        if not is_abstract:
            return cls
        if not isinstance(declaration.source, me.ReferenceField):
            raise ConfigurationError(f"{declaration.place}: only a ReferenceField can refer to an abstract class")
        return AbstractReferenceCodec

    def _kind(self) -> Kind:
        return ReferenceKind(lambda: self.target().shape)

    def target(self, bson: Any = None) -> DocumentCodec:
        return self._registry.of(self.source.document_type)

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        if value is None:
            return None
        target = self.target()
        reference = DBRef(internals.collection_name(target.model), target.store_key(value))
        if isinstance(self.source, me.LazyReferenceField):  # which would make of the key once more what is stored of it
            return reference if self.source.dbref else reference.id
        return self.source.to_mongo(reference)

    def to_value(self, bson: Any) -> Any:
        key = self._key_in(bson)
        return None if key is None else self.target().key_value(key)

    def to_json(self, bson: Any) -> Any:
        key = self._key_in(bson)
        if key is None:
            return None
        return str(key) if self._is_to_object_id and type(key) is ObjectId else _key_json(self.target(), key)

    def _key_in(self, bson: Any) -> Any:
        """Return the stored primary key. A key of several values is a document, which anywhere else is no reference."""
        return bson if isinstance(bson, dict) and self._is_to_several_values else reference_key(bson)

    @cached_property
    def _is_to_several_values(self) -> bool:
        pk = self.target().pk
        return pk is not None and (pk.holds_documents or pk.declared.kind.entry is not None)

    @cached_property
    def _is_to_object_id(self) -> bool:
        """Whether keys are ObjectIds without more ado, as most are: their text is made at once."""
        return type(self.target().pk) is ObjectIdCodec

    def diff_form(self, bson: Any) -> Any:
        return self.to_value(bson)


@converts(me.CachedReferenceField)
class CachedReferenceCodec(ReferenceCodec):
    """A reference that holds some of the other document's fields beside its key."""

    asks_while_saved = True
    is_validated_by_itself = True
    key_path = "._id"

    def _key_in(self, bson: Any) -> Any:
        return reference_key(bson)

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return None if value is None else {"_id": self.target().store_key(value)}

    def operand(self, value: Any) -> Any:
        return reference_key(self.to_bson(value))

    def to_attribute(self, bson: Any) -> Any:
        """Return a DBRef: the field's own ``to_python`` would fetch the other document."""
        return None if bson is None else DBRef(internals.collection_name(self.target().model), reference_key(bson))

    def to_saved_attribute(self, bson: Any) -> Any:
        """Return the other document; as the reference holds it where it is gone, over which MongoEngine stumbles."""
        if not isinstance(bson, dict):
            return self.to_attribute(bson)
        try:
            return self.source.to_python(bson)
        except AttributeError:
            return internals.from_stored(self.target().model, bson)

    def from_attribute(self, attribute: Any) -> Any:
        return attribute if isinstance(attribute, DBRef) else super().from_attribute(attribute)


@converts(me.GenericReferenceField)
class GenericReferenceCodec(LinkCodec):
    """A reference to a document of any class, or of a few; clients see which in ``@type``."""

    is_mutable = True
    refers = True
    compares_attributes = True
    class_path = "._cls"  # from what is stored to the name of the class

    def _kind(self) -> Kind:
        choices = self.source.choices or ()
        return AnyReferenceKind(lambda: self._registry.variants(choices, me.Document), is_open=not choices)

    def _choices(self) -> tuple[Any, ...]:
        return ()

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        if value is None:
            return None
        target = self._registry.named(value[TAG])
        collection = internals.collection_name(target.model)
        return {"_cls": target.class_name, "_ref": DBRef(collection, target.store_key(value["id"]))}

    def to_value(self, bson: Any) -> Any:
        """Return the class and the primary key, as JSON holds it."""
        reference = bson.get("_ref") if isinstance(bson, dict) else None
        if not isinstance(reference, DBRef):
            return bson
        return {TAG: bson.get("_cls"), "id": _key_json(self._registry.find(bson.get("_cls")), reference.id)}

    def inside(self, dotted: str) -> tuple[str, FieldCodec]:
        """Return the path of the name of the class; an id is compared with its class, as a whole reference."""
        return (self.class_path if dotted == TAG else ""), self

    def operand(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.to_bson(value)  # the name of a class is compared as it is

    def to_attribute(self, bson: Any) -> Any:
        return bson

    def diff_form(self, bson: Any) -> Any:
        return self.to_value(bson)


class AbstractReferenceCodec(GenericReferenceCodec):
    """A reference to a document of any class below an abstract one, stored as a DBRef that names the class.

    An abstract class has neither a collection nor a key of its own, so clients see the class in ``@type``.
    """

    class_path = ".cls"

    def _kind(self) -> Kind:
        return AnyReferenceKind(lambda: self._registry.subclasses(self.source.document_type))

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        if value is None:
            return None
        target = self._registry.named(value[TAG])
        name = target.class_name
        return DBRef(internals.collection_name(target.model), target.store_key(value["id"]), cls=name)

    def to_value(self, bson: Any) -> Any:
        """Return the class and the primary key, as JSON holds it."""
        if not isinstance(bson, DBRef):
            return bson
        return {TAG: bson.cls, "id": _key_json(self._registry.find(bson.cls), bson.id)}

    def to_saved_attribute(self, bson: Any) -> Any:
        """Return a document with the key alone: of a DBRef, the field's own ``to_mongo`` would drop the class."""
        if not isinstance(bson, DBRef):
            return bson
        target = self._registry.named(bson.cls)
        return target.model(pk=target.key_value(bson.id))

    def from_attribute(self, attribute: Any) -> Any:
        return attribute if isinstance(attribute, DBRef) else super().from_attribute(attribute)

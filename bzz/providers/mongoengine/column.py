"""One declared field beside its MongoEngine field, and the conversions between the three forms of its value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import mongoengine as me
from bson import DBRef
from mongoengine.base import BaseField
from mongoengine.errors import DeprecatedError

from bzz.errors import Invalid
from bzz.providers.base import Unchanged
from bzz.providers.mongoengine.acceptance import Test, acceptance
from bzz.providers.mongoengine.fields import (
    BAD_VALUE,
    PLAIN_FIELDS,
    Reader,
    container_reader,
    read_any_reference,
    reader_of,
    reference_key,
    reference_text,
    store_scalar,
)
from bzz.providers.mongoengine.messages import REFUSED, add_error
from bzz.providers.mongoengine.overrides import overrides
from bzz.providers.mongoengine.protected import kept, refuse_twins, required_unchanged, store_items
from bzz.providers.mongoengine.raw import Raw
from bzz.shape import Field
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import AnyEmbeddedKind, AnyReferenceKind, EmbeddedKind
from bzz.shape.free import AnyKind
from bzz.shape.keys import ReferenceKind
from bzz.shape.numbers import IntegerKind

if TYPE_CHECKING:
    from bzz.providers.mongoengine.mapping import Mapping
    from bzz.providers.mongoengine.schema import Schema

__all__ = ["Column"]


@dataclass(frozen=True, eq=False)
class Column:
    """A declared field beside its MongoEngine field, and the conversions between the three forms of its value."""

    field: Field
    source: BaseField
    stored: str
    schema: Schema
    item: Column | None = None

    def mapping(self, raw: Any = None) -> Mapping:
        """The mapping of the documents that the field holds or refers to; of the very class that ``raw`` names."""
        if isinstance(self.field.kind, (AnyEmbeddedKind, AnyReferenceKind)):
            return self.schema.named(raw["_cls"])
        declared = self.schema.of(self.source.document_type)
        return declared.variant(raw) if isinstance(raw, dict) else declared

    def mapping_of(self, raw: Any) -> Mapping | None:
        """Return the mapping of a stored document, or None for anything else that stands in its place.

        Whatever writes to a collection beside bzz may leave a null, a text, or a class that is not known here.
        """
        if not isinstance(raw, dict):
            return None
        if isinstance(self.field.kind, AnyEmbeddedKind):
            return self.schema.find(raw.get("_cls"))
        return self.mapping(raw) if isinstance(self.field.kind, EmbeddedKind) else None

    @cached_property
    def is_plain(self) -> bool:
        """Whether typed, raw and loaded values are the same: nothing needs to be converted."""
        return type(self.source) in PLAIN_FIELDS

    @cached_property
    def _is_stored_as_is(self) -> bool:
        """Whether typed and raw values are the same."""
        if type(self.source) is me.ListField and self.item is not None:
            return self.item._is_stored_as_is
        return self.is_plain or type(self.source) is me.FloatField

    @cached_property
    def is_optional(self) -> bool:
        """Whether a new document may simply go without it."""
        source = self.source
        return source.default is None and not (source.required or source.null or source.primary_key or source._auto_gen)

    # -- typed to raw

    def store(self, value: Any, stored: Any = None) -> Any:
        """Return the raw form of a typed value.

        :param stored: the raw value whose place it takes. What the client may not write stays as it is in it.
        :raises ValueError: (or one of its kin) if the value does not fit the field.
        :raises bzz.errors.Conflict: if a list of ``stored`` cannot be written whole.
        """
        if value is None or self._is_stored_as_is:
            return value
        kind = self.field.kind
        if isinstance(kind, ListKind) and self.item:
            return self.sorted(store_items(self.item, self.name, value, stored))
        if isinstance(kind, MapKind) and self.item:
            known = stored if isinstance(stored, dict) else {}
            return {key: self.item.store_at(key, each, known.get(key)) for key, each in value.items()}
        if isinstance(kind, _LINKS):
            return self._store_link(value, stored)
        return store_scalar(self.source, kind, value)

    def store_at(self, key: Any, value: Any, stored: Any = None) -> Any:
        """Return what :meth:`store` does, for an item of a list or map: refusals name its place."""
        try:
            return kept(self, self.store(value, stored), stored)
        except Invalid as error:
            raise Invalid({f"{key}.{where}": told for where, told in (error.errors or {}).items()}) from None

    def _store_link(self, value: Any, stored: Any) -> Any:
        if isinstance(self.field.kind, EmbeddedKind):
            return self.mapping(stored).put_in_place(value, stored, self.mapping())
        if isinstance(self.field.kind, AnyEmbeddedKind):
            mapping = self.schema.named(value["@type"])
            rest = {key: each for key, each in value.items() if key != "@type"}
            same = stored if self.mapping_of(stored) is mapping else None
            return {"_cls": mapping.model._class_name, **mapping.put_in_place(rest, same, mapping)}
        if isinstance(self.field.kind, AnyReferenceKind):
            target = self.schema.named(value["@type"])
            collection = target.model._get_collection_name()
            return {"_cls": target.model._class_name, "_ref": DBRef(collection, target.store_key(value["id"]))}
        return self._store_reference(value)

    def _store_reference(self, value: Any) -> Any:
        target = self.mapping()
        key = target.store_key(value)
        if isinstance(self.source, me.CachedReferenceField):
            return {"_id": key}
        return self.source.to_mongo(DBRef(target.model._get_collection_name(), key))

    @property
    def is_protected(self) -> bool:
        """Whether a client may not write the field."""
        return self.field.hidden or self.field.read_only

    @cached_property
    def holds_documents(self) -> bool:
        """Whether the field holds embedded documents, in lists and maps too."""
        return self.item.holds_documents if self.item else isinstance(self.field.kind, (EmbeddedKind, AnyEmbeddedKind))

    @property
    def may_stay_unset(self) -> bool:
        """Whether a stored document may go on without it: null over nothing is then no change."""
        return self.field.has_default or not self.field.required

    def put(self, raw: Raw, value: Any) -> None:
        """Put a raw value into a raw document. None takes the key away, unless the model stores nulls."""
        if value is not None:
            raw[self.stored] = value
        elif self.source.null:
            raw[self.stored] = None
        elif raw.get(self.stored) is not None:
            del raw[self.stored]

    @property
    def compared(self) -> str:
        """The MongoDB path of what filters and orders compare: a cached reference holds more than its key."""
        is_cached = isinstance((self.item or self).source, me.CachedReferenceField)
        return f"{self.stored}._id" if is_cached else self.stored

    def operand(self, value: Any) -> Any:
        """The raw form of a typed value, to be compared with what stands at :attr:`compared`."""
        raw = self.store(value)
        return reference_key(raw) if isinstance(self.source, me.CachedReferenceField) else raw

    def default(self) -> Any:
        """Return the raw form of the model's default, or None if it has none."""
        declared = self.source.default
        return self.dump(declared() if callable(declared) else declared)

    # -- raw to typed

    @cached_property
    def read(self) -> Reader | None:
        """What turns raw into typed, None where they are the same."""
        return self._reader(shown=False)

    @cached_property
    def show(self) -> Reader | None:
        """What turns raw into what clients see, None where they are the same."""
        if isinstance(self.field.kind, IntegerKind) and self.source.primary_key and self.field.name == "id":
            return str
        return self._reader(shown=True)

    def _reader(self, shown: bool) -> Reader | None:
        kind = self.field.kind
        if isinstance(kind, (ListKind, MapKind)):
            return container_reader(self.item._reader(shown=shown) if self.item else None)
        if isinstance(kind, EmbeddedKind) and not self.mapping().inherits:
            mapping = self.mapping()
            whole = mapping.show if shown else mapping.typed
            return lambda raw: whole(raw) if isinstance(raw, dict) else raw
        if isinstance(kind, (EmbeddedKind, AnyEmbeddedKind)):
            return self._show_document if shown else self._read_document
        if isinstance(kind, AnyReferenceKind):
            return read_any_reference
        if isinstance(kind, ReferenceKind):
            return reference_text if shown else reference_key
        return reader_of(self.source, kind)

    def _read_document(self, raw: Any) -> Any:
        mapping = self.mapping_of(raw)
        return raw if mapping is None else self._tagged(raw, mapping.typed(raw))

    def _show_document(self, raw: Any) -> Any:
        mapping = self.mapping_of(raw)
        if mapping is None:  # of a document nobody knows which fields clients may see
            return None if isinstance(raw, dict) else raw
        return self._tagged(raw, mapping.show(raw))

    def _tagged(self, raw: Raw, read: dict[str, Any]) -> dict[str, Any]:
        return {"@type": raw["_cls"], **read} if isinstance(self.field.kind, AnyEmbeddedKind) else read

    # -- raw to loaded, and back

    def load(self, raw: Any) -> Any:
        """What an attribute of an instance holds for a raw value; never asks the database."""
        kind = self.field.kind
        if raw is None or (isinstance(kind, AnyKind) or (isinstance(kind, (ListKind, MapKind)) and not self.item)):
            return raw
        if isinstance(kind, (EmbeddedKind, AnyEmbeddedKind)):
            mapping = self.mapping_of(raw)
            return raw if mapping is None else mapping.load(raw)
        if self.item and isinstance(raw, list):
            return [self.item.load(each) for each in raw]
        if self.item and isinstance(raw, dict):
            return {key: self.item.load(each) for key, each in raw.items()}
        if isinstance(self.source, me.CachedReferenceField):  # its own to_python fetches the other document
            return DBRef(self.mapping().model._get_collection_name(), reference_key(raw))
        return raw if isinstance(self.source, me.GenericReferenceField) else self.source.to_python(raw)

    def dump(self, loaded: Any) -> Any:
        """The raw form of what an attribute of an instance holds."""
        if loaded is None or (isinstance(loaded, DBRef) and isinstance(self.source, me.CachedReferenceField)):
            return loaded
        if isinstance(loaded, me.EmbeddedDocument):
            tag = {"_cls": loaded._class_name} if isinstance(self.field.kind, AnyEmbeddedKind) else {}
            return {**tag, **self.schema.of(type(loaded)).dump(loaded)}
        if self.item and isinstance(loaded, (list, tuple)):
            return [self.item.dump(each) for each in loaded]
        if self.item and isinstance(loaded, dict):
            return {key: self.item.dump(each) for key, each in loaded.items()}
        if isinstance(self.field.kind, (EmbeddedKind, AnyEmbeddedKind)):  # something else that stood in its place
            return loaded
        return self.source.to_mongo(loaded)

    # -- to_dict

    @cached_property
    def is_custom(self) -> bool:
        """Whether a document embedded here has a ``to_dict()``."""
        return any(hasattr(each, "to_dict") for each in self._embedded)

    @property
    def _embedded(self) -> set[type]:
        """Every class whose documents may be embedded here, at any depth."""
        direct = self.schema.embedded_by(self.field)
        return {each for model in direct for each in self.schema.embedded_in(model)}

    def present(self, loaded: Any) -> Any:
        """What is shown of embedded documents that have a ``to_dict()``."""
        if self.item and isinstance(loaded, dict):
            return {key: self.item.present(each) for key, each in loaded.items()}
        if self.item and isinstance(loaded, (list, tuple)):
            return [self.item.present(each) for each in loaded]
        if not isinstance(loaded, me.EmbeddedDocument):
            return loaded
        shown = self.schema.of(type(loaded)).present(loaded)
        return shown if hasattr(loaded, "to_dict") else self._tagged({"_cls": loaded._class_name}, shown)

    # -- validation

    def check(self, value: Any, errors: dict[str, list[str]], stored: Any = None) -> Any:
        """Return the raw form of a typed value that MongoEngine's own validation accepts; errors are collected.

        :param stored: the raw value whose place it takes, None where there is none. What is shown as it was sent stays
            as it is stored, and is not judged again.
        :raises bzz.errors.Conflict: if a list of ``stored`` cannot be written whole.
        """
        if isinstance(value, Unchanged):
            return required_unchanged(self, value.value, stored, errors)
        if self._is_stored_as_is and self._is_accepted(value):
            return value
        if value is None and self.field.required and self.field.has_default:
            return self.default()
        raw = None
        try:
            raw = kept(self, self.store(value, stored), stored)
        except Invalid as error:
            for where, messages in (error.errors or {}).items():
                errors.setdefault(f"{self.name}.{where}", []).extend(messages)
        except BAD_VALUE as error:
            self._add_error(errors, error)
        else:
            if stored is None or raw is not stored:
                self.check_raw(raw, errors)
                refuse_twins(self, raw, errors)
        return raw

    def check_raw(self, raw: Any, errors: dict[str, list[str]]) -> None:
        """Collect what MongoEngine's own validation says of a raw value."""
        try:
            self.validate(raw)
        except BAD_VALUE as error:
            self._add_error(errors, error)

    def _add_error(self, errors: dict[str, list[str]], error: Exception) -> None:
        told: dict[str, list[str]] = {}
        in_words = isinstance(error, (me.ValidationError, ValueError, DeprecatedError))
        add_error(told, "", error if in_words else REFUSED)
        for where, messages in told.items():
            name = f"{self.name}.{self.open_name(where)}" if where and not self.field.hidden else self.name
            errors.setdefault(name, []).extend(messages)

    def open_name(self, where: str) -> str:
        """The dotted name of a place inside this field's value, as clients may know it: hidden fields are ``*``."""
        if self.item is not None:
            position, dot, rest = where.partition(".")
            return f"{position}.{self.item.open_name(rest)}" if dot else position
        return self.mapping().open_name(where) if isinstance(self.field.kind, EmbeddedKind) else where

    def require(self, raw: Any, before: Any = None) -> None:
        """Refuse a raw value that the model does not accept.

        :param before: the value whose place it takes: items of a list that were in it before are not judged again.
        :raises bzz.errors.Invalid: naming what is wrong.
        """
        errors: dict[str, list[str]] = {}
        self.check_raw(raw, errors)
        if isinstance(raw, list) and isinstance(before, list):
            known = {id(each) for each in before}
            old = {str(position) for position, each in enumerate(raw) if id(each) in known}
            errors = {where: told for where, told in errors.items() if old.isdisjoint(where.split(".")[1:2])}
        if errors:
            raise Invalid(errors)

    def sorted(self, items: list[Any]) -> list[Any]:
        """The raw items in the order in which MongoEngine stores them.

        :raises ValueError: where they have none.
        """
        if not isinstance(self.source, me.SortedListField):
            return items
        ordering = self.source._ordering
        try:
            return sorted(items, key=ordering and itemgetter(ordering), reverse=self.source._order_reverse)
        except (KeyError, TypeError):
            raise ValueError(f"Every item needs a value to be sorted by ({ordering or 'its own'}).") from None

    @property
    def name(self) -> str:
        """The name that errors give: a hidden field's is not told."""
        return "*" if self.field.hidden else self.field.name

    def validate(self, raw: Any) -> None:
        """Run the checks that the model declares for this field on a raw value.

        :raises mongoengine.ValidationError: where one fails.
        """
        if raw is None:
            if self.field.required and not self.field.has_default:
                raise me.ValidationError("Field is required", field_name=self.field.name)
        elif (
            isinstance(self.source, me.EnumField) and raw not in self.field.choices
        ):  # MongoEngine would name the class
            raise me.ValidationError(f"Must be one of: {', '.join(map(str, self.field.choices))}.")
        elif not (self._is_accepted(raw) or self._is_validated_by_itself or self.is_validated_inside):
            self.source._validate(raw if self.is_plain else self.load(raw))

    @cached_property
    def _is_accepted(self) -> Test:
        """Whether MongoEngine need not be asked about a raw value."""
        return acceptance(self.source) or _never

    @cached_property
    def is_validated_inside(self) -> bool:
        """Whether nothing is left to check of an embedded document whose fields have been checked one by one."""
        return type(self.source) is me.EmbeddedDocumentField and not (self.source.validation or self.source.choices)

    @cached_property
    def _is_validated_by_itself(self) -> bool:
        """Whether the checks bring code of the model's own, or ask the database: they are for a worker thread."""
        if self.item is not None:
            return self.item._is_validated_by_itself
        if isinstance(self.source, me.CachedReferenceField):
            return True
        return any(overrides(each, "clean", "validate") for each in self._embedded)


def _never(raw: Any) -> bool:
    return False


_LINKS = (EmbeddedKind, AnyEmbeddedKind, ReferenceKind, AnyReferenceKind)

"""One MongoEngine class seen three ways: as a :class:`~bzz.shape.Shape`, as what MongoDB stores, and as its instances.

Everything that depends only on the class is worked out once, in :class:`Mapping`; per request there are only lookups.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from functools import cached_property
from typing import TYPE_CHECKING, Any

import mongoengine as me
from bson import ObjectId
from mongoengine import signals
from mongoengine.base import BaseField

from bzz.errors import ConfigurationError, Invalid
from bzz.providers.mongoengine.column import Column
from bzz.providers.mongoengine.fields import Reader, inner_source, kind_of, parse_object_id
from bzz.providers.mongoengine.instance import assemble
from bzz.providers.mongoengine.limits import LIMITS
from bzz.providers.mongoengine.overrides import asks_while_saved, overrides
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.shape import Field, Kind, Link, Shape
from bzz.shape.containers import ListKind, MapKind
from bzz.shape.documents import AnyEmbeddedKind, AnyReferenceKind, Tagged
from bzz.shape.free import AnyKind
from bzz.shape.geo import GeoKind
from bzz.shape.keys import IdKind, ReferenceKind
from bzz.shape.numbers import DecimalKind

if TYPE_CHECKING:
    from bzz.providers.mongoengine.schema import Schema

__all__ = ["Mapping", "documents_in"]

_INIT_SIGNALS = (signals.pre_init, signals.post_init)


class Mapping:
    """One document class, under the options of one set of routes.

    :param model: the class.
    :param schema: the mappings of all classes that these routes can reach.
    """

    def __init__(self, model: Any, schema: Schema) -> None:
        self.model = model
        self.schema = schema
        self.embedded = issubclass(model, me.EmbeddedDocument)
        self.columns = {name: self._column(name, source) for name, source in self._declared()}
        self.by_stored = {column.stored: column for column in self.columns.values()}
        self.pk = self._primary_key()
        self.shape = Shape(
            name=model.__name__,
            model=model,
            fields={name: column.field for name, column in self.columns.items()},
            pk=self.pk.field if self.pk else None,
            url_id=self._url_id(),
            embedded=self.embedded,
            limits=LIMITS,
        )
        self._shown = [(c.field.name, c.stored, c) for c in self.columns.values() if not c.field.hidden]

    @property
    def inherits(self) -> bool:
        """Whether documents of other classes may share the collection."""
        return bool(self.model._meta.get("allow_inheritance"))

    @cached_property
    def refers(self) -> bool:
        """Whether a document of the class may hold a reference, at any depth."""
        reachable = self.schema.embedded_in(self.model)
        fields = [field for each in reachable for field in self.schema.of(each).shape.fields.values()]
        return any(isinstance(_innermost(field).kind, _REFERRING) for field in fields)

    @cached_property
    def has_save_hooks(self) -> bool:
        """Whether the class must always be saved by MongoEngine itself."""
        classes = self.schema.embedded_in(self.model)
        inside = any(overrides(each, "clean", "validate") or asks_while_saved(each) for each in classes)
        return inside or overrides(self.model, "save")

    @property
    def has_delete_hooks(self) -> bool:
        """Whether the class must always be deleted by MongoEngine itself."""
        return overrides(self.model, "delete") or bool(self.model._meta.get("delete_rules"))

    # -- drawing the shape

    def _declared(self) -> Iterable[tuple[str, BaseField]]:
        for name in self.model._fields_ordered:
            source = self.model._fields[name]
            hidden = self.schema.is_hidden(self.model, name)
            if name != "_cls" and not (hidden and isinstance(source, me.FileField)):
                yield name, source

    def _column(self, name: str, source: BaseField) -> Column:
        kind = kind_of(source, f"{self.model.__name__}.{name}")
        inner = inner_source(source)
        item = None if inner is None or not issubclass(kind, (ListKind, MapKind)) else self._column("", inner)
        field = self._field(name, source, kind, item)
        return Column(field, source, source.db_field or name, self.schema, item)

    def _field(self, name: str, source: BaseField, kind: type[Kind], item: Column | None) -> Field:
        sequence = isinstance(source, me.SequenceField)
        return Field(
            name=name,
            kind=self._kind(source, kind, item.field if item else Field("", AnyKind(LIMITS))),
            required=bool(source.required) and not sequence,
            has_default=source.default is not None or sequence,
            read_only=sequence or self.schema.is_read_only(self.model, name),
            hidden=self.schema.is_hidden(self.model, name),
            choices=tuple(getattr(choice, "value", choice) for choice in _choices(source, kind)),
        )

    def _kind(self, source: BaseField, kind: type[Kind], item: Field) -> Kind:
        if issubclass(kind, Link):
            return kind(lambda: self.schema.of(source.document_type).shape)
        if issubclass(kind, Tagged):
            base = me.EmbeddedDocument if kind is AnyEmbeddedKind else me.Document
            return kind(lambda: self.schema.variants(source.choices or (), base))
        if issubclass(kind, ListKind):
            return kind(item)
        if issubclass(kind, MapKind):
            return kind(item, LIMITS)
        if issubclass(kind, (AnyKind, DecimalKind)):
            return kind(LIMITS)
        if issubclass(kind, IdKind):
            return kind(parse_object_id)
        return kind(getattr(source, "_type", "Point")) if issubclass(kind, GeoKind) else kind()

    def _primary_key(self) -> Column | None:
        if not self.embedded:
            return self.columns[self.model._meta["id_field"]]
        declared = next((each for each in self.columns.values() if each.source.primary_key), None)
        return declared or self.columns.get("id") or self.by_stored.get("_id")

    def _url_id(self) -> Field | None:
        hook = getattr(self.model, "get_id_field_name", None)
        if hook is None:
            return self.pk.field if self.pk else None
        chosen = hook()
        name = getattr(chosen, "name", chosen)
        if name not in self.columns:
            raise ConfigurationError(f"{self.model.__name__}.get_id_field_name() names no field: {name!r}")
        return self.columns[name].field

    # -- classes that share a collection

    def variant(self, raw: Raw) -> Mapping:
        """The mapping of the very class that ``raw`` was stored by, where documents inherit."""
        name = raw.get("_cls")
        if name is None or name == self.model._class_name:
            return self
        return self.schema.named(name) if name in self.model._subclasses else self

    # -- raw to typed, and to what is shown

    def typed(self, raw: Raw) -> dict[str, Any]:
        """All declared fields as typed values, None where unset."""
        return {name: _apply(column.read, raw.get(column.stored)) for name, column in self.columns.items()}

    def show(self, raw: Raw) -> dict[str, Any]:
        """The fields that clients may see, None where unset."""
        get = raw.get
        names, converted = self._compiled
        shown = {name: get(stored) for name, stored in names}
        for name, convert in converted:
            if shown[name] is not None:
                shown[name] = convert(shown[name])
        return shown

    @cached_property
    def _compiled(self) -> tuple[list[tuple[str, str]], list[tuple[str, Reader]]]:
        converted = [(name, column.show) for name, _, column in self._shown if column.show is not None]
        return [(name, stored) for name, stored, _ in self._shown], converted

    def key_of(self, raw: Raw) -> Any:
        """The typed value that names a document in URLs; None for an embedded one without an id."""
        field = self.shape.url_id
        if field is None:
            return None
        column = self.columns[field.name]
        return _apply(column.read, raw.get(column.stored))

    @property
    def stored_id(self) -> str:
        """The key that holds the id of a document embedded in a list.

        :raises LookupError: if the class has no id.
        """
        if self.shape.url_id is None:
            raise LookupError(f"{self.model.__name__} has no id")
        return self.columns[self.shape.url_id.name].stored

    def typed_key(self, raw: Any) -> Any:
        """The typed form of a raw primary key."""
        assert self.pk is not None
        return _apply(self.pk.read, raw)

    def store_key(self, key: Any) -> Any:
        """The raw form of a typed primary key."""
        assert self.pk is not None
        return self.pk.store(key)

    @cached_property
    def is_custom(self) -> bool:
        """Whether ``to_dict()`` of this class, or of one embedded in it, replaces what is shown."""
        return any(hasattr(each, "to_dict") for each in self.schema.embedded_in(self.model))

    def present(self, instance: Any) -> Any:
        """What ``to_dict()`` makes of an instance, without hidden names. It may ask the database: not for the loop."""
        if hasattr(self.model, "to_dict"):
            hidden = {name for name, column in self.columns.items() if column.field.hidden}
            return {key: value for key, value in instance.to_dict().items() if key not in hidden}
        shown = self.show(self.dump(instance))
        for name, _, column in self._shown:
            if column.is_custom:
                shown[name] = column.present(instance._data.get(name))
        return shown

    # -- typed to raw

    def insert_form(self, values: Map[str, Any]) -> Raw:
        """The whole raw document for typed ``values``: defaults filled in, everything validated.

        :raises bzz.errors.Invalid: with every refusal of the model.
        """
        raw: Raw = {}
        errors: dict[str, list[str]] = {}
        if self.model._meta.get("allow_inheritance"):
            raw["_cls"] = self.model._class_name
        for name, column in self.columns.items():
            given = values.get(name)
            if given is None and column.is_optional and column is not self.pk:
                continue
            value = self._initial(column, errors) if given is None else column.check(given, errors)
            if value is not None or column.source.null:
                raw[column.stored] = value
        if errors:
            raise Invalid(errors)
        return raw

    def put_in_place(self, values: Map[str, Any], stored: Any, declared: Mapping) -> Raw:
        """Return the whole raw document for typed ``values`` in the place of a stored one; of a new one without that.

        Fields that are not named are as in a new document, but for those that the client may not write: hidden and
        read-only ones, and those that ``declared`` does not have. They, and keys that nobody declares, stay.

        :param declared: the mapping of the class that the field declares; this one may be of a class below it.
        :returns: ``stored`` itself where nothing changes.
        :raises bzz.errors.Invalid: with every refusal of the model.
        """
        if not isinstance(stored, dict):
            return declared.insert_form(values)
        raw = dict(stored)
        errors: dict[str, list[str]] = {}
        for name, column in self.columns.items():
            old = stored.get(column.stored)
            if name in values:
                is_kept = values[name] is None and old is None and column.may_stay_unset
                column.put(raw, old if is_kept else column.check(values[name], errors, old))
            elif not column.is_protected and name in declared.columns:
                column.put(raw, self._initial(column, errors))
        if errors:
            raise Invalid(errors)
        return raw if differ(raw, stored) else stored

    @cached_property
    def hides_id(self) -> bool:
        """Whether clients may not know the field by which an item of a list is known."""
        return self.shape.url_id is not None and self.shape.url_id.hidden

    def _initial(self, column: Column, errors: dict[str, list[str]]) -> Any:
        if column is self.pk and isinstance(column.source, me.ObjectIdField) and not self.embedded:
            return ObjectId()
        raw = column.default()
        if raw is None and column.field.required and not column.source._auto_gen:
            errors.setdefault(column.name, []).append("Field is required")
        elif raw is not None:
            column.check_raw(raw, errors)
        return raw

    def store_given(self, values: Map[str, Any]) -> Raw:
        """Only the fields in ``values``, raw and each validated by itself: for documents that complete themselves.

        :raises bzz.errors.Invalid: with every refusal.
        """
        errors: dict[str, list[str]] = {}
        raw = {self.columns[name].stored: self.columns[name].check(value, errors) for name, value in values.items()}
        if errors:
            raise Invalid(errors)
        return raw

    def open_name(self, where: str) -> str:
        """A dotted name as clients may know it: hidden fields, and what is no field, are ``*``."""
        first, dot, rest = where.partition(".")
        column = self.columns.get(first)
        if column is None or column.field.hidden:
            return "*"
        return f"{first}.{column.open_name(rest)}" if dot else first

    # -- instances

    def load(self, raw: Raw) -> Any:
        """An instance that holds ``raw`` and never asks the database: references in it stay ids.

        Undeclared keys are left out, and unset fields are None rather than their default, as clients see them.
        """
        if self._is_simple and not any(each.has_receivers_for(self.model) for each in _INIT_SIGNALS):
            return assemble(self, raw, self._quiet_fields)
        known = {name: raw[column.stored] for name, column in self.columns.items() if column.stored in raw}
        values = {name: self.columns[name].load(value) for name, value in known.items()}
        extra = {} if self.embedded else {"_created": False}
        instance = self.model(__auto_convert=False, **extra, **values)
        for name, column in self.columns.items():
            if values.get(name) is None and not isinstance(column.field.kind, (ListKind, MapKind)):
                instance._data[name] = None
        instance._fields = self._quiet_fields
        instance._changed_fields = []
        return instance

    @cached_property
    def _is_simple(self) -> bool:
        """Whether making an instance runs no code of the class's own, and gives it nothing but its fields."""
        model = self.model
        special = model._dynamic or model.STRICT or any(field.choices for field in model._fields.values())
        return not special and not overrides(model, "__init__", "__new__", "__setattr__")

    @cached_property
    def _quiet_fields(self) -> Any:
        fields = copy.deepcopy(self.model._fields)
        for field in fields.values():
            _silence(field)
        return fields

    def dump(self, instance: Any, known: Raw | None = None) -> Raw:
        """The raw form of an instance; a list or map that is empty and was not in ``known`` stays unset."""
        raw: Raw = {}
        for name, column in self.columns.items():
            value = column.dump(instance._data.get(name))
            if value is None or (not value and known is not None and column.stored not in known and value in ([], {})):
                continue
            raw[column.stored] = value
        if self.model._meta.get("allow_inheritance") or (known and "_cls" in known):
            raw["_cls"] = self.model._class_name
        return raw


def documents_in(value: Any) -> list[Any]:
    """A document and all that are embedded in it, or those in a list or map."""
    if isinstance(value, me.base.BaseDocument):
        inner = [each for name in value._fields for each in documents_in(value._data.get(name))]
        return [value, *inner]
    if isinstance(value, dict):
        return [each for inner in value.values() for each in documents_in(inner)]
    if isinstance(value, (list, tuple)):
        return [each for inner in value for each in documents_in(inner)]
    return []


_REFERRING = (ReferenceKind, AnyReferenceKind, AnyEmbeddedKind)


def _innermost(field: Field) -> Field:
    return field if field.item is field else _innermost(field.item)


def _silence(field: BaseField) -> None:
    field.set_auto_dereferencing(False)
    inner = inner_source(field)
    if inner is not None:
        _silence(inner)


def _apply(read: Reader | None, raw: Any) -> Any:
    return raw if read is None or raw is None else read(raw)


def _choices(source: BaseField, kind: type[Kind]) -> Sequence[Any]:
    if issubclass(kind, Tagged) or not source.choices:
        return ()
    return [choice[0] if isinstance(choice, (list, tuple)) else choice for choice in source.choices]

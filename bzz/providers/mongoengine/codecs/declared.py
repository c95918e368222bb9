"""The declared fields of one MongoEngine class, and its :class:`~bzz.shape.Shape`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from functools import cached_property
from typing import Any, Protocol

import mongoengine as me
from mongoengine.base import BaseField

from bzz.errors import ConfigurationError
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.custom import check_conversions
from bzz.providers.mongoengine.codecs.dispatch import codec_for
from bzz.providers.mongoengine.codecs.field import FieldCodec, Part
from bzz.providers.mongoengine.codecs.messages import REFUSED
from bzz.providers.mongoengine.limits import LIMITS
from bzz.providers.mongoengine.raw import Raw
from bzz.shape import Field, Shape
from bzz.shape.types import TAG

__all__ = ["DeclaredFields", "Options", "overrides"]


class Options(Protocol):
    """What one set of routes says of fields."""

    def is_hidden(self, model: Any, name: str) -> bool: ...

    def is_secret(self, model: Any, name: str) -> bool: ...

    def is_read_only(self, model: Any, name: str) -> bool: ...

    def is_write_only(self, model: Any, name: str) -> bool: ...

    def subclasses(self, model: Any) -> dict[str, Shape]: ...


class DeclaredFields:
    """The fields of one class, under the options of one set of routes.

    :ivar fields: the codec of each declared field, by name.
    :ivar by_stored: the same by the keys under which they are stored.
    :ivar class_name: the name by which the class is registered.
    :ivar inherits: whether documents of other classes may share the collection.
    :ivar write_only: those that clients may write and never see, by name.
    :ivar visible: those that clients may see, by name.
    """

    def __init__(self, model: Any, options: Options) -> None:
        self.model = model
        self._options = options
        self.inherits = internals.allows_inheritance(model)
        self.class_name = internals.class_name(model)
        self.embedded = issubclass(model, me.EmbeddedDocument)
        self.is_dynamic = internals.is_dynamic(model)
        self.fields = {name: self._codec(name, source) for name, source in self._declared()}
        self.by_stored = {field.stored: field for field in self.fields.values()}
        self.write_only = {name: field for name, field in self.fields.items() if field.declared.write_only}
        self.visible = {
            name: field
            for name, field in self.fields.items()
            if not field.declared.hidden and name not in self.write_only
        }
        self.pk = self._primary_key()
        self.shape = Shape(
            name=model.__name__,
            model=model,
            fields={name: field.declared for name, field in self.fields.items()},
            pk=self.pk.declared if self.pk else None,
            url_id=self._url_id(),
            embedded=self.embedded,
            limits=LIMITS,
            undeclared=self._undeclared_field,
            find_subclasses=lambda: self._options.subclasses(self.model),
            type_name=self._type_name(),
        )
        self._check_ids()

    def _declared(self) -> Iterable[tuple[str, BaseField]]:
        sources = internals.fields(self.model)
        for name in internals.field_names(self.model):
            source = sources[name]
            hidden = self._options.is_hidden(self.model, name)
            if name != "_cls" and not (hidden and isinstance(source, me.FileField)):
                yield name, source

    def _codec(self, name: str, source: BaseField) -> FieldCodec:
        hidden = self._options.is_hidden(self.model, name)
        read_only = self._options.is_read_only(self.model, name)
        place = f"{self.model.__name__}.{name}"
        write_only = self._options.is_write_only(self.model, name)
        if not hidden:
            check_conversions(source, place)
        return codec_for(Declaration(name, source, self.model, place, self._options, hidden, read_only, write_only))

    def _primary_key(self) -> FieldCodec | None:
        if not self.embedded:
            return self.fields[internals.id_field(self.model)]
        declared = next((each for each in self.fields.values() if each.source.primary_key), None)
        return declared or self.fields.get("id") or self.by_stored.get("_id")

    def _type_name(self) -> str | None:
        return internals.class_name(self.model) if self.inherits and not internals.is_abstract(self.model) else None

    def _url_id(self) -> Field | None:
        hook = getattr(self.model, "get_id_field_name", None)
        if hook is None:
            return self.pk.declared if self.pk else None
        chosen = hook()
        name = getattr(chosen, "name", chosen)
        if name not in self.fields:
            raise ConfigurationError(f"{self.model.__name__}.get_id_field_name() names no field: {name!r}")
        return self.fields[name].declared

    def _check_ids(self) -> None:
        for each in (self.shape.pk, self.shape.url_id):
            if each is not None and each.write_only:
                name = f"{self.model.__name__}.{each.name}"
                raise ConfigurationError(f"{name} is an id, which clients are shown; it cannot be write_only")

    # -- what nobody declares

    @cached_property
    def _taken(self) -> set[str]:
        """The names that an undeclared field cannot have, for they mean something else to the class or in storage."""
        tag = [TAG] if self.inherits else []
        return {*dir(self.model), *(source.db_field for source in internals.fields(self.model).values()), *tag}

    def undeclared(self, name: str) -> FieldCodec | None:
        """Return the codec of a field that a dynamic class does not declare; None if there is none of that name."""
        if not self.is_dynamic or not name or name.startswith("_") or name in self._taken:
            return None
        if not LIMITS.allows_key(name):
            return None
        source = me.DynamicField(db_field=name)
        source.name = name
        return codec_for(Declaration(name, source, self.model, f"{self.model.__name__}.*", self._options))

    def _undeclared_field(self, name: str) -> Field | None:
        codec = self.undeclared(name)
        return None if codec is None else codec.declared

    def undeclared_in(self, raw: Raw) -> dict[str, FieldCodec]:
        """Return the codecs of the undeclared fields of a stored document, by name: none if it is of another class."""
        if not self.is_dynamic or raw.get("_cls") not in (None, self.class_name):
            return {}
        found = {key: self.undeclared(key) for key in raw.keys() - self.by_stored.keys()}
        return {key: found[key] for key in raw if found.get(key) is not None}  # type: ignore[misc]

    def field(self, name: str) -> FieldCodec | None:
        """Return the codec of a field by its name, declared or not."""
        return self.fields.get(name) or self.undeclared(name)

    def stored_field(self, key: str) -> FieldCodec | None:
        """Return the codec of a field by the key under which it is stored, declared or not."""
        return self.by_stored.get(key) or self.undeclared(key)

    # -- ids

    def key_of(self, raw: Raw) -> Any:
        """The value that names a document in URLs; None for an embedded one without an id."""
        key = self.shape.url_id
        if key is None:
            return None
        field = self.fields[key.name]
        return field.to_value(raw.get(field.stored))

    @property
    def hides_id(self) -> bool:
        """Whether clients may not know the field by which an item of a list is known."""
        return self.shape.url_id is not None and self.shape.url_id.hidden

    @property
    def stored_id(self) -> str:
        """The key that holds the id of a document embedded in a list.

        :raises LookupError: if the class has no id.
        """
        if self.shape.url_id is None:
            raise LookupError(f"{self.model.__name__} has no id")
        return self.fields[self.shape.url_id.name].stored

    def key_value(self, bson: Any) -> Any:
        """The value of a stored primary key."""
        assert self.pk is not None
        return self.pk.to_value(bson)

    def store_key(self, key: Any) -> Any:
        """The bson of the value of a primary key."""
        assert self.pk is not None
        return self.pk.to_bson(key)

    # -- what is inside

    def parts(self, raw: Raw) -> Iterator[Part]:
        """The fields that are stored; ``key`` is the stored key."""
        fields = (*self.fields.values(), *self.undeclared_in(raw).values())
        return (Part(field.stored, field, raw[field.stored]) for field in fields if field.stored in raw)

    def value_parts(self, values: Map[str, Any]) -> Iterator[Part]:
        """The values of fields, by name."""
        find = self.field if self.is_dynamic else self.fields.get
        fields = ((name, find(name), value) for name, value in values.items())
        return (Part(name, field, value) for name, field, value in fields if field is not None)

    def open_name(self, where: str) -> str:
        """A dotted name as clients may know it: hidden fields, and what is no field, are ``*``."""
        first, dot, rest = where.partition(".")
        field = self.field(first) or self._of_subclasses(first)
        if field is None or field.declared.hidden:
            return "*"
        return f"{first}.{field.open_name(rest)}" if dot else first

    def expected_at(self, where: str) -> str:
        """Return what the model asks for at a dotted name."""
        first, _, rest = where.partition(".")
        field = self.fields.get(first) or self.undeclared(first)
        return REFUSED if field is None else field.expected_at(rest)

    def _of_subclasses(self, name: str) -> FieldCodec | None:
        """Return the codec of a field that only subclasses declare, if clients may know of it."""
        return self.known(name) if name in self.shape.subclass_fields else None

    def known(self, name: str) -> FieldCodec:
        """Return the codec of a declared field, or of one that only subclasses declare."""
        raise NotImplementedError

    def keeps(self, raw: Raw, *, knowing: bool = False) -> bool:
        """Whether a stored document holds anything that a client may not write, or not see.

        Where others may see more of its class, it counts as if it did: a refusal would tell what is stored.

        :param knowing: whether the client knows of which class each embedded document is.
        """
        if self._has_secrets:
            return True
        if raw.keys() - self.by_stored.keys() - {"_cls"} - self.undeclared_in(raw).keys():
            return True
        held = ((field, bson) for _, field, bson in self.parts(raw) if bson is not None)
        return any(field.is_protected or field.keeps(bson, knowing=knowing) for field, bson in held)

    @cached_property
    def _has_secrets(self) -> bool:
        return any(self._options.is_secret(self.model, name) for name in internals.fields(self.model))

    def replaces(self, values: Map[str, Any], *, merge: bool) -> bool:
        """Whether each of these values takes its place whatever is stored there."""
        return all(field.replaces(value, merge=merge) for _, field, value in self.value_parts(values))


def overrides(model: Any, *names: str) -> bool:
    """Return whether a class, embedded or not, replaces one of these methods of MongoEngine's own."""
    base: Any = me.EmbeddedDocument if issubclass(model, me.EmbeddedDocument) else me.Document
    return any(getattr(model, name, None) is not getattr(base, name, None) for name in names)

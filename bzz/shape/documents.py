"""Documents inside a document, references to others, and fields that hold documents of several models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from bzz.shape.base import Field, JsonSchema, Kind, Link, Part, Refer, Shape
from bzz.shape.json_schema import key_schema
from bzz.shape.operators import ORDERED, Operator
from bzz.shape.place import Place
from bzz.shape.reading import Reading
from bzz.shape.tagged import TaggedIdKind, TypeKind
from bzz.shape.types import TAG, fields_in, must_name, read_document

__all__ = [
    "TAG",
    "UNKNOWN",
    "AnyEmbeddedKind",
    "AnyReferenceKind",
    "EmbeddedKind",
    "NamedDocument",
    "ReferenceKind",
    "Tagged",
]

UNKNOWN = "Unknown field."  # hidden fields are answered with the same words: they are no oracle


class EmbeddedKind(Link):
    """A document that lives in the field."""

    name = "embedded"
    expected = "Must be an object."
    is_reference = False

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        if not isinstance(value, dict):
            return reading.note(place, self.expected)
        if TAG in value:
            return read_document(self.shape, value, place, reading)
        return reading.fields(self.shape, value, place)  # as nearly all are read, without a further call

    def parts(self, value: Any) -> Sequence[Part]:
        return _parts(fields_in(self.shape, value), value) if isinstance(value, dict) else ()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return refer(self.shape)


class ReferenceKind(Link):
    """The primary key of a document of another model, or of the same."""

    name = "reference"
    expected = "Must be a valid id."
    is_scalar = True
    is_reference = True

    @property
    def operators(self) -> frozenset[Operator]:
        return ORDERED

    def from_text(self, text: str) -> Any:
        return self._key().from_text(text)

    def to_text(self, value: Any) -> str:
        return self._key().to_text(value)

    def filter_values(self, text: str) -> Sequence[Any]:
        public = self.shape.public_id
        if public is None:
            return (self.from_text(text),)
        with suppress(ValueError):
            public.kind.from_text(text)
            return (NamedDocument(self.shape, text),)
        return (self.from_text(text),)

    def filter_json(self, value: Any) -> Sequence[Any]:
        """Return the documents of an id: of its text, or of what JSON writes in another way."""
        if isinstance(value, str):
            return self.filter_values(value)
        public = self.shape.public_id
        if public is not None:
            with suppress(ValueError):
                public.kind.filter_json(value)
                return (NamedDocument(self.shape, str(value)),)
        found = self._key().filter_json(value)
        return found if public is None else (NamedDocument(self.shape, str(value)),)

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        try:
            key = self._key()
        except ValueError as error:
            return reading.note(place, str(error))
        if not key.is_scalar and not isinstance(value, str):  # a reference to it cannot be written
            return reading.note(place, key.expected)
        return key.read_key(value, place, reading)

    def _key(self) -> Kind:
        if self.shape.pk is None:
            raise ValueError(self.expected)
        return self.shape.pk.kind

    def reference(self, value: Any) -> tuple[Shape, Any] | None:
        return self.shape, value

    def json_schema(self, refer: Refer) -> JsonSchema:
        schemas: list[JsonSchema] = []
        for field in (self.shape.public_id, self.shape.pk):
            schema = None if field is None else key_schema(field.kind, refer)
            if schema is not None and schema not in schemas:
                schemas.append(schema)
        if len(schemas) > 1:
            return {"anyOf": schemas}
        return schemas[0] if schemas else {"type": "string"}


@dataclass(frozen=True)
class NamedDocument:
    """A document that a filter names by its public id or its primary key; only the provider can tell which.

    :param shape: the model, which has a public id.
    :param text: the id.
    :param type: the name of the model, if the value names it; None if it is a bare key.
    """

    shape: Shape
    text: str
    type: str | None = None

    def value(self, key: Any) -> Any:
        """Return the value that stands for the document, by its primary key."""
        return key if self.type is None else {TAG: self.type, "id": key}


class Tagged(Kind):
    """An object that names its model.

    :param variants: gives the shapes that ``@type`` may name (called late: models may be recursive).
    :param is_open: whether that is every model of the application, whose names are not listed to clients.
    :ivar is_open: the same.
    """

    expected = "Must be an object."

    def __init__(self, variants: Callable[[], Mapping[str, Shape]], *, is_open: bool = False) -> None:
        self._variants = cache(variants)
        self.is_open = is_open

    def leads_to(self) -> Sequence[Shape]:
        return list(self._variants().values())

    def _variant(self, value: Any) -> Shape | None:
        """Return the shape that a value names, if it is an object that names one."""
        name = value.get(TAG) if isinstance(value, dict) else None
        return self._variants().get(name) if isinstance(name, str) else None

    def _read_variant(self, value: Any, place: Place, reading: Reading) -> Shape | None:
        """Return the shape that an object names; if it names none, note the mistake and return None."""
        if not isinstance(value, dict):
            reading.note(place, self.expected)
            return None
        found = self._variant(value)
        if found is None:
            reading.note((place, TAG), self._must_name())
        return found

    def _must_name(self) -> str:
        return "Must name a type that this field may hold." if self.is_open else must_name(self._variants())


class AnyEmbeddedKind(Tagged):
    """A document of one of several models that lives in the field."""

    name = "any_embedded"

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        shape = self._read_variant(value, place, reading)
        if shape is None:
            return None
        return {TAG: value[TAG], **reading.fields(shape, value, place, besides=(TAG,))}

    def parts(self, value: Any) -> Sequence[Part]:
        """Return the parts by the fields of its model, or by those of every variant if it names none."""
        own = self._variant(value)
        shapes = self.leads_to() if own is None else (own,)
        return _parts({name: field for shape in shapes for name, field in shape.fields.items()}, value)

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"anyOf": [{"allOf": [refer(shape), _named(name)]} for name, shape in self._variants().items()]}


class AnyReferenceKind(Tagged):
    """The model and the primary key of a document of one of several models."""

    name = "any_reference"

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        shape = self._read_variant(value, place, reading)
        if shape is None:
            return None
        for name in value.keys() - {TAG, "id"}:
            reading.note((place, name), UNKNOWN)
        return {TAG: value[TAG], "id": self._read_key(shape, value.get("id"), (place, "id"), reading)}

    def member(self, name: str) -> Field | None:
        """Return the field of what JSON shows of a reference: the name of the model, and the id."""
        if name == TAG:
            return Field(TAG, TypeKind(self._variants, self._must_name))
        return Field("id", TaggedIdKind(self._filter_values)) if name == "id" else None

    def _filter_values(self, text: str) -> Iterator[Any]:
        """Return the references to documents of each model that the text of an id may stand for."""
        for name, shape in self._variants().items():
            with suppress(ValueError):
                for key in ReferenceKind(lambda found=shape: found).filter_values(text):  # type: ignore[misc]
                    yield replace(key, type=name) if isinstance(key, NamedDocument) else {TAG: name, "id": key}

    def _read_key(self, shape: Shape, value: Any, place: Place, reading: Reading) -> Any:
        if value is None:
            return reading.note(place, "Must not be null.")
        return ReferenceKind(lambda: shape).read(value, place, reading)

    def reference(self, value: Any) -> tuple[Shape, Any] | None:
        shape = self._variant(value)
        return None if shape is None or "id" not in value else (shape, value["id"])

    def json_schema(self, refer: Refer) -> JsonSchema:
        choices = []
        for name, shape in self._variants().items():
            key = {"properties": {"id": ReferenceKind(lambda found=shape: found).json_schema(refer)}}  # type: ignore[misc]
            choices.append({"allOf": [_named(name), {**key, "required": ["id"]}]})
        return {"anyOf": choices}


def _parts(fields: Mapping[str, Field], value: Any) -> Sequence[Part]:
    return [Part(name, fields.get(name), each) for name, each in value.items()] if isinstance(value, dict) else ()


def _named(name: str) -> JsonSchema:
    return {"type": "object", "properties": {TAG: {"const": name}}, "required": [TAG]}

"""Documents inside a document, and fields that hold documents of several models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bzz.shape.base import TAG, Field, JsonSchema, Kind, Link, Part, Reading, Refer, Shape, must_name
from bzz.shape.keys import ReferenceKind
from bzz.shape.place import Place
from bzz.shape.tagged import TaggedIdKind, TypeKind

__all__ = ["TAG", "UNKNOWN", "AnyEmbeddedKind", "AnyReferenceKind", "EmbeddedKind", "Tagged"]

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
            return reading.document(self.shape, value, place)
        return reading.fields(self.shape, value, place)  # as nearly all are read, without a further call

    def parts(self, value: Any) -> Sequence[Part]:
        return _parts(self.shape.fields_in(value), value) if isinstance(value, dict) else ()

    def json_schema(self, refer: Refer) -> JsonSchema:
        return refer(self.shape)


class Tagged(Kind):
    """An object that names its model.

    :param variants: gives the shapes that ``@type`` may name (called late: models may be recursive).
    :param is_open: whether that is every model of the application, whose names are nobody's business.
    """

    expected = "Must be an object."

    def __init__(self, variants: Callable[[], Mapping[str, Shape]], *, is_open: bool = False) -> None:
        self._variants = variants
        self._is_open = is_open

    def leads_to(self) -> Sequence[Shape]:
        return list(self._variants().values())

    def _variant(self, value: Any) -> Shape | None:
        """The shape that a value names, if it is an object that names one."""
        name = value.get(TAG) if isinstance(value, dict) else None
        return self._variants().get(name) if isinstance(name, str) else None

    def _read_variant(self, value: Any, place: Place, reading: Reading) -> Shape | None:
        """The shape that an object names; None, and a note, if it names none."""
        if not isinstance(value, dict):
            reading.note(place, self.expected)
            return None
        found = self._variant(value)
        if found is None:
            reading.note((place, TAG), self._must_name())
        return found

    def _must_name(self) -> str:
        return "Must name a type that this field may hold." if self._is_open else must_name(self._variants())


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
        """What JSON shows: the name of the model, and the id."""
        if name == TAG:
            return Field(TAG, TypeKind(self._variants, self._must_name))
        return Field("id", TaggedIdKind(self._variants)) if name == "id" else None

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

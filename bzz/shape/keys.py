"""What names a document: ids of the storage's own making, and references by primary key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bzz.shape.base import TAG, JsonSchema, Kind, Link, Reading, Refer, Shape
from bzz.shape.operators import ORDERED, Operator
from bzz.shape.place import Place
from bzz.shape.scalar import Textual, refuse

__all__ = ["IdKind", "NamedDocument", "ReferenceKind"]


@dataclass(frozen=True)
class NamedDocument:
    """A document that a filter names by its public id or its primary key; only the provider can tell which.

    :param shape: the model, which has a public id.
    :param text: the id.
    :param type: the name of the model, where the value names it; None where it is a bare key.
    """

    shape: Shape
    text: str
    type: str | None = None

    def value(self, key: Any) -> Any:
        """Return the value that stands for the document, by its primary key."""
        return key if self.type is None else {TAG: self.type, "id": key}


class IdKind(Textual):
    """An id whose form only the provider knows.

    :param parse: reads the text of an id; raises ValueError if it is none.
    """

    name = "id"
    expected = "Must be a valid id."

    def __init__(self, parse: Callable[[str], Any] = str) -> None:
        self._parse = parse

    def parse(self, text: str) -> Any:
        return self._parse(text)

    def accept_typed(self, value: Any) -> Any:
        """An id that is no text any more: it is one if its text reads back to it (no driver's class is named here)."""
        if isinstance(value, (bool, int, float, dict, list)) or self.from_text(str(value)) != value:
            refuse()
        return value

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": "string"}


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

    def readings(self, text: str) -> Sequence[Any]:
        public = self.shape.public_id
        if public is None:
            return (self.from_text(text),)
        with suppress(ValueError):
            public.kind.from_text(text)
            return (NamedDocument(self.shape, text),)
        return (self.from_text(text),)

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
            schema = None if field is None else field.kind.key_schema(refer)
            if schema is not None and schema not in schemas:
                schemas.append(schema)
        if len(schemas) > 1:
            return {"anyOf": schemas}
        return schemas[0] if schemas else {"type": "string"}

"""What is inside a reference that names its model, as filters know it: the name, and the id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bzz.shape.base import TAG, JsonSchema, Kind, Reading, Refer, Shape
from bzz.shape.keys import NamedDocument, ReferenceKind
from bzz.shape.operators import EQUALITY, Operator
from bzz.shape.place import Place

__all__ = ["TaggedIdKind", "TypeKind"]


class TypeKind(Kind):
    """The name of a model.

    :param variants: gives the shapes by their names.
    :param must_name: gives what is said of a name that is none of them.
    """

    name = "type"

    def __init__(self, variants: Callable[[], Mapping[str, Shape]], must_name: Callable[[], str]) -> None:
        self._variants = variants
        self._must_name = must_name

    @property
    def operators(self) -> frozenset[Operator]:
        return EQUALITY

    def from_text(self, text: str) -> Any:
        if text not in self._variants():
            raise ValueError(self._must_name())
        return text

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        return value if value in self._variants() else reading.note(place, self._must_name())

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"enum": list(self._variants())}


class TaggedIdKind(Kind):
    """The id of a document, which may be one of any of several models.

    :param variants: gives their shapes by their names.
    """

    name = "tagged_id"
    expected = "Must be a valid id."

    def __init__(self, variants: Callable[[], Mapping[str, Shape]]) -> None:
        self._variants = variants

    @property
    def operators(self) -> frozenset[Operator]:
        return EQUALITY

    def readings(self, text: str) -> Sequence[Any]:
        """Return a whole reference for each model that has such ids: one id may name documents of several."""
        found = [each for name, shape in self._variants().items() for each in _references(name, shape, text)]
        if not found:
            raise ValueError(self.expected)
        return found

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        return reading.note(place, self.expected)  # a body holds the whole reference

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"anyOf": [_reference_to(shape).json_schema(refer) for shape in self._variants().values()]}


def _reference_to(shape: Shape) -> ReferenceKind:
    return ReferenceKind(lambda: shape)


def _references(name: str, shape: Shape, text: str) -> Iterator[Any]:
    """The references to a document of one model that the text of an id may stand for."""
    with suppress(ValueError):
        for key in _reference_to(shape).readings(text):
            yield replace(key, type=name) if isinstance(key, NamedDocument) else {TAG: name, "id": key}

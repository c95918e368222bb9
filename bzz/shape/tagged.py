"""The members of a reference that names its model, as filters know them: the name, and the id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bzz.shape.base import JsonSchema, Kind, Refer, Shape
from bzz.shape.operators import EQUALITY, Operator
from bzz.shape.place import Place
from bzz.shape.reading import Reading

__all__ = ["TaggedIdKind", "TypeKind"]


class TypeKind(Kind):
    """The name of a model.

    :param variants: gives the shapes by their names.
    :param must_name: gives the error message for any other name.
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

    def filter_json(self, value: Any) -> Sequence[Any]:
        return (self.from_text(value if isinstance(value, str) else ""),)

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        return value if value in self._variants() else reading.note(place, self._must_name())

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"enum": list(self._variants())}


class TaggedIdKind(Kind):
    """The id of a document, which may be one of any of several models.

    :param references: gives whole references for the text of an id, one for each model that has such ids.
    """

    name = "tagged_id"
    expected = "Must be a valid id."

    def __init__(self, references: Callable[[str], Iterable[Any]]) -> None:
        self._references = references

    @property
    def operators(self) -> frozenset[Operator]:
        return EQUALITY

    def filter_values(self, text: str) -> Sequence[Any]:
        found = list(self._references(text))
        if not found:
            raise ValueError(self.expected)
        return found

    def filter_json(self, value: Any) -> Sequence[Any]:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(self.expected)
        return self.filter_values(str(value))

    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        return reading.note(place, self.expected)  # a body holds the whole reference

    def json_schema(self, refer: Refer) -> JsonSchema:
        return {"type": ["string", "integer"]}

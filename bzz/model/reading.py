"""The values of a body, read strictly by the fields of a shape, every mistake at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bzz.shape import TOP, Field, Place, Reading, Shape, dotted
from bzz.shape.base import Reader
from bzz.shape.documents import UNKNOWN

__all__ = ["READ_ONLY", "UNCHANGEABLE", "UNKNOWN", "BodyReading", "Errors"]

Errors = dict[str, list[str]]
"""Messages by dotted field name: ``{"address.zip": ["Must be a string of valid Unicode."]}``."""

READ_ONLY = "This field is read-only."
UNCHANGEABLE = "This field cannot change."
MAX_ERRORS = 100  # a body of a mebibyte can hold 500,000 mistakes, and is not worth an answer of 50


class BodyReading(Reading):
    """Reads what the application's receivers left: any declared field may be named, hidden and read-only ones too.

    What a client may name is told by :mod:`bzz.model.sent`.

    :ivar errors: the mistakes so far. Where there are any, the values that were read mean nothing, and None stands for
        each that could not be read.

    >>> from bzz.shape import TOP, Field
    >>> from bzz.shape.containers import ListKind
    >>> from bzz.shape.scalars import StringKind
    >>> user = Shape("User", object, {"tags": Field("tags", ListKind(Field("", StringKind())))})
    >>> reading = BodyReading()
    >>> reading.fields(user, {"tags": ["a", 1]}, TOP)
    {'tags': ['a', None]}
    >>> reading.errors
    {'tags.1': ['Must be a string of valid Unicode.']}
    """

    def __init__(self) -> None:
        self.errors: Errors = {}

    def note(self, place: Place, message: str) -> None:
        """Add a message for the value at ``place``, unless there are so many that nobody would read it."""
        self.note_at(dotted(place), message)

    def note_at(self, where: str, message: str) -> None:
        """Do the same for a dotted name."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.setdefault(where, []).append(message)

    def fields(
        self, shape: Shape, values: Mapping[str, Any], place: Place, *, besides: Collection[str] = ()
    ) -> dict[str, Any]:
        readers, read = self._readers(shape), {}
        for name, value in values.items():
            if name in besides:
                continue
            reader = readers.get(name)
            if reader is not None:
                read[name] = None if value is None else reader(value, (place, name), self)
            else:
                self._read_other(shape, name, values, place, read)
        return read

    def _readers(self, shape: Shape) -> Mapping[str, Reader]:
        """Return what reads the fields that may simply be named."""
        return shape.readers

    def _read_other(
        self, shape: Shape, name: str, values: Mapping[str, Any], place: Place, read: dict[str, Any]
    ) -> None:
        """Read a value of any other name."""
        field, value = shape.undeclared(name), values[name]
        if field is None:
            self.note((place, name), UNKNOWN)
        else:
            read[name] = None if value is None else field.kind.read(value, (place, name), self)

    def subclass_field(self, field: Field, values: Mapping[str, Any], read: dict[str, Any]) -> None:
        """Read the value of a field at the top of a body that only subclasses of its model declare."""
        value = values[field.name]
        read[field.name] = None if value is None else field.kind.read(value, (TOP, field.name), self)

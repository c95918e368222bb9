"""The data of a body, validated: read into the Python values that a provider takes, or refused with every mistake.

What a client sent is validated before any receiver of a signal sees it: names, types, and each field's own rules. What
receivers leave in the data is read again: the application's own code may write hidden and read-only fields. Whether
everything that the model requires is there is checked after that, by the provider.

A read-only value that a client sends back in an update is no change. It is removed from the data, so that receivers do
not take it for one, and handed on as :class:`bzz.providers.base.Unchanged`.

Media types and headers are not known here: :mod:`bzz.model.body` decodes what is validated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from bzz.errors import Invalid
from bzz.providers.base import Unchanged
from bzz.shape import TOP, Field, Place, Reading, Shape, dotted
from bzz.shape.documents import UNKNOWN
from bzz.shape.reading import Reader
from bzz.shape.types import TAG, named_shape, read_document

__all__ = ["READ_ONLY", "UNCHANGEABLE", "UNKNOWN", "BodyReading", "Errors", "Rules", "ValidatedBody", "validate"]

READ_ONLY = "This field is read-only."
UNCHANGEABLE = "This field cannot change."
MAX_ERRORS = 100  # a body of a mebibyte can hold 500,000 mistakes, and is not worth an answer of 50
MAX_ID_BYTES = 1024  # a longer one would not fit into a request line or a Location header everywhere

Errors = dict[str, list[str]]
"""Messages by dotted field name: ``{"address.zip": ["Must be a string of valid Unicode."]}``."""

Rules = Callable[[Shape, Mapping[str, Any]], Mapping[str, Sequence[str]]]
"""Returns what a model's fields refuse: :meth:`bzz.providers.base.Provider.check`."""

Readers = Callable[[Shape], Mapping[str, Reader]]

_all_readers: Readers = attrgetter("readers")
_visible_readers: Readers = attrgetter("visible_readers")
_writable_readers: Readers = attrgetter("writable_readers")


class ReadOnlyValues(dict[int, tuple[dict[str, Any], dict[str, Unchanged]]]):
    """The read-only values that a client sent back, by the identity of the very dict that they came in.

    A receiver may move that dict, in a list for instance, and they go with it. Another dict in its place has none.
    """

    def add(self, document: dict[str, Any], name: str, value: Unchanged) -> None:
        """Note a value of ``document``, which is kept with it, so that its identity stays its own."""
        self.setdefault(id(document), (document, {}))[1][name] = value

    def remove(self) -> None:
        """Remove every noted value from its document."""
        for document, values in self.values():
            for name in values:
                del document[name]

    def of(self, document: Mapping[str, Any]) -> Mapping[str, Unchanged]:
        """Return what was removed from ``document``."""
        return self[id(document)][1] if id(document) in self else {}


class ValidatedBody(NamedTuple):
    """A body that a client sent and :func:`validate` accepted.

    :param values: the Python values, for a provider.
    :param has_receivers: whether receivers may have changed the data since.
    :param read_only: the values that were removed from the data.
    """

    shape: Shape
    values: dict[str, Any]
    own_id: Any = None
    updating: bool = False
    has_receivers: bool = True
    read_only: ReadOnlyValues = ReadOnlyValues()

    def final_values(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the Python values of the data that receivers left; without receivers, those that were read already.

        Receivers may set any declared field. If one sets a read-only field that the client sent back, the receiver's
        value is taken.

        :raises bzz.errors.Invalid: naming every field that cannot be taken, and why.

        >>> from bzz.shape import Field
        >>> from bzz.shape.scalars import IntegerKind
        >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
        >>> ValidatedBody(user, {}).final_values({"age": "12", "role": "admin"})
        Traceback (most recent call last):
        bzz.errors.Invalid: The model refuses these fields.
        """
        if not self.has_receivers:
            return self.values
        reading = BodyReading(read_only=self.read_only, updating=self.updating)
        values = _read(self.shape, data, reading, own_id=self.own_id, updating=self.updating)
        if reading.errors:
            raise Invalid(reading.errors)
        return values


def validate(
    shape: Shape,
    data: dict[str, Any],
    rules: Rules,
    *,
    own_id: Any = None,
    updating: bool = False,
    has_receivers: bool = False,
) -> ValidatedBody:
    """Validate what a client sent: names, types and rules, before any receiver sees it.

    Unknown and hidden names are refused (both in the same words) and, in a POST, read-only ones. In an update the
    read-only values are removed from ``data``.

    :param data: the decoded body.
    :param rules: called if there is a mistake, so that one answer lists them all, and if receivers will see the data.
        Else the provider checks them when it writes.
    :param own_id: when updating, the value of ``shape.url_id`` in the instance; None if it is not known.
    :param updating: whether the instance exists. Its ids may then be named only as what they are: the one that is known
        is compared and left out, another stays among the values, for the provider to compare.
    :param has_receivers: whether receivers will see ``data``.
    :raises bzz.errors.Invalid: naming every field that cannot be taken, and why.

    >>> from bzz.shape import Field
    >>> from bzz.shape.scalars import IntegerKind, StringKind
    >>> fields = [Field("age", IntegerKind()), Field("key", StringKind(), hidden=True)]
    >>> user = Shape("User", object, {each.name: each for each in fields})
    >>> try:
    ...     validate(user, {"age": "x", "key": "x", "_cls": "y"}, lambda shape, values: {})
    ... except Invalid as error:
    ...     print(sorted(error.errors))
    ['_cls', 'age', 'key']
    """
    reading = ClientReading(readers_of=_writable_readers, updating=updating)
    values = _read(shape, data, reading, own_id=own_id, updating=updating)
    if has_receivers or reading.errors:
        for where, messages in rules(named_shape(shape, values) or shape, values).items():
            for message in messages:
                reading.note_at(where, message)
    if reading.errors:
        raise Invalid(reading.errors)
    if reading.read_only:
        reading.read_only.remove()
    return ValidatedBody(shape, values, own_id, updating, has_receivers, reading.read_only)


def _read(
    shape: Shape, data: Mapping[str, Any], reading: BodyReading, *, own_id: Any, updating: bool
) -> dict[str, Any]:
    ids = shape.visible_ids
    besides = ids if updating else ()
    if TAG in data:
        values = read_document(shape, data, TOP, reading, besides=besides)
    else:
        values = reading.fields(shape, data, TOP, besides=besides)
    if not updating:
        own = (named_shape(shape, values) or shape) if TAG in values else shape
        _check_addressable(values, own.visible_ids, reading)
    elif not ids.isdisjoint(data):
        values.update(_other_ids(shape, data, own_id, reading))
    return values


def _other_ids(shape: Shape, data: Mapping[str, Any], own_id: Any, reading: BodyReading) -> dict[str, Any]:
    """Return the ids in ``data`` whose own value is not known here; the known one is compared."""
    others = {}
    for name in shape.visible_ids & data.keys():
        attempt, value = BodyReading(), data[name]
        read = None if value is None else shape.readers[name](value, (TOP, name), attempt)
        is_known = own_id is not None and shape.url_id is not None and shape.url_id.name == name
        if attempt.errors or read is None or (is_known and read != own_id):
            reading.note_at(name, UNCHANGEABLE)
        elif not is_known:
            others[name] = read
    return others


def _check_addressable(values: Mapping[str, Any], ids: Iterable[str], reading: BodyReading) -> None:
    for name in ids:
        value = values.get(name)
        if value in ("", ".", "..") or (isinstance(value, str) and len(value.encode()) > MAX_ID_BYTES):
            reading.note_at(name, "This id cannot stand in a URL.")


@dataclass
class BodyReading(Reading):
    """Reads what receivers left: any declared field may be named, hidden and read-only ones too.

    :ivar errors: the mistakes so far. If there are any, the values that were read mean nothing, and None stands for
        each that could not be read.
    :ivar read_only: the values that were removed from the documents that are read, and belong there.
    :ivar readers_of: returns what reads the fields of a shape that may simply be named.
    :ivar updating: whether the instance exists. Fields that only subclasses declare may be named then: the provider
        knows of which class it is.

    >>> from bzz.shape.containers import ListKind
    >>> from bzz.shape.scalars import StringKind
    >>> user = Shape("User", object, {"tags": Field("tags", ListKind(Field("", StringKind())))})
    >>> reading = BodyReading()
    >>> reading.fields(user, {"tags": ["a", 1]}, TOP)
    {'tags': ['a', None]}
    >>> reading.errors
    {'tags.1': ['Must be a string of valid Unicode.']}
    """

    errors: Errors = field(default_factory=dict)
    read_only: ReadOnlyValues = field(default_factory=ReadOnlyValues)
    readers_of: Readers = _all_readers
    updating: bool = False

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
        readers, read = self.readers_of(shape), {}
        for name, value in values.items():
            if name in besides:
                continue
            reader = readers.get(name)
            if reader is not None:
                read[name] = None if value is None else reader(value, (place, name), self)
            else:
                self._read_other(shape, name, values, place, read)
        return {**self.read_only.of(values), **read} if self.read_only else read

    def _read_other(
        self, shape: Shape, name: str, values: Mapping[str, Any], place: Place, read: dict[str, Any]
    ) -> None:
        """Read a value of any other name."""
        found = self._subclass_field(shape, name, values) or shape.undeclared(name)
        if found is None:
            self.note((place, name), UNKNOWN)
        else:
            read[name] = self._read_by(found, name, values, place)

    def _subclass_field(self, shape: Shape, name: str, values: Mapping[str, Any]) -> Field | None:
        """Return the field of a name that only subclasses declare, if an instance of one of them may be meant."""
        return shape.subclass_fields.get(name) if self.updating and TAG not in values else None

    def _read_by(self, field: Field, name: str, values: Mapping[str, Any], place: Place) -> Any:
        return None if values[name] is None else field.kind.read(values[name], (place, name), self)


@dataclass
class ClientReading(BodyReading):
    """Reads what a client sent, at any depth: it may name the fields that are neither hidden nor read-only."""

    def _read_other(
        self, shape: Shape, name: str, values: Mapping[str, Any], place: Place, read: dict[str, Any]
    ) -> None:
        if name not in shape.visible and name not in shape.writable_readers:
            super()._read_other(shape, name, values, place, read)
        elif not self.updating or name not in shape.visible:  # what is not shown cannot be sent back
            self.note((place, name), READ_ONLY)
            read[name] = None
        else:
            read[name] = self._sent_back(shape.readers[name], name, values, place)

    def _sent_back(self, reader: Reader, name: str, values: Mapping[str, Any], place: Place) -> Unchanged:
        self.readers_of = _visible_readers  # everything inside is part of one value, whatever is read-only in it
        value = Unchanged(None if values[name] is None else reader(values[name], (place, name), self))
        self.readers_of = _writable_readers
        assert isinstance(values, dict)  # as JSON and forms give it
        self.read_only.add(values, name, value)
        return value

    def _read_by(self, field: Field, name: str, values: Mapping[str, Any], place: Place) -> Any:
        if field.read_only and self.readers_of is _writable_readers:
            return self._sent_back(field.kind.read, name, values, place)
        return super()._read_by(field, name, values, place)

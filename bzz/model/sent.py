"""A body that was decoded, judged: what the client sent, and then what the application's receivers left of it.

What a client sent is judged before any receiver sees it: names, types, and each field's own rules, all in one answer.
What receivers leave is the application's own word: it may name hidden and read-only fields. Whether everything that
the model requires is there is judged after them, by the provider.

A read-only value that a client sends back in an update is no change. It is taken out of the data, so that receivers do
not take it for one, and handed on as :class:`bzz.providers.base.Unchanged`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bzz.errors import Invalid
from bzz.model.reading import READ_ONLY, UNCHANGEABLE, BodyReading
from bzz.providers.base import Unchanged
from bzz.shape import TOP, Field, Place, Shape
from bzz.shape.base import Reader
from bzz.shape.documents import TAG

__all__ = ["Rules", "Sent", "TakenOut", "read_sent"]

MAX_ID_BYTES = 1024  # a longer one would not fit into a request line or a Location header everywhere

Rules = Callable[[Shape, Mapping[str, Any]], Mapping[str, Sequence[str]]]
"""What a model's fields say of values: :meth:`bzz.providers.base.Provider.check`."""


class TakenOut:
    """The read-only values that were taken out of a body, by the very dict that they came in.

    A receiver may move that dict, in a list for instance, and they go with it. Another dict in its place has none.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[dict[str, Any], dict[str, Unchanged]]] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def keep(self, document: dict[str, Any], name: str, value: Unchanged) -> None:
        """Remember a value until it is taken out of ``document``, and after that."""
        self._found.setdefault(id(document), (document, {}))[1][name] = value  # with it, for its id to stay its own

    def take_out(self) -> None:
        """Take every remembered value out of its document."""
        for document, values in self._found.values():
            for name in values:
                del document[name]

    def of(self, document: Mapping[str, Any]) -> Mapping[str, Unchanged]:
        """What was taken out of ``document``."""
        return self._found[id(document)][1] if id(document) in self._found else {}


class Sent(NamedTuple):
    """A body that a client sent, as :func:`read_sent` found it.

    :param values: the Python values, for a provider.
    :param is_heard: whether receivers may have changed the data since.
    :param taken_out: those values that were taken out of the data.
    """

    shape: Shape
    values: dict[str, Any]
    own_id: Any = None
    updating: bool = False
    is_heard: bool = True
    taken_out: TakenOut | None = None

    def left(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The Python values of what receivers left of the body; where nobody heard of it, those that were read already.

        Receivers may have filled any declared field. Where one filled a read-only field that the client sent back, the
        receiver's value is taken.

        :raises bzz.errors.Invalid: naming every field that cannot be taken, and why.

        >>> from bzz.shape import Field
        >>> from bzz.shape.numbers import IntegerKind
        >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
        >>> Sent(user, {}).left({"age": "12", "role": "admin"})
        Traceback (most recent call last):
        bzz.errors.Invalid: The model refuses these fields.
        """
        if not self.is_heard:
            return self.values
        reading = _LeftReading(self.taken_out) if self.taken_out else BodyReading()
        values = _read(self.shape, data, reading, own_id=self.own_id, updating=self.updating)
        _refuse(reading)
        return values


def read_sent(
    shape: Shape,
    data: dict[str, Any],
    rules: Rules,
    *,
    own_id: Any = None,
    updating: bool = False,
    is_heard: bool = False,
) -> Sent:
    """Judge what a client sent: names, types and rules, before any receiver sees it.

    Names are refused that are unknown or hidden (both in the same words) and, in a POST, read-only ones. In an update
    the read-only values are taken out of ``data``.

    :param data: the decoded body.
    :param rules: asked where there is a mistake, so that one answer lists them all, and where receivers will hear of
        the data. Else the provider finds what is against them when it writes.
    :param own_id: when updating, the value of ``shape.url_id`` in the instance; None where it is not known.
    :param updating: whether the instance exists. Its ids may then be named only as what they are: the one that is known
        is compared and left out, another stays among the values, for the provider to compare.
    :param is_heard: whether receivers will see ``data``.
    :raises bzz.errors.Invalid: naming every field that cannot be taken, and why.

    >>> from bzz.shape import Field
    >>> from bzz.shape.numbers import IntegerKind
    >>> from bzz.shape.texts import StringKind
    >>> fields = [Field("age", IntegerKind()), Field("key", StringKind(), hidden=True)]
    >>> user = Shape("User", object, {each.name: each for each in fields})
    >>> try:
    ...     read_sent(user, {"age": "x", "key": "x", "_cls": "y"}, lambda shape, values: {})
    ... except Invalid as error:
    ...     print(sorted(error.errors))
    ['_cls', 'age', 'key']
    """
    taken_out = TakenOut()
    reading = _SentReading(taken_out, updating=updating)
    values = _read(shape, data, reading, own_id=own_id, updating=updating)
    if is_heard or reading.errors:
        for where, messages in rules(shape.subclasses.get(values.get(TAG, ""), shape), values).items():
            for message in messages:
                reading.note_at(where, message)
    _refuse(reading)
    taken_out.take_out()
    return Sent(shape, values, own_id, updating, is_heard, taken_out)


class _SentReading(BodyReading):
    """Reads what a client sent, at any depth."""

    def __init__(self, taken_out: TakenOut, *, updating: bool) -> None:
        super().__init__()
        self._taken_out = taken_out
        self._updating = updating
        self._is_inside_read_only = False  # where everything is part of one value, whatever is read-only in it

    def _readers(self, shape: Shape) -> Mapping[str, Reader]:
        return shape.visible_readers if self._is_inside_read_only else shape.writable_readers

    def _read_other(
        self, shape: Shape, name: str, values: Mapping[str, Any], place: Place, read: dict[str, Any]
    ) -> None:
        if name not in shape.visible and name not in shape.writable_readers:
            super()._read_other(shape, name, values, place, read)
        elif not self._updating or name not in shape.visible:  # what is not shown cannot be sent back
            self.note((place, name), READ_ONLY)
            read[name] = None
        else:
            read[name] = self._sent_back(shape, name, values, place)

    def _sent_back(self, shape: Shape, name: str, values: Mapping[str, Any], place: Place) -> Unchanged:
        return self._take_out(shape.readers[name], name, values, place)

    def _take_out(self, reader: Reader, name: str, values: Mapping[str, Any], place: Place) -> Unchanged:
        self._is_inside_read_only = True
        value = Unchanged(None if values[name] is None else reader(values[name], (place, name), self))
        self._is_inside_read_only = False
        assert isinstance(values, dict)  # as JSON and forms give it
        self._taken_out.keep(values, name, value)
        return value

    def subclass_field(self, field: Field, values: Mapping[str, Any], read: dict[str, Any]) -> None:
        if field.read_only:
            read[field.name] = self._take_out(field.kind.read, field.name, values, TOP)
        else:
            super().subclass_field(field, values, read)


class _LeftReading(BodyReading):
    """Reads what receivers left of a body out of which read-only values were taken."""

    def __init__(self, taken_out: TakenOut) -> None:
        super().__init__()
        self._taken_out = taken_out

    def fields(
        self, shape: Shape, values: Mapping[str, Any], place: Place, *, besides: Collection[str] = ()
    ) -> dict[str, Any]:
        return {**self._taken_out.of(values), **super().fields(shape, values, place, besides=besides)}


def _read(
    shape: Shape, data: Mapping[str, Any], reading: BodyReading, *, own_id: Any, updating: bool
) -> dict[str, Any]:
    if TAG in data and shape.subclasses and not updating:
        return _read_tagged(shape, data, reading)
    ids = shape.visible_ids
    of_subclasses = shape.subclass_fields.keys() & data.keys() if updating else frozenset()
    values = reading.fields(shape, data, TOP, besides=ids | of_subclasses if updating else ())
    if updating:
        for name in of_subclasses:  # the provider knows of which class the stored instance is
            reading.subclass_field(shape.subclass_fields[name], data, values)
        values.update(_other_ids(shape, data, own_id, reading))
        return values
    _check_addressable(values, ids, reading)
    return values


def _read_tagged(shape: Shape, data: Mapping[str, Any], reading: BodyReading) -> dict[str, Any]:
    """Return the values of a new instance of the subclass that ``data`` names, and its name."""
    tag = data[TAG]
    found = shape.subclasses.get(tag) if isinstance(tag, str) else None
    if found is None:
        reading.note((TOP, TAG), f"Must name a class below {shape.name}.")
        return {}
    values = reading.fields(found, data, TOP, besides=(TAG,))
    _check_addressable(values, found.visible_ids, reading)
    return {TAG: tag, **values}


def _read_one(shape: Shape, name: str, value: Any, place: Place, reading: BodyReading) -> Any:
    return None if value is None else shape.readers[name](value, (place, name), reading)


def _refuse(reading: BodyReading) -> None:
    if reading.errors:
        raise Invalid(reading.errors)


def _other_ids(shape: Shape, data: Mapping[str, Any], own_id: Any, reading: BodyReading) -> dict[str, Any]:
    """The ids in ``data`` whose own value is not known here; the known one is compared."""
    others = {}
    for name in shape.visible_ids & data.keys():
        attempt = BodyReading()
        read = _read_one(shape, name, data[name], TOP, attempt)
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

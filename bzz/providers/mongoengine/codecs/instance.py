"""What instances hold that were made from stored documents, and what is still as it was stored.

A value is converted when it is first read: most receivers read a few of them.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mongoengine import signals
from mongoengine.base import BaseDocument, BaseField

from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.raw import MISSING, Raw, differ

__all__ = [
    "LoadedData",
    "Origin",
    "class_tag",
    "copied",
    "documents_in",
    "has_receivers",
    "origin_of",
    "quiet_fields",
    "remember",
    "shown_bson",
    "touched",
    "unset_in",
]

_set = object.__setattr__  # MongoEngine's own would note a change
_NOTHING_FILLED: Mapping[str, Any] = {}


class Origin(NamedTuple):
    """What an instance was made of.

    :ivar raw: the stored document.
    :ivar filled: the bson of attributes for which nothing is stored, by name: of defaults, and of what the class's own
        code has set.
    """

    raw: Raw
    filled: Mapping[str, Any]


def remember(instance: Any, origin: Origin) -> None:
    """Keep with an instance what it was made of, if its ``_data`` does not know."""
    _set(instance, "_origin", origin)


def origin_of(instance: Any) -> Origin | None:
    """Return what an instance was made of, or None if it was not loaded here."""
    data = internals.values(instance)
    if type(data) is LoadedData:
        return data.origin
    found: Origin | None = instance.__dict__.get("_origin")
    return found


def unset_in(instance: Any) -> list[str]:
    """Return the names of the fields of one value that have their default in an instance, and nothing stored."""
    data, origin = internals.values(instance), origin_of(instance)
    if type(data) is LoadedData:
        return data.unset()
    filled = origin.filled if origin is not None else {}
    return [name for name, bson in filled.items() if not isinstance(bson, (dict, list))]


def touched(instance: Any) -> set[str] | None:
    """Return the names of the fields that may hold something else than was stored; None if any of them may."""
    data = internals.values(instance)
    return data.touched if type(data) is LoadedData else None


def shown_bson(field: FieldCodec, instance: Any, origin: Origin) -> Any:
    """Return the bson of an attribute; None if it is not stored, and is what the instance was made with, or empty."""
    name = field.declared.name
    attribute = internals.values(instance).get(name)
    try:
        bson = field.shown_bson(attribute)
    except BAD_VALUE:
        if differ(attribute, origin.raw.get(field.stored)):
            raise
        return attribute  # what others have stored is shown as it is
    if origin.raw.get(field.stored) is not None:
        return bson
    return None if bson in ([], {}) or not differ(bson, origin.filled.get(name, MISSING)) else bson


class LoadedData(dict[str, Any]):
    """The ``_data`` of an instance: a dict of attributes, each converted from what is stored when it is first read.

    :ivar touched: the fields that were set, or whose attribute can be changed inside and was handed out.
    """

    __slots__ = ("_codecs", "_filled", "_is_whole", "_owner", "_raw", "touched")

    def __init__(self, raw: Raw, fields: Mapping[str, FieldCodec], instance: Any) -> None:
        self._raw = raw
        self._codecs = fields
        self._is_whole = False
        self._owner = weakref.ref(instance)
        self.touched: set[str] = set()
        self._filled = _NOTHING_FILLED

    @property
    def origin(self) -> Origin:
        """What the instance was made of."""
        return Origin(self._raw, self._filled)

    def unset(self) -> list[str]:
        """Return the names of the fields of one value for which nothing is stored."""
        return [
            name for name, each in self._codecs.items() if each.tells_default and self._raw.get(each.stored) is None
        ]

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __missing__(self, name: str) -> Any:
        if self._is_whole:
            raise KeyError(name)
        field = self._codecs[name]
        bson = self._raw.get(field.stored)
        if bson is None:
            bson = self._unset(name, field)
        elif not field.loads_as_is:
            if field.is_mutable:
                self.touched.add(name)
                bson = copied(bson)
            bson = field.own(field.to_attribute(bson), self._owner())
        dict.__setitem__(self, name, bson)
        return bson

    def _unset(self, name: str, field: FieldCodec) -> Any:
        """Return the attribute of a field for which nothing is stored."""
        attribute = field.unset_attribute()
        if attribute is not None and field.is_mutable:
            self.touched.add(name)
            self._filled = {**self._filled, name: field.shown_bson(attribute)}
            attribute = field.own(attribute, self._owner())
        return attribute

    def __setitem__(self, name: str, value: Any) -> None:
        self.touched.add(name)
        dict.__setitem__(self, name, value)

    def __contains__(self, name: object) -> bool:
        return (not self._is_whole and name in self._codecs) or dict.__contains__(self, name)

    def _all(self) -> dict[str, Any]:
        """Read everything, in the order of the fields; the dict is like any other from then on."""
        if not self._is_whole:
            whole = {name: self[name] for name in self._codecs}
            whole.update(dict.items(self))  # `_cls`, and what others have added
            dict.clear(self)
            dict.update(self, whole)
            self._is_whole = True
        return self

    def __iter__(self) -> Iterator[str]:
        self._all()
        return dict.__iter__(self)

    def __reduce__(self) -> Any:
        return dict, (dict(self._all()),)


def _read_first(name: str, *, changes: bool) -> Callable[..., Any]:
    """Return a method of dict that reads everything before it does what it does."""
    method = getattr(dict, name)

    def read_first(self: LoadedData, *arguments: Any, **named: Any) -> Any:
        if changes:
            self.touched.update(self._codecs)
        others = [each._all() if type(each) is LoadedData else each for each in arguments]
        return method(self._all(), *others, **named)

    read_first.__name__ = name
    return read_first


_READING = "__len__ __eq__ __ne__ __repr__ __or__ __ror__ __reversed__ copy keys items values"
_CHANGING = "__delitem__ __ior__ clear pop popitem setdefault update"
for _name in _READING.split():
    setattr(LoadedData, _name, _read_first(_name, changes=False))
for _name in _CHANGING.split():
    setattr(LoadedData, _name, _read_first(_name, changes=True))


def copied(bson: Any) -> Any:
    """Return a copy of what is stored: what is changed inside an instance must not change it."""
    if isinstance(bson, dict):
        return {key: copied(each) for key, each in bson.items()}
    return [copied(each) for each in bson] if isinstance(bson, list) else bson


def documents_in(value: Any) -> list[Any]:
    """A document and all that are embedded in it, or those in a list or map."""
    if isinstance(value, BaseDocument):
        values = internals.values(value)
        inner = [each for name in internals.fields(value) for each in documents_in(values.get(name))]
        return [value, *inner]
    if isinstance(value, dict):
        return [each for inner in value.values() for each in documents_in(inner)]
    if isinstance(value, (list, tuple)):
        return [each for inner in value for each in documents_in(inner)]
    return []


def class_tag(instance: Any) -> dict[str, str]:
    """Return the key under which the class of an instance is stored, and its name."""
    return {internals.CLASS_KEY: internals.class_name(instance)}


def has_receivers(model: Any) -> bool:
    """Whether anybody wants to know of new instances of a class. Asked per instance, so that it must be fast."""
    before, after = signals.pre_init, signals.post_init
    if not (before.receivers or after.receivers):
        return False
    return bool(before.has_receivers_for(model) or after.has_receivers_for(model))


def quiet_fields(model: Any) -> dict[str, Any]:
    """Return copies of the fields of a class that follow no references, by name."""
    return {name: _quiet(field) for name, field in internals.fields(model).items()}


def _quiet(field: BaseField) -> Any:
    quiet: Any = copy.copy(field)  # not a deep one: a field class may hold a lock, or a client of something
    quiet.set_auto_dereferencing(False)
    if getattr(field, "field", None) is not None:
        quiet.field = _quiet(quiet.field)
    return quiet

"""The codecs of fields that hold one value: numbers, truth values, ids, bytes. Texts have a module of their own."""

from __future__ import annotations

from decimal import getcontext
from typing import Any, ClassVar

import mongoengine as me
from bson import Binary, Int64, ObjectId
from bson.errors import InvalidId

from bzz.errors import ConfigurationError
from bzz.providers.base import Unchanged
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.generated import FunctionSource
from bzz.providers.mongoengine.codecs.ranges import counted, ranged
from bzz.providers.mongoengine.limits import LIMITS
from bzz.shape import Kind
from bzz.shape.free import AnyKind
from bzz.shape.scalars import BooleanKind, FloatKind, IdKind, IntegerKind, StringKind
from bzz.shape.texts import BinaryKind, DecimalKind, UUIDKind

__all__ = ["LoadedCodec", "ObjectIdCodec", "PlainCodec", "parse_object_id"]


class PlainCodec(FieldCodec):
    """For fields whose values are the same in all four forms, unless a class below theirs converts them."""

    plain: ClassVar[Any]

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        own = type(self.source)
        self.loads_as_is = own.to_mongo is self.plain.to_mongo and own.to_python is self.plain.to_python
        self.is_stored_as_is = self.loads_as_is

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return value if value is None or self.is_stored_as_is else self.source.to_mongo(value)


class NumberCodec(PlainCodec):
    """A number or a truth value; what other programs store of it is shown as MongoEngine would store it."""

    shows_as_is = False
    compares_attributes = True

    def json_source(self, source: FunctionSource, bson: str, *, whole: bool) -> str:
        value, converted, to_json = source.variable(), self.converted, self.to_json
        return (
            f"({value} if type({value} := {bson}) not in {source.bind(converted, 'converted')}"
            f" else {source.bind(to_json, 'to_json')}({value}))"
        )


@converts(me.IntField)
class IntegerCodec(NumberCodec):
    """An integer, and a double that is one, as the mongo shell writes them."""

    kind = IntegerKind
    plain = me.IntField
    converted = frozenset({float})

    def to_value(self, bson: Any) -> Any:
        is_one = type(bson) is float and bson.is_integer() and -(2**63) <= bson < 2**63
        return int(bson) if is_one else bson

    def _bounds(self) -> dict[str, Any]:
        return {"minimum": self.source.min_value, "maximum": self.source.max_value}

    def _expected(self) -> str:
        bounds = ranged(self.source.min_value, self.source.max_value)
        return f"Must be an integer{bounds}." if bounds else super()._expected()


@converts(me.BooleanField)
class BooleanCodec(NumberCodec):
    """True or false, and a number that stands for one of them."""

    kind = BooleanKind
    plain = me.BooleanField
    converted = frozenset({int, float, Int64})

    def to_value(self, bson: Any) -> Any:
        return bool(bson) if type(bson) in self.converted else bson


@converts(me.FloatField)
class FloatCodec(FieldCodec):
    """A number in floating point."""

    kind = FloatKind
    is_stored_as_is = True

    def _bounds(self) -> dict[str, Any]:
        return {"minimum": self.source.min_value, "maximum": self.source.max_value}

    def _expected(self) -> str:
        bounds = ranged(self.source.min_value, self.source.max_value)
        return f"Must be a number{bounds}." if bounds else super()._expected()

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return value

    def replaces(self, value: Any, *, merge: bool) -> bool:
        """Whether a value takes its place: null is also how a float that is no number is shown."""
        return value is not None and not isinstance(value, Unchanged)


class LoadedCodec(FieldCodec):
    """For fields whose values are those that their attributes hold."""

    reads_as_is = shows_as_is = False

    def to_value(self, bson: Any) -> Any:
        return None if bson is None else self.source.to_python(bson)


@converts(me.DecimalField, me.Decimal128Field)
class DecimalCodec(LoadedCodec):
    """A decimal number, stored as a text, in floating point or as a Decimal128."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self.is_ordered = not getattr(self.source, "force_string", False)

    def _kind(self) -> Kind:
        return DecimalKind(LIMITS)

    def _expected(self) -> str:
        lowest, highest = self.source.min_value, self.source.max_value
        digits = "" if None not in (lowest, highest) else self._digits()
        bounds = ranged(lowest, highest) + digits
        return f"Must be a decimal number{bounds}." if bounds else super()._expected()

    def _digits(self) -> str:
        """Return how many digits there may be before the point, in words: a DecimalField rounds what is behind it."""
        precision = getattr(self.source, "precision", None)
        return "" if precision is None else f" with at most {getcontext().prec - precision} digits before the point"


@converts(me.UUIDField)
class UUIDCodec(LoadedCodec):
    """A UUID."""

    kind = UUIDKind


@converts(me.BinaryField)
class BinaryCodec(FieldCodec):
    """Bytes."""

    kind = BinaryKind

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        """Return bytes, as they are read again: MongoEngine's own is another class, which equals no bytes."""
        bson = super().to_bson(value, stored)
        return bytes(bson) if isinstance(bson, Binary) and not bson.subtype else bson

    def _expected(self) -> str:
        return f"Must be base64{counted('byte', None, self.source.max_bytes)}."


@converts(me.ObjectIdField)
class ObjectIdCodec(FieldCodec):
    """MongoDB's own kind of id, shown as 24 hexadecimal digits."""

    shows_as_is = False

    def _kind(self) -> Kind:
        return IdKind(parse_object_id, "^[0-9a-f]{24}$")

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        return value if type(value) is ObjectId else super().to_bson(value, stored)

    def to_json(self, bson: Any) -> Any:
        return str(bson) if type(bson) is ObjectId else bson

    def json_source(self, source: FunctionSource, bson: str, *, whole: bool) -> str:
        variable, kind = source.variable(), source.bind(ObjectId, "ObjectId")
        return f"(str({variable}) if type({variable} := {bson}) is {kind} else {variable})"


def parse_object_id(text: str) -> ObjectId:
    """Read the 24 hexadecimal digits of an ObjectId.

    :raises ValueError: where the text is something else.
    """
    try:
        return ObjectId(text)
    except (InvalidId, TypeError):
        raise ValueError("24 hexadecimal digits are expected") from None


@converts(me.EnumField)
class EnumCodec(FieldCodec):
    """One of a few values, an Enum in an instance."""

    def _kind(self) -> Kind:
        types = {type(each.value) for each in self.source.choices}
        if types == {str}:
            return StringKind()
        return IntegerKind() if types == {int} else AnyKind(LIMITS)

    def attribute_of(self, value: Any) -> Any:
        return internals.enum(self.source)(value)

    def value_of(self, attribute: Any) -> Any:
        return getattr(attribute, "value", attribute)

    def validate(self, bson: Any) -> None:
        if bson is not None and bson not in self.declared.choices:  # MongoEngine would name the class
            raise me.ValidationError(self.expected)
        super().validate(bson)


@converts(me.SequenceField)
class SequenceCodec(FieldCodec):
    """A number, or what is made of one, that MongoEngine counts up in the database."""

    may_be_custom = False

    def _kind(self) -> Kind:
        return IntegerKind() if self.source.value_decorator is int else StringKind()

    def _field_options(self) -> dict[str, Any]:
        return {"read_only": True}


@converts(me.FileField)
class FileCodec(FieldCodec):
    """A file, whose content lives outside the document: it cannot be served.

    :raises bzz.errors.ConfigurationError: always.
    """

    def __init__(self, declaration: Declaration) -> None:
        name = type(declaration.source).__name__
        raise ConfigurationError(f"{declaration.place}: {name} cannot be served; hide it with hidden=[...]")

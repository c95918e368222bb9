"""Field classes with conversions of their own: those that encrypt, escape, or write in lower case.

Such a class overrides ``to_mongo`` or ``to_python``. What is stored is what its ``to_mongo`` returns; what clients see,
what an attribute holds and what a diff tells is what its ``to_python`` makes of that.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import mongoengine as me
from mongoengine.base import BaseField

from bzz.codec import dumps
from bzz.errors import ConfigurationError
from bzz.providers.base import Appended
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE, Errors
from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.limits import LIMITS
from bzz.shape import Field
from bzz.shape.free import SelfCheckingKind
from bzz.shape.scalars import Scalar

__all__ = ["CustomCodec", "check_conversions", "converts_by_itself", "sets_by_itself"]

logger = logging.getLogger("bzz.providers.mongoengine")


def converts_by_itself(source: BaseField) -> bool:
    """Whether the class of a field overrides the conversions of the MongoEngine class below which it stands."""
    return _overrides(source, "to_mongo", "to_python")


def check_conversions(source: BaseField, place: str) -> None:
    """Refuse a field class that would convert whole documents: these are read and written field by field.

    :raises bzz.errors.ConfigurationError: if the class of a field, or of its items, is one.
    """
    inside = [source]
    while getattr(inside[-1], "field", None) is not None:
        inside.append(inside[-1].field)
    holds_documents = isinstance(inside[-1], (me.EmbeddedDocumentField, me.GenericEmbeddedDocumentField))
    found = next((each for each in inside if converts_by_itself(each)), None)
    if holds_documents and found is not None:
        raise ConfigurationError(
            f"{place}: {type(found).__name__} overrides to_mongo or to_python, and holds documents, which are read and"
            " written field by field: have their fields convert, or hide it with hidden=[...]"
        )


def sets_by_itself(source: BaseField) -> bool:
    """Whether the class of a field makes something of what an attribute is set to."""
    return _overrides(source, "__set__")


def _overrides(source: BaseField, *names: str) -> bool:
    own: Any = type(source)
    base = internals.own_base(own)
    return any(getattr(own, name) is not getattr(base, name) for name in names)


class CustomCodec(FieldCodec):
    """Converts by the field class's own two methods.

    :param standard: the codec of the MongoEngine class below which the field class stands. It says what an attribute
        holds for what clients send, and what these may send; that is up to the class if it has its own ``validate``.
    """

    reads_as_is = shows_as_is = False
    is_mutable = True
    compares_attributes = True  # what encrypts may store one value in many forms

    def __init__(self, declaration: Declaration, standard: FieldCodec) -> None:
        self._standard = standard
        self.is_patched = standard.is_patched
        self.tells_default = standard.tells_default
        super().__init__(declaration)
        self.item = standard.item

    def _declare(self, declaration: Declaration) -> Field:
        field = self._standard.declared
        if isinstance(field.kind, Scalar) and _overrides(declaration.source, "validate"):
            return replace(field, kind=SelfCheckingKind(field.kind, LIMITS))
        return field

    def _expected(self) -> str:
        return self._standard.expected

    def expected_at(self, where: str) -> str:
        return self._standard.expected_at(where)

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        if value is None:
            return None
        attribute = self.attribute_of(value)
        try:
            return self.source.to_mongo(attribute)
        except BAD_VALUE:
            internals.validate(self.source, attribute)  # MongoEngine asks for this first: it says what is wrong
            raise

    def to_value(self, bson: Any) -> Any:
        return self.value_of(self.to_attribute(bson))

    def to_json(self, bson: Any) -> Any:
        """Return the value, or what is stored if the value has no JSON form."""
        if bson is None:
            return None
        value = self.to_value(bson)
        try:
            dumps(value)
        except TypeError:
            return bson
        return value

    def to_attribute(self, bson: Any) -> Any:
        """Return what ``to_python`` makes of what is stored; that itself if the class cannot read it."""
        try:
            return None if bson is None else self.source.to_python(bson)
        except Exception:
            logger.warning(
                "%s cannot read what is stored as %r",
                type(self.source).__name__,
                self.stored,
                exc_info=not self.declared.write_only,  # the error may tell what is stored
            )
            return bson

    def inside(self, dotted: str) -> tuple[str, FieldCodec]:
        """What is inside is compared as it is stored, as MongoEngine itself does it."""
        return self._standard.inside(dotted) if dotted else super().inside(dotted)

    def replaces(self, value: Any, *, merge: bool) -> bool:
        """Whether a value takes its place: what is stored of the same value may have another form."""
        return (value is None or type(value) is Appended) and super().replaces(value, merge=merge)

    def own(self, attribute: Any, instance: Any) -> Any:
        return self._standard.own(attribute, instance)

    def attribute_of(self, value: Any) -> Any:
        return self._standard.attribute_of(value)

    def value_of(self, attribute: Any) -> Any:
        return self._standard.value_of(attribute)

    def pattern_operand(self, text: str) -> str:
        stored = self.to_bson(text)
        if not isinstance(stored, str):
            raise ValueError("what is stored is no text")
        return stored

    def _check_new(self, value: Any, bson: Any, errors: Errors) -> None:
        try:
            self._validate_attribute(value)
        except BAD_VALUE as error:
            self._add_error(errors, error)

    def _validate_attribute(self, value: Any) -> None:
        if value is None:
            self.validate(None)
        else:
            internals.validate(self.source, self.attribute_of(value))

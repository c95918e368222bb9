"""Which codec serves which MongoEngine field class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mongoengine.base import BaseField

from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.custom import CustomCodec, converts_by_itself
from bzz.providers.mongoengine.codecs.field import FieldCodec

__all__ = ["codec_for", "converts"]

C = TypeVar("C", bound=type[FieldCodec])

_codecs: dict[type[BaseField], type[FieldCodec]] = {}


def converts(*classes: type[BaseField]) -> Callable[[C], C]:
    """Register a codec for field classes, and for those below them that have none of their own."""

    def register(codec: C) -> C:
        for each in classes:
            _codecs[each] = codec
        return codec

    return register


def codec_for(declaration: Declaration) -> FieldCodec:
    """Return the codec of a declared field: the one of the nearest class in its MRO that has one.

    :raises bzz.errors.ConfigurationError: for a field that cannot be served.
    """
    found = next(_codecs[each] for each in type(declaration.source).__mro__ if each in _codecs)
    codec = found.chosen_for(declaration)(declaration)
    if codec.may_be_custom and converts_by_itself(declaration.source):
        return CustomCodec(declaration, codec)
    return codec

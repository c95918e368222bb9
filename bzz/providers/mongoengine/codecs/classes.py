"""The class that values name by ``@type``, for the codecs of embedded documents and of what is stored anew."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

from bzz.providers.mongoengine.codecs.checks import Errors
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.value_checks import misfits
from bzz.shape.types import TAG, must_name

__all__ = ["misfits_in", "misfits_of_new", "named_class"]


def named_class(codec: DocumentCodec, values: Any) -> DocumentCodec:
    """Return the codec of the class that values name; ``codec`` itself if they name none.

    :raises LookupError: if they name one whose documents may not stand here.
    """
    if not (codec.inherits and isinstance(values, dict) and TAG in values):
        return codec
    return codec.registry.of(codec.shape.types[values[TAG]].model)


def misfits_in(codec: DocumentCodec, values: Map[str, Any]) -> Errors:
    """Return what is wrong with values for a document of the very class: its type, or fields that others declare."""
    return misfits(codec.shape, values) if codec.inherits else {}


def misfits_of_new(codec: DocumentCodec, values: Map[str, Any]) -> Errors:
    """Return the same for a new document, which has to be of a class that is not abstract."""
    if codec.inherits and codec.shape.type_name is None:
        return {TAG: [must_name(codec.shape.types)]}
    return misfits_in(codec, values)

"""The class that values name by ``@type``, and what values hold that documents of a class may not."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from typing import Any

from bzz.errors import Invalid
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.checks import Errors
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.shape.base import TAG, must_name
from bzz.shape.documents import UNKNOWN

__all__ = ["misfits", "misfits_of_new", "named_class", "require_fit", "undeclared_names"]


def named_class(codec: DocumentCodec, values: Any) -> DocumentCodec:
    """Return the codec of the class that values name; ``codec`` itself if they name none.

    :raises LookupError: if they name one whose documents may not stand here.
    """
    if not (codec.inherits and isinstance(values, dict) and TAG in values):
        return codec
    found: DocumentCodec = codec.registry.of(codec.shape.types[values[TAG]].model)
    return found


def undeclared_names(codec: DocumentCodec, values: Map[str, Any]) -> Iterator[str]:
    """Return the names of values, but for ``@type``, that documents of the very class may not hold."""
    unknown = (name for name in values if name not in codec.fields and codec.shape.undeclared(name) is None)
    return (name for name in unknown if not (name == TAG and codec.inherits))


def misfits(codec: DocumentCodec, values: Map[str, Any]) -> Errors:
    """Return what is wrong with values for a document of the very class: its type, or names that others declare."""
    if not codec.inherits:
        return {}
    name = internals.class_name(codec.model)
    if values.get(TAG, name) != name:
        return {TAG: [f"The type cannot change; this is: {name}."]}
    return {name: [UNKNOWN] for name in undeclared_names(codec, values)}


def require_fit(codec: DocumentCodec, values: Map[str, Any]) -> None:
    """Refuse values that documents of the very class may not hold.

    :raises bzz.errors.Invalid: naming them.
    """
    errors = misfits(codec, values)
    if errors:
        raise Invalid(errors)


def misfits_of_new(codec: DocumentCodec, values: Map[str, Any]) -> Errors:
    """Return the same for a new document, which has to be of a class that is not abstract."""
    if codec.inherits and internals.is_abstract(codec.model):
        return {TAG: [must_name(codec.shape.types)]}
    return misfits(codec, values)

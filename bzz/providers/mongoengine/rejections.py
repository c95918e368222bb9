"""The errors that clients get for writes that are refused for their data."""

from __future__ import annotations

from collections.abc import Iterator

from pymongo.errors import DuplicateKeyError, OperationFailure

from bzz.errors import Conflict, Invalid
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import Part
from bzz.providers.mongoengine.failures import blames_data
from bzz.providers.mongoengine.raw import Raw
from bzz.shape.geo import GeoKind

__all__ = ["duplicate_key", "rejected"]

_GEOMETRY_CODES = frozenset({13026, 13027, 13068, 16755, 16804})
"""Failures for a geometry that an index cannot hold: one that crosses itself, or is beyond the index's bounds."""


def duplicate_key(codec: DocumentCodec, error: DuplicateKeyError) -> Conflict:
    """Return a duplicate key as a 409 that names the fields, or their combination, as far as clients may know."""
    paths = (error.details or {}).get("keyPattern") or {}
    names = [name for name in (_public_name(codec, path) for path in paths) if name is not None]
    known = [name for name in names if not name.endswith("*")]
    if len(known) < 2:
        return Conflict("A unique value is taken.", errors={name: ["The value is taken."] for name in names or ["*"]})
    taken = f"The combination of {', '.join(known[:-1])} and {known[-1]} is taken."
    return Conflict(taken, errors={name: [taken] for name in known})


def _public_name(codec: DocumentCodec, path: str) -> str | None:
    """Return the dotted name of what is stored at a path, ``*`` where it is hidden; None for what is no field."""
    key, _, rest = path.partition(".")
    field = codec.by_stored.get(key)
    if field is None:
        return None
    inner = (field.item or field).models() if rest and field.holds_documents else ()
    found = (_public_name(codec.registry.of(model), rest) for model in inner)
    below = next((name for name in found if name is not None), None)
    return field.name if field.name == "*" or below is None else f"{field.name}.{below}"


def rejected(codec: DocumentCodec, error: OperationFailure, written: Raw) -> Exception:
    """Return a write that MongoDB refuses for its data as a 400, or a 409 for a duplicate key; any other error itself.

    :param written: what the write would have stored. MongoDB does not tell which geometry it refuses, so that all of
        them are named.
    """
    if isinstance(error, DuplicateKeyError):
        return duplicate_key(codec, error)
    if not blames_data(error):
        return error
    geometries = _geometries(codec.parts(written)) if error.code in _GEOMETRY_CODES else ()
    return Invalid({name: [expected] for name, expected in geometries} or {"*": ["The database refuses this data."]})


def _geometries(parts: Iterator[Part], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Return the dotted name of each geometry that is stored, and what its field asks for."""
    for key, field, stored in parts:
        name = f"{prefix}{field.name or key}"
        if isinstance(field.declared.kind, GeoKind):
            yield name, field.expected
        else:
            yield from _geometries(field.parts(stored), f"{name}.")

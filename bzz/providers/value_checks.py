"""The values of a write, checked against what is stored: names, ids, and references.

Each field judges its own value elsewhere (:meth:`bzz.providers.base.Provider.check`). How a provider looks for
documents is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bzz.errors import Invalid
from bzz.providers.base import Unchanged
from bzz.shape import Shape
from bzz.shape.documents import UNKNOWN
from bzz.shape.types import TAG
from bzz.shape.walk import Reference, references

__all__ = [
    "Document",
    "FindMissing",
    "Stored",
    "check_references",
    "misfits",
    "require_declared",
    "require_ids",
    "split_ids",
    "undeclared",
]

# -- names and ids


def undeclared(shape: Shape, values: Mapping[str, Any]) -> list[str]:
    """Return the names of values, ``@type`` among them, that an instance of the very model may not simply hold."""
    return [name for name in values if name not in shape.fields and shape.undeclared(name) is None]


def misfits(shape: Shape, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what is wrong with values for an instance of the very model: its type, or fields that others declare."""
    name = shape.type_name
    if name is not None and values.get(TAG, name) != name:
        return {TAG: [f"The type cannot change; this is: {name}."]}
    return {each: [UNKNOWN] for each in undeclared(shape, values) if each != TAG or name is None}


def require_declared(shape: Shape, values: Mapping[str, Any]) -> None:
    """Refuse another type than that of the stored instance, and fields that only other subclasses declare.

    :raises bzz.errors.Invalid: naming them.
    """
    wrong = misfits(shape, values)
    if wrong:
        raise Invalid(wrong)


def split_ids(shape: Shape, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the ids among values, and the rest."""
    names = shape.ids
    ids = {name: value for name, value in values.items() if name in names}
    return ids, {name: value for name, value in values.items() if name not in names}


def require_ids(ids: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    """Refuse ids that are not what is stored: they never change.

    :raises bzz.errors.Invalid: naming them.
    """
    wrong = [name for name, value in ids.items() if stored[name] != value]
    if wrong:
        raise Invalid({name: ["This field cannot change."] for name in wrong})


# -- references

FindMissing = Callable[[Shape, Sequence[Any]], Awaitable[Collection[Any]]]
"""Given a shape and primary keys, gives those that name no document which the client may reach."""


class Document(NamedTuple):
    """The values of a document, and the shape of its very class."""

    shape: Shape
    values: Mapping[str, Any]


Stored = Callable[[], Awaitable[Document]]
"""Reads what is stored."""


async def check_references(
    document: Document,
    find_missing: FindMissing,
    *,
    refusals: Callable[[], Mapping[str, Sequence[str]]],
    stored: Stored | None = None,
) -> None:
    """Refuse values that refer to documents which do not exist.

    :param document: what a body says, in values.
    :param refusals: gives what else is wrong with the values, so that one answer says all that there is to say.
    :param stored: gives what the values change, if there is something. What that refers to already may be sent back,
        though it leads nowhere by now.
    :raises bzz.errors.Invalid: naming every such reference.
    """
    places: dict[Shape, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
    for where, shape, key in _named(document):
        places[shape][key].append(where)
    missing = [
        Reference(where, shape, key)
        for shape, keys in places.items()
        for key in await find_missing(shape, list(keys))
        for where in keys[key]
    ]
    if missing and stored is not None:
        held = {_identity(each) for each in _named(await stored())}
        missing = [each for each in missing if _identity(each) not in held]
    if missing:
        nowhere = {each.where: [f"There is no such {each.shape.name}."] for each in missing}
        raise Invalid({**nowhere, **refusals()})


def _named(document: Document) -> Iterator[Reference]:
    """Return the references in a document, at any depth. What a client may not write is not asked about."""
    return (each for each in references(*document) if not isinstance(each.key, Unchanged))


def _identity(reference: Reference) -> tuple[str, type, str]:
    """Return what identifies a reference: its field, without positions in lists, its model, and its key."""
    names = ".".join(name for name in reference.where.split(".") if not name.isdigit())
    return names, reference.shape.model, str(reference.key)

"""The events of models, one class each. ``Updated[User]`` is an :class:`Updated` whose ``instance`` is a ``User``.

===========================  =============================  ====================================================
before (may refuse)          after (a fact)                 when
===========================  =============================  ====================================================
:class:`Creating`            :class:`Created`               POST: created, or attached to a document
:class:`Updating`            :class:`Updated`               PUT, PATCH; after any other edit inside a document too
:class:`FieldUpdating`       :class:`FieldUpdated`          once more for each field that has a listener
:class:`Deleting`            :class:`Deleted`               DELETE: deleted, or removed from a document
:class:`Linking`             :class:`Linked`                POST of a reference to an existing document
:class:`Unlinking`           :class:`Unlinked`              DELETE of a reference
:class:`Fetching`            :class:`Fetched`               GET of one
:class:`Listing`             :class:`Listed`                GET of a list
===========================  =============================  ====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from dataclasses import field as _field  # one event class has a field of this name
from types import MappingProxyType
from typing import Any, TypeVar

from bzz.change import FromTo
from bzz.events.base import Fact, Intent, ModelEvent
from bzz.events.event import stamp

__all__ = [
    "VERBS",
    "Created",
    "Creating",
    "Deleted",
    "Deleting",
    "Fetched",
    "Fetching",
    "FieldUpdated",
    "FieldUpdating",
    "Linked",
    "Linking",
    "Listed",
    "Listing",
    "Unlinked",
    "Unlinking",
    "Updated",
    "Updating",
]

M = TypeVar("M")


class Creating(Intent[M]):
    """``<Model>.creating``: before an instance is created, or attached to a document."""

    verb = "creating"


class Created(Fact[M], frozen=True):
    """``<Model>.created``: ``instance`` was created, or attached to a document."""

    verb = "created"
    instance: M


class Updating(Intent[M]):
    """``<Model>.updating``: before an instance is changed."""

    verb = "updating"


class FieldUpdating(Intent[M]):
    """``<Model>.updating.<field>``: before one field of an instance is changed; sent after ``<Model>.updating``.

    A listener costs a read, and makes the write conditional on it, as :meth:`Intent.stored` does. So it is sent only to
    listeners that ask for it: by this class, or by a name, glob or expression that contains ``updating``.

    :param field: its dotted name.
    :param old: its stored value, None if it is unset.
    :param new: its value as the earlier listeners left it.
    """

    verb = "updating"
    field: str
    old: Any
    new: Any

    @property
    def name(self) -> str:
        """The model's class name and the field: ``Ticket.updating.status``."""
        return f"{super().name}.{self.field}"


class Updated(Fact[M], frozen=True):
    """``<Model>.updated``: ``instance`` was changed, or something embedded in it, or what it refers to.

    :param diff: ``{'address.city': {'from': 'Rio', 'to': 'Olinda'}}``, real changes only; read-only on both levels. Of
        a stored document it is the signal's ``change.diff``, of an embedded one ``updated_fields``.
    """

    verb = "updated"
    instance: M
    diff: Mapping[str, FromTo] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stamp(self, diff=_read_only(self.diff))


class FieldUpdated(Fact[M], frozen=True):
    """``<Model>.updated.<field>``: one field of ``instance`` was changed; sent after ``<Model>.updated``.

    :param field: its dotted name.
    :param old: its value before, None if it was unset.
    :param new: its value since.
    :param diff: all that was changed with it, as in :class:`Updated`.
    """

    verb = "updated"
    instance: M
    field: str
    old: Any
    new: Any
    diff: Mapping[str, FromTo] = _field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        stamp(self, diff=_read_only(self.diff))

    @property
    def name(self) -> str:
        """The model's class name and the field: ``User.updated.address.city``."""
        return f"{super().name}.{self.field}"


class Deleting(Intent[M]):
    """``<Model>.deleting``: before an instance is deleted, or removed from a document."""

    verb = "deleting"


class Deleted(Fact[M], frozen=True):
    """``<Model>.deleted``: ``instance``, as it was, was deleted, or removed from a document."""

    verb = "deleted"
    instance: M


class Linking(Intent[M]):
    """``<Model>.linking``: before existing instances are linked to a document."""

    verb = "linking"


class Linked(Fact[M], frozen=True):
    """``<Model>.linked``: ``instance`` was linked to a document, which did not refer to it there before."""

    verb = "linked"
    instance: M


class Unlinking(Intent[M]):
    """``<Model>.unlinking``: before an instance is unlinked from a document."""

    verb = "unlinking"


class Unlinked(Fact[M], frozen=True):
    """``<Model>.unlinked``: ``instance`` was unlinked from a document; it still exists."""

    verb = "unlinked"
    instance: M


class Fetching(Intent[M]):
    """``<Model>.fetching``: before one instance is read."""

    verb = "fetching"


class Fetched(Fact[M], frozen=True):
    """``<Model>.fetched``: ``instance`` was read and is about to be shown."""

    verb = "fetched"
    instance: M


class Listing(Intent[M]):
    """``<Model>.listing``: before a list is read."""

    verb = "listing"


class Listed(Fact[M], frozen=True):
    """``<Model>.listed``: ``items`` were read and are about to be shown."""

    verb = "listed"
    items: tuple[M, ...] = ()


VERBS: Mapping[str, type[ModelEvent[Any]]] = MappingProxyType(
    {
        each.verb: each
        for each in (
            *(Creating, Created, Updating, Updated, Deleting, Deleted),
            *(Linking, Linked, Unlinking, Unlinked),
            *(Fetching, Fetched, Listing, Listed),
        )
    }
)
"""The verbs and their classes."""


def _read_only(diff: Mapping[str, FromTo]) -> Mapping[str, FromTo]:
    return MappingProxyType({name: MappingProxyType(dict(pair)) for name, pair in diff.items()})

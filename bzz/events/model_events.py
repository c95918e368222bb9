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
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from bzz.change import Change, ChangeSource, FromTo
from bzz.errors import ConfigurationError
from bzz.events.event import Event, stamp

__all__ = [
    "VERBS",
    "Created",
    "Creating",
    "Deleted",
    "Deleting",
    "Fact",
    "Fetched",
    "Fetching",
    "FieldUpdated",
    "FieldUpdating",
    "Intent",
    "Linked",
    "Linking",
    "Listed",
    "Listing",
    "ModelEvent",
    "Unlinked",
    "Unlinking",
    "Updated",
    "Updating",
]

M = TypeVar("M")


class ModelEvent(Generic[M]):
    """What events of models have in common: a model, and the handler of the request."""

    verb: ClassVar[str]

    model: type[M]
    """The model class at the end of the path."""
    handler: Any
    """The Tornado handler of the request; None for an event that was made without one."""

    @property
    def name(self) -> str:
        """The model's class name and what happens to it: ``User.created``."""
        return f"{self.model.__name__}.{self.verb}"

    @property
    def data(self) -> Any:
        """The parsed body of the request, or None."""
        return getattr(self.handler, "data", None)


class Intent(ModelEvent[M], Event):
    """The base of events before an operation. A listener that raises refuses it; the answer is the error it raised.

    :param model: the model class at the end of the path.
    :param arguments: the path, as in signals: ``['team/42', 'members/7']``.
    :param handler: the Tornado handler of the request.
    """

    isolated = False

    model: type[M]
    arguments: list[str] = field(default_factory=list)
    handler: Any = field(default=None, repr=False, compare=False)

    @property
    def data(self) -> Any:
        """The parsed body. What listeners make of it is validated and stored."""
        return super().data

    @data.setter
    def data(self, value: Any) -> None:
        self.handler.data = value

    async def stored(self) -> M:
        """Return the instance as it is stored now, and make the write conditional on it.

        This is for updates and deletes. If another writer is faster, the listeners run again on the new state, with
        :attr:`data` as the client sent it, at most five times in all; then the request is answered 409.

        :raises bzz.errors.NotFound: if there is no such instance.
        :raises bzz.errors.ConfigurationError: for any other event.
        """
        if self.handler is None:
            raise ConfigurationError(f"{self.name} was made by hand: only the event of a request has a stored instance")
        instance: M = await self.handler.stored()
        return instance


class Fact(ModelEvent[M], Event, frozen=True):
    """The base of events after an operation. They are frozen, and what a listener raises is only logged.

    :param model: the model class at the end of the path.
    :param arguments: the path, as in :class:`Intent`.
    :param handler: the Tornado handler of the request.
    """

    model: type[M]
    arguments: tuple[str, ...] = ()
    handler: Any = field(default=None, repr=False, compare=False)

    def tell(self, change: Change | None, attempt: int = 1, failing_since: datetime | None = None) -> None:
        """Called by bzz before the event is sent."""
        stamp(self, _told=(change, attempt, failing_since))

    @property
    def change(self) -> Change | None:
        """The change of the stored document, with its diff and position; None for what is read."""
        change: Change | None = self._told[0]
        return change

    @property
    def source(self) -> ChangeSource | None:
        """By what the change was made; None where that is not known."""
        return None if self.change is None else self.change.source

    @property
    def attempt(self) -> int:
        """How often this listener was called with the event, from 1. Only durable listeners are called again."""
        attempt: int = self._told[1]
        return attempt

    @property
    def failing_since(self) -> datetime | None:
        """Since when this durable listener has handled no change at all while others failed; None while all is well."""
        since: datetime | None = self._told[2]
        return since

    @property
    def _told(self) -> tuple[Any, ...]:
        told: tuple[Any, ...] = self.__dict__.get("_told", (None, 1, None))
        return told


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

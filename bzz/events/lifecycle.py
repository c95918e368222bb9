"""What happens to models, one class each. ``Updated[User]`` is an :class:`Updated` whose ``instance`` is a ``User``.

===========================  =============================  ================================================
before (may refuse)          after (a fact)                 when
===========================  =============================  ================================================
:class:`Creating`            :class:`Created`               POST: created, attached or linked
:class:`Updating`            :class:`Updated`               PUT, PATCH
..                           :class:`FieldUpdated`          once more for each field that somebody listens for
:class:`Deleting`            :class:`Deleted`               DELETE: deleted, removed or unlinked
:class:`Fetching`            :class:`Fetched`               GET of one
:class:`Listing`             :class:`Listed`                GET of a list
===========================  =============================  ================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from dataclasses import field as _field  # one event class has a field of this name
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from bzz.events.record import Event, stamp

__all__ = [
    "VERBS",
    "Change",
    "Created",
    "Creating",
    "Deleted",
    "Deleting",
    "Fact",
    "Fetched",
    "Fetching",
    "FieldUpdated",
    "Intent",
    "Listed",
    "Listing",
    "ModelEvent",
    "Updated",
    "Updating",
]

M = TypeVar("M")

Change = Mapping[str, Any]
"""One field's change, as in ``updated_fields``: ``{'from': old, 'to': new}``."""


class ModelEvent(Generic[M]):
    """What the ten have in common: a model, and the handler of the request."""

    verb: ClassVar[str]

    model: type[M]
    """The model class at the end of the path."""
    handler: Any
    """The Tornado handler of the request; None for an event that was made by hand."""

    @property
    def name(self) -> str:
        """The model's class name and what happens to it: ``User.created``."""
        return f"{self.model.__name__}.{self.verb}"

    @property
    def data(self) -> Any:
        """The parsed body of the request, or None."""
        return getattr(self.handler, "data", None)


class Intent(ModelEvent[M], Event):
    """Something is about to be done. A listener that raises refuses it: the request is answered with what it raised.

    :param model: the model class at the end of the path.
    :param arguments: the path, as signals have it: ``['team/42', 'members/7']``.
    :param handler: the Tornado handler of the request.
    """

    isolated = False

    model: type[M]
    arguments: list[str] = field(default_factory=list)
    handler: Any = field(default=None, repr=False)

    @property
    def data(self) -> Any:
        """The parsed body. What listeners leave in it, or put in its place, is what is validated and stored."""
        return super().data

    @data.setter
    def data(self, value: Any) -> None:
        self.handler.data = value


class Fact(ModelEvent[M], Event, frozen=True):
    """Something has been done. It can't be changed, and a listener that raises is logged and stops nobody.

    :param model: the model class at the end of the path.
    :param arguments: the path, as in :class:`Intent`.
    :param handler: the Tornado handler of the request.
    """

    model: type[M]
    arguments: tuple[str, ...] = ()
    handler: Any = field(default=None, repr=False)


class Creating(Intent[M]):
    """``<Model>.creating``: before an instance is created, attached or linked."""

    verb = "creating"


class Created(Fact[M], frozen=True):
    """``<Model>.created``: ``instance`` was created, attached or linked."""

    verb = "created"
    instance: M


class Updating(Intent[M]):
    """``<Model>.updating``: before an instance is changed."""

    verb = "updating"


class Updated(Fact[M], frozen=True):
    """``<Model>.updated``: ``instance`` was changed.

    :param diff: ``{'address.city': {'from': 'Rio', 'to': 'Olinda'}}``, real changes only; as the signal's
        ``updated_fields``, and read-only on both levels.
    """

    verb = "updated"
    instance: M
    diff: Mapping[str, Change] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stamp(self, diff=_read_only(self.diff))


class FieldUpdated(Fact[M], frozen=True):
    """``<Model>.updated.<field>``: one field of ``instance`` was changed; sent after ``<Model>.updated``.

    :param field: its dotted name.
    :param old: its value before, None where it was unset.
    :param new: its value since.
    :param diff: all that was changed with it, as in :class:`Updated`.
    """

    verb = "updated"
    instance: M
    field: str
    old: Any
    new: Any
    diff: Mapping[str, Change] = _field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        stamp(self, diff=_read_only(self.diff))

    @property
    def name(self) -> str:
        """The model's class name and the field: ``User.updated.address.city``."""
        return f"{super().name}.{self.field}"


class Deleting(Intent[M]):
    """``<Model>.deleting``: before an instance is deleted, removed or unlinked."""

    verb = "deleting"


class Deleted(Fact[M], frozen=True):
    """``<Model>.deleted``: ``instance`` was deleted, removed or unlinked; it is shown as it was."""

    verb = "deleted"
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
            *(Fetching, Fetched, Listing, Listed),
        )
    }
)
"""The ten verbs and their classes."""


def _read_only(diff: Mapping[str, Change]) -> Mapping[str, Change]:
    return MappingProxyType({name: MappingProxyType(dict(change)) for name, change in diff.items()})

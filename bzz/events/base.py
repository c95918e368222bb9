"""What the events of models have in common, before an operation (:class:`Intent`) and after it (:class:`Fact`)."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from bzz.change import Change, ChangeSource
from bzz.errors import ConfigurationError
from bzz.events.event import Event, stamp

__all__ = ["Fact", "Intent", "ModelEvent"]

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

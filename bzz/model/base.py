"""How a handler tells receivers of signals of what it does, and what they may ask it meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tornado.web import Finish

from bzz import signals
from bzz.change import Diff
from bzz.codec import check_depth
from bzz.errors import ConfigurationError, Conflict
from bzz.problem import ProblemHandler
from bzz.providers.base import Path, Provider, Record, Stale, Written
from bzz.signals import Signal

__all__ = ["ATTEMPTS", "Attempt", "ResourceHandler"]

W = TypeVar("W")

ATTEMPTS = 5
"""How often the receivers before a write run at the most, where others keep changing what they were shown."""


@dataclass
class Attempt:
    """One attempt at a write, from the parsed body on.

    :ivar expected: what receivers were shown as stored; None where none asked.
    :ivar preview: of an update, works out what it would change in what is stored.
    """

    expected: Record | None = None
    preview: Callable[[Record], Diff] | None = None


class ResourceHandler(ProblemHandler):
    """Sends the signals of one request for a model."""

    data: dict[str, Any]
    path: Path
    provider: Provider
    _attempt: Attempt | None = None

    @property
    def _model(self) -> type:
        return self.path.last.shape.model

    # -- what receivers may ask

    async def stored(self) -> Any:
        """Return the instance as it is stored now, and have the write happen only while it is.

        For receivers of ``pre_update_instance`` and ``pre_delete_instance``. It is read at the first call. Where
        another writer is faster, all receivers run again on the new state, with ``data`` as it came, at most
        :data:`ATTEMPTS` times in all; then the request is answered 409. Nothing is locked meanwhile.

        :returns: the instance at the end of the path, an object of its model, as it was before this request. What is
            changed in it is not stored.
        :raises bzz.errors.NotFound: where nothing is there.
        :raises bzz.errors.ConfigurationError: anywhere else.
        """
        return (await self._expected()).instance

    async def proposed(self) -> Diff:
        """Return what the update would change in :meth:`stored`, with ``data`` as the receivers so far left it.

        :returns: as ``updated_fields``: ``{'status': {'from': 'open', 'to': 'solved'}}``.
        :raises bzz.errors.Invalid: where the model refuses the data.
        :raises bzz.errors.NotFound: where nothing is there.
        :raises bzz.errors.ConfigurationError: anywhere but in a receiver of ``pre_update_instance``.
        """
        record = await self._expected()
        if self._attempt is None or self._attempt.preview is None:
            raise ConfigurationError("handler.proposed() is for receivers of pre_update_instance, while they run")
        check_depth(self.data)
        return self._attempt.preview(record)

    async def _expected(self) -> Record:
        attempt = self._attempt
        if attempt is None:
            raise ConfigurationError(
                "handler.stored() is for receivers of pre_update_instance and pre_delete_instance, while they run"
            )
        if attempt.expected is None:
            attempt.expected = await self.provider.get(self.path, self)
        return attempt.expected

    async def _retry_while_stale(self, write: Callable[[Attempt], Awaitable[W]]) -> W:
        """Make a write, from the parsed body on; again where what its receivers were shown has changed meanwhile."""
        for _ in range(ATTEMPTS):
            try:
                return await write(Attempt())
            except Stale:
                continue
        raise Conflict("Others keep changing this; nothing was done. Try again.")

    # -- sending

    async def _send_before(self, signal: Signal, attempt: Attempt | None = None) -> None:
        """Send a ``pre_`` signal. A receiver may raise, or finish the request itself."""
        if signal.has_receivers_for(self._model):
            self._attempt = attempt
            try:
                await signal.notify(self._model, arguments=self.path.arguments, handler=self)
            finally:
                self._attempt = None
            if self._finished:
                raise Finish()
            check_depth(self.data)  # as deep as a receiver made it

    async def _send_after(self, signal: Signal, written: Written, **more: Any) -> None:
        """Send the ``post_`` signal of a write that has happened."""
        if signal.has_receivers_for(self._model):
            instance = written.record.instance
            await signal.report(self._model, instance=instance, handler=self, change=written.change, **more)

    async def _send_changed_inside(self, written: Written) -> None:
        """Tell the listeners of a document that something inside it, or linked from it, has been written."""
        if written.holder is None:
            return
        signal, change = signals.changed_inside, written.change
        if signal.has_receivers_for(change.model) and change.diff:
            await signal.report(change.model, instance=written.holder.instance, handler=self, change=change)

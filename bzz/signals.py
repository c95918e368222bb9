"""The thirteen signals of bzz, on blinker.

Each is a :class:`Signal`: ``connect``, ``connect_via``, ``connected_to``, ``disconnect`` and ``muted`` are blinker's
own (https://blinker.readthedocs.io). Three things are bzz's: receivers run in the order in which they were connected;
plain functions and coroutines are both awaited, one after the other; and a receiver is handed only the arguments that
it names, so a new argument never breaks an old receiver.

This is the only module that imports blinker.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import blinker
from blinker.base import make_id  # type: ignore[attr-defined]  # it has no __all__

from bzz.calling import call, parameters_of
from bzz.errors import ConfigurationError

__all__ = [
    "Signal",
    "authorized_user",
    "post_create_instance",
    "post_delete_instance",
    "post_get_instance",
    "post_get_list",
    "post_update_instance",
    "pre_create_instance",
    "pre_delete_instance",
    "pre_get_instance",
    "pre_get_list",
    "pre_get_user_details",
    "pre_update_instance",
    "unauthorized_user",
]

logger = logging.getLogger("bzz.signals")

Receiver = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])
Names = tuple[str, ...] | None

_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD
# Inspecting a signature costs more than a call. One cache for plain callables, one for the functions of bound methods.
_names: tuple[WeakKeyDictionary[Any, Names], ...] = (WeakKeyDictionary(), WeakKeyDictionary())


class Signal(blinker.NamedSignal):
    """A blinker signal whose receivers are awaited in the order in which they were connected.

    A receiver that is connected to several senders has one place: that of its first connection.

    :param arguments: what receivers are given after the sender. If given, ``connect`` finds mistakes.
    :param sender: the class of its senders; if only ``arguments`` are given, senders are classes.
    """

    def __init__(
        self, name: str, doc: str | None = None, arguments: tuple[str, ...] | None = None, *, sender: type | None = None
    ) -> None:
        super().__init__(name, doc)
        self.arguments = arguments
        self._sender = sender or (None if arguments is None else type)

    def connect(self, receiver: F, sender: Any = blinker.ANY, weak: bool = True) -> F:
        """Call ``receiver`` from now on, as blinker documents it.

        :raises bzz.errors.ConfigurationError: for a sender that this signal never has, or a receiver that asks for an
            argument that it never gives.
        """
        if sender is not blinker.ANY and self._sender is not None and not isinstance(sender, self._sender):
            wanted = "the model class itself" if self._sender is type else "the name of a provider"
            raise ConfigurationError(f"{self.name} is never sent by {sender!r}: give {wanted}")
        unknown = [] if self.arguments is None else _misspelt(receiver, self.arguments)
        if unknown:
            known = ", ".join(self.arguments or ())
            raise ConfigurationError(f"{receiver!r}: {self.name} has no argument {', '.join(unknown)}; it has {known}")
        return super().connect(receiver, sender, weak)

    def disconnect(self, receiver: Receiver, sender: Any = blinker.ANY) -> None:
        """Stop calling ``receiver`` for ``sender``, or at all; with no sender left it gives up its place."""
        super().disconnect(receiver, sender)
        if not self._by_receiver.get(make_id(receiver)):
            self.receivers.pop(make_id(receiver), None)

    _last: tuple[Receiver, Callable[[Any], bool]] | None = None

    def receivers_for(self, sender: Any) -> Iterator[Receiver]:  # type: ignore[override]  # blinker says Generator
        """Yield the live receivers for ``sender``, first connected first (blinker itself promises no order)."""
        found = {make_id(receiver): receiver for receiver in super().receivers_for(sender)}
        order = {receiver_id: rank for rank, receiver_id in enumerate(list(self.receivers))}
        for receiver_id in sorted(found, key=lambda each: order.get(each, len(order))):
            yield found[receiver_id]

    def connect_where(self, receiver: Receiver | None, wants: Callable[[Any], bool]) -> None:
        """Connect ``receiver`` for each sender for which ``wants`` returns true at that moment; it runs last.

        For :mod:`bzz.events`, which knows its senders by name only. Other senders still count as having no receivers,
        so nothing is built for them. Each call replaces the one before; None disconnects.
        """
        self._last = None if receiver is None else (receiver, wants)

    def has_receivers_for(self, sender: Any) -> bool:
        """Return whether there are receivers for ``sender``; if not, nothing needs to be built for this signal."""
        last = self._last
        return super().has_receivers_for(sender) or (last is not None and last[1](sender))

    async def notify(self, sender: Any, **arguments: Any) -> None:
        """Await every receiver of ``sender``; the first that raises stops the rest, and the request.

        :param sender: the model class at the end of the path, or the name of an authentication provider.
        :param arguments: as the table in the manual lists them for this signal.
        """
        for receiver in self._audience(sender):
            await _call(self, receiver, sender, arguments)

    async def report(self, sender: Any, **arguments: Any) -> None:
        """Await every receiver of ``sender``; one that raises is logged and the others still run.

        For what has happened and cannot be undone: ``post_create_instance``, ``post_update_instance`` and
        ``post_delete_instance``.
        """
        for receiver in self._audience(sender):
            try:
                await _call(self, receiver, sender, arguments)
            except Exception:
                logger.exception("receiver %r of %s failed for %r", receiver, self.name, sender)

    def _audience(self, sender: Any) -> list[Receiver]:
        if self.is_muted:
            return []
        receivers = list(self.receivers_for(sender))
        last = self._last
        if last is not None and last[1](sender):
            receivers.append(last[0])
        return receivers


async def _call(signal: Signal, receiver: Receiver, sender: Any, arguments: dict[str, Any]) -> None:
    names = _named_arguments(receiver)
    chosen = arguments if names is None else {name: arguments[name] for name in names if name in arguments}
    if not _hooks:
        await call(receiver, sender, **chosen)
        return
    with contextlib.ExitStack() as stack:
        for hook in _hooks:
            stack.enter_context(hook(signal, receiver))
        await call(receiver, sender, **chosen)


Hook = Callable[[Signal, Receiver], AbstractContextManager[Any]]
"""Returns a context manager, entered while a receiver runs."""

_hooks: tuple[Hook, ...] = ()


def watch(hook: Hook) -> None:
    """Call ``hook`` around each receiver, for timing and tracing. It must not raise."""
    global _hooks
    _hooks = (*_hooks, hook)


def unwatch(hook: Hook) -> None:
    """Stop calling ``hook``."""
    global _hooks
    _hooks = tuple(each for each in _hooks if each is not hook)


def _named_arguments(receiver: Receiver) -> Names:
    """Return the keyword names that ``receiver`` takes after its sender, or None if it takes them all."""
    cache, function = _names[0], receiver
    if inspect.ismethod(receiver):
        cache, function = _names[1], receiver.__func__
    try:
        return cache[function]
    except (KeyError, TypeError):
        names = _inspect_names(receiver)
    with contextlib.suppress(TypeError):  # a callable that cannot be weakly referenced is inspected each time
        cache[function] = names
    return names


def _inspect_names(receiver: Receiver) -> Names:
    parameters, takes_any = parameters_of(receiver)
    return None if takes_any else tuple(each.name for each in _after_sender(parameters))


def _after_sender(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    first_is_sender = parameters and parameters[0].kind in (parameters[0].POSITIONAL_ONLY, _EITHER)
    named = parameters[1:] if first_is_sender else parameters
    return [each for each in named if each.kind in (_EITHER, each.KEYWORD_ONLY)]


def _misspelt(receiver: Receiver, known: tuple[str, ...]) -> list[str]:
    """Return the arguments that ``receiver`` requires and is never given."""
    needed = [each for each in _after_sender(parameters_of(receiver)[0]) if each.default is each.empty]
    return [each.name for each in needed if each.name not in known]


pre_get_instance = Signal(
    "pre_get_instance",
    "Before one instance is read: arguments, handler.",
    ("arguments", "handler"),
)
post_get_instance = Signal(
    "post_get_instance",
    "After one instance is read: instance, handler.",
    ("instance", "handler"),
)
pre_get_list = Signal(
    "pre_get_list",
    "Before a list is read: arguments, handler.",
    ("arguments", "handler"),
)
post_get_list = Signal(
    "post_get_list",
    "After a list is read: items, handler.",
    ("items", "handler"),
)
pre_create_instance = Signal(
    "pre_create_instance",
    "Before an instance is created or linked: arguments, handler.",
    ("arguments", "handler"),
)
post_create_instance = Signal(
    "post_create_instance",
    "After an instance is created or linked: instance, change, handler.",
    ("instance", "change", "handler"),
)
pre_update_instance = Signal(
    "pre_update_instance",
    "Before an instance is changed: arguments, handler.",
    ("arguments", "handler"),
)
post_update_instance = Signal(
    "post_update_instance",
    "After an instance is changed: instance, updated_fields, change, handler.",
    ("instance", "updated_fields", "change", "handler"),
)
pre_delete_instance = Signal(
    "pre_delete_instance",
    "Before an instance is deleted or unlinked: arguments, handler.",
    ("arguments", "handler"),
)
post_delete_instance = Signal(
    "post_delete_instance",
    "After an instance is deleted or unlinked: instance, change, handler.",
    ("instance", "change", "handler"),
)
authorized_user = Signal(
    "authorized_user",
    "After a provider accepted a user: provider_name, user_data, handler.",
    ("provider_name", "user_data", "handler"),
    sender=str,
)
unauthorized_user = Signal(
    "unauthorized_user",
    "After a sign-in was refused: provider_name, handler.",
    ("provider_name", "handler"),
    sender=str,
)
pre_get_user_details = Signal(
    "pre_get_user_details",
    "Before /auth/me answers: provider_name, user_data (may be changed), handler.",
    ("provider_name", "user_data", "handler"),
    sender=str,
)

changed_inside = Signal(
    "changed_inside",
    "After something in or linked from a document is written: instance, handler, change.",
    ("instance", "handler", "change"),
)
"""Not one of the thirteen: by it :mod:`bzz.events` tells of the document around what was written."""

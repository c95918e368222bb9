"""What any relay is to an application, whatever carries its messages; :mod:`bzz.relay.redis` has the one there is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypeVar

from tornado.web import Application

from bzz.errors import ConfigurationError
from bzz.events.bus import bus
from bzz.events.event import checked_name
from bzz.events.targets import EventClass, parse
from bzz.relay import documents
from bzz.relay.answering import Answering
from bzz.relay.asking import Answers
from bzz.relay.envelope import Envelope
from bzz.relay.events import Travelling, is_telling
from bzz.relay.inbox import MAX_NAME
from bzz.relay.queue import Policy
from bzz.relay.session import Session, Settings
from bzz.relay.state_signals.exporter import Exporter
from bzz.relay.state_signals.responder import Responder
from bzz.relay.statistics import Stats
from bzz.relay.transport import Transport

__all__ = ["Relay", "StateSignals"]

F = TypeVar("F", bound=Callable[..., Any])


class Relay:
    """Events between processes, and questions with answers, over a transport; see :class:`bzz.RedisRelay`."""

    def __init__(
        self,
        transport: Transport,
        *,
        name: str,
        channel: str,
        keys: Mapping[str, bytes | str] | None,
        queue_size: int,
        policy: Policy,
    ) -> None:
        _check(name, channel, queue_size, policy)
        envelope = Envelope(channel, keys)
        self._settings = Settings(name, channel, transport, envelope, queue_size, policy, Answering())
        self._targets: list[Travelling] = []
        self._session: Session | None = None

    # -- start and stop

    async def __aenter__(self) -> Self:
        """Connect, and forward and deliver events from now on.

        Returns once the subscription is confirmed and the other processes are known. Where the server is away it
        returns after a few seconds all the same, and goes on trying: see :attr:`healthy`.
        """
        if self._session is not None and self._session.is_running:
            raise ConfigurationError("this relay is running already")
        documents.learn()
        self._session = Session(self._settings)
        try:
            await self._session.start(self._targets)
        except BaseException:
            await self._session.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.stop()

    def attach(self, app: Application) -> None:
        """Have ``bzz.serve`` start the relay before the application takes requests, and stop it after the last."""
        app.settings.setdefault("bzz_contexts", []).append(self)

    # -- events

    def forward(self, *targets: Any, reveal: Collection[str] = ()) -> None:
        """Publish the events of this process that match, as their listeners left them.

        :param targets: as for ``bzz.on``: names, globs, expressions, classes of events. A glob does not mean events
            before the deed (``User.creating``).
        :param reveal: fields that routes hide and that may leave all the same, as ``'User.email'``.
        :raises bzz.errors.ConfigurationError: for a target that nothing can match, or a class of events before the
            deed.
        """
        found = [parse(target) for target in targets]
        for target in found:
            bus.check(target)
            if not is_telling(target):
                raise ConfigurationError(f"{target} does not travel: nobody elsewhere could refuse")
            if isinstance(target, EventClass) and target.model is not None:
                documents.remember(target.model)
        self._settings.revealed.update(reveal)
        travelling = [Travelling(target) for target in found]
        self._targets += travelling
        if self._session is not None and self._session.is_running:
            self._session.forward(travelling)

    def on_gap(self, function: F) -> F:
        """Decorate a function so that it is called when events of other processes were lost, before the next.

        It is told the :class:`~bzz.relay.peers.Gap`; it may be a coroutine function, which is awaited.
        """
        self._settings.on_gap.append(function)
        return function

    # -- questions

    async def ask(
        self,
        question: str,
        payload: Mapping[str, Any] | None = None,
        /,
        *,
        timeout: float = 5.0,
        expect: Collection[str] = (),
    ) -> Answers:
        """Ask a question of every process that answers it, this one too, and wait for the answers.

        :param question: its name.
        :param payload: what it carries.
        :param timeout: how long to wait, in seconds.
        :param expect: names of relays; of each of them some process must answer, whether it is there yet or not.
        :returns: what came of it; an answer that is late is told, and no error.
        :raises bzz.errors.ConfigurationError: if the relay is not running, or the name is none.
        :raises bzz.errors.EventCycle: if it has too many causes behind it.
        :raises TypeError: for a payload that is not in the table of types (:func:`bzz.relay.register`).
        :raises ValueError: for a payload that is too long or nested too deep.
        """
        if isinstance(expect, str):
            raise ConfigurationError(f"expect takes a list of names, not the text {expect!r}")
        return await self.running.conversation.ask(checked_name(question), payload or {}, timeout, expect)

    def answers(self, pattern: str) -> Callable[[F], F]:
        """Decorate a function so that it answers questions; it is returned as it is.

        It is called with an event that has the question's name and payload. What it returns is the answer. What it
        raises makes the answer a failure; :class:`bzz.Refuse` does so without a traceback in the log.

        :param pattern: a name, or a glob such as ``'benchmark.*'``. Of several that fit the first one answers.
        :raises bzz.errors.ConfigurationError: if it is neither, or is answered already.
        """

        def register(function: F) -> F:
            self._settings.answering.add(pattern, function)
            if self._session is not None and self._session.is_running:
                self._session.announce()
            return function

        return register

    def state_signals(self, name: str, *, runner_host: str | None = None) -> StateSignals:
        """Take part in the protocol of state-signals, beside the events of bzz; the relay must be running.

        :param name: what this process is called there.
        :param runner_host: what its host is called; this machine's name unless given.
        :raises bzz.errors.ConfigurationError: if the relay is not running.
        """
        return StateSignals(self.running, name, runner_host)

    # -- how it goes

    @property
    def running(self) -> Session:
        """What runs between start and stop.

        :raises bzz.errors.ConfigurationError: if nothing does.
        """
        if self._session is None or not self._session.is_running:
            raise ConfigurationError("the relay is not running: use it in 'async with', or attach it to an application")
        return self._session

    @property
    def healthy(self) -> bool:
        """Whether messages go and come at this moment."""
        return self._session is not None and self._session.is_running and self._session.link.healthy

    @property
    def stats(self) -> Stats:
        """What was done since the relay was started last."""
        return Stats(0, 0, {}, {}, 0) if self._session is None else self._session.stats


class StateSignals:
    """Both sides of state-signals under one name; only what is used is subscribed to.

    :param name: what this process is called.
    :param runner_host: what its host is called.
    """

    def __init__(self, session: Session, name: str, runner_host: str | None = None) -> None:
        self._session = session
        self._name = name
        self._runner_host = runner_host

    @cached_property
    def exporter(self) -> Exporter:
        """Publishes signals."""
        return Exporter(self._session, self._name, self._runner_host)

    @cached_property
    def responder(self) -> Responder:
        """Answers signals."""
        return Responder(self._session, self._name)


def _check(name: Any, channel: Any, queue_size: Any, policy: Any) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise ConfigurationError(f"name: {name!r} must be a text of 1 to {MAX_NAME} characters")
    if not isinstance(channel, str) or not channel:
        raise ConfigurationError(f"channel: {channel!r} must be a text")
    if type(queue_size) is not int or queue_size < 1:
        raise ConfigurationError(f"queue_size: {queue_size!r} must be a number of at least 1")
    if policy not in ("drop_oldest", "drop_newest"):
        raise ConfigurationError(f"policy: {policy!r} is neither 'drop_oldest' nor 'drop_newest'")

"""The base class of relays, over any transport. The one that bzz brings is in :mod:`bzz.relay.redis`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from tornado.web import Application

from bzz.errors import ConfigurationError
from bzz.events.bus import bus
from bzz.events.event import Event, checked_name
from bzz.events.targets import EventClass, parse
from bzz.relay import documents
from bzz.relay.answering import Answering
from bzz.relay.asking import Answers
from bzz.relay.envelope import Envelope
from bzz.relay.events import Forwarded, is_forwardable
from bzz.relay.inbox import MAX_NAME
from bzz.relay.queue import Policy
from bzz.relay.session import Session, Settings
from bzz.relay.state_signals.participant import StateSignals
from bzz.relay.statistics import Stats
from bzz.relay.transport import Transport

__all__ = ["Relay"]

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
        self._targets: list[Forwarded] = []
        self._session: Session | None = None

    # -- start and stop

    async def __aenter__(self) -> Self:
        """Connect, and begin to forward and deliver events.

        Return once the subscription is confirmed and the other processes are known. If the server cannot be reached,
        return after a few seconds all the same, and keep trying: see :attr:`healthy`.
        """
        if self._session is not None and self._session.is_running:
            raise ConfigurationError("this relay is running already")
        documents.register_loaded()
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
        """Let ``bzz.serve`` start the relay before the first request, and stop it after the last one."""
        app.settings.setdefault("bzz_contexts", []).append(self)

    # -- events

    def forward(self, *targets: Any, reveal: Collection[str] = ()) -> None:
        """Publish the events of this process that match, as their listeners left them.

        :param targets: as for ``bzz.on``: names, globs, expressions, classes of events. Events that listeners may
            refuse (``User.creating``) are not forwarded, even if a target matches them.
        :param reveal: hidden fields that are sent all the same, as ``'User.email'``.
        :raises bzz.errors.ConfigurationError: if nothing can match a target, or it is a class of events that listeners
            may refuse.
        """
        found = [parse(target) for target in targets]
        for target in found:
            bus.check(target)
            if not is_forwardable(target):
                raise ConfigurationError(f"{target} does not travel: nobody elsewhere could refuse")
            if isinstance(target, EventClass) and target.model is not None:
                documents.register_model(target.model)
        self._settings.revealed.update(reveal)
        forwarded = [Forwarded(target) for target in found]
        self._targets += forwarded
        if self._session is not None and self._session.is_running:
            self._session.forward(forwarded)

    async def publish(self, event: Event) -> None:
        """Publish one event, which nobody need have sent in this process.

        A durable listener can be this very method: ``bzz.durable("Order.*", name="others")(relay.publish)``. What is
        published waits in the queue like any other event, and is lost with this process.

        :raises bzz.errors.ConfigurationError: if the relay is not running.
        :raises ConnectionError: if it is not connected, so that a durable listener tries again.
        """
        running = self.running
        if not self.healthy:
            raise ConnectionError(f"the relay {self.name} is not connected")
        running.publish(event)

    def on_gap(self, function: F) -> F:
        """Call the decorated function when events of another process were lost, before its next event.

        It gets a :class:`~bzz.relay.peers.Gap`, and may be a coroutine function.
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
        """Ask a question of every process that answers it, this one included, and wait for the answers.

        :param question: its name.
        :param payload: the attributes of the event that the answering functions get.
        :param timeout: how long to wait, in seconds.
        :param expect: names of relays. At least one process of each must answer, whether it is connected yet or not.
        :returns: the answers, and who did not answer in time; that is not an error.
        :raises bzz.errors.ConfigurationError: if the relay is not running, or the name is not valid.
        :raises bzz.errors.EventCycle: if the question has too many causes.
        :raises TypeError: if a value has a type that is not registered (:func:`bzz.relay.register`).
        :raises ValueError: if the payload is too long or nested too deep.
        """
        if isinstance(expect, str):
            raise ConfigurationError(f"expect takes a list of names, not the text {expect!r}")
        return await self.running.questions.ask(checked_name(question), payload or {}, timeout, expect)

    def answers(self, pattern: str) -> Callable[[F], F]:
        """Let the decorated function answer questions.

        It is called with an event that has the question's name and payload, and returns the answer. If it raises, the
        answer is a failure; :class:`bzz.Refuse` is not logged with a traceback.

        :param pattern: a name, or a glob such as ``'benchmark.*'``. The first function whose pattern matches answers.
        :returns: the decorator, which returns the function unchanged.
        :raises bzz.errors.ConfigurationError: if ``pattern`` is neither, or has a function already.
        """

        def register(function: F) -> F:
            self._settings.answering.add(pattern, function)
            if self._session is not None and self._session.is_running:
                self._session.announce()
            return function

        return register

    def state_signals(self, name: str, *, runner_host: str | None = None) -> StateSignals:
        """Take part in the protocol of state-signals, on the connection of this relay, which must be running.

        :param name: the name of this process there.
        :param runner_host: the name of its host; by default this machine's.
        :raises bzz.errors.ConfigurationError: if the relay is not running.
        """
        return StateSignals(self.running, name, runner_host)

    # -- state

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._settings.name

    @property
    def running(self) -> Session:
        """The running session.

        :raises bzz.errors.ConfigurationError: if there is none.
        """
        if self._session is None or not self._session.is_running:
            raise ConfigurationError("the relay is not running: use it in 'async with', or attach it to an application")
        return self._session

    @property
    def healthy(self) -> bool:
        """Whether messages can be sent and received at this moment."""
        return self._session is not None and self._session.is_running and self._session.connection.healthy

    @property
    def stats(self) -> Stats:
        """The statistics since the last start."""
        return Stats(0, 0, {}, {}, 0) if self._session is None else self._session.stats


def _check(name: Any, channel: Any, queue_size: Any, policy: Any) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise ConfigurationError(f"name: {name!r} must be a text of 1 to {MAX_NAME} characters")
    if not isinstance(channel, str) or not channel:
        raise ConfigurationError(f"channel: {channel!r} must be a text")
    if type(queue_size) is not int or queue_size < 1:
        raise ConfigurationError(f"queue_size: {queue_size!r} must be a number of at least 1")
    if policy not in ("drop_oldest", "drop_newest"):
        raise ConfigurationError(f"policy: {policy!r} is neither 'drop_oldest' nor 'drop_newest'")

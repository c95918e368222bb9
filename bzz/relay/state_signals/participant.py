"""Both sides of state-signals under one name."""

from __future__ import annotations

from functools import cached_property

from bzz.relay.session import Session
from bzz.relay.state_signals.exporter import Exporter
from bzz.relay.state_signals.responder import Responder

__all__ = ["StateSignals"]


class StateSignals:
    """An exporter and a responder, each made when it is first used.

    :param name: the name of this process.
    :param runner_host: the name of its host; by default this machine's.
    """

    def __init__(self, session: Session, name: str, runner_host: str | None = None) -> None:
        self._session = session
        self._name = name
        self._runner_host = runner_host

    @cached_property
    def exporter(self) -> Exporter:
        """The publisher of signals."""
        return Exporter(self._session, self._name, self._runner_host)

    @cached_property
    def responder(self) -> Responder:
        """The responder to signals."""
        return Responder(self._session, self._name)

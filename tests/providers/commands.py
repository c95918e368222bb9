"""The commands that a driver sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymongo.monitoring import CommandListener

__all__ = ["Commands"]


class Commands(CommandListener):
    """The names of the commands that a driver sends.

    :ivar meanwhile: what others do after the next ``find``.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.meanwhile: Callable[[], object] | None = None

    def started(self, event: Any) -> None:
        if event.command_name not in ("hello", "endSessions"):
            self.names.append(event.command_name)

    def succeeded(self, event: Any) -> None:
        if event.command_name == "find" and self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None

    def failed(self, event: Any) -> None: ...

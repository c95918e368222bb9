"""Whom the hub tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from bzz.live.frames import ResetReason
from bzz.live.judging import Judgement
from bzz.providers.changes import Commit, Position, Scope

__all__ = ["Follower"]


class Follower(Protocol):
    """Who is told of changes. No method may raise."""

    @property
    def collections(self) -> frozenset[str]:
        """Whose changes it is told."""

    def scopes(self, commit: Commit) -> Iterable[Scope]:
        """Return the scopes that a change has to be judged by; none where it is of no concern."""

    async def tell(self, commit: Commit, position: Position, judgement: Judgement) -> None:
        """Take one change. Those who follow the same stream wait meanwhile.

        :param position: of the change, among all changes of the follower's collections.
        """

    def tick(self, position: Position | None) -> None:
        """Take note that all changes up to ``position`` were told; None while one is being told."""

    def end(self, reason: ResetReason) -> None:
        """Take nothing more. The follower has left the hub."""

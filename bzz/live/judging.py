"""Which scopes a change lies in: the database is asked until it says so, or why it cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence

from bzz.errors import PayloadTooLarge, Unavailable
from bzz.live.frames import ResetReason
from bzz.providers.changes import Changes, Commit, Matches, Scope

__all__ = ["Judgement", "judge"]

logger = logging.getLogger("bzz.live")

RETRY_SECONDS = 1.0

Judgement = Mapping[str, Matches | ResetReason]
"""By the key of a scope, which sides of a change lie in it; or why that cannot be said."""


async def judge(changes: Changes, commit: Commit, scopes: Collection[Scope]) -> Judgement:
    """Have the database say which scopes a change lies in; wait for it where it is away.

    Of a scope that holds everything nobody needs to be asked. A scope that the database refuses is told so, and harms
    no other.
    """
    everything = Matches(before=commit.before is not None, after=commit.after is not None)
    known: dict[str, Matches | ResetReason] = {scope.key: everything for scope in scopes if scope.is_all}
    asked = [scope for scope in scopes if not scope.is_all]
    return {**known, **await _ask(changes, commit, asked)} if asked else known


async def _ask(changes: Changes, commit: Commit, asked: Sequence[Scope]) -> Judgement:
    while True:
        try:
            found = await changes.match(commit, asked)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
        except PayloadTooLarge:
            return {scope.key: "too-large" for scope in asked}
        except Exception:
            if len(asked) == 1:
                logger.exception("a change cannot be judged by the scope of a feed")
                return {asked[0].key: "scope"}
            alone = [await _ask(changes, commit, [scope]) for scope in asked]
            return {key: value for each in alone for key, value in each.items()}
        else:
            return {scope.key: match for scope, match in zip(asked, found, strict=True)}

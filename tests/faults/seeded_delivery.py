"""Durable delivery with a fault each: what a harness has to see before it is believed. Each function seeds one."""

from __future__ import annotations

import itertools
from typing import Any

from pymongo.write_concern import WriteConcern

from bzz.delivery.lanes import Lanes
from bzz.delivery.session import Session
from bzz.delivery.tracker import Ticket
from bzz.providers.mongoengine.changes import deliveries, letters

__all__ = ["by_arrival", "one_member", "saves_first", "stale_fence"]


def saves_first() -> None:
    """Progress is saved before a change is handled."""
    hand_over = Session._hand_over

    async def save_and_hand_over(own: Session, number: int, key: str, commit: Any) -> None:
        own._done([own._partitions[number].tracker.begin(commit)])
        own._wants_save.set()
        await own._save()
        await hand_over(own, number, key, commit)

    Session._hand_over = save_and_hand_over  # type: ignore[assignment,method-assign]


def by_arrival() -> None:
    """The changes of a document do not wait for each other."""
    hand_over, number = Lanes.hand_over, itertools.count()

    def hand_over_alone(own: Lanes, partition: int, key: str, ticket: Ticket) -> None:
        hand_over(own, partition, f"{key} {next(number)}", ticket)

    Lanes.hand_over = hand_over_alone  # type: ignore[assignment,method-assign]


def stale_fence() -> None:
    """What an owner of former times writes is taken."""
    for module in (deliveries, letters):
        module.held = lambda claim: {"_id": letters.partition_id(claim.listener, claim.partition)}  # type: ignore[attr-defined]


def one_member() -> None:
    """Progress and letters count as stored when one member has them."""
    letters.WriteConcern = lambda w: WriteConcern(1)  # type: ignore[attr-defined,assignment,misc]

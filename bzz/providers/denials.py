"""What a refusal to delete a document tells of the documents that refer to it, by the rules of both models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bzz.providers import rules
from bzz.providers.rules import ANYONE, AUTHENTICATED, Kept

__all__ = ["is_told", "may_be_unseen"]


def may_be_unseen(model: type, unseen: type, name: str) -> bool:
    """Return whether somebody who may delete documents of ``model`` may not see a field of ``unseen``.

    It is seen by who may get its documents, or list them. What a function of the user says is known for itself alone.
    """
    deleting = [each.actions["delete"] for each in rules.of(model)] or [(ANYONE,)]
    if not all(deleting):  # nobody may
        return False
    declared = [*rules.of(unseen), *rules.below(unseen)]
    if any(each.scope is not None for each in declared):
        return True
    reading = [each.fields[name].read for each in declared if name in each.fields]
    ways = ([each.actions["get"] for each in declared], [each.actions["list"] for each in declared])
    return not any(all(who is None or _are_among(deleting, who) for who in (*reading, *way)) for way in ways)


def _are_among(users: Sequence[Kept], others: Kept) -> bool:
    """Return whether those of whom all of some rules are true are among those of whom another is."""
    return any(_is_among(each, others) for each in users)


def _is_among(users: Kept, others: Kept) -> bool:
    return ANYONE in others or all(each in others or (AUTHENTICATED in others and _signs_in(each)) for each in users)


def _signs_in(who: str | Callable[[Any], Any]) -> bool:
    """Return whether a rule is true of none but those who are signed in: roles and scopes are those of somebody."""
    return isinstance(who, str) and who != ANYONE


def is_told(model: type, name: str) -> bool:
    """Return whether that a reference keeps a document from being deleted may be told to everybody (``denies``)."""
    return any(name in each.fields and each.fields[name].denies for each in rules.of(model))

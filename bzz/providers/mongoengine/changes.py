"""The MongoDB update that makes one raw document of another."""

from __future__ import annotations

from bzz.providers.mongoengine.raw import Raw, differ

__all__ = ["assignments"]


def assignments(before: Raw, after: Raw) -> dict[str, Raw]:
    """The MongoDB update that turns one raw document into another, by its top-level keys; empty where none differs."""
    sets = {key: value for key, value in after.items() if key not in before or differ(before[key], value)}
    unsets = {key: "" for key in before if key not in after}
    return {operator: keys for operator, keys in (("$set", sets), ("$unset", unsets)) if keys}

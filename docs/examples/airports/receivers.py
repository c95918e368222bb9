"""Prints every change with what it changed, and tells the page of it; the rows that the demo loads are left out."""

from __future__ import annotations

from typing import Any

from changes import Changed
from tornado.web import RequestHandler

import bzz
from bzz import signals
from bzz.change import Change

__all__ = ["LOADER", "connect"]

LOADER = "airports-loader"
"""The ``User-Agent`` of the demo's own requests: there are thousands of them, and nobody wants to read them."""


def connect() -> None:
    """Hear of changes of every model and of what is embedded in it."""
    signals.post_create_instance.connect(created)
    signals.post_update_instance.connect(updated)
    signals.post_delete_instance.connect(deleted)


async def created(sender: type, instance: Any, change: Change, handler: RequestHandler) -> None:
    """Tell that an instance was created, or linked to another that refers to it."""
    await _tell(sender, "linked" if change.kind == "linked" else "created", instance, change, handler, {})


async def updated(
    sender: type, instance: Any, updated_fields: dict[str, dict[str, Any]], change: Change, handler: RequestHandler
) -> None:
    """Tell what changed, from what to what."""
    await _tell(sender, "updated", instance, change, handler, updated_fields)


async def deleted(sender: type, instance: Any, change: Change, handler: RequestHandler) -> None:
    """Tell that an instance was deleted, or unlinked from another that no longer refers to it."""
    await _tell(sender, "unlinked" if change.kind == "unlinked" else "deleted", instance, change, handler, {})


async def _tell(
    sender: type,
    verb: str,
    instance: Any,
    change: Change,
    handler: RequestHandler,
    fields: dict[str, dict[str, Any]],
) -> None:
    if handler.request.headers.get("User-Agent") == LOADER:
        return
    deed = verb + {"linked": " to", "unlinked": " from"}.get(verb, "")
    other = f" {change.model.__name__} {change.id}" if deed != verb else ""
    lines = [f"{sender.__name__} {deed}{other} by {handler.request.method} {handler.request.path}"]
    lines += [f"    {name}: {each['from']!r} -> {each['to']!r}" for name, each in fields.items()]
    print("\n".join(lines) + "\n", end="", flush=True)  # in one piece: another process prints as well
    which = str(getattr(instance, "pk", ""))
    await bzz.emit(Changed(what=f"{sender.__name__}.{verb}", which=which, fields=sorted(fields)))

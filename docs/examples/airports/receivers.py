"""Prints every change, whoever makes it, with what it changed."""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler

from bzz import signals

__all__ = ["connect"]


def connect() -> None:
    """Start printing; changes of every model and of what is embedded in it."""
    signals.post_create_instance.connect(created)
    signals.post_update_instance.connect(updated)
    signals.post_delete_instance.connect(deleted)


def created(sender: type, handler: RequestHandler) -> None:
    """Print that an instance was created, or linked."""
    _print(sender, "created", handler)


def updated(sender: type, updated_fields: dict[str, dict[str, Any]], handler: RequestHandler) -> None:
    """Print what changed, from what to what."""
    _print(sender, "updated", handler)
    for name, change in updated_fields.items():
        print(f"    {name}: {change['from']!r} -> {change['to']!r}", flush=True)


def deleted(sender: type, handler: RequestHandler) -> None:
    """Print that an instance was deleted, or unlinked."""
    _print(sender, "deleted", handler)


def _print(sender: type, what: str, handler: RequestHandler) -> None:
    print(f"{sender.__name__} {what} by {handler.request.method} {handler.request.path}", flush=True)

"""Events as JSON objects, and back.

An event whose class or model this process does not have becomes a :class:`~bzz.events.AdHocEvent` of the same name, so
that listeners by name get it all the same. Events that listeners may refuse (``User.creating``) are not forwarded:
another process could not refuse in time.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bzz.events.base import Intent, ModelEvent
from bzz.events.bus import bus
from bzz.events.event import AdHocEvent, Event, Remote, class_named, qualified_name, restored, stamp
from bzz.events.model_events import FieldUpdated
from bzz.events.targets import EventClass, Subject, Target
from bzz.events.trace import current_traceparent
from bzz.providers.hidden import MayLeave, without_hidden
from bzz.relay.documents import model_named
from bzz.relay.payload import pack, unpack

__all__ = ["Forwarded", "is_forwardable", "read_event", "write_event"]

_NOT_SENT = frozenset({"handler", "model"})


@dataclass(frozen=True)
class Forwarded(Target):
    """A target without the events that listeners may refuse."""

    inner: Target

    def matches(self, subject: Subject) -> bool:
        return not issubclass(subject.kind, Intent) and self.inner.matches(subject)

    def matches_some_field(self, model: type) -> bool:
        return self.inner.matches_some_field(model)

    def __str__(self) -> str:
        return str(self.inner)


def is_forwardable(target: Target) -> bool:
    """Return whether a target matches events that can be forwarded."""
    return not (isinstance(target, EventClass) and issubclass(target.kind, Intent))


def write_event(event: Event, revealed: Collection[str]) -> dict[str, Any] | None:
    """Return an event as a JSON object; None if it is about a hidden field only.

    :param revealed: the hidden fields that are sent, as ``Model.field``.
    :raises TypeError: for a value of a type that is not registered.
    :raises ValueError: for a value that is nested too deep.
    """

    def may_leave(model: type, name: str) -> bool:
        return any(f"{each.__name__}.{name}" in revealed for each in model.__mro__)

    fields = event.payload if isinstance(event, AdHocEvent) else _fields(event)
    body: dict[str, Any] = {"name": event.name, "id": event.id, "at": event.occurred_at.isoformat()}
    if isinstance(event, ModelEvent):
        body["model"] = qualified_name(event.model)
        if not _strip(event, fields, may_leave):
            return None
    body["fields"] = pack(fields, may_leave)
    if type(event) is not AdHocEvent:
        body["class"] = qualified_name(type(event))
    if event.request_id is not None:
        body["request"] = event.request_id
    if isinstance(event.origin, str):
        body["origin"] = event.origin
    if event.cause is not None:
        body["depth"], body["causes"] = event.depth, _causes(event)
    if (traceparent := current_traceparent()) is not None:
        body["traceparent"] = traceparent
    return body


def _fields(event: Event) -> dict[str, Any]:
    return {each.name: getattr(event, each.name) for each in event._fields if each.init and each.name not in _NOT_SENT}


def _strip(event: ModelEvent[Any], fields: dict[str, Any], may_leave: MayLeave) -> bool:
    """Remove hidden fields from the changes in ``fields``, and return whether there is anything to send."""
    if "diff" in fields:
        fields["diff"] = without_hidden(event.model, fields["diff"], may_leave)
    if isinstance(event, FieldUpdated):
        change = {event.field: {"old": event.old, "new": event.new}}
        open_change = without_hidden(event.model, change, may_leave)
        fields.update(open_change.get(event.field, {}))
        return event.field in open_change
    return True


def _causes(event: Event) -> list[list[str]]:
    """Return the names and ids of the causes, the nearest first."""
    found: list[list[str]] = []
    link = event.cause
    while link is not None and len(found) <= bus.max_depth:
        found.append([link.name, link.id])
        link = link.cause
    return found


def read_event(body: Any, remote: Remote) -> Event:
    """Return the event that :func:`write_event` wrote as ``body`` in another process.

    :raises ValueError: if ``body`` is malformed, or the event refuses a value.
    """
    try:
        cause, depth = _cause(body)
        marks = {
            "id": _text(body["id"]),
            "occurred_at": datetime.fromisoformat(body["at"]),
            "origin": _optional(body, "origin"),
            "request_id": _optional(body, "request"),
            "cause": cause,
            "depth": depth,
            "remote": remote._replace(traceparent=_optional(body, "traceparent")),
        }
        return _make(body, unpack(body["fields"]), marks)
    except ValueError:
        raise
    except Exception as error:  # a class may have checks of its own
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _make(body: dict[str, Any], fields: dict[str, Any], marks: dict[str, Any]) -> Event:
    kind = class_named(_text(body["class"])) if "class" in body else None
    if kind is None or kind is AdHocEvent:
        return restored(AdHocEvent, {"name": _text(body["name"]), "payload": fields}, marks)
    if issubclass(kind, Intent):
        raise ValueError(f"{kind.__name__} does not travel")
    if not issubclass(kind, ModelEvent):
        return restored(kind, fields, marks)
    model = model_named(_text(body["model"]))
    if model is None:
        fields = {"model": re.split("[:.]", body["model"])[-1], **fields}
        return restored(AdHocEvent, {"name": _text(body["name"]), "payload": fields}, marks)
    return restored(kind, {"model": model, **fields}, {**marks, "origin": model})


def _cause(body: dict[str, Any]) -> tuple[Event | None, int]:
    """Return the causes as events without a payload, and their number."""
    if "causes" not in body:
        return None, 0
    cause: Event | None = None
    causes, depth = body["causes"], body.get("depth")
    if type(depth) is not int or not 0 <= depth <= bus.max_depth or len(causes) > bus.max_depth + 1:
        raise ValueError("an event with this many causes is not sent")
    for place, (name, id) in enumerate(reversed(causes)):
        above, cause = cause, AdHocEvent(_text(name))
        stamp(cause, id=_text(id), cause=above, depth=max(depth - len(causes) + place, 0))
    return cause, depth


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text is expected")
    return value


def _optional(body: dict[str, Any], name: str) -> str | None:
    return _text(body[name]) if name in body else None

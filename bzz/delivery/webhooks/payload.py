"""The body of a webhook: an event as JSON, without what any routes hide.

``{"type": "Order.updated.status", "timestamp": "...", "data": {"id": ..., "instance": ..., "diff": ...}}``, as Standard
Webhooks recommend (https://github.com/standard-webhooks/standard-webhooks, "Payload structure").
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bzz.change import storable
from bzz.codec import dumps, plain
from bzz.delivery.webhooks.signature import message_id
from bzz.events.model_events import FieldUpdated
from bzz.model.hive import provider_for
from bzz.providers.base import Provider
from bzz.providers.hidden import hides, never, note, shown_anywhere, without_hidden

__all__ = ["id_of", "write"]


async def write(event: Any, orm: str | type[Provider] = "mongoengine") -> bytes | None:
    """Return the body for an event; None if it is about hidden fields only.

    :param event: of a model; its ``instance`` and its ``diff`` may be missing where the database did not keep them.
    :param orm: as :meth:`bzz.ModelHive.routes_for` takes it.
    :raises TypeError: for an instance whose ``to_dict()`` returns what JSON cannot hold.
    """
    _provider(orm, event.model)  # from now on it is known what the model itself hides
    if isinstance(event, FieldUpdated) and not _open(event.model, {event.field: {"from": event.old, "to": event.new}}):
        return None
    data: dict[str, Any] = await _shown(event, orm)
    if hasattr(event, "diff"):
        data["diff"] = None if event.diff is None else _open(event.model, event.diff)
        if event.diff and not data["diff"]:
            return None
    return dumps({"type": event.name, "timestamp": event.occurred_at, "data": data})


def id_of(event: Any) -> str:
    """Return the ``webhook-id`` of an event: the same at each attempt.

    An update of several fields is one change, and several events: each is a message of its own.
    """
    return message_id(f"{event.id}:{event.field}" if isinstance(event, FieldUpdated) else event.id)


def _open(model: type, diff: Any) -> dict[str, Any]:
    return without_hidden(model, storable(diff), never)


async def _shown(event: Any, orm: str | type[Provider]) -> dict[str, Any]:
    """Return the id and the instance as clients see them."""
    instance = getattr(event, "instance", None)
    if instance is None:
        return {"id": None, "instance": None}
    model: Any = type(instance)
    provider = _provider(orm, model)
    shape = provider.shape
    [shown] = await provider.render([instance])
    if provider.has_public_ids(shape):
        await provider.render_public_ids([instance], [shown], None)
    name = None if shape.url_id is None else shape.url_id.name
    id = None if name is None or hides(shape.model, name) else plain(getattr(instance, name, None))
    return {"id": id, "instance": shown_anywhere(shape, shown)}


@lru_cache(256)
def _provider(orm: str | type[Provider], model: type) -> Provider:
    provider = provider_for(orm, model)
    note(provider.shape)  # no routes may serve the model
    return provider

"""Existing documents are linked: a POST to the references of a document."""

from __future__ import annotations

import logging
from typing import Any

from bzz import signals
from bzz.codec import dumps
from bzz.model.body import read_links
from bzz.shape.values import key_json

__all__ = ["link"]

logger = logging.getLogger("bzz.model")


async def link(handler: Any) -> None:
    """Link the documents that the body names, and answer with their ids.

    :param handler: the :class:`~bzz.ModelHandler` of a POST whose path ends at a reference, or a list of them.
    """
    step, owner = handler.path.last, handler.path.steps[-2].shape
    signal = signals.pre_create_instance
    await handler.decode(owner)
    if signal.has_receivers_for(step.shape.model):
        read_links(step.field, handler.data, complete=False)
    await handler._send_before(signal)
    keys = read_links(step.field, handler.data)
    linked = await handler.provider.link(handler.path, keys, handler)
    await handler._send_after(signals.post_create_instance, *linked)
    ids = [key_json(step.shape.pk, key) for key in keys]
    rendered: dict[str, Any] = {step.field.name: ids if step.is_list else ids[0]}
    if handler.provider.has_public_ids(owner):
        try:
            await handler.provider.render_public_ids([owner], [rendered], handler)
        except Exception:  # they keep their primary keys
            method, path = handler.request.method, handler.request.path
            logger.exception("%s %s is done, but its public ids cannot be read", method, path)
    handler._finish_written_json(dumps(rendered))

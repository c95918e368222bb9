"""The feed of one model: its list or instance as ``text/event-stream``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from bzz.asgi.lifespan import at_start
from bzz.errors import BadRequest, NotAcceptable
from bzz.live import hub
from bzz.live.client import Client
from bzz.live.rights import Rights
from bzz.live.start import prepare
from bzz.live.view import View
from bzz.model.filters import followed
from bzz.model.handler import ModelHandler
from bzz.model.own_parameters import narrowed
from bzz.model.parameters import unreadable
from bzz.model.query import MAX_FILTERS, check_item_query, pairs, read_fields, read_list_query
from bzz.model.representations import EVENT_STREAM, Representation, has_feed, register
from bzz.model.resource import Resource
from bzz.providers.base import ListQuery, Path
from bzz.providers.capabilities import require
from bzz.providers.changes import LiveProvider

__all__ = ["Asked", "Feed", "view_of"]

PAGING = ("page", "per_page", "after", "before")
LISTS_ONLY = ("expand", "q", "facets")

MAX_PARAMETERS = MAX_FILTERS + 10


class Feed(Representation):
    """Shows a list, an instance, or a list of embedded documents, and from then on every change of it."""

    media_type = EVENT_STREAM

    def check(self, resource: Resource) -> None:
        """Called when routes are made with ``live=True``."""
        hub.expect(require(resource.provider, "live=True", "diff", "resume", "watch"))

    async def answer(self, handler: ModelHandler) -> None:
        """Called by the handler for ``Accept: text/event-stream``."""
        path = handler.path
        if not has_feed(handler.resource, path):
            raise NotAcceptable("What a reference leads to has a feed at its own URL; here it is shown as JSON.")
        asked = Asked(handler.request.query, handler.request.headers.get("Last-Event-ID"))
        view = view_of(handler.resource, path, asked.query, handler)
        await handler.announce_reading()
        if view.ends_inside:
            view = replace(view, query=await view.provider.resolve(path, view.query, handler))
        there = Path(path.steps[:-1]) if path.last.is_list else path
        if asked.last_event_id is None and there.steps:
            await handler.provider.get(there, handler)
        client = Client(handler, [view], Rights(handler.ask_authorize))
        await client.answer(asked.last_event_id, asked.wants_snapshot)


class Asked:
    """What the query string and ``Last-Event-ID`` of a feed ask for.

    :param others: parameters that are read elsewhere.
    :ivar query: the filters, ``sort`` and ``fields``, as a list takes them.
    :ivar last_event_id: where the client was; None to begin anew.
    :ivar wants_snapshot: whether one that begins anew is sent what there is.
    :raises bzz.errors.BadRequest: for a parameter of pages, or one that is given twice or cannot be read.
    """

    def __init__(self, query: str, last_event_id: str | None, others: Collection[str] = ()) -> None:
        self.last_event_id = last_event_id or None
        self.wants_snapshot = True
        left = []
        for name, text in pairs(query, limit=MAX_PARAMETERS) if query else ():
            if name in others:
                continue
            if name in PAGING:
                raise BadRequest(f"A feed has no pages: leave the parameter {name!r} out.")
            if name in LISTS_ONLY:
                raise BadRequest(f"A feed does not take the parameter {name!r}; a list does.")
            if name == "last_event_id":
                self.last_event_id = self.last_event_id or text or None
            elif name == "snapshot":
                if text not in ("true", "false"):
                    raise unreadable(name, "Must be true or false.")
                self.wants_snapshot = text == "true"
            else:
                left.append((name, text))
        self.query = urlencode(left)


def view_of(resource: Resource, path: Path, query: str, context: Any) -> View:
    """Return what is followed at the end of a path.

    :param query: filters, ``sort`` and ``fields``.
    :raises bzz.errors.BadRequest: where the query cannot be read.
    """
    assert isinstance(resource.provider, LiveProvider)
    shape = path.last.shape
    if path.last.is_list:
        size = resource.max_per_page
        read = partial(read_list_query, shape, per_page=size, max_per_page=size)
        filters = narrowed(resource.parameters, path, query, context, read)
        if followed(filters.filters, resource.provider):
            raise BadRequest("A feed cannot be filtered by what a reference leads to.")
        fields = read_fields(shape, query)
    else:
        filters, fields = ListQuery(), check_item_query(shape, query)
    return View(resource.provider, resource.name, path, filters, fields, query, context)


register(Feed())
at_start(prepare)

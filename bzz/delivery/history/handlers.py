"""The answers of the routes of histories.

To everything that is asked on the way (guard, ``authorize``, hooks, receivers) the request is a GET of the document, or
a PUT to it: it gets that path and that method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from bzz import signals
from bzz.change import Diff, storable
from bzz.codec import dumps, loads
from bzz.delivery.history.operations import READ, UNDO
from bzz.delivery.history.reading import entry_of, read_history
from bzz.delivery.history.undoing import AGAIN, INEXACT, body_undoing, check_same_items, check_undone, is_inside_list
from bzz.delivery.history.visible import of_user, shown
from bzz.errors import BadRequest, Conflict, Forbidden, MethodNotAllowed, NotFound
from bzz.model.base import WriteAttempt
from bzz.model.handler import ModelHandler
from bzz.model.parameters import unknown, unreadable
from bzz.model.path import NOWHERE
from bzz.model.query import pairs
from bzz.model.resource import Resource
from bzz.model.validation import validate
from bzz.providers.base import Changed
from bzz.providers.changes import LiveProvider
from bzz.providers.history import HistoryEntry
from bzz.providers.rules import UNRESTRICTED
from bzz.shape.types import TAG

__all__ = ["HISTORY", "REVERT", "HistoryHandler", "RevertHandler"]

HISTORY, REVERT = "/(?P<id>[^/]+)/history/?", "/(?P<id>[^/]+)/history/(?P<change>[^/]+)/revert/?"
"""What follows the URL of a model's list in those of its histories, as regular expressions."""

MOST_SINCE = 500
"""How many changes may have followed one that is to be undone, if it was inside of a list."""

_PLACE = re.compile("/([^/]+)/history(?:/([^/]+)/revert)?/?")

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class _OfDocument(ModelHandler):
    """A request about a document, whose own URL is the first part of this one."""

    sent_path = ""
    _change = ""

    def initialize(self, of: Mapping[str, Any]) -> None:  # type: ignore[override]  # these routes are another class's
        """Called by Tornado for each request with what :meth:`bzz.HistoryHive.routes_for` put into the route.

        :param of: the arguments of the model's own route, which others may still have changed.
        """
        super().initialize(self._resource(of["resource"]))

    def _resource(self, resource: Resource) -> Resource:
        raise NotImplementedError

    async def check_request(self) -> None:
        """Take the path of the document, and let the request in as one to it."""
        place = _PLACE.fullmatch(self.request.path[len(self.resource.url) :])
        if place is None:
            raise NotFound(NOWHERE)
        self.sent_path, self._change = self.request.path, unquote(place[2] or "")
        self.request.path = f"{self.resource.url}/{place[1]}/"
        await super().check_request()


class HistoryHandler(_OfDocument):
    """Shows the history of a document."""

    template_end = "history/"
    openapi: ClassVar = {"get": READ}

    def _resource(self, resource: Resource) -> Resource:
        return replace(resource, methods=tuple(each for each in resource.methods if each in ("GET", "HEAD")))

    async def get(self, **place: Any) -> None:
        """Answer with a page of the history, the newest change first."""
        limit, after = self._asked()
        self.request.query = ""  # from here on it is a GET of the document
        document = loads(await self._get_instance(), self.path.last.shape.limits.depth + 3)
        if self._finished:
            return
        self._etag = None  # the tag of the document is not that of its history
        page = await read_history(self, document, limit, after)
        if page.next is not None:
            own = "" if limit == self.resource.per_page else f"per_page={limit}&"
            self.set_header("Link", f'<{self.sent_path}?{own}after={quote(page.next, safe="")}>; rel="next"')
        self._finish_json(dumps(page.entries))

    head = get

    def _asked(self) -> tuple[int, str | None]:
        """Return how many entries the request asks for, and behind which."""
        asked = dict(pairs(self.request.query, limit=8)) if self.request.query else {}
        for name in asked:
            if name not in ("per_page", "after"):
                raise unknown(name)
        number = asked.get("per_page", str(self.resource.per_page))
        if not _NUMBER.fullmatch(number):
            raise unreadable("per_page", "Must be a whole number of at least 1.")
        return min(int(number), self.resource.max_per_page), asked.get("after")


class RevertHandler(_OfDocument):
    """Undoes one change of a document, by an update of it."""

    template_end = "history/{change}/revert/"
    openapi: ClassVar = {"post": UNDO}

    def _resource(self, resource: Resource) -> Resource:
        methods = tuple(each for each in resource.methods if each == "PUT")
        return replace(resource, methods=methods, require_if_match=False)  # the change that is undone says enough

    async def check_request(self) -> None:
        """Let a POST in as a PUT to the document."""
        if self.request.method == "POST" and "PUT" in self.resource.methods:
            self.request.method = "PUT"
        elif self.request.method != "OPTIONS":
            raise MethodNotAllowed(self._allowed())
        if self._check_cross_origin(self.check_trusted_origin) is not None:  # Tornado's own, whatever its settings:
            raise Forbidden("This must be sent from this very site.")  # pages of others may POST without being asked
        try:
            await super().check_request()
        finally:
            self.sent_method = "POST" if self.request.method == "PUT" else None

    def _allowed(self) -> list[str]:
        return [*(["POST"] if self.resource.methods else []), "OPTIONS"]

    def options(self, *args: Any, **kwargs: Any) -> None:
        """Answer with the methods that this address takes."""
        self.set_header("Allow", ", ".join(self._allowed()))
        self._finish_empty()

    async def put(self, **place: Any) -> None:
        """Undo the change that the URL names, and answer as a PUT."""
        if self.body().strip() not in (b"", b"{}"):
            raise BadRequest("A change is undone as it was: leave the body empty.")
        changed = await self._retry_while_stale(self._revert)
        await self._finish_written(changed, signals.post_update_instance)

    async def _revert(self, attempt: WriteAttempt) -> Changed:
        """Undo the change in the document as it is now, and only while it is that."""
        if not self.is_shown:
            raise Forbidden("You may not do this.")
        record = attempt.expected = await self.provider.get(self.path, self)
        entry = await entry_of(self, record, self._change)
        seen = None if entry is None or entry.diff is None else of_user(self, entry.diff)
        is_restricted = self.resource.restrictions != UNRESTRICTED
        open_diff = shown(self.provider.shape, seen) if seen else {}
        visible = open_diff if is_restricted else seen
        if entry is None or (is_restricted and entry.kind == "updated" and not visible):
            raise NotFound("This document has no such change.")
        if entry.kind != "updated":
            raise Conflict("Only an update can be undone: what was created can be deleted.")
        if not seen or seen != visible or TAG in seen:
            raise Conflict(INEXACT)
        shape = self.provider.shape
        if is_inside_list(shape, seen):
            check_same_items(shape, seen, await self._since(entry))
        [present] = await self.provider.render([record])
        data = body_undoing(shape, {**seen, **open_diff}, present)
        body = validate(shape, data, self.provider.check, own_id=self.path.last.key, updating=True)
        check_undone(seen, storable(self.provider.preview(record, body.values)))
        self.data = data
        return await self.update_by_data(attempt, merge=False)

    async def _since(self, entry: HistoryEntry) -> list[Diff]:
        """Return the diffs of the changes of the document since then."""
        assert isinstance(self.provider, LiveProvider)
        history = self.provider.changes().history
        later = await history.entries(entry.collection, entry.document, MOST_SINCE)
        newer = [each for each in later if each.position > entry.position]
        known = [each.diff for each in newer if each.diff is not None]
        if len(newer) == MOST_SINCE or len(known) < len(newer):
            raise Conflict(AGAIN)
        return known

    def _finish_problem(self, problem: Mapping[str, Any]) -> None:
        self.data = {}  # nobody has entered it, so no form shows it
        super()._finish_problem(problem)

"""The handler of every model route: each verb is the guard, a signal, one provider call, a signal, and the answer."""

from __future__ import annotations

import functools
import logging
from typing import Any

from tornado.web import HTTPError

from bzz import signals
from bzz.calling import call
from bzz.codec import dumps
from bzz.errors import Forbidden, MethodNotAllowed, NotFound, PreconditionFailed, RequestError
from bzz.model.announcing import AnnouncingHandler, Attempt
from bzz.model.body import decode, read_links
from bzz.model.conditional import entity_tag, if_match_holds, precondition
from bzz.model.detail import detail_of
from bzz.model.links import header_text, link_header, location
from bzz.model.path import read_path
from bzz.model.prefer import COUNT_EXACT, wants_count
from bzz.model.query import check_item_query, project, read_fields, read_list_query
from bzz.model.resource import MAX_BODY_BYTES, Authorize, Resource
from bzz.model.sent import Sent, read_sent
from bzz.problem import GUARD
from bzz.providers.base import Changed, Path, Record, Written
from bzz.receiving import ReceivingHandler
from bzz.shape import Shape
from bzz.signals import Signal

__all__ = ["ModelHandler"]

logger = logging.getLogger("bzz.model")

Fields = tuple[str, ...]


class ModelHandler(AnnouncingHandler, ReceivingHandler):
    """Answers the requests for one model and everything nested in it.

    Receivers of signals and hooks of models get it as ``handler``. What they may use, besides Tornado's own and
    :meth:`stored`:

    :ivar data: the parsed body, checked but for what is required; a ``pre_`` receiver may change it.
    :ivar path: where the request points, a :class:`bzz.providers.base.Path`.
    """

    max_body_bytes = MAX_BODY_BYTES

    def initialize(self, resource: Resource) -> None:
        """Called by Tornado for each request with what :meth:`bzz.ModelHive.routes_for` put into the route."""
        self.resource = resource
        self.provider = resource.provider
        self.data = {}
        self._tag: str | None = None

    async def admit(self) -> None:
        """Before the body is read: the guard, then whether there is such an address and method, and who may use it."""
        guard = self.settings.get(GUARD)
        if guard is not None:
            await call(guard, self)
        self.path = self._read_path()
        allowed = self.resource.allowed(self.path)
        if self.request.method not in allowed:
            raise MethodNotAllowed(allowed)
        if self.resource.authorize is not None:
            await self._authorize(self.resource.authorize)

    async def _authorize(self, authorize: Authorize) -> None:
        """Ask the application whether this user may do this: a 403 where it says no."""
        if self.request.method == "OPTIONS":
            return
        key = self.path.last.key
        instance_id = None if key is None else str(key)
        if not await call(authorize, str(self.request.method), self._model, instance_id, self.current_user):
            raise Forbidden("You may not do this.")

    def _read_path(self) -> Path:
        rest = self.request.path[len(self.resource.url) :]
        return read_path(self.provider.shape, self.resource.name, rest)

    # -- verbs

    async def get(self) -> None:
        """Show an instance or a list."""
        await (self._get_list() if self.path.last.is_list else self._get_instance())

    head = get

    async def post(self) -> None:
        """Create an instance, attach an embedded document, or link an existing one."""
        await (self._link() if self.path.last.is_reference else self._create())

    async def put(self) -> None:
        """Change the fields that the body names."""
        await self._update(merge=False)

    async def patch(self) -> None:
        """Change the fields that the body names, by RFC 7396."""
        await self._update(merge=True)

    async def delete(self) -> None:
        """Delete an instance, remove an embedded document, or unlink a reference."""
        written = await self._attempted(self._delete)
        await self._after(signals.post_delete_instance, written)
        await self._after_inside(written)
        self._finish_empty()

    async def _delete(self, attempt: Attempt) -> Written:
        self.data = {}
        await self._before(signals.pre_delete_instance, attempt)
        return await self.provider.delete(
            self.path, self, precondition=precondition(self.request.headers), expected=attempt.expected
        )

    def options(self, *args: Any, **kwargs: Any) -> None:
        """Say which methods this address takes."""
        self.set_header("Allow", ", ".join(self.resource.allowed(self.path)))
        self._finish_empty()

    # -- what the verbs are made of

    async def _get_instance(self) -> None:
        fields = check_item_query(self.path.last.shape, self.request.query)
        await self._before(signals.pre_get_instance)
        record = await self.provider.get(self.path, self)
        if signals.post_get_instance.has_receivers_for(self._model):
            await signals.post_get_instance.notify(self._model, instance=record.instance, handler=self)
        body = await self._show(record, fields)
        if not if_match_holds(self.request.headers, record.state):
            raise PreconditionFailed()
        self._finish_json(body)

    async def _get_list(self) -> None:
        shape = self.path.last.shape
        query = read_list_query(
            shape,
            self.request.query,
            per_page=self.resource.per_page,
            max_per_page=self.resource.max_per_page,
            count=wants_count(self.request.headers.get("Prefer")),
        )
        fields = read_fields(shape, self.request.query)
        await self._before(signals.pre_get_list)
        page = await self.provider.page(self.path, query, self)
        shown = await self._represent(await self._heard_list(page.records))
        self.set_header("Link", link_header(self.request.path, self.request.query, query, page))
        if page.cut:
            self.set_header("X-Page-Cut", "size")
        if page.total is not None:
            self.set_header("X-Total-Count", str(page.total))
            self.set_header("Preference-Applied", COUNT_EXACT)
        self._finish_json(dumps(shown if fields is None else [project(each, fields) for each in shown]))

    async def _heard_list(self, records: list[Record]) -> list[Any]:
        """The items to show: what receivers of ``post_get_list`` left of them."""
        if not signals.post_get_list.has_receivers_for(self._model):
            return list(records)
        items = [record.instance for record in records]
        known = {id(item): record for item, record in zip(items, records, strict=True)}
        await signals.post_get_list.notify(self._model, items=items, handler=self)
        return [known.get(id(item), item) for item in items]

    async def _create(self) -> None:
        sent = await self._receive(signals.pre_create_instance)
        await self._before(signals.pre_create_instance)
        written = await self.provider.create(self.path, sent.left(self.data), self)
        created = written.record.id
        self.set_status(201)
        self.set_header("Location", location(self.request.path, created if self.path.last.is_list else None))
        if created is not None:
            self.set_header("X-Created-Id", header_text(created))
        await self._finish_written(written, signals.post_create_instance)

    async def _update(self, *, merge: bool) -> None:
        changed = await self._attempted(functools.partial(self._update_once, merge=merge))
        listened = signals.post_update_instance.has_receivers_for(self._model)
        fields = changed.updated_fields if listened else {}
        await self._finish_written(changed, signals.post_update_instance, updated_fields=fields)

    async def _update_once(self, attempt: Attempt, *, merge: bool) -> Changed:
        sent = await self._receive(signals.pre_update_instance, updating=True, merge_patch=merge)
        attempt.preview = lambda record: self.provider.preview(record, sent.left(self.data), merge=merge)
        await self._before(signals.pre_update_instance, attempt)
        return await self.provider.update(
            self.path,
            sent.left(self.data),
            self,
            merge=merge,
            precondition=precondition(self.request.headers),
            expected=attempt.expected,
        )

    async def _link(self) -> None:
        step = self.path.last
        assert step.field is not None
        owner = self.path.steps[-2].shape
        await self._decode(owner)
        if signals.pre_create_instance.has_receivers_for(self._model):
            read_links(step.field, self.data, complete=False)
        await self._before(signals.pre_create_instance)
        keys = read_links(step.field, self.data)
        linked = await self.provider.link(self.path, keys, self)
        for written in linked:
            await self._after(signals.post_create_instance, written)
        for written in linked[:1]:  # all of them tell the same change
            await self._after_inside(written)
        ids = [key if isinstance(key, int) else str(key) for key in keys]
        shown: dict[str, Any] = {step.field.name: ids if step.is_list else ids[0]}
        if self.provider.has_public_ids(owner):
            await self._show_links(owner, shown)
        self._finish_json(dumps(shown))

    async def _show_links(self, owner: Shape, shown: dict[str, Any]) -> None:
        """Show links that are made by public ids; by primary keys where those cannot be read any more."""
        try:
            await self.provider.show_public_ids([owner], [shown], self)
        except Exception:
            logger.exception("%s %s is done, but its public ids cannot be read", self.request.method, self.request.path)

    async def _receive(self, signal: Signal, *, updating: bool = False, merge_patch: bool = False) -> Sent:
        """Decode the body into ``data`` and judge it, as the receivers of ``signal`` may see it; each time anew."""
        shape, own_id = self.path.last.shape, self.path.last.key if updating else None
        await self._decode(shape, merge_patch=merge_patch)
        heard = signal.has_receivers_for(self._model)
        return read_sent(shape, self.data, self.provider.check, own_id=own_id, updating=updating, is_heard=heard)

    async def _decode(self, shape: Shape, *, merge_patch: bool = False) -> None:
        content_type = self.request.headers.get("Content-Type")
        self.data = decode(shape, content_type, self.body(), merge_patch=merge_patch)
        if self.provider.has_public_ids(shape):
            await self.provider.resolve_public_ids(shape, self.data, self)

    # -- answers

    async def _show(self, record: Record, fields: Fields | None = None) -> bytes:
        """The body for one instance; its entity tag is remembered on the way."""
        body = record.body
        if body is not None and fields is None:
            self._tag = entity_tag(record.state)
            if not self.provider.has_public_ids(self.path.last.shape):
                return body
        shown = await self.provider.represent([record])
        if body is None or fields is not None:
            self._tag = entity_tag(record.state, dumps(shown[0] if fields is None else project(shown[0], fields)))
        if self.provider.has_public_ids(self.path.last.shape):  # after the tag, which knows of primary keys only
            await self.provider.show_public_ids([record], shown, self)
        return dumps(shown[0] if fields is None else project(shown[0], fields))

    async def _represent(self, items: list[Any]) -> list[Any]:
        shown = await self.provider.represent(items)
        if self.provider.has_public_ids(self.path.last.shape):
            await self.provider.show_public_ids(items, shown, self)
        return shown

    async def _finish_written(self, written: Written, signal: Signal, **more: Any) -> None:
        """Tell receivers of a write, and answer with what is stored, whatever goes wrong from here on."""
        record = written.record
        try:
            body = await call(self._show, record)
        except Exception:
            logger.exception("%s %s is done, but cannot be shown", self.request.method, self.request.path)
            body = dumps({"id": record.id})
        await self._after(signal, written, **more)
        await self._after_inside(written)
        if self._tag is not None:
            self.set_header("ETag", self._tag)
        self._finish_json(body)

    def _finish_json(self, body: bytes) -> None:
        if not self._finished:
            self.set_header("Content-Type", "application/json")
            self.finish(body)

    def _finish_empty(self) -> None:
        if not self._finished:
            self.set_status(204)
            self.finish()

    def compute_etag(self) -> str | None:
        """The tag of what is shown; for a list, Tornado's own hash of the body. Tornado asks at the end of a GET."""
        return self._tag or super().compute_etag()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """As every handler of bzz; a method that Tornado itself does not know is told what this address takes."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, HTTPError) and status_code in (404, 405) and not error.reason:  # as Tornado raises them
            error = self._not_allowed() if status_code == 405 else NotFound()
        super().write_error(status_code, exc_info=(type(error), error, None))

    def _problem_of(self, error: RequestError) -> dict[str, Any]:
        detail = detail_of(error, getattr(self, "path", None), self.request.headers)
        return {**super()._problem_of(error), **({"detail": detail} if detail else {})}

    def _not_allowed(self) -> Exception:
        try:
            return MethodNotAllowed(self.resource.allowed(self._read_path()))
        except NotFound as error:
            return error

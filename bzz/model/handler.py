"""The handler of every model route: each verb is a signal, one provider call, a signal, and the answer.

Here belongs the order of these steps. How a path, a query or a body is read is in modules of their own, and so is
what all verbs share (:mod:`bzz.model.base`). No ORM and no driver is known here.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import replace
from typing import Any

from bzz import signals
from bzz.calling import call
from bzz.codec import dumps
from bzz.errors import Forbidden, PreconditionFailed
from bzz.headers import add_vary
from bzz.model.base import WriteAttempt
from bzz.model.body import decode
from bzz.model.bulk import BulkHandler
from bzz.model.etag import if_match_holds, view_tag
from bzz.model.expand import expand, may_list
from bzz.model.expansion import Tree
from bzz.model.facets import check_facets, count_facets
from bzz.model.filters import followed
from bzz.model.idempotency import IDEMPOTENCY_KEY, post_once
from bzz.model.json_patch import Operation
from bzz.model.linking import link
from bzz.model.links import created_headers, link_header
from bzz.model.patching import read_patch, update_by_patch
from bzz.model.prefer import COUNT_EXACT, wants_count
from bzz.model.query import check_item_query, project, read_expansion, read_facets, read_fields, read_list_query
from bzz.model.query_method import QUERY, take_query
from bzz.model.representations import chosen
from bzz.model.rights import completed
from bzz.model.validation import validate
from bzz.providers import rules
from bzz.providers.base import Changed, Record, Written
from bzz.shape import Shape
from bzz.signals import Signal

__all__ = ["ModelHandler"]

logger = logging.getLogger("bzz.model")


class ModelHandler(BulkHandler):
    """Answers the requests for one model and everything nested in it.

    Receivers of signals and hooks of models get it as ``handler``. What they may use, besides Tornado's own,
    :meth:`stored` and :meth:`proposed`:

    :ivar data: the parsed body, checked but for what is required; a ``pre_`` receiver may change it.
    :ivar path: where the request points, a :class:`bzz.providers.base.Path`.
    :ivar parameters: the values of the application's own parameters that a list was asked with, by name.
    """

    _etag: str | None = None
    _operations: list[Operation] | None = None
    linked_query: str | None = None  # what stands for the query in links, if not the query itself

    # -- verbs

    async def get(self) -> None:
        """Show an instance or a list, in the media type that the client wants most."""
        if self.sent_method == QUERY:
            take_query(self)
        served = self.resource.served
        if served:
            add_vary(self._headers, "Accept")
        representation = chosen(self.request.headers.get("Accept"), served)
        if representation is not None:
            await representation.answer(self)
            return
        self._finish_json(await self.read())

    head = get

    async def post(self) -> None:
        """Create an instance or an array of them, attach an embedded document, or link an existing one."""
        write = self._create
        if self.path.last.is_reference:
            write = functools.partial(link, self)
        elif self.posts_array():
            write = self.create_rows
        if self.has_form_key and not self.path.last.is_reference:
            await self.decode(self.path.last.shape)  # for the page of a refusal, which shows what was entered
        await (post_once(self, write) if IDEMPOTENCY_KEY in self.request.headers else write())

    async def put(self) -> None:
        """Change the fields that the body names."""
        await self._update(merge=False)

    async def patch(self) -> None:
        """Change fields by RFC 7396 or RFC 6902; of a list, in all documents that the filters select."""
        shape = self.path.last.shape
        self._operations = read_patch(self)
        if not self.path.last.is_list:
            await self._update(merge=True)
            return
        if self._operations is None:
            await self.decode(shape, merge_patch=True)
            validate(shape, self.data, self.provider.check, updating=True, has_receivers=True)
        await self.write_selected(self._patch_one)

    async def _patch_one(self, attempt: WriteAttempt) -> None:
        changed = await self._update_once(attempt, merge=True)
        await self._send_after(signals.post_update_instance, changed)

    async def delete(self) -> None:
        """Delete an instance or all that the filters select, remove an embedded document, or unlink a reference."""
        if self.path.last.is_list:
            await self.write_selected(self._delete_one)
            return
        written = await self._retry_while_stale(self._delete)
        await self._send_after(signals.post_delete_instance, written)
        self._finish_empty()

    async def _delete_one(self, attempt: WriteAttempt) -> None:
        await self._send_after(signals.post_delete_instance, await self._delete(attempt))

    async def _delete(self, attempt: WriteAttempt) -> Written:
        self.data = {}
        await self._send_before(signals.pre_delete_instance, attempt)
        return await self.provider.delete(self.path, self, precondition=self._precondition(), expected=attempt.expected)

    # -- what the verbs are made of

    async def announce_reading(self) -> None:
        """Send the signal before a list or an instance is shown."""
        await self._send_before(signals.pre_get_list if self.path.last.is_list else signals.pre_get_instance)

    async def read(self) -> bytes:
        """Return the JSON of the list or the instance, and set the headers that go with it."""
        return await (self._get_list() if self.path.last.is_list else self._get_instance())

    async def _get_instance(self) -> bytes:
        shape = self.path.last.shape
        fields, tree = check_item_query(shape, self.request.query), read_expansion(shape, self.request.query)
        await self._send_before(signals.pre_get_instance)
        record = await self.provider.get(self.path, self)
        if signals.post_get_instance.has_receivers_for(self._model):
            await signals.post_get_instance.notify(self._model, instance=record.instance, handler=self)
        body = await self._render(record, fields, tree)
        if not if_match_holds(self.request.headers, record.state):
            raise PreconditionFailed()
        return body

    async def _get_list(self) -> bytes:
        shape = self.path.last.shape
        read = functools.partial(
            read_list_query,
            shape,
            per_page=self.resource.per_page,
            max_per_page=self.resource.max_per_page,
            count=wants_count(self.request.headers.get("Prefer")),
        )
        query = self._narrowed(read) if self.resource.parameters else read(self.request.query)
        fields, names = read_fields(shape, self.request.query), read_facets(shape, self.request.query)
        tree = read_expansion(shape, self.request.query)
        if names:
            check_facets(shape)
        await self._send_before(signals.pre_get_list)
        for each in followed(query.filters, self.provider):
            await may_list(self, each)
        if self.resource.restrictions.hidden and not signals.post_get_list.has_receivers_for(self._model):
            query = replace(query, only_shown=True)
        page = await self.provider.page(self.path, query, self)
        rendered = await self._render_all(await self._items_after_receivers(page.records), tree)
        self.set_header("Link", link_header(self.request.path, self.linked_query or self.request.query, query, page))
        if page.cut:
            self.set_header("X-Page-Cut", "size")
        if page.total is not None:
            self.set_header("X-Total-Count", str(page.total))
            self.set_header("Preference-Applied", COUNT_EXACT)
        shown = rendered if fields is None else [project(each, fields) for each in rendered]
        return dumps({"items": shown, "facets": await count_facets(self, query, names)} if names else shown)

    async def _items_after_receivers(self, records: list[Record]) -> list[Any]:
        """Send ``post_get_list``, and return the items that its receivers left."""
        if not signals.post_get_list.has_receivers_for(self._model):
            return list(records)
        items = [record.instance for record in records]
        known = {id(item): record for item, record in zip(items, records, strict=True)}
        await signals.post_get_list.notify(self._model, items=items, handler=self)
        return [known.get(id(item), item) for item in items]

    async def _create(self) -> None:
        shape, signal = self.path.last.shape, signals.pre_create_instance
        await self.decode(shape, takes_csv=self.takes_rows)
        has_receivers = signal.has_receivers_for(self._model)
        body = validate(shape, self.data, self.provider.check, has_receivers=has_receivers)
        await self._send_before(signal)
        values = body.final_values(self.data)
        if rules.DECLARED:
            values = await completed(self, shape, values)
        written = await (self.keyed or self.provider).create(self.path, values, self)
        self.set_status(201)
        self._headers.update(created_headers(self.request.path, written.record.id, in_list=self.path.last.is_list))
        await self._finish_written(written, signals.post_create_instance)

    async def _update(self, *, merge: bool) -> None:
        changed = await self._retry_while_stale(functools.partial(self._update_once, merge=merge))
        await self._finish_written(changed, signals.post_update_instance)

    async def _update_once(self, attempt: WriteAttempt, *, merge: bool) -> Changed:
        if self._operations is not None:
            return await update_by_patch(self, attempt, self._operations)
        await self.decode(self.path.last.shape, merge_patch=merge)
        return await self.update_by_data(attempt, merge=merge)

    async def update_by_data(self, attempt: WriteAttempt, *, merge: bool) -> Changed:
        """Make an update of ``data``, as it is decoded."""
        end, signal = self.path.last, signals.pre_update_instance
        heard = signal.has_receivers_for(self._model)
        body = validate(end.shape, self.data, self.provider.check, own_id=end.key, updating=True, has_receivers=heard)
        if body.read_only and not self.is_shown:
            raise Forbidden("You may not read this, so read-only fields cannot be sent back: leave them out.")
        attempt.preview = lambda record: self.provider.preview(record, body.final_values(self.data), merge=merge)
        await self._send_before(signal, attempt)
        values, precondition = body.final_values(self.data), self._precondition()
        return await self.provider.update(
            self.path, values, self, merge=merge, precondition=precondition, expected=attempt.expected
        )

    async def decode(self, shape: Shape, *, merge_patch: bool = False, takes_csv: bool = False) -> None:
        """Decode the body into ``data``, with primary keys in place of public ids."""
        content_type = self.request.headers.get("Content-Type")
        self.data = decode(shape, content_type, self.body(), merge_patch=merge_patch, takes_csv=takes_csv)
        if self.provider.has_public_ids(shape):
            await self.provider.resolve_public_ids(shape, self.data, self)

    # -- answers

    async def _render(self, record: Record, fields: tuple[str, ...] | None = None, tree: Tree | None = None) -> bytes:
        """Return the JSON of one instance, and keep its entity tag for the answer."""
        body = record.body
        if body is None or fields is not None or tree or self.provider.has_public_ids(self.path.last.shape):
            body = await call(self._render_anew, record, fields, tree or {})
        else:
            self._etag = f'"{record.state}"'
        return body

    async def _render_anew(self, record: Record, fields: tuple[str, ...] | None, tree: Tree) -> bytes:
        """Do it if the JSON does not follow from what is stored alone."""
        (rendered,) = await self.provider.render([record])
        if tree:
            await expand(self, [self.path.last.shape], [rendered], tree)
            body = dumps(rendered if fields is None else project(rendered, fields))
            self._etag = view_tag(record.state, body)
            return body
        self._etag = f'"{record.state}"'
        if record.body is None or fields is not None:
            self._etag = view_tag(record.state, dumps(rendered if fields is None else project(rendered, fields)))
        if self.provider.has_public_ids(self.path.last.shape):  # after the tag, which knows of primary keys only
            await self.provider.render_public_ids([record], [rendered], self)
        return dumps(rendered if fields is None else project(rendered, fields))

    async def _render_all(self, items: list[Any], tree: Tree) -> list[Any]:
        rendered = await self.provider.render(items)
        if tree:
            await expand(self, [self.path.last.shape] * len(rendered), rendered, tree)
        elif self.provider.has_public_ids(self.path.last.shape):
            await self.provider.render_public_ids(items, rendered, self)
        return rendered

    async def _finish_written(self, written: Written, signal: Signal) -> None:
        """Tell receivers of a write, and answer with what is stored, whatever goes wrong from here on."""
        record = written.record
        try:
            body = await self._render(record)
        except Exception:
            logger.exception("%s %s is done, but cannot be shown", self.request.method, self.request.path)
            body = dumps({"id": record.id})
        await self._send_after(signal, written)
        if self._etag is not None:
            self.set_header("ETag", self._etag)
        self._finish_written_json(body)

    def compute_etag(self) -> str | None:
        """Return the tag of an instance; of a list Tornado's own hash of the body. Tornado asks at the end of a GET."""
        return self._etag or super().compute_etag()

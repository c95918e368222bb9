"""Several documents in one request: an array (or CSV) that is posted, and a write to all that a filter selects.

Each document is checked, told and answered as in a request of its own.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from urllib.parse import quote

from tornado.web import Finish, HTTPError

from bzz import signals
from bzz.codec import dumps, loads
from bzz.errors import BadRequest, Conflict, Invalid, RequestError, Unavailable
from bzz.model.base import ResourceHandler, WriteAttempt
from bzz.model.body import is_csv, is_json
from bzz.model.csv_rows import read_csv
from bzz.model.expand import may_list
from bzz.model.filters import followed
from bzz.model.links import location
from bzz.model.own_parameters import narrowed
from bzz.model.path import read_path
from bzz.model.prefer import LENIENT, max_affected, wants_lenient
from bzz.model.query import read_selection
from bzz.model.rights import completed
from bzz.model.row_errors import of_row, together
from bzz.model.validation import ValidatedBody, validate
from bzz.providers import rules
from bzz.providers.base import NOT_TRIED, ListQuery, Path, Record, RowsRefused, Stale, Written

__all__ = ["MAX_ROWS", "BulkHandler"]

logger = logging.getLogger("bzz.model")

MAX_ROWS = 1000
"""How many documents one request may create: they are held in memory together, and so are their answers."""


@dataclass
class Row:
    """One document of the array.

    :ivar body: what was validated of it, once it was.
    :ivar values: for the provider, once the receivers have had their say.
    :ivar error: why it is refused, if it is.
    """

    position: int
    data: Any
    body: ValidatedBody | None = None
    values: Any = None
    error: Any = None
    written: Written | None = None


class KeyedCreates(Protocol):
    """What a request with an ``Idempotency-Key`` does where others ask the provider, or nobody."""

    def with_id(self, values: Mapping[str, Any], position: int) -> Mapping[str, Any]:
        """Return the values of a row of an array with an id, where it has none."""

    async def create(self, path: Path, values: Mapping[str, Any], context: Any) -> Written:
        """Do as :meth:`bzz.providers.base.Provider.create`."""

    async def create_many(
        self, path: Path, values: Sequence[Mapping[str, Any]], context: Any, *, all_or_none: bool
    ) -> list[Written | Exception]:
        """Do as :meth:`bzz.providers.base.Provider.create_many`."""


class BulkHandler(ResourceHandler):
    """Writes several documents."""

    keyed: KeyedCreates | None = None
    """Stands in the place of the provider for what is created by a request with an ``Idempotency-Key``."""

    _failed_row: int | None = None

    @property
    def takes_rows(self) -> bool:
        """Whether several documents may be posted here: to a list of documents, not to one inside a document."""
        return self.path.last.field is None and self.path.last.is_list

    def posts_array(self) -> bool:
        """Return whether the body is an array for a list of documents, in JSON or in CSV."""
        if not self.takes_rows:
            return False
        content_type = self.request.headers.get("Content-Type")
        return self.body().lstrip()[:1] == b"[" if is_json(content_type) else is_csv(content_type)

    async def create_rows(self) -> None:
        """Create all of the documents or none; with ``Prefer: handling=lenient`` each that can be created."""
        lenient = wants_lenient(self.request.headers.get("Prefer"))
        rows = self._read_rows()
        for step in (self._validate_row, self._ask_receivers):
            await self._take(step, rows, lenient=lenient)
        await self._write_rows(rows, lenient=lenient)
        shown = [self._outcome(row) for row in rows] if lenient else None
        body = dumps(shown) if shown is not None else await self._show_rows(rows)
        for row in rows:
            if row.written is not None:
                self.data = row.data
                await self._send_after(signals.post_create_instance, row.written)
        if lenient:
            self.set_header("Preference-Applied", LENIENT)
            self._finish_json(body)
        else:
            self.set_status(201)
            self._finish_written_json(body)

    async def write_selected(self, write: Callable[[WriteAttempt], Awaitable[None]]) -> None:
        """Write each document that the filters of the query select, one after the other, each by itself.

        :param write: writes the document at ``path``, and tells its receivers.
        :raises bzz.errors.BadRequest: unless the client says how many documents may be affected, at the most; if more
            are selected nothing is done.
        """
        if self._precondition() is not None:
            raise BadRequest(
                "If-Match and If-None-Match name the state of one document: send them to its own address. Each that the"
                " filters select is written only while it is as it was selected."
            )
        selected = await self._select()
        outcomes: list[dict[str, Any]] = []
        for record in selected:
            is_away = bool(outcomes) and outcomes[-1]["status"] == Unavailable.status
            outcome = self.problem_of(Unavailable(NOT_TRIED)) if is_away else await self._write_one(record, write)
            outcomes.append({"id": record.id, **outcome})
        self.set_header("Preference-Applied", f"max-affected={max_affected(self.request.headers.get('Prefer'))}")
        self._finish_json(dumps(outcomes))

    async def _select(self) -> list[Record]:
        most = max_affected(self.request.headers.get("Prefer"))
        if most is None:
            raise BadRequest(
                f"{self.request.method} writes all that the filters select: say how many documents that may be, at the"
                " most, by `Prefer: max-affected=N`. A single document has an address of its own."
            )
        if most > MAX_ROWS:
            raise BadRequest(f"One request may affect {MAX_ROWS} documents at the most.")
        read = functools.partial(read_selection, self.path.last.shape, limit=most + 1)
        query = self._narrowed(read) if self.resource.parameters else read(self.request.query)
        if not query.filters:
            raise BadRequest("Name at least one filter: without any, every document would be written.")
        for shape in followed(query.filters, self.provider):
            await may_list(self, shape)
        page = await self.provider.page(self.path, query, self)
        if page.cut and len(page.records) <= most:
            raise BadRequest(
                "The selected documents are too large to be read at once, 16 MiB; narrow the filters. Nothing was done."
            )
        if len(page.records) > most or page.next is not None:
            raise BadRequest(f"More than {most} documents are selected; nothing was done.")
        return page.records

    def _narrowed(self, read: Callable[[str], ListQuery]) -> ListQuery:
        """Return the query of a list, narrowed by the parameters of the application."""
        return narrowed(self.resource.parameters, self.path, self.request.query, self, read)

    async def _write_one(self, record: Record, write: Callable[[WriteAttempt], Awaitable[None]]) -> dict[str, Any]:
        """Return how it went. The document is written only while it is as it was selected."""
        whole = self.path
        try:
            assert record.id is not None
            self.path = read_path(self.provider.shape, self.resource.name, f"/{quote(record.id, safe='')}")
            await self.ask_authorize()
            await write(WriteAttempt(expected=record))
        except Finish:
            raise
        except Stale:
            return self.problem_of(Conflict("It has changed since it was selected; nothing was done to it."))
        except (RequestError, HTTPError) as error:
            return self.problem_of(error)
        except Exception as error:
            logger.exception("%s of %s fails", self.request.method, record.id)
            return self.problem_of(error)
        finally:
            self.path = whole
        return {"status": 200}

    def _read_rows(self) -> list[Row]:
        shape, body = self.path.last.shape, self.body()
        if is_csv(self.request.headers.get("Content-Type")):
            found = list(islice(read_csv(shape, body), MAX_ROWS + 1))
        else:
            found = loads(body, shape.limits.depth + 1)
        if not found:
            raise BadRequest("There are no rows.")
        if len(found) > MAX_ROWS:
            raise BadRequest(f"One request may have {MAX_ROWS} rows; send the others in further requests.")
        return [Row(position, data) for position, data in enumerate(found)]

    async def _take(self, step: Callable[[Row], Awaitable[None]], rows: Sequence[Row], *, lenient: bool) -> None:
        """Take a step with each row that is not refused yet. Unless it is lenient, any refusal ends the request."""
        for row in rows:
            if row.error is not None:
                continue
            try:
                await step(row)
            except Invalid as error:
                row.error = error
            except Finish:
                raise
            except Exception as error:
                if row.body is None and isinstance(error, Unavailable):  # the others would wait as long
                    raise
                if not lenient:
                    self._failed_row = row.position
                    raise
                if not isinstance(error, RequestError | HTTPError):
                    logger.exception("row %d of POST %s fails", row.position, self.request.path)
                row.error = error
        if not lenient and any(row.error is not None for row in rows):
            raise together({row.position: row.error for row in rows if self._is_refused(row)})

    def _is_refused(self, row: Row) -> bool:
        """Return whether a row is refused, by its fields' own rules at the latest: one answer lists all mistakes."""
        if row.error is None and row.body is not None:
            refusals = self.provider.check(row.body.shape, row.body.values)
            row.error = Invalid(refusals) if refusals else None
        return row.error is not None

    async def _validate_row(self, row: Row) -> None:
        shape = self.path.last.shape
        if isinstance(row.data, Invalid):
            raise row.data
        if not isinstance(row.data, dict):
            raise Invalid({"*": ["Must be an object."]})
        if self.provider.has_public_ids(shape):
            await self.provider.resolve_public_ids(shape, row.data, self)
        has_receivers = signals.pre_create_instance.has_receivers_for(self._model)
        row.body = validate(shape, row.data, self.provider.check, has_receivers=has_receivers)

    async def _ask_receivers(self, row: Row) -> None:
        assert row.body is not None
        self.data = row.data
        await self._send_before(signals.pre_create_instance)
        row.data = self.data
        row.values = row.body.final_values(row.data)
        if rules.DECLARED:
            row.values = await completed(self, row.body.shape, row.values)
        if self.keyed is not None:
            row.values = self.keyed.with_id(row.values, row.position)

    async def _write_rows(self, rows: Sequence[Row], *, lenient: bool) -> None:
        ready = [row for row in rows if row.error is None]
        values = [row.values for row in ready]
        try:
            outcomes = await (self.keyed or self.provider).create_many(self.path, values, self, all_or_none=not lenient)
        except RowsRefused as refused:
            raise together(refused.errors) from None
        for row, outcome in zip(ready, outcomes, strict=True):
            if isinstance(outcome, Written):
                row.written = outcome
                continue
            row.error = outcome
            if not isinstance(outcome, RequestError | HTTPError):
                logger.error("row %d of POST %s fails", row.position, self.request.path, exc_info=outcome)

    async def _show_rows(self, rows: Sequence[Row]) -> bytes:
        """Return the array of what is stored, or of ids alone if it cannot be shown."""
        records = [row.written.record for row in rows if row.written is not None]
        try:
            return await self._render_rows(records)
        except Exception:
            logger.exception("%s %s is done, but cannot be shown", self.request.method, self.request.path)
            return dumps([{"id": record.id} for record in records])

    async def _render_rows(self, records: list[Record]) -> bytes:
        bodies = [record.body for record in records]
        if None not in bodies and not self.provider.has_public_ids(self.path.last.shape):
            return b"[" + b",".join(body for body in bodies if body is not None) + b"]"
        rendered = await self.provider.render(records)
        if self.provider.has_public_ids(self.path.last.shape):
            await self.provider.render_public_ids(records, rendered, self)
        return dumps(rendered)

    def _finish_problem(self, problem: Mapping[str, Any]) -> None:
        """Say which row it is about, where a receiver refused one, or failed at it."""
        if self._failed_row is not None:
            errors = problem.get("errors") or {"*": [problem.get("detail") or problem["title"]]}
            problem = {**problem, "errors": of_row(self._failed_row, errors)}
        super()._finish_problem(problem)

    def _outcome(self, row: Row) -> dict[str, Any]:
        """Return what a lenient answer says of a row."""
        if row.written is not None:
            created = row.written.record.id
            return {"status": 201, "id": created, "location": location(self.request.path, created)}
        assert row.error is not None
        return self.problem_of(row.error)

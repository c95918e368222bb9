"""What every verb of a model's routes needs: requests are let in, signals sent, errors answered.

The verbs themselves are in :mod:`bzz.model.handler`. Nothing here knows what a body or a query holds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tornado.web import Finish, HTTPError

from bzz import signals
from bzz.change import Diff
from bzz.codec import check_depth
from bzz.errors import ConfigurationError, Conflict, Forbidden, MethodNotAllowed, NotFound, RequestError
from bzz.model.authorize import lets
from bzz.model.body import ACCEPT_PATCH
from bzz.model.detail import detail_of
from bzz.model.etag import precondition, require_if_match
from bzz.model.form_token import FormTokenHandler
from bzz.model.path import allowed_methods, read_path
from bzz.model.prefer import MINIMAL, wants_minimal
from bzz.model.query_method import ACCEPT_QUERY, QUERY
from bzz.model.representations import Representation, registered, wanted
from bzz.model.resource import MAX_BODY_BYTES, Resource
from bzz.model.rights import require, restrict
from bzz.providers import rules
from bzz.providers.base import Changed, Path, Precondition, Provider, Record, Stale, Written
from bzz.signals import Signal

__all__ = ["ATTEMPTS", "ResourceHandler", "WriteAttempt", "WriteWatcher", "unwatch_writes", "watch_writes"]

W = TypeVar("W")

_READING = ("GET", "HEAD", "OPTIONS")

ATTEMPTS = 5
"""How many times a write is tried, with its ``pre_`` receivers, if others change meanwhile what these were shown."""


@dataclass
class WriteAttempt:
    """One attempt at a write, from the parsed body on.

    :ivar expected: the stored instance that receivers asked for; None if none asked.
    :ivar preview: for an update, returns what it would change in what is stored.
    """

    expected: Record | None = None
    preview: Callable[[Record], Diff] | None = None


class WriteWatcher(Protocol):
    """Who is told of what requests write, before anybody else; what it does has to be quick, and must not raise."""

    def begin(self, handler: ResourceHandler) -> None:
        """Called when a request that may write was let in."""

    def written(self, handler: ResourceHandler, written: Written) -> None:
        """Called after each write; several documents that one request links share one."""


_watchers: list[WriteWatcher] = []


def watch_writes(watcher: WriteWatcher) -> None:
    """Tell ``watcher`` of what all requests of this process write."""
    _watchers.append(watcher)


def unwatch_writes(watcher: WriteWatcher) -> None:
    """Tell it no more."""
    _watchers.remove(watcher)


class ResourceHandler(FormTokenHandler):
    """Lets the requests for one model in, and sends their signals."""

    max_body_bytes = MAX_BODY_BYTES
    path: Path
    is_shown = True  # whether who writes may read what is written
    has_form_key = False  # whether its Idempotency-Key came with a form, which may be corrected and sent again with it
    parameters: dict[str, Any]
    _model: type
    _attempt: WriteAttempt | None = None
    traced: Callable[[Provider], Provider] | None = None
    """Set by ``bzz.trace``: returns a provider whose calls are traced."""

    def initialize(self, resource: Resource) -> None:
        """Called by Tornado for each request with what :meth:`bzz.ModelHive.routes_for` put into the route."""
        self.resource = resource
        self.provider = resource.provider
        self.data: dict[str, Any] = {}
        self.parameters = {}
        if self.request.method == QUERY:
            self.sent_method, self.request.method = QUERY, "GET"

    async def check_request(self) -> None:
        """Ask guard and rate limits, then raise unless there is such an address and method, and the user may use it."""
        for each in self.resource.served:
            registered(each).begin(self)
        await self.admit(self.resource.rate_limits, self.resource.url)
        self.path = self._read_path()
        if rules.DECLARED:
            self.path = await restrict(self, self._read_path)
        self._model = self.path.last.shape.model
        allowed = allowed_methods(self.path, self.resource.methods)
        if self.request.method not in allowed or (self.sent_method and self.sent_method not in allowed):
            raise MethodNotAllowed(allowed)
        await self.ask_authorize()
        if self.resource.require_if_match:
            require_if_match(self.request.method, self.path, self.request.headers)
        if self.request.method not in _READING:
            for watcher in _watchers:
                watcher.begin(self)

    @property
    def is_answered(self) -> bool:
        """Whether the answer is complete."""
        return bool(self._finished)

    def _read_path(self) -> Path:
        return read_path(self.provider.shape, self.resource.name, self.request.path[len(self.resource.url) :])

    async def ask_authorize(self) -> None:
        """Ask the rules, and the application if it wants to be asked, whether this user may do this.

        :raises bzz.errors.Unauthorized: if the rules say no to a stranger.
        :raises bzz.errors.Forbidden: if either says no to anybody else.
        """
        method = str(self.request.method)
        if method == "OPTIONS":
            return
        if rules.DECLARED:
            await require(self)
        if self.resource.authorize is None:
            return
        if not await lets(self.resource, method, self._model, self.path.last.key, self):
            raise Forbidden("You may not do this.")

    # -- what receivers may ask

    async def stored(self) -> Any:
        """Return the instance as it is stored now, and have the write happen only while it is.

        For receivers of ``pre_update_instance`` and ``pre_delete_instance``. It is read at the first call. If another
        writer is faster, all receivers run again on the new state, with ``data`` as it came, at most
        :data:`ATTEMPTS` times in all; then the request is answered 409. Nothing is locked meanwhile.

        :returns: the instance at the end of the path, an object of its model, as it was before this request. What is
            changed in it is not stored.
        :raises bzz.errors.NotFound: if nothing is there.
        :raises bzz.errors.ConfigurationError: anywhere else.
        """
        return (await self._expected()).instance

    async def proposed(self) -> Diff:
        """Return what the update would change in :meth:`stored`, with ``data`` as the receivers so far left it.

        :returns: as ``updated_fields``: ``{'status': {'from': 'open', 'to': 'solved'}}``.
        :raises bzz.errors.Invalid: if the model refuses the data.
        :raises bzz.errors.NotFound: if nothing is there.
        :raises bzz.errors.ConfigurationError: anywhere but in a receiver of ``pre_update_instance``.
        """
        record = await self._expected()
        if self._attempt is None or self._attempt.preview is None:
            raise ConfigurationError("handler.proposed() is for receivers of pre_update_instance, while they run")
        check_depth(self.data)
        return self._attempt.preview(record)

    async def _expected(self) -> Record:
        attempt = self._attempt
        if attempt is None:
            raise ConfigurationError(
                "handler.stored() is for receivers of pre_update_instance and pre_delete_instance, while they run"
            )
        if attempt.expected is None:
            attempt.expected = await self.provider.get(self.path, self)
        return attempt.expected

    async def _retry_while_stale(self, write: Callable[[WriteAttempt], Awaitable[W]]) -> W:
        """Make a write, from the parsed body on; again if what its receivers asked for has changed meanwhile."""
        for _ in range(ATTEMPTS):
            try:
                return await write(WriteAttempt())
            except Stale:
                continue
        raise Conflict("Others keep changing this; nothing was done. Try again.")

    def _precondition(self) -> Precondition | None:
        """Return what the request asks of the stored state; None if it asks nothing."""
        headers = self.request.headers
        is_asked = "If-Match" in headers or "If-None-Match" in headers
        return precondition(headers, is_readable=self.is_shown) if is_asked else None

    # -- signals

    async def _send_before(self, signal: Signal, attempt: WriteAttempt | None = None) -> None:
        """Send a ``pre_`` signal. A receiver may raise, or finish the request itself."""
        if signal.has_receivers_for(self._model):
            self._attempt = attempt
            try:
                await signal.notify(self._model, arguments=self.path.arguments, handler=self)
            finally:
                self._attempt = None
            if self._finished:
                raise Finish()
            check_depth(self.data)  # as deep as a receiver made it

    async def _send_after(self, signal: Signal, *writes: Written) -> None:
        """Send the ``post_`` signal of writes that have happened; all of them tell the same change."""
        if writes and not writes[0].is_new:
            return
        for each in _watchers if writes else ():
            each.written(self, writes[0])
        if signal.has_receivers_for(self._model):
            for written in writes:
                told = {"updated_fields": written.updated_fields} if isinstance(written, Changed) else {}
                instance, change = written.record.instance, written.change
                await signal.report(self._model, instance=instance, handler=self, change=change, **told)
        for written in writes[:1]:
            if written.holder is not None:
                await self._send_changed_inside(written.holder, written)

    async def _send_changed_inside(self, holder: Record, written: Written) -> None:
        """Tell the listeners of a document that something inside it, or linked from it, has been written."""
        signal, change = signals.changed_inside, written.change
        if signal.has_receivers_for(change.model) and change.diff:
            await signal.report(change.model, instance=holder.instance, handler=self, change=change)

    # -- answers

    def options(self, *args: Any, **kwargs: Any) -> None:
        """Answer with the methods that this address takes, and the types of a PATCH and a QUERY."""
        allowed = allowed_methods(self.path, self.resource.methods)
        self.set_header("Allow", ", ".join(allowed))
        if "PATCH" in allowed:
            self.set_header("Accept-Patch", ACCEPT_PATCH)
        if QUERY in allowed:
            self.set_header(*ACCEPT_QUERY)
        self._finish_empty()

    def _finish_json(self, body: bytes) -> None:
        if not self._finished and not (self.resource.served and self._has_answered_written(body)):
            self.set_header("Content-Type", "application/json")
            self.finish(body)

    def _finish_written_json(self, body: bytes) -> None:
        """Answer a write with what is stored, or without a body if the client prefers that, or may not read it."""
        prefer = self.request.headers.get("Prefer")
        is_minimal = prefer is not None and wants_minimal(prefer)
        if self.is_shown and not is_minimal:
            self._finish_json(body)
        elif not self._finished and not (self.resource.served and self._has_answered_written(body)):
            if is_minimal:
                self.set_header("Preference-Applied", MINIMAL)
            for name in ("Content-Type", *(() if self.is_shown else ("ETag",))):
                self.clear_header(name)
            if self.get_status() == 200:
                self.set_status(204)
            self.finish()

    def _finish_empty(self) -> None:
        if not self._finished and not (self.resource.served and self._has_answered_written(None)):
            self.set_status(204)
            self.finish()

    def _has_answered_written(self, body: bytes | None) -> bool:
        representation = None if self.request.method in _READING else self._wanted()
        return representation is not None and representation.answer_written(self, body)

    def _wanted(self) -> Representation | None:
        """Return how the client wants to be answered, if not in JSON."""
        return wanted(self.request.headers.get("Accept"), self.resource.served)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer as every handler of bzz; a 405 of Tornado's own gets the methods that this address takes."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, HTTPError) and status_code in (404, 405) and not error.reason:  # as Tornado raises them
            error = self._not_allowed() if status_code == 405 else NotFound()
        super().write_error(status_code, exc_info=(type(error), error, None))

    def _finish_problem(self, problem: Mapping[str, Any]) -> None:
        representation = self._wanted()
        if representation is None or not representation.answer_problem(self, problem):
            super()._finish_problem(problem)

    def _problem_of(self, error: RequestError) -> dict[str, Any]:
        detail = detail_of(error, getattr(self, "path", None), self.request.headers)
        return {**super()._problem_of(error), **({"detail": detail} if detail else {})}

    def _not_allowed(self) -> Exception:
        try:
            return MethodNotAllowed(allowed_methods(self._read_path(), self.resource.methods))
        except NotFound as error:
            return error

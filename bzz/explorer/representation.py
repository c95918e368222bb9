"""The explorer as a representation: what the routes of models ask of it for ``text/html``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bzz.errors import Forbidden
from bzz.explorer.addresses import address_of
from bzz.explorer.caused import ANSWER, ASK, record
from bzz.explorer.document_page import finish_document, finish_new
from bzz.explorer.handlers import routes
from bzz.explorer.insight import may_look_inside
from bzz.explorer.list_page import finish_list
from bzz.explorer.page import page_of
from bzz.explorer.problem_page import finish_problem
from bzz.explorer.submitted import after_write, take_form
from bzz.model.representations import HTML, Representation, register
from bzz.model.resource import Resource
from bzz.routing import RouteList

__all__ = ["Explorer"]


class Explorer(Representation):
    """Shows a list or a document as a page."""

    media_type = HTML
    is_strict = False  # a client that accepts nothing but HTML gets JSON where there are no pages

    def check(self, resource: Resource) -> None:
        """Every resource can be shown."""

    def routes(self) -> RouteList:
        """Return the routes of the start page, the style sheet and the module."""
        return routes()

    def begin(self, handler: Any) -> None:
        """Take a form for what it means, and record what is caused where that was asked for."""
        if handler.request.method in ("GET", "HEAD", "OPTIONS"):
            return
        take_form(handler)
        if ASK in handler.request.headers:
            _tell_what_is_caused(handler)

    async def answer(self, handler: Any) -> None:
        """Answer with a page; with the JSON twin for ``_view=json``."""
        address = address_of(handler.request.path, handler.request.query)
        target = address.redirected()
        if target is not None:
            handler.redirect(target, status=303)
            return
        handler.request.query = address.query
        if address.own.get("_view") == "json":
            body = await handler.read()
            if not handler._finished:
                handler.set_header("Content-Type", "application/json")
                handler.finish(body)
            return
        page = await page_of(handler, address)
        if address.own.get("_view") == "new":
            if "POST" not in page.methods:
                raise Forbidden("You may not do this.")
            await finish_new(page)
        elif handler.path.last.is_list:
            await finish_list(page)
        else:
            await finish_document(page)

    def answer_written(self, handler: Any, body: bytes | None) -> bool:
        """Lead a browser that sent a form to what it has written."""
        handler.redirect(after_write(handler), status=303)
        return True

    def answer_problem(self, handler: Any, problem: Mapping[str, Any]) -> bool:
        """Answer with a page of the problem."""
        finish_problem(handler, problem)
        return True


def _tell_what_is_caused(handler: Any) -> None:
    """Record what the request causes, and tell it in a header of the answer to those who may look inside."""
    caused = record()
    inner, left = handler.finish, handler.on_connection_close

    def finish(chunk: Any = None) -> Any:
        handler.finish = inner  # whatever happens from here on, the request is answered
        told = caused.finish()
        if may_look_inside(handler):
            handler.set_header(ANSWER, told)
        return inner(chunk)

    def on_connection_close() -> None:
        caused.stop()
        left()

    handler.finish, handler.on_connection_close = finish, on_connection_close


register(Explorer())

"""The explorer's own routes: the start page, the style sheet, and the modules for browsers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tornado.web import RequestHandler

from bzz.explorer.page import sign_in_of, user_of
from bzz.explorer.problem_page import finish_problem
from bzz.explorer.rendering import finish_page
from bzz.explorer.site import PREFIX, listable, site_of
from bzz.explorer.wording import label
from bzz.live.hive import ScriptHandler
from bzz.model.representations import EVENT_STREAM
from bzz.problem import ProblemHandler
from bzz.routing import RouteList

__all__ = ["routes"]

_TYPES = {"explorer.css": "text/css; charset=utf-8", "explorer.js": "text/javascript; charset=utf-8"}


def routes() -> RouteList:
    """Return the explorer's own routes."""
    return RouteList(
        [
            (f"{PREFIX}/?", StartHandler),
            (f"{PREFIX}/bzz-live.js", ScriptHandler),
            *((f"{PREFIX}/{name}", FileHandler, {"name": name}) for name in _TYPES),
        ]
    )


class StartHandler(ProblemHandler):
    """The start page: all resources that the reader may list."""

    async def prepare(self) -> None:
        """Called by Tornado first: the guard."""
        await self.admit()

    async def get(self) -> None:
        """Answer with the page."""
        site = site_of(self.application)
        found = await listable(site, self)
        resources = [
            (label(each.name), f"{each.url}/", each.provider.shape.name, EVENT_STREAM in each.served) for each in found
        ]
        finish_page(self, "start.html", resources=resources, user=user_of(self), sign_in=sign_in_of(self))

    head = get

    def _finish_problem(self, problem: Any) -> None:
        finish_problem(self, problem)


class FileHandler(RequestHandler):
    """A file for browsers."""

    def initialize(self, name: str) -> None:
        """Called by Tornado for each request."""
        self._name = name

    def get(self) -> None:
        """Send it."""
        self.set_header("Content-Type", _TYPES[self._name])
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(_file(self._name))

    head = get


@cache
def _file(name: str) -> bytes:
    return (Path(__file__).parent / name).read_bytes()

"""A page with Swagger UI, from the package ``swagger-ui-bundle-v2``; nothing is loaded from another host."""

from __future__ import annotations

from pathlib import Path

from tornado.escape import xhtml_escape
from tornado.web import RequestHandler, StaticFileHandler

from bzz.extras import needs
from bzz.routing import RouteList, join

__all__ = ["swagger_routes"]

_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
"""Swagger UI sets styles on its elements; scripts come from files alone."""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{files}/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="{files}/swagger-ui-bundle.js"></script>
<script src="{start}" data-document="{document}"></script>
"""

_START = """SwaggerUIBundle({
  url: document.currentScript.dataset.document,
  dom_id: "#swagger-ui",
  deepLinking: true,
  layout: "BaseLayout",
  validatorUrl: null,
});
"""


def swagger_routes(prefix: str, title: str) -> RouteList:
    """Return the routes of the page ``/swagger/``.

    :raises bzz.errors.MissingExtra: if the package is missing.
    """
    with needs("swagger"):
        from swagger_ui_bundle import swagger_ui_path
    files, start = join(prefix, "swagger/files"), join(prefix, "swagger/start.js")
    page = _PAGE.format(
        title=xhtml_escape(title), files=files, start=start, document=xhtml_escape(join(prefix, "openapi.json"))
    )
    return RouteList(
        [
            (join(prefix, "swagger") + "/?", PageHandler, {"page": page}),
            (start, StartHandler),
            (rf"{files}/([\w.-]+\.(?:js|css|png))", StaticFileHandler, {"path": str(Path(swagger_ui_path))}),
        ]
    )


class PageHandler(RequestHandler):
    """Answers the page."""

    def initialize(self, page: str) -> None:
        """Take the page."""
        self._page = page

    def get(self) -> None:
        """Answer it."""
        self.set_header("Content-Security-Policy", _POLICY)
        self.finish(self._page)


class StartHandler(RequestHandler):
    """Answers the script that starts Swagger UI."""

    def get(self) -> None:
        """Answer it."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.finish(_START)

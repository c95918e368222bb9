"""``DocsHive``: the OpenAPI document of an application, and pages that show it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bzz.codec import dumps
from bzz.errors import BadRequest, ConfigurationError
from bzz.model.representations import HTML, registered
from bzz.model.resource import Resource, arguments_of, resources_of
from bzz.model.rights import denied_to, resource_for
from bzz.model.user_rights import Needed
from bzz.openapi.document import document, with_rate_limits
from bzz.openapi.older import as_3_0
from bzz.openapi.swagger import swagger_routes
from bzz.problem import RATE_LIMITS, ProblemHandler
from bzz.providers import rules
from bzz.routing import RouteList, flatten, join

__all__ = ["DocsHive"]

MOST_DOCUMENTS = 32
"""Of how many kinds of users the documents are kept."""


class DocsHive:
    """Describes an application's routes to people and programs."""

    @staticmethod
    def routes_for(
        routes: Iterable[Any],
        *,
        title: str,
        version: str,
        description: str = "",
        prefix: str = "",
        explorer: bool = False,
        swagger: bool = False,
    ) -> RouteList:
        """Return the route ``/openapi.json``, and the pages that are asked for.

        ``?openapi=3.0`` gives the document in the older version that some generators read.

        :param routes: what is described, as hives return it, nested at will. It is mounted beside these.
        :param title: of the API, and ``version``: its own; both stand in the document.
        :param description: a text for people, in Markdown.
        :param prefix: stands before the URLs, as in :meth:`bzz.ModelHive.routes_for`.
        :param explorer: whether ``GET`` with ``Accept: text/html`` shows the models among ``routes`` as pages; see
            :mod:`bzz.explorer`. It is switched on in the routes that were given.
        :param swagger: whether ``/swagger/`` is a page with Swagger UI; it needs ``bzz[swagger]``.
        :raises bzz.errors.ConfigurationError: if no model is among the routes, or a title or version is missing.
        :raises bzz.errors.MissingExtra: for ``swagger`` without its package.
        """
        for name, value in {"title": title, "version": version}.items():
            if not value:
                raise ConfigurationError(f"{name}: a text is expected, not {value!r}")
        flat = flatten(list(routes))
        models = [arguments for route in flat if (arguments := arguments_of(route)) is not None]
        if not models:
            raise ConfigurationError("DocsHive.routes_for: no model is among these routes")
        documents = Documents(flat, {"title": title, "version": version, "description": description})
        found = RouteList([(join(prefix, "openapi.json"), DocumentHandler, {"documents": documents})])
        if swagger:
            found += swagger_routes(prefix, title)
        if explorer:
            found += _switch_on(HTML, models)
        return found


def _switch_on(media_type: str, models: Iterable[dict[str, Any]]) -> RouteList:
    """Have models shown in one more media type; return the routes of the files that it needs."""
    representation = registered(media_type)
    for arguments in models:
        resource: Resource = arguments["resource"]
        if media_type not in resource.served:
            representation.check(resource)
            arguments["resource"] = replace(resource, served=(*resource.served, media_type))
    return representation.routes()


class Documents:
    """The document of an application, and what users see of it who may not do and see everything.

    :param routes: what is described.
    :param words: the title, the version and the description.
    """

    def __init__(self, routes: RouteList, words: Mapping[str, Any]) -> None:
        self._routes = routes
        self._words = words
        self._whole = document(routes, **words)
        self._known: dict[Any, dict[str, Any]] = {}

    async def of(self, handler: Any) -> dict[str, Any]:
        """Return the document for who sent a request."""
        if not rules.DECLARED:
            return self._whole
        denied = await denied_to(handler, list(resources_of(self._routes)))
        resources = [await self._seen(handler, each, denied) for each in resources_of(self._routes)]
        key = (denied, *(each.restrictions for each in resources))
        if key not in self._known:
            if len(self._known) >= MOST_DOCUMENTS:
                self._known.clear()
            self._known[key] = document(self._routes, **self._words, resources=resources, denied=denied)
        return self._known[key]

    async def _seen(self, handler: Any, resource: Resource, denied: Collection[Needed]) -> Resource:
        model = resource.provider.shape.model
        is_refused = all((model, each) in denied for each in rules.ACTIONS)
        return await resource_for(handler, resource, creating=True, is_refused=is_refused)


class DocumentHandler(ProblemHandler):
    """Answers the document."""

    def initialize(self, documents: Documents) -> None:
        """Take what is answered."""
        self._documents = documents

    async def get(self) -> None:
        """Answer it in the version that is asked for; the guard is asked as before any GET."""
        await self.admit()
        version = self.get_query_argument("openapi", "3.1")
        if version not in ("3.0", "3.1"):
            raise BadRequest("The parameter 'openapi' must be 3.0 or 3.1.")
        self.set_header("Content-Type", "application/json")
        made = await self._documents.of(self)
        made = with_rate_limits(made) if RATE_LIMITS in self.settings else made
        self.finish(dumps(as_3_0({**made}) if version == "3.0" else made))

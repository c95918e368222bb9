"""``LiveHive``: several models in one feed, and the module for browsers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any

from tornado.web import Application, Finish, RequestHandler

from bzz.errors import BadRequest, ConfigurationError, Forbidden
from bzz.live.client import Client
from bzz.live.feed import Asked, view_of
from bzz.live.rights import Rights
from bzz.live.settings import SETTING, LiveSettings
from bzz.live.view import View
from bzz.model.authorize import lets
from bzz.model.handler import ModelHandler
from bzz.model.representations import EVENT_STREAM
from bzz.model.resource import Resource, resource_of
from bzz.model.rights import resource_for, rights_of
from bzz.problem import ProblemHandler
from bzz.providers import rules
from bzz.providers.base import Path, Step
from bzz.routing import RouteList, flatten, join
from bzz.signals import pre_get_list

__all__ = ["LiveHive"]

SCRIPT = "bzz-live.js"


class LiveHive:
    """Makes the routes that live models share."""

    @staticmethod
    def routes_for(routes: Iterable[Any], prefix: str = "") -> RouteList:
        """Return the routes ``/events/``, several models in one feed, and ``/bzz-live.js``, a module for browsers.

        ``GET /events/?models=user,team`` is what both lists' feeds tell; browsers allow six connections to a host by
        HTTP/1.1, and each feed takes one. The guard, each model's ``authorize`` and its receivers of ``pre_get_list``
        are asked as for its list.

        :param routes: of the models, as ``routes_for(..., live=True)`` made them; others among them are passed over.
        :param prefix: stands before both, as in :meth:`bzz.ModelHive.routes_for`.
        :raises bzz.errors.ConfigurationError: where no model among them is live, two have one name, or one has a
            handler of its own.
        """
        resources: dict[str, Resource] = {}
        for route in flatten(routes):
            resource = resource_of(route)
            if resource is None or EVENT_STREAM not in resource.served:
                continue
            if route[1] is not ModelHandler:
                raise ConfigurationError(
                    f"the live model {resource.name!r} has a handler of its own, which /events/ cannot ask who may"
                    " follow: leave its routes out"
                )
            if resource.name in resources:
                raise ConfigurationError(f"two live models are named {resource.name!r}: give one a resource_name")
            resources[resource.name] = resource
        if not resources:
            raise ConfigurationError("no model is live: make its routes with live=True")
        return RouteList(
            [
                (join(prefix, "events") + "/?", EventsHandler, {"resources": resources}),
                (join(prefix, SCRIPT), ScriptHandler),
            ]
        )

    @staticmethod
    def configure(
        app: Application,
        *,
        key: str | bytes | None = None,
        max_feeds: int = 10_000,
        max_feeds_per_user: int = 64,
        max_feeds_per_address: int = 1024,
    ) -> None:
        """Say how many feeds each process of an application has at a time, and how positions are sealed.

        Without it the defaults hold.

        :param key: at least 32 bytes, the same in all processes; None for one that is made once and kept in the
            database.
        :param max_feeds: for all; further clients get a 503.
        :param max_feeds_per_user: for each user who is signed in; further ones get a 429.
        :param max_feeds_per_address: for each client address; further ones get a 429.
        :raises bzz.errors.ConfigurationError: for a short key, or a number below 1.
        """
        given = key.encode() if isinstance(key, str) else key
        if given is not None and len(given) < 32:
            raise ConfigurationError("key: at least 32 bytes are expected")
        limits = {
            "max_feeds": max_feeds,
            "max_feeds_per_user": max_feeds_per_user,
            "max_feeds_per_address": max_feeds_per_address,
        }
        for name, most in limits.items():
            _check_number(name, most)
        app.settings[SETTING] = LiveSettings(given, max_feeds, max_feeds_per_user, max_feeds_per_address)


class EventsHandler(ProblemHandler):
    """Several models in one feed."""

    def initialize(self, resources: Mapping[str, Resource]) -> None:
        """Called by Tornado for each request with what :meth:`LiveHive.routes_for` put into the route."""
        self._resources = resources
        self.parameters: dict[str, Any] = {}  # which hooks of models may look for

    async def prepare(self) -> None:
        """Called by Tornado first: the guard."""
        await self.admit()

    async def get(self) -> None:
        """Send the feeds of all models that ``models=`` names."""
        named = self.get_query_arguments("models")
        names = list(dict.fromkeys(",".join(named).split(","))) if named else list(self._resources)
        for name in names:
            if name not in self._resources:
                raise BadRequest(f"The parameter 'models' takes names from {', '.join(self._resources)}.")
        asked = Asked(self.request.query, self.request.headers.get("Last-Event-ID"), ("models",))
        if asked.query:
            raise BadRequest("The feed of several models takes models, snapshot and last_event_id only.")
        resources = [self._resources[name] for name in names]
        rights = Rights(lambda: self._authorize(resources))
        await rights.authorize()
        seen = [await resource_for(self, each) for each in resources]
        views = [view_of(each, _root(each), "", self) for each in seen]
        await self._announce(views)
        await Client(self, views, rights).answer(asked.last_event_id, asked.wants_snapshot)

    async def _announce(self, views: Iterable[View]) -> None:
        for view in views:
            model = view.path.last.shape.model
            if pre_get_list.has_receivers_for(model):
                await pre_get_list.notify(model, arguments=view.path.arguments, handler=self)
                if self._finished:
                    raise Finish()

    async def _authorize(self, resources: Iterable[Resource]) -> None:
        for each in resources:
            model = each.provider.shape.model
            if rules.DECLARED:
                await rights_of(self).require_all([(model, "list")])
            if "GET" not in each.methods or not await lets(each, "GET", model, None, self):
                raise Forbidden("You may not do this.")


class ScriptHandler(RequestHandler):
    """The module for browsers."""

    def get(self) -> None:
        """Send it."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(_SCRIPT)


_SCRIPT = (FilePath(__file__).parent / SCRIPT).read_bytes()


def _check_number(name: str, given: Any) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(f"{name}: a whole number of at least 1 is expected, not {given!r}")


def _root(resource: Resource) -> Path:
    return Path((Step(None, resource.provider.shape, None, resource.name),))

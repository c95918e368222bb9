"""``HealthHive``: the routes ``/healthz`` and ``/readyz``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from bzz.asgi.lifespan import is_stopping
from bzz.codec import dumps
from bzz.errors import Unavailable
from bzz.model.resource import Resource
from bzz.problem import ProblemHandler
from bzz.providers.base import Provider
from bzz.routing import RouteList, flatten, join

__all__ = ["HealthHive"]


class HealthHive:
    """Answers whether a process lives, and whether it is ready."""

    @staticmethod
    def routes_for(routes: Iterable[Any] = (), prefix: str = "") -> RouteList:
        """Return the routes ``/healthz``, 200 while the process answers, and ``/readyz``, 200 while it can work.

        Not ready, a 503, is a process that is about to stop, and one whose database does not answer. No guard is asked.

        :param routes: of models, as hives return them; their databases are asked.
        :param prefix: stands before both, as in :meth:`bzz.ModelHive.routes_for`.
        """
        providers = [resource.provider for resource in map(_resource_of, flatten(list(routes))) if resource is not None]
        return RouteList(
            [
                (join(prefix, "healthz") + "/?", LiveHandler),
                (join(prefix, "readyz") + "/?", ReadyHandler, {"providers": providers}),
            ]
        )


def _resource_of(route: Any) -> Resource | None:
    arguments = route[2] if isinstance(route, tuple) and len(route) > 2 else None
    found = arguments.get("resource") if isinstance(arguments, dict) else None
    return found if isinstance(found, Resource) else None


class LiveHandler(ProblemHandler):
    """``GET /healthz``."""

    async def get(self) -> None:
        """Answer that the process lives."""
        self.set_header("Content-Type", "application/json")
        self.finish(dumps({"status": "ok"}))

    head = get


class ReadyHandler(LiveHandler):
    """``GET /readyz``."""

    def initialize(self, providers: Sequence[Provider]) -> None:
        """Take the providers whose databases are asked."""
        self._providers = providers

    async def get(self) -> None:
        """Answer that requests can be sent here.

        :raises bzz.errors.Unavailable: if the process is about to stop, or a database does not answer.
        """
        if is_stopping(self.application):
            raise Unavailable("This process is about to stop.")
        await asyncio.gather(*(each.ping() for each in self._providers))
        await super().get()

    head = get

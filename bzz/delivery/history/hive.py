"""``HistoryHive``: the routes of the histories of documents."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bzz.asgi.lifespan import at_start
from bzz.delivery.history.handlers import HISTORY, REVERT, HistoryHandler, RevertHandler
from bzz.delivery.history.recorder import recorder_of
from bzz.errors import ConfigurationError
from bzz.model.handler import ModelHandler
from bzz.model.resource import Resource, arguments_of, resource_of
from bzz.providers.capabilities import require
from bzz.routing import RouteList, flatten, rules_of

__all__ = ["HistoryHive"]


class HistoryHive:
    """Makes the routes of histories."""

    @staticmethod
    def routes_for(routes: Iterable[Any]) -> RouteList:
        """Return the routes ``/user/<id>/history/`` and ``/user/<id>/history/<change>/revert`` of each model.

        They have to stand before the models' own routes, which would answer in their place. Who may see a document may
        see its history, and who may PUT it may undo a change.

        :param routes: of the models, as :meth:`bzz.ModelHive.routes_for` made them; those of models that have no
            :func:`bzz.history`, and other routes, are passed over.
        :raises bzz.errors.ConfigurationError: where no model among them has a history; where one has a handler of its
            own, a field that is called ``history``, or ``to_dict()``, which alone knows what may be shown.
        """
        found = RouteList()
        for route in flatten(list(routes)):
            arguments = arguments_of(route)
            resource = None if arguments is None else arguments["resource"]
            if resource is not None and recorder_of(resource.provider.shape.model) is not None:
                _check(resource, route[1])
                url = re.escape(resource.url)
                found.append((url + HISTORY, HistoryHandler, {"of": arguments}))
                found.append((url + REVERT, RevertHandler, {"of": arguments}))
        if not found:
            raise ConfigurationError("no model among these routes has a history: declare it first, bzz.history(User)")
        return found


def _check(resource: Resource, handler: Any) -> None:
    shape = resource.provider.shape
    require(resource.provider, f"the history of {shape.name}", "diff", "resume", "watch")
    if handler is not ModelHandler:
        raise ConfigurationError(
            f"{shape.name} has a handler of its own, which its history cannot ask who may see it: leave its routes out"
        )
    if shape.known("history", written=True) is not None:
        raise ConfigurationError(
            f"{shape.name} has a field 'history', whose URL would be that of its history: rename it"
        )
    if hasattr(shape.model, "to_dict"):
        raise ConfigurationError(
            f"{shape.name}.to_dict() decides what is shown of a document, and not what of its history: leave its routes"
            " out, or hide fields by hidden="
        )


async def _check_order(application: Any) -> None:
    """Called before an application takes requests."""
    answered = set()
    for rule in rules_of(getattr(application, "default_router", None)):
        resource = resource_of(rule)
        if resource is not None:
            answered.add(resource.url)
        elif rule.target is HistoryHandler and rule.target_kwargs["of"]["resource"].url in answered:
            url = rule.target_kwargs["of"]["resource"].url
            raise ConfigurationError(
                f"the routes of {url} stand before those of its history, and answer in their place"
            )


at_start(_check_order)

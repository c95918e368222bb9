"""What the routes of one model know: collected once, when they are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bzz.model.own_parameters import QueryParameter
from bzz.providers.base import Provider
from bzz.providers.rules import UNRESTRICTED, Restrictions

__all__ = ["MAX_BODY_BYTES", "Authorize", "Resource", "arguments_of", "resource_of", "resources_of"]

MAX_BODY_BYTES = 1024 * 1024

Authorize = Callable[[str, type, str | None, Any], bool | Awaitable[bool]]
"""Called before each request with the HTTP method, the model at the end of the path, the id of the instance (None for a
list or a single property), and ``handler.current_user``; a falsy result is a 403."""


@dataclass(frozen=True)
class Resource:
    """One model mounted at one URL.

    :param url: the URL path of the list, percent-encoded, without a slash at the end.
    :param name: the first step of every path: the last part of ``url``.
    :param methods: those of :data:`bzz.model.path.METHODS` that the application lets through.
    :param served: the media types that it is shown as, beside JSON.
    :param restricted: returns the provider for users who may not see or write some fields.
    :param restrictions: those of the user for whom ``provider`` is.
    :param rate_limits: its own :class:`bzz.RateLimits`; None for those of the application.
    :param require_if_match: whether changes of a single document have to name the state that they change.
    :param parameters: those of lists that the application declares, by name.
    """

    provider: Provider
    url: str
    name: str
    methods: tuple[str, ...]
    per_page: int
    max_per_page: int
    authorize: Authorize | None = None
    served: tuple[str, ...] = ()
    restricted: Callable[[Restrictions], Provider] | None = None
    restrictions: Restrictions = UNRESTRICTED
    rate_limits: Any = None
    require_if_match: bool = False
    parameters: Mapping[str, QueryParameter] = field(default_factory=dict)


def arguments_of(route: Any) -> dict[str, Any] | None:
    """Return the arguments of a model's route, ``resource`` among them; None for any other route.

    :param route: as hives return it, or a rule of an application.
    """
    found = getattr(route, "target_kwargs", None)
    if found is None and isinstance(route, tuple) and len(route) > 2:
        found = route[2]
    return found if isinstance(found, dict) and isinstance(found.get("resource"), Resource) else None


def resource_of(route: Any) -> Resource | None:
    """Return the resource of a model's route; None for any other."""
    found = arguments_of(route)
    return None if found is None else found["resource"]


def resources_of(routes: Iterable[Any]) -> Iterator[Resource]:
    """Yield the resources of the models among flat routes, or the rules of an application, in their order."""
    return filter(None, map(resource_of, routes))

"""Lists of Tornado routes: joined, prefixed and flattened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bzz.errors import ConfigurationError

__all__ = ["RouteList", "flatten", "join"]


class RouteList(list[Any]):
    """The routes of one hive: tuples as :class:`tornado.web.Application` takes them."""


def flatten(routes: Iterable[Any]) -> RouteList:
    """One flat list from routes, lists of routes, and lists of those, in the same order.

    :param routes: what hives return and single routes (tuples or :class:`tornado.routing.Rule` objects), nested at
        will.
    :raises bzz.errors.ConfigurationError: where one handler class stands twice at one URL: a model mounted twice, say.

    >>> flatten([("/a", object), [("/b", object), [("/c", object)]]])
    [('/a', <class 'object'>), ('/b', <class 'object'>), ('/c', <class 'object'>)]
    """
    flat = RouteList()
    for route in routes:
        if isinstance(route, list):
            flat.extend(flatten(route))
        else:
            flat.append(route)
    refuse_twice(route[:2] for route in flat if isinstance(route, tuple))
    return flat


def refuse_twice(routes: Iterable[Any]) -> None:
    """Check that no handler class stands twice at one URL, where the second would never be asked.

    :param routes: pairs of a pattern and what answers there.
    :raises bzz.errors.ConfigurationError: where one does.
    """
    seen: set[Any] = set()
    for pattern, handler in routes:
        if (pattern, handler) in seen:
            raise ConfigurationError(
                f"{pattern} leads to two routes of {handler.__name__}: only the first is ever asked"
            )
        seen.add((pattern, handler))


def join(prefix: str, name: str) -> str:
    """The URL path of ``name`` below ``prefix``, with one slash before each part and none at the end.

    :raises bzz.errors.ConfigurationError: where nothing is left.

    >>> join("api/v1/", "user"), join("", "user")
    ('/api/v1/user', '/user')
    """
    parts = [part for part in f"{prefix}/{name}".split("/") if part]
    if not parts:
        raise ConfigurationError("a route needs a resource name")
    return "/" + "/".join(parts)

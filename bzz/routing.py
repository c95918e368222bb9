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

    >>> flatten([("/a", object), [("/b", object), [("/c", object)]]])
    [('/a', <class 'object'>), ('/b', <class 'object'>), ('/c', <class 'object'>)]
    """
    flat = RouteList()
    for route in routes:
        if isinstance(route, list):
            flat.extend(flatten(route))
        else:
            flat.append(route)
    return flat


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

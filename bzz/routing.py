"""Lists of Tornado routes: joined, prefixed and flattened.

Importing this module has Tornado take the routes of several hives as they are, too: ``Application([users, teams])``. It
gives no hook for that (of a list within the list of rules it asserts, without a word, that it is one rule), so its
``RuleRouter.add_rules`` is wrapped. Only a :class:`RouteList`, which Tornado could not take before, is handled anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tornado.routing import RuleRouter
from tornado.web import RequestHandler

from bzz.errors import ConfigurationError

__all__ = ["RouteList", "flatten", "join", "methods_of", "rules_of"]


class RouteList(list[Any]):
    """The routes of one hive: tuples as :class:`tornado.web.Application` takes them.

    >>> from tornado.web import Application, RequestHandler
    >>> class Users(RequestHandler): ...
    >>> class Teams(RequestHandler): ...
    >>> app = Application([RouteList([("/user", Users)]), RouteList([("/team", Teams)])])
    """


def flatten(routes: Iterable[Any]) -> RouteList:
    """One flat list from routes, lists of routes, and lists of those, in the same order.

    :param routes: what hives return and single routes (tuples or :class:`tornado.routing.Rule` objects), nested at
        will.
    :raises bzz.errors.ConfigurationError: if a handler class is mounted twice at one URL, a model for instance.

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
    """Check that no handler class is mounted twice at one URL: the second would never be called.

    :param routes: pairs of a pattern and what answers there.
    :raises bzz.errors.ConfigurationError: if one is.
    """
    seen: set[Any] = set()
    for pattern, handler in routes:
        if not isinstance(handler, type):  # a list of rules for a host, or a router
            continue
        if (pattern, handler) in seen:
            raise ConfigurationError(
                f"{pattern} leads to two routes of {handler.__name__}: only the first is ever asked"
            )
        seen.add((pattern, handler))


def join(prefix: str, name: str) -> str:
    """Return the URL path of ``name`` below ``prefix``, with one slash before each part and none at the end.

    :raises bzz.errors.ConfigurationError: if nothing is left.

    >>> join("api/v1/", "user"), join("", "user")
    ('/api/v1/user', '/user')
    """
    parts = [part for part in f"{prefix}/{name}".split("/") if part]
    if not parts:
        raise ConfigurationError("a route needs a resource name")
    return "/" + "/".join(parts)


def rules_of(router: Any) -> Iterator[Any]:
    """Yield the rules of a Tornado router and of those that it leads to; of anything else, none."""
    for rule in getattr(router, "rules", ()):
        yield rule
        yield from rules_of(rule.target)


def methods_of(handler: RequestHandler) -> list[str]:
    """Return the HTTP methods that the handler's class, or a class between it and Tornado's own, defines."""

    def defined(method: str) -> bool:
        return getattr(type(handler), method.lower(), None) is not getattr(RequestHandler, method.lower(), None)

    return [method for method in handler.SUPPORTED_METHODS if defined(method)]


_add_rules = RuleRouter.add_rules


def _add_rules_and_lists(self: RuleRouter, rules: Sequence[Any]) -> None:
    """Add rules to a Tornado router, those of a :class:`RouteList` among them in its place."""
    if any(isinstance(rule, RouteList) for rule in rules):
        rules = [each for rule in rules for each in (rule if isinstance(rule, RouteList) else [rule])]
        refuse_twice(route[:2] for route in rules if isinstance(route, tuple))
    _add_rules(self, rules)


RuleRouter.add_rules = _add_rules_and_lists  # type: ignore[method-assign]  # see the top of the module

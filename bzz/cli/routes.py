"""``bzz routes``: the addresses of an application, and what stands before each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tornado.web import Application, RequestHandler

from bzz.cli.access import guarded_methods, hooks_of
from bzz.cli.application import ApplicationName, AsJson, Mounted, load_application, mounted
from bzz.cli.console import ending, show_rows
from bzz.model.below import paths_below
from bzz.model.path import METHODS, allowed_methods
from bzz.model.representations import HTML, has_feed
from bzz.model.resource import Resource
from bzz.providers import rules
from bzz.providers.base import Path
from bzz.shape import Shape

__all__ = ["routes"]

Row = dict[str, Any]


def routes(application: ApplicationName, as_json: AsJson = False) -> None:
    """List the addresses of an application: methods, model, guard and hooks.

    MODEL is the handler where it is not bzz's. GUARD is "open", or which methods ask for a signed-in user; "rules" and
    "authorize" are asked after that. HOOKS are the methods of the model that bzz asks, and "live" where GET is also a
    feed, "html" where it is also a page, "if-match" where changes have to name the state that they change.
    """
    with ending():
        loaded = load_application(application)
        rows = [row for route in mounted(loaded) for row in _rows(loaded, route)]
        if not as_json:
            rows = [{**row, "model": row["model"] or row["handler"]} for row in rows]
        show_rows(rows, ["url", "methods", "model", "guard", "hooks"], as_json=as_json)


def _rows(application: Application, route: Mounted) -> Iterator[Row]:
    if route.resource is None:
        methods = [each for each in METHODS if _answers(route.handler, each)]
        yield {"url": route.url, "methods": methods, "model": None, "handler": _name(route.handler), "guard": None,
               "hooks": []}  # fmt: skip
        return
    for path in paths_below(route.resource, over_references=True):
        methods = [each for each in allowed_methods(path, route.resource.methods) if each != "OPTIONS"]
        if methods:
            yield {
                "url": _url(route.resource, path),
                "methods": methods,
                "model": path.last.shape.name,
                "handler": _name(route.handler),
                "guard": _guard(application, route.resource, methods),
                "hooks": [*hooks_of(path.last.shape.model), *_shown_as(route.resource, path)],
            }


def _url(resource: Resource, path: Path) -> str:
    url = resource.url
    for step in path.steps:
        url += "" if step.field is None else f"/{step.field.name}"
        url += "" if step.key is None else f"/{_key(step.shape)}"
    return f"{url}/"


def _key(shape: Shape) -> str:
    return "<position>" if shape.url_id is None else f"<{shape.url_id.name}>"


def _guard(application: Application, resource: Resource, methods: Sequence[str]) -> str:
    """Return who may use these methods, in words."""
    guarded = guarded_methods(application, methods)
    words = "signed in" if guarded == list(methods) else f"signed in: {', '.join(guarded)}" if guarded else "open"
    asked = ["rules"] if rules.concerns(resource.provider.shape.model) else []
    asked += ["authorize"] if resource.authorize is not None else []
    return " + ".join([*([words] if guarded or not asked else []), *asked])


def _shown_as(resource: Resource, path: Path) -> Iterator[str]:
    if has_feed(resource, path):
        yield "live"
    if HTML in resource.served:
        yield "html"
    if resource.require_if_match and not path.last.is_list:
        yield "if-match"


def _answers(handler: type[RequestHandler], method: str) -> bool:
    described = vars(handler).get("openapi")  # by which a handler says itself what it does
    if isinstance(described, Mapping):
        return ("get" if method == "HEAD" else method.lower()) in described
    own: Any = getattr(handler, method.lower(), None)
    return own is not None and own is not getattr(RequestHandler, method.lower())


def _name(handler: type) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"

"""``bzz routes``: the addresses of an application, and what stands before each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tornado.web import Application, RequestHandler

from bzz.cli.access import guarded_methods, hooks_of
from bzz.cli.application import ApplicationName, AsJson, Mounted, load_application, mounted
from bzz.cli.console import ending, show_rows
from bzz.model.path import METHODS, allowed_methods
from bzz.model.representations import EVENT_STREAM, HTML
from bzz.model.resource import Resource
from bzz.providers.base import Path, Step
from bzz.shape import Shape

__all__ = ["routes"]

MAX_DEPTH = 3
"""How many links are followed; paths may go on."""

_ANY_KEY = object()
Row = dict[str, Any]


def routes(application: ApplicationName, as_json: AsJson = False) -> None:
    """List the addresses of an application: methods, model, guard and hooks.

    MODEL is the handler where it is not bzz's. GUARD is "open", or which methods ask for a signed-in user; "authorize"
    is asked after that. HOOKS are the methods of the model that bzz asks, and "live" where GET is also a feed,
    "html" where it is also a page.
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
    for url, path in _paths(route.resource):
        methods = [each for each in allowed_methods(path, route.resource.methods) if each != "OPTIONS"]
        if methods:
            yield {
                "url": url,
                "methods": methods,
                "model": path.last.shape.name,
                "handler": _name(route.handler),
                "guard": _guard(application, route.resource, methods),
                "hooks": [*hooks_of(path.last.shape.model), *_shown_as(route.resource, path)],
            }


def _paths(resource: Resource) -> Iterator[tuple[str, Path]]:
    """Yield the paths below a resource: a list before its items. No path passes one model twice."""
    whole = Step(None, resource.provider.shape, None, resource.name)
    yield f"{resource.url}/", Path((whole,))
    yield from _below(f"{resource.url}/{_key(whole.shape)}/", (whole._replace(key=_ANY_KEY),))


def _below(url: str, steps: Sequence[Step]) -> Iterator[tuple[str, Path]]:
    yield url, Path(tuple(steps))
    if len(steps) > MAX_DEPTH:
        return
    passed = {step.shape.model for step in steps}
    for name, field in steps[-1].shape.visible.items():
        if field.link is None or field.link.shape.model in passed:
            continue
        step = Step(field, field.link.shape, None, name)
        if not field.is_list:
            yield from _below(f"{url}{name}/", [*steps, step])
            continue
        yield f"{url}{name}/", Path((*steps, step))
        yield from _below(f"{url}{name}/{_key(step.shape)}/", [*steps, step._replace(key=_ANY_KEY)])


def _key(shape: Shape) -> str:
    return "<position>" if shape.url_id is None else f"<{shape.url_id.name}>"


def _guard(application: Application, resource: Resource, methods: Sequence[str]) -> str:
    """Return who may use these methods, in words."""
    guarded = guarded_methods(application, methods)
    words = "signed in" if guarded == list(methods) else f"signed in: {', '.join(guarded)}" if guarded else "open"
    if resource.authorize is None:
        return words
    return f"{words} + authorize" if guarded else "authorize"


def _shown_as(resource: Resource, path: Path) -> Iterator[str]:
    is_embedded_list = path.last.is_list and not path.follows_reference
    if EVENT_STREAM in resource.served and (len(path.steps) == 1 or is_embedded_list):
        yield "live"
    if HTML in resource.served:
        yield "html"


def _answers(handler: type[RequestHandler], method: str) -> bool:
    described = vars(handler).get("openapi")  # by which a handler says itself what it does
    if isinstance(described, Mapping):
        return ("get" if method == "HEAD" else method.lower()) in described
    own: Any = getattr(handler, method.lower(), None)
    return own is not None and own is not getattr(RequestHandler, method.lower())


def _name(handler: type) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"

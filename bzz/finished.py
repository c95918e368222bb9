"""What is told of each request that was answered: logs and metrics are made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado.web import Application, RequestHandler

__all__ = ["each_finished", "template_of"]

Tell = Callable[[RequestHandler], None]


_SETTING = "bzz_each_finished"


class _Told:
    """Who is told of the answers of one application.

    :ivar first: writes the line in the log: Tornado's own way, or what stands in its place.
    """

    def __init__(self, first: Tell) -> None:
        self.first = first
        self.others: list[Tell] = []

    def __call__(self, handler: RequestHandler) -> None:
        """Tell all of them."""
        self.first(handler)
        for tell in self.others:
            tell(handler)


def each_finished(app: Application, tell: Tell, *, instead: bool = False) -> None:
    """Have ``tell`` called with each handler of an application that has answered.

    :param instead: whether it takes the place of Tornado's own line in the log.
    """
    told = app.settings.get(_SETTING)
    if told is None:
        told = app.settings[_SETTING] = _Told(app.log_request)
        app.log_request = told  # type: ignore[method-assign]  # Tornado calls it at the end of each request
    if instead:
        told.first = tell
    else:
        told.others.append(tell)


def template_of(handler: Any) -> str:
    """Return the route of a request: of a model its URL with ``{id}`` for each id, else the handler's name.

    There are as many as there are routes: ids and paths that lead nowhere are not in it. A handler of something below a
    document says as ``template_end`` what follows.
    """
    resource, path = getattr(handler, "resource", None), getattr(handler, "path", None)
    if resource is None:
        return type(handler).__name__
    if path is None:  # it was refused before, or there is no such address
        return f"{resource.url}/..."
    parts = [resource.url.strip("/")]
    for step in path.steps:
        if step.field is not None:
            parts.append(step.field.name)
        if step.key is not None:
            parts.append("{id}")
    return f"/{'/'.join(parts)}/{getattr(handler, 'template_end', '')}"

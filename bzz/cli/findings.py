"""What ``bzz check`` finds in the routes of an application, without asking its database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tornado.web import Application

from bzz.cli.access import decided_by_functions, open_methods
from bzz.cli.application import Mounted
from bzz.model.resource import Resource
from bzz.providers import hidden, rules
from bzz.shape import Field, Shape
from bzz.shape.walk import reachable

__all__ = ["Finding", "Level", "findings_of_routes"]

Level = Literal["attention", "note"]

_READING = ("GET", "HEAD")
_SECRET = re.compile(r"passw|secret|token|api_?key|hash|salt", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    :param level: whether somebody should do something about it.
    :param about: ``open``, ``hidden``, ``index`` or ``server``.
    :param where: the URL of the routes; empty for the whole application.
    """

    level: Level
    about: str
    where: str
    message: str


def findings_of_routes(application: Application, routes: Sequence[Mounted]) -> Iterator[Finding]:
    """Yield what is open to strangers, and what is hidden where."""
    for route in routes:
        if route.resource is not None:
            yield from _openness(application, route.resource)
    others = [route.url for route in routes if route.resource is None]
    if others:
        yield Finding("note", "open", "", f"bzz cannot tell who may use other handlers: {', '.join(others)}.")
    for route in routes:
        if route.resource is not None:
            yield from _hiding(route.resource)


def _openness(application: Application, resource: Resource) -> Iterator[Finding]:
    yield from _lacking_rules(resource)
    functions = decided_by_functions(resource.provider.shape.model)
    if functions:
        message = f"Functions decide who may {', '.join(functions)}: bzz cannot tell whether strangers may."
        yield Finding("note", "open", resource.url, message)
    methods = open_methods(application, resource)
    if not methods:
        return
    level: Level = "note" if set(methods) <= set(_READING) else "attention"
    advice = "" if level == "note" else ": set a guard (AuthHive.configure), authorize= or bzz.rules"
    yield Finding(level, "open", resource.url, f"Strangers may use {', '.join(methods)}{advice}.")


def _lacking_rules(resource: Resource) -> Iterator[Finding]:
    """Tell of models without rules that lie behind one that has some."""
    shapes = [each for each in reachable(resource.provider.shape, lambda shape, error: None) if not each.embedded]
    without = [each.name for each in shapes if not rules.concerns(each.model)]
    if without and len(without) < len(shapes):
        message = f"Rules say nothing of {', '.join(without)}: who is let in here may do all with these."
        yield Finding("attention", "open", resource.url, message)


def _hiding(resource: Resource) -> Iterator[Finding]:
    for shape in reachable(resource.provider.shape, lambda shape, error: None):
        names = [name for name, field in shape.fields.items() if field.hidden]
        if names:
            yield Finding("note", "hidden", resource.url, f"{shape.name} hides {', '.join(names)}.")
        write_only = [name for name, field in shape.fields.items() if field.write_only]
        if write_only:
            yield Finding("note", "hidden", resource.url, f"{shape.name} never shows {', '.join(write_only)}.")
        yield from _showing(resource, shape, shape.visible.values())


def _showing(resource: Resource, shape: Shape, fields: Iterable[Field]) -> Iterator[Finding]:
    for field in fields:
        name = f"{shape.name}.{field.name}"
        if rules.has_read_rule(shape.model, field.name):
            continue
        if hidden.hides(shape.model, field.name):
            message = f"{name} is shown here, and hidden by other routes: add it to hidden= here too."
            yield Finding("attention", "hidden", resource.url, message)
        elif _SECRET.search(field.name):
            message = f"{name} is shown, and its name sounds like a secret: hide it (hidden=) or make it write-only."
            yield Finding("attention", "hidden", resource.url, message)

"""The application that a command is told of, loaded, and what its routes mount."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tornado.routing import PathMatches
from tornado.web import Application, RequestHandler

from bzz.cli.console import Failure
from bzz.errors import BzzError
from bzz.extras import needs
from bzz.model.resource import Resource, resource_of
from bzz.routing import rules_of
from bzz.serving.source import load

with needs("cli"):
    import typer

__all__ = ["ApplicationName", "AsJson", "Mounted", "load_application", "mounted"]

ApplicationName = Annotated[
    str, typer.Argument(metavar="MODULE:NAME", help="An application, or a function that makes one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@dataclass(frozen=True)
class Mounted:
    """One route.

    :param url: its pattern, without anchors and what makes the slash at the end optional.
    :param resource: of the routes of a model; None for other handlers.
    """

    url: str
    handler: type[RequestHandler]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    resource: Resource | None = None


def load_application(name: str) -> Application:
    """Return the application that ``module:name`` names or makes; modules are looked for here, too.

    :raises Failure: if there is none, or its own code fails.
    """
    sys.path.insert(0, "")
    try:
        return load(name)
    except BzzError:
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}, line {frame.lineno}"
        raise Failure(f"{name} cannot be loaded: {type(error).__name__}: {error} ({where})") from None


def mounted(application: Application) -> Iterator[Mounted]:
    """Yield the routes of an application in the order in which they are tried."""
    for rule in rules_of(application.default_router):
        if not isinstance(rule.matcher, PathMatches) or not isinstance(rule.target, type):
            continue
        arguments = rule.target_kwargs or {}
        resource = resource_of(rule)
        if resource is not None:
            yield Mounted(resource.url, rule.target, arguments, resource)
        elif issubclass(rule.target, RequestHandler):
            yield Mounted(_readable(rule.matcher.regex.pattern), rule.target, arguments)


def _readable(pattern: str) -> str:
    r"""Return a pattern as people write it.

    >>> _readable(r"/auth/me/?$"), _readable(r"/report/(\d+)$"), _readable("/user/(?P<id>[^/]+)/history/?$")
    ('/auth/me/', '/report/(\\d+)', '/user/<id>/history/')
    """
    text = re.sub(r"\(\?P(<\w+>)\[\^/\]\+\)", r"\1", pattern.removeprefix("^").removesuffix("$"))
    return text[:-1] if text.endswith("/?") else text

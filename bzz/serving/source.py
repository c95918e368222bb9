"""The application to serve: itself, the name by which it is imported, or a function that makes it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tornado.routing import PathMatches
from tornado.web import Application

from bzz.errors import ConfigurationError
from bzz.routing import refuse_twice

__all__ = ["Source", "load"]

Source = Application | str | Callable[[], Application]


def load(source: Source) -> Application:
    """Return the application that ``source`` is, names or makes.

    :raises bzz.errors.ConfigurationError: if there is none, or one handler class stands twice at one URL.
    """
    found: Any = _import(source) if isinstance(source, str) else source
    if not isinstance(found, Application) and callable(found):
        found = found()
    if not isinstance(found, Application):
        raise ConfigurationError(f"{source!r} gives {type(found).__name__}, and not a tornado.web.Application")
    rules = found.wildcard_router.rules
    refuse_twice((rule.matcher.regex.pattern, rule.target) for rule in rules if isinstance(rule.matcher, PathMatches))
    return found


def _import(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module or not attribute or module.startswith(".") or "/" in module:
        raise ConfigurationError(f"{name!r} must be 'module:name', such as 'shop.main:app', and no path")
    try:
        return getattr(importlib.import_module(module), attribute)
    except AttributeError:
        raise ConfigurationError(f"{module} has no {attribute!r}") from None
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise ConfigurationError(f"there is no module {error.name!r} on the path") from None

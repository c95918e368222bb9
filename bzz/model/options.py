"""The options of ``routes_for``, checked when the routes are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bzz.calling import check_takes
from bzz.errors import ConfigurationError
from bzz.model.handler import ModelHandler
from bzz.model.path import METHODS
from bzz.model.resource import Authorize
from bzz.shape import Shape

__all__ = [
    "check_authorize",
    "check_flag",
    "check_handler",
    "check_id",
    "check_page_sizes",
    "check_rate_limits",
    "check_text",
    "field_names",
    "methods_of",
]


def check_id(shape: Shape) -> None:
    """Check that the id of a model's documents is one value, which a URL can hold.

    :raises bzz.errors.ConfigurationError: if it is an embedded document, a list or a map.
    """
    kind = None if shape.url_id is None else shape.url_id.kind
    if kind is None or not (kind.is_list or kind.entry is not None or (kind.link and not kind.link.is_reference)):
        return
    assert shape.url_id is not None
    raise ConfigurationError(
        f"{shape.name}.{shape.url_id.name} is an id of several values, which no URL can hold: name another field by"
        " get_id_field_name()"
    )


def check_text(option: str, value: Any) -> None:
    """Raise ConfigurationError if a part of a URL is neither a string nor None."""
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{option}: a text is expected, not {value!r}")


def field_names(option: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of fields that an option lists; raise ConfigurationError if it is not a list of strings."""
    return _texts(option, names, "a list of field names is expected")


def methods_of(methods: Sequence[str]) -> tuple[str, ...]:
    """Return the methods in their usual order, HEAD with GET; raise ConfigurationError if one is not known."""
    expected = f"a list of names from {', '.join(METHODS)} is expected"
    given = _texts("methods", methods, expected)
    if not given or not set(given) <= set(METHODS):
        raise ConfigurationError(f"methods: {expected}, not {methods!r}")
    return tuple(method for method in METHODS if method in given or (method == "HEAD" and "GET" in given))


def _texts(option: str, given: Any, expected: str) -> tuple[str, ...]:
    if isinstance(given, list | tuple | set | frozenset) and all(isinstance(each, str) for each in given):
        return tuple(given)
    raise ConfigurationError(f"{option}: {expected}, not {given!r}")


def check_page_sizes(per_page: int, max_per_page: int) -> None:
    """Raise ConfigurationError if a page cannot be so long."""
    for option, size in (("per_page", per_page), ("max_per_page", max_per_page)):
        if isinstance(size, bool) or not isinstance(size, int):
            raise ConfigurationError(f"{option}: a whole number is expected, not {size!r}")
    if not 1 <= per_page <= max_per_page:
        raise ConfigurationError(f"per_page ({per_page}) must be at least 1 and at most max_per_page ({max_per_page})")


def check_authorize(authorize: Authorize | None) -> None:
    """Raise ConfigurationError if ``authorize`` cannot be called with what it is given."""
    if authorize is not None:
        check_takes(authorize, ("method", "model", "instance_id", "user"), "authorize")


def check_flag(option: str, value: Any) -> None:
    """Raise ConfigurationError for anything but a truth value."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{option}: True or False is expected, not {value!r}")


def check_handler(handler: Any) -> None:
    """Raise ConfigurationError for anything but a class below :class:`bzz.ModelHandler`."""
    if not (isinstance(handler, type) and issubclass(handler, ModelHandler)):
        raise ConfigurationError(f"handler: a subclass of bzz.ModelHandler is expected, not {handler!r}")


def check_rate_limits(rate_limits: Any) -> None:
    """Raise ConfigurationError for anything but a :class:`bzz.RateLimits`, which only those who use it import."""
    if rate_limits is not None and not hasattr(rate_limits, "admit"):
        raise ConfigurationError(f"rate_limits: a bzz.RateLimits is expected, not {rate_limits!r}")

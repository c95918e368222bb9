"""What stands between a client and a route: the guard of the application, ``authorize``, and the hooks of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tornado.web import Application

from bzz.model.resource import Resource
from bzz.problem import GUARD

__all__ = ["HOOKS", "guarded_methods", "hooks_of", "open_methods"]

HOOKS = ("get_instance_queryset", "get_list_queryset", "get_id_field_name", "to_dict")
"""The methods of a model that bzz asks."""


def guarded_methods(application: Application, methods: Sequence[str]) -> list[str]:
    """Return those methods for which the guard lets only signed-in users in. A guard of one's own counts for all."""
    guard: Any = application.settings.get(GUARD)
    if guard is None:
        return []
    requires: Callable[[str], bool] = getattr(guard, "requires", lambda method: True)
    return [method for method in methods if requires(method)]


def open_methods(application: Application, resource: Resource) -> list[str]:
    """Return the methods of a resource that anybody may use: neither the guard nor ``authorize`` is asked."""
    if resource.authorize is not None:
        return []
    guarded = guarded_methods(application, resource.methods)
    return [method for method in resource.methods if method not in guarded]


def hooks_of(model: type) -> list[str]:
    """Return the names of the hooks that a model has."""
    return [name for name in HOOKS if hasattr(model, name)]

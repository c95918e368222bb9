"""What stands between a client and a route: the application's guard, ``authorize``, a model's rules and hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tornado.web import Application

from bzz.model.query_method import QUERY
from bzz.model.resource import Resource
from bzz.problem import GUARD
from bzz.providers import rules
from bzz.providers.rules import ACTIONS, ANYONE, Action

__all__ = ["HOOKS", "decided_by_functions", "guarded_methods", "hooks_of", "is_open", "open_methods"]

_MEANS: dict[str, tuple[Action, ...]] = {
    "GET": ("list", "get"),
    "HEAD": ("list", "get"),
    "POST": ("create", "link"),
    "PUT": ("update",),
    "PATCH": ("update",),
    "DELETE": ("delete", "link"),
}

HOOKS = ("get_instance_queryset", "get_list_queryset", "get_id_field_name", "to_dict")
"""The methods of a model that bzz asks."""


def guarded_methods(application: Application, methods: Sequence[str]) -> list[str]:
    """Return those methods for which the guard lets only signed-in users in. A guard of one's own counts for all."""
    guard: Any = application.settings.get(GUARD)
    if guard is None:
        return []
    requires: Callable[[str], bool] = getattr(guard, "requires", lambda method: True)
    return [method for method in methods if requires("GET" if method == QUERY else method)]


def open_methods(application: Application, resource: Resource) -> list[str]:
    """Return the methods of a resource that anybody may use: neither guard nor ``authorize`` nor rules refuse them."""
    if resource.authorize is not None:
        return []
    guarded, model = guarded_methods(application, resource.methods), resource.provider.shape.model
    return [each for each in resource.methods if each not in guarded and any(is_open(model, do) for do in _MEANS[each])]


def is_open(model: type, action: Action) -> bool:
    """Return whether the rules of a model let anybody do something with its documents. Without any they do."""
    return all(ANYONE in each.actions[action] for each in rules.of(model))


def decided_by_functions(model: type) -> list[Action]:
    """Return the actions of which functions of the application decide who may do them, as far as strangers go."""
    asked = [each for own in rules.of(model) for each in ACTIONS if any(map(callable, own.actions[each]))]
    return [each for each in dict.fromkeys(asked) if not is_open(model, each)]


def hooks_of(model: type) -> list[str]:
    """Return the names of the hooks that a model has."""
    return [name for name in HOOKS if hasattr(model, name)]

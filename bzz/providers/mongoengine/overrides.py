"""Which classes bring code of their own for saving, validating or deleting, and so must be left to MongoEngine."""

from __future__ import annotations

import inspect
from typing import Any

import mongoengine as me

from bzz.calling import check_takes
from bzz.errors import ConfigurationError

__all__ = ["check_signatures", "overrides"]

_HOOKS = {
    "get_instance_queryset": ("model", "queryset", "instance_id", "handler"),
    "get_list_queryset": ("queryset", "handler"),
}
"""The hooks of a model, and what they are called with."""


def overrides(model: Any, *names: str) -> bool:
    """Whether a class, embedded or not, replaces one of these methods of MongoEngine's own."""
    base: Any = me.EmbeddedDocument if issubclass(model, me.EmbeddedDocument) else me.Document
    return any(getattr(model, name, None) is not getattr(base, name, None) for name in names)


def check_signatures(model: Any) -> None:
    """Refuse hooks that cannot be called, and a ``save`` that cannot be told to insert, or save only what is unchanged.

    :raises bzz.errors.ConfigurationError: if a class has one.
    """
    for name, arguments in _HOOKS.items():
        if hasattr(model, name):
            check_takes(getattr(model, name), arguments, f"{model.__name__}.{name}")
    if not overrides(model, "save"):
        return
    parameters = inspect.signature(model.save).parameters
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    if not takes_all and not {"force_insert", "save_condition"} <= parameters.keys():
        raise ConfigurationError(f"{model.__name__}.save must take **kwargs and hand them to super().save()")

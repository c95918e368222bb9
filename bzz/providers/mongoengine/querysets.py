"""Which documents of a class there are for a request: what the class's own ``objects`` and hooks select.

Their querysets become MongoDB queries here. How documents are read, is not known.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import mongoengine as me
from mongoengine.queryset.base import BaseQuerySet

from bzz.calling import check_takes
from bzz.errors import NotFound
from bzz.providers.mongoengine import internals, queryset_internals
from bzz.providers.mongoengine.failures import reading
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.worker import in_thread

__all__ = ["NOTHING", "Querysets", "check_hooks"]

NOTHING: Raw = {"_id": {"$in": []}}
"""The query that no document matches."""

_HOOKS = {
    "get_instance_queryset": ("model", "queryset", "instance_id", "handler"),
    "get_list_queryset": ("queryset", "handler"),
}
"""The hooks of a model, and what they are called with."""

Order = list[tuple[str, int]]


def check_hooks(model: Any) -> None:
    """Refuse hooks that cannot be called.

    :raises bzz.errors.ConfigurationError: if a class has one.
    """
    for name, arguments in _HOOKS.items():
        if hasattr(model, name):
            check_takes(getattr(model, name), arguments, f"{model.__name__}.{name}")


class Querysets:
    """The querysets of one class, as MongoDB queries.

    Plain hooks run in a worker thread, for they may read, and so does a manager.

    :ivar own: the query for all documents of the class and of those below it.
    :ivar narrow_one: whether a document may be there for some requests only, so that the class's code must be asked.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._has_manager = queryset_internals.has_manager(model)
        self._ordering = [_order_key(model, name) for name in internals.ordering(model)]
        self.own: Raw = {}
        if internals.allows_inheritance(model):
            self.own = {internals.CLASS_KEY: {"$in": list(internals.family(model))}}
        self.narrow_one = self._has_manager or hasattr(model, "get_instance_queryset")

    async def one(self, key: str, context: Any) -> Raw:
        """Return the query within which a document is looked for, by the model's ``get_instance_queryset``."""
        model = self._model
        hook = getattr(model, "get_instance_queryset", None)
        return await self._ask(_as_it_is if hook is None else lambda found: hook(model, found, key, context), hook)

    async def many(self, context: Any) -> tuple[Raw, Order]:
        """Return the query for a list, by the model's ``get_list_queryset``, and its order."""
        hook = getattr(self._model, "get_list_queryset", None)
        order: Order = []
        if hook is not None:
            query = await self._ask(lambda found: hook(found, context), hook, order)
        elif self._has_manager:
            query = await self._ask(_as_it_is, order=order)
        else:
            query = dict(self.own)
        return query, order or self._ordering

    async def _ask(self, ask: Callable[[Any], Any], hook: Any = None, order: Order | None = None) -> Raw:
        """Return what the queryset that a hook makes of ``objects`` asks for; ``order`` gets its order."""
        try:
            if inspect.iscoroutinefunction(hook):
                with reading():
                    answer = await ask(await in_thread(lambda: queryset_internals.all_documents(self._model)))
            else:
                answer = await in_thread(lambda: ask(queryset_internals.all_documents(self._model)))
            return await in_thread(lambda: _raw_query(answer, order))
        except me.DoesNotExist:
            raise NotFound() from None


def _order_key(model: Any, name: str) -> tuple[str, int]:
    """Return the stored path and direction of one name in a model's ``ordering``, by MongoEngine's own translation."""
    path = name.lstrip("+-").replace("__", ".")
    with suppress(me.errors.LookUpError):  # MongoEngine, too, lets a name pass that it does not know
        path = internals.stored_path(model, path)
    return path, -1 if name.startswith("-") else 1


def _as_it_is(queryset: Any) -> Any:
    return queryset


def _raw_query(answer: Any, order: Order | None) -> Raw:
    if answer is None:
        return NOTHING
    if not isinstance(answer, BaseQuerySet):
        raise TypeError(f"the hook must return a queryset, not {type(answer).__name__}")
    if order is not None and queryset_internals.is_sliced(answer):
        raise TypeError("get_list_queryset must return a queryset without a limit: pages are for the client to choose")
    if order is not None:
        order.extend(queryset_internals.sort_order(answer))
    return NOTHING if queryset_internals.finds_nothing(answer) else queryset_internals.query(answer)

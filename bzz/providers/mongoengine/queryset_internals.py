"""MongoEngine's private names of querysets, each in one function; see ``internals.py``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from mongoengine.queryset import QuerySet, QuerySetManager
from mongoengine.queryset.base import BaseQuerySet

from bzz.providers.mongoengine.internals import meta, own_base

_DECIDING = ("__init__", "__new__", "__call__", "_cls_query", "_mongo_query", "_query", "_query_obj")
"""What decides which documents a queryset finds before anybody has narrowed it."""


def queryset_class(model: Any) -> type[QuerySet]:
    """Return the class of a model's querysets."""
    manager = inspect.getattr_static(model, "objects", None)
    found: type[QuerySet] = meta(model).get("queryset_class") or getattr(manager, "default", QuerySet)
    return found


def has_manager(model: Any) -> bool:
    """Return whether ``objects`` of a class may leave documents out.

    So may a manager of its own that needs no arguments, by ``@queryset_manager`` or a class, and querysets whose class
    filters by itself.
    """
    manager = inspect.getattr_static(model, "objects")
    if not isinstance(manager, QuerySetManager) or type(manager).__get__ is not QuerySetManager.__get__:
        return True
    if manager.get_queryset is not None:
        return len(inspect.signature(manager.get_queryset).parameters) <= 2  # MongoEngine's own rule
    return overrides(model, *_DECIDING)


def all_documents(model: Any) -> Any:
    """Return ``objects`` of a class; ``objects()`` where its querysets filter in ``__call__``.

    What is not a queryset is returned as it is.
    """
    found = model.objects
    if isinstance(found, BaseQuerySet) and type(found).__call__ is not BaseQuerySet.__call__:
        return found()
    return found


def overrides(model: Any, *names: str) -> bool:
    """Return whether the class of a model's querysets replaces one of these members of MongoEngine's own."""
    made = queryset_class(model)
    base = own_base(made)
    return any(
        inspect.getattr_static(made, name, None) is not inspect.getattr_static(base, name, None) for name in names
    )


def query(queryset: Any) -> dict[str, Any]:
    """Return the filter of a queryset, as MongoDB takes it."""
    return dict(queryset._query)


def finds_nothing(queryset: Any) -> bool:
    """Return whether a queryset is empty whatever is stored: ``none()``, or a slice without length."""
    return bool(queryset._none or queryset._empty)


def is_sliced(queryset: Any) -> bool:
    """Return whether a queryset has a limit, or skips documents."""
    return queryset._limit is not None or bool(queryset._skip)


def sort_order(queryset: Any) -> list[tuple[str, int]]:
    """Return the stored paths and directions by which a queryset sorts."""
    return list(queryset._ordering or ())


def write_by(
    instance: Any,
    remove: Callable[[dict[str, Any], dict[str, Any]], int],
    update: Callable[[Callable[[dict[str, Any]], int]], int],
) -> None:
    """Have ``delete()`` and ``update()`` of an instance call ``remove`` and ``update`` where they would write.

    ``Document.delete`` and ``Document.update`` write through the queryset class in the ``meta`` of the instance. What
    that class overrides is run first.

    :param remove: called with the query and the write concern; returns how many documents it removed.
    :param update: called with what makes the update if the document meets a condition, too, and returns how many
        documents it changed; returns the same.
    """
    own = queryset_class(type(instance))
    base = own_base(own)

    class Conditional(base):  # type: ignore[misc, valid-type]
        def delete(self, write_concern: Any = None, _from_doc_delete: bool = False, cascade_refs: Any = None) -> Any:
            if not _from_doc_delete:
                return super().delete(write_concern, cascade_refs=cascade_refs)
            return remove(query(self), write_concern or {})

        def update_one(self, **changes: Any) -> Any:
            # ``update`` of MongoEngine's own class, which ``update_one`` calls, is that of the model's.
            return update(lambda condition: base.update_one(self.filter(__raw__=condition), **changes))

    made = Conditional if own is base else type(own.__name__, (own, Conditional), {})
    instance.__dict__["_meta"] = {**meta(instance), "queryset_class": made}

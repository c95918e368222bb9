"""MongoEngine's private names of querysets, each in one function; see ``internals.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mongoengine.queryset import QuerySet

from bzz.providers.mongoengine.internals import meta


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


def same_document(instance: Any, **conditions: Any) -> QuerySet:
    """Return the queryset of the document that an instance was loaded from, while it meets further conditions."""
    return instance._qs.filter(**instance._object_key, **conditions)


def remove_by(instance: Any, remove: Callable[[dict[str, Any], dict[str, Any]], int]) -> None:
    """Have ``delete()`` of an instance call ``remove`` where it would remove the document.

    ``Document.delete`` deletes through the queryset class in the ``meta`` of the instance.

    :param remove: called with the query and the write concern; returns how many documents it removed.
    """
    base = meta(instance).get("queryset_class", QuerySet)

    def delete(self: Any, write_concern: Any = None, _from_doc_delete: bool = False, cascade_refs: Any = None) -> Any:
        if not _from_doc_delete:
            return base.delete(self, write_concern, cascade_refs=cascade_refs)
        return remove(query(self), write_concern or {})

    made = type(base.__name__, (base,), {"delete": delete})
    instance.__dict__["_meta"] = {**meta(instance), "queryset_class": made}

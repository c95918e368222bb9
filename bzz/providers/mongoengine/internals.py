"""MongoEngine's private names, each in one function; those of querysets are in ``queryset_internals.py``.

A release of MongoEngine may change any of them without a word. One that does fails in
``tests/providers/test_mongoengine_internals.py``, in the test of that name, and is mended here. Tried with MongoEngine
0.29 and with its main branch of June 2026, whose registry of classes is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from collections.abc import Mapping as Map
from typing import Any

from bson import SON
from mongoengine import connection
from mongoengine.base import common

CLASS_KEY = "_cls"
"""The stored key, and the field, that hold the name of a document's class."""

REFERENCE_KEY = "_ref"
"""The stored key that holds the reference itself in a generic reference."""

_set = object.__setattr__  # MongoEngine's own would note a change
_NO_FIELDS = SON[str, Any]()  # only dynamic classes would add to it, and those are not set up here


# -- classes


def meta(model: Any) -> Map[str, Any]:
    """Return the ``meta`` of a document class, with that of its bases; empty for any other class."""
    found: Map[str, Any] = getattr(model, "_meta", {})
    return found


def own_meta(model: Any) -> Map[str, Any]:
    """Return the ``meta`` of a class itself, which may be a plain mixin; empty for any other class."""
    found: Map[str, Any] = vars(model).get("_meta") or vars(model).get("meta") or {}
    return found if isinstance(found, dict) else {}


def is_abstract(model: Any) -> bool:
    """Return whether a class has no collection of its own, but for its subclasses."""
    return bool(meta(model).get("abstract"))


def allows_inheritance(model: Any) -> bool:
    """Return whether documents of other classes may share the collection."""
    return bool(meta(model).get("allow_inheritance"))


def id_field(model: Any) -> str:
    """Return the name of the primary key's field."""
    return str(meta(model)["id_field"])


def ordering(model: Any) -> Iterable[str]:
    """Return the names by which a class's documents are sorted."""
    return meta(model).get("ordering") or ()


def connection_alias(model: Any) -> str:
    """Return the name of the connection that a class uses."""
    return str(meta(model).get("db_alias", "default"))


def delete_rules(model: Any) -> Iterator[tuple[Any, str, int]]:
    """Return the ``reverse_delete_rule`` of each field that refers to a class: its own class, its name, the rule."""
    for (referring, name), rule in (meta(model).get("delete_rules") or {}).items():
        if not is_abstract(referring):
            yield referring, name, rule


def fields(model: Any) -> dict[str, Any]:
    """Return the fields of a class, or those that an instance has in their place, by name."""
    found: dict[str, Any] = model._fields
    return found


def has_field(model: Any, name: str) -> bool:
    """Return whether a class is one of documents that have a field."""
    return name in getattr(model, "_fields", ())


def field_names(model: Any) -> tuple[str, ...]:
    """Return the names of the fields in the order in which they are declared."""
    return tuple(model._fields_ordered)


def is_dynamic(model: Any) -> bool:
    """Return whether documents of a class may hold what no field declares."""
    return bool(model._dynamic)


def class_name(model: Any) -> str:
    """Return the name by which a class is registered, that of its bases before its own."""
    return str(model._class_name)


def family(model: Any) -> tuple[str, ...]:
    """Return the registered names of a class and of all below it."""
    return tuple(model._subclasses)


def registered(name: str) -> Any:
    """Return the class that is registered under ``name``.

    :raises mongoengine.errors.NotRegistered: if there is none.
    """
    registry: Any = getattr(common, "_DocumentRegistry", None)  # after MongoEngine 0.29
    return common.get_document(name) if registry is None else registry.get(name)


def all_registered() -> list[Any]:
    """Return every class of documents that the process has."""
    return list(common._document_registry.values())


def root_of(model: Any) -> Any:
    """Return the topmost class whose collection a class of documents shares."""
    return registered(class_name(model).partition(".")[0])


def own_base(kind: Any) -> Any:
    """Return the class of MongoEngine below which a class of an application stands; that itself if it is one."""
    return next(each for each in kind.__mro__ if each.__module__.partition(".")[0] == "mongoengine")


def count_registered() -> int:
    """Return how many classes of documents the process has. Asked per request."""
    return len(common._document_registry)


def stored_path(model: Any, path: str) -> str:
    """Return a dotted path of field names as a path of stored keys.

    :raises mongoengine.errors.LookUpError: if there is no such field.
    """
    return str(model._translate_field_name(path))


# -- connections and collections


def connection_settings(alias: str) -> Map[str, Any] | None:
    """Return what ``mongoengine.connect()`` was called with; None if it was not."""
    found: Map[str, Any] | None = connection._connection_settings.get(alias)
    return found


def database(model: Any) -> Any:
    """Return the database of a class, on MongoEngine's own client, which connects if it has not yet."""
    return model._get_db()


def collection(model: Any) -> Any:
    """Return the collection of a class, on MongoEngine's own client; the first time, its indexes are made."""
    return model._get_collection()


def opened_collection(model: Any) -> Any:
    """Return the same without asking the server: None if it was never returned, or was forgotten."""
    return getattr(model, "_collection", None)


def forget_collection(model: Any) -> None:
    """Have :func:`collection` begin anew."""
    model._collection = None


def collection_name(model: Any) -> str:
    """Return the name of a class's collection."""
    return str(model._get_collection_name())


# -- instances


def values(document: Any) -> MutableMapping[str, Any]:
    """Return what the attributes of an instance hold, by field name, without following references."""
    found: MutableMapping[str, Any] = document._data
    return found


def from_stored(model: Any, raw: Map[str, Any]) -> Any:
    """Return the instance that MongoEngine loads from a raw document."""
    return model._from_son(raw)


def construct(model: Any, given: Map[str, Any], *, embedded: bool = False) -> Any:
    """Return an instance with attributes as they are given, which is not new, and in which nothing has changed."""
    state = {} if embedded else {"_created": False}
    instance = model(__auto_convert=False, **state, **given)
    forget_changes(instance)
    return instance


def construct_new(model: Any, given: Map[str, Any]) -> Any:
    """Return a new instance with attributes as they are given."""
    return model(__auto_convert=False, **given)


def forget_changes(instance: Any) -> None:
    """Have an instance believe that it is what is stored."""
    instance._changed_fields = []


def mark_changed(instance: Any, name: str) -> None:
    """Have an instance save a field."""
    instance._mark_as_changed(name)


def watch_updates(instance: Any, note: Callable[[dict[str, Any]], object]) -> None:
    """Have ``save()`` of an instance call ``note`` with each ``$set`` and ``$unset`` that it is about to make."""
    update_of = instance._get_update_doc

    def noted() -> Any:
        update = update_of()
        note(update)
        return update

    instance.__dict__["_get_update_doc"] = noted


def give_owner(embedded: Any, owner: Any) -> None:
    """Tell an embedded document which one it is in; ``owner`` is a weak reference to that."""
    embedded._instance = owner


def give_fields(instance: Any, own_fields: Any) -> None:
    """Give an instance fields in place of its class's."""
    instance._fields = own_fields


def take_fields(instance: Any) -> Any:
    """Take from an instance what :func:`give_fields` gave, and return it; None if that was nothing."""
    return instance.__dict__.pop("_fields", None)


def set_up(instance: Any, data: dict[str, Any], own_fields: Any, *, embedded: bool) -> None:
    """Give an instance that was made by ``__new__`` alone what a constructor would, with nothing changed.

    :param data: what its attributes hold, by name.
    :param own_fields: the fields that it has in place of its class's.
    """
    model = type(instance)
    _set(instance, "_initialised", True)
    _set(instance, "_created", embedded)
    _set(instance, "_dynamic_fields", _NO_FIELDS)
    _set(instance, "_changed_fields", [])
    _set(instance, "_data", data)
    if embedded:
        _set(instance, "_instance", None)  # a slot, which a map of embedded documents and validate() look at
    if CLASS_KEY in model._fields:  # a field of classes that inherit, an attribute of others
        dict.__setitem__(data, CLASS_KEY, model._class_name)
        instance.__dict__["_fields"] = own_fields
    else:
        instance.__dict__.update(_cls=model._class_name, _fields=own_fields)


def undeclared_names(instance: Any) -> Iterable[str]:
    """Return the names of what an instance of a dynamic class holds and no field declares."""
    return instance._dynamic_fields or ()


# -- fields


def generates_values(field: Any) -> bool:
    """Return whether a field gives itself a value, as a sequence does."""
    return bool(field._auto_gen)


def item_order(field: Any) -> tuple[str | None, bool]:
    """Return by which member a ``SortedListField`` sorts its items, None for the items themselves, and whether down."""
    return field._ordering, bool(field._order_reverse)


def validate(field: Any, value: Any) -> None:
    """Check a value by the field's choices, its own validation and the application's.

    :raises mongoengine.ValidationError: if they refuse it.
    """
    field._validate(value)


def enum(field: Any) -> Any:
    """Return the enumeration whose members an ``EnumField`` holds."""
    return field._enum_cls


def geometry(field: Any) -> str:
    """Return the GeoJSON type of a geo field; a ``GeoPointField`` holds points."""
    return str(getattr(field, "_type", "Point"))


def geo_index(field: Any) -> str | None:
    """Return the type of index that MongoEngine makes for a geo field; None if it makes none."""
    return getattr(field, "_geo_index", None) or None

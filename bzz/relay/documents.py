"""Documents and what belongs to a database in the table of types: class, id and values, without what is hidden."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bzz.events.event import qualified_name
from bzz.relay.payload import Row, add, read, register

__all__ = ["Document", "learn", "model_named", "remember"]

_PROVIDERS = {"mongoengine": "bzz.providers.mongoengine.portable"}
_models: dict[str, type] = {}


@dataclass(frozen=True)
class Document:
    """A document whose class this process does not have.

    :param model: the name of its class.
    :param id: its id.
    :param values: what is in it, by the names under which it is stored.
    """

    model: str
    id: Any
    values: dict[str, Any] = field(default_factory=dict)


def learn() -> None:
    """Add the types of every ORM that this process has loaded; loads none itself."""
    for package, module in _PROVIDERS.items():
        if package in sys.modules:
            _learn_from(module)


@cache
def _learn_from(name: str) -> None:
    portable: Any = importlib.import_module(name)
    register(portable.ObjectId, "oid", str, portable.ObjectId)
    register(portable.Decimal128, "decimal128", str, portable.Decimal128)
    register(portable.DBRef, "dbref", lambda ref: [ref.collection, ref.id], lambda pair: portable.DBRef(*pair))
    add(portable.BaseDocument, Row("document", portable.take_apart, _make_document))


def _make_document(parts: Any) -> Any:
    name, values = parts["class"], parts["values"]
    if not isinstance(name, str) or not isinstance(values, dict):
        raise TypeError("class, id and values are expected")
    for module in _PROVIDERS.values():
        portable: Any = sys.modules.get(module)
        made = portable and portable.put_together(name, values)
        if made is not None:
            return made
    return Document(name, parts["id"], values)


read("document", _make_document)  # without an ORM the parts of what it writes are read as plain values
read("oid", str)
read("decimal128", str)
read("dbref", list)


def remember(model: type) -> None:
    """Have :func:`model_named` find a class that is no document of an ORM."""
    _models[qualified_name(model)] = model


def model_named(name: str) -> type | None:
    """Return the model whose :func:`~bzz.events.event.qualified_name` is ``name``, or None."""
    if name in _models:
        return _models[name]
    for module in _PROVIDERS.values():
        portable: Any = sys.modules.get(module)
        found = portable and portable.model_named(name.rpartition(":")[2])
        if isinstance(found, type):
            return found
    return None

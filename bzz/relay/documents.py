"""The codecs of documents (their class, id and values, without hidden fields) and of other types of a database."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bzz.events.event import qualified_name
from bzz.relay.payload import TypeCodec, add, read, register

__all__ = ["Document", "model_named", "register_loaded", "register_model"]

_PROVIDERS = {"mongoengine": "bzz.providers.mongoengine.portable"}
_models: dict[str, type] = {}


@dataclass(frozen=True)
class Document:
    """A document whose class this process does not have.

    :param model: the name of its class.
    :param id: its id.
    :param values: its values, by their names in the database.
    """

    model: str
    id: Any
    values: dict[str, Any] = field(default_factory=dict)


def register_loaded() -> None:
    """Register the types of every ORM that this process has imported, without importing one."""
    for package, module in _PROVIDERS.items():
        if package in sys.modules:
            _register_from(module)


@cache
def _register_from(name: str) -> None:
    portable: Any = importlib.import_module(name)
    register(portable.ObjectId, "oid", str, portable.ObjectId)
    register(portable.Decimal128, "decimal128", str, portable.Decimal128)
    register(portable.DBRef, "dbref", lambda ref: [ref.collection, ref.id], lambda pair: portable.DBRef(*pair))
    add(portable.BaseDocument, TypeCodec("document", portable.take_apart, _make_document))


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


read("document", _make_document)  # without an ORM its types are decoded as plain values
read("oid", str)
read("decimal128", str)
read("dbref", list)


def register_model(model: type) -> None:
    """Let :func:`model_named` find a class that is not a document of an ORM."""
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

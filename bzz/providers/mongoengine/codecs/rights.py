"""What a model says of its own fields, on whatever routes: ``meta = {"bzz": {"hidden": [...]}}``.

The options are ``hidden``, ``read_only`` and ``write_only``; beside them ``rules`` holds what :func:`bzz.rules` takes.

A class has the rights of all its bases as well, abstract ones and plain mixins: MongoEngine's ``meta`` of a class takes
the place of that of its bases, so each is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import mongoengine as me
from mongoengine.base import BaseDocument

from bzz.errors import ConfigurationError
from bzz.providers import denials, rules
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.declared import DeclaredFields

__all__ = ["OPTIONS", "check_denials", "check_orders", "check_rights", "listed"]

OPTIONS = ("hidden", "read_only", "write_only")
RULES = "rules"

_LISTS = (list, tuple, set, frozenset)


def listed(model: Any, option: str) -> frozenset[str]:
    """Return the names that a class, or one of its bases, lists under an option; what is no list says nothing here."""
    lists = [own.get(option) for own in _own_rights(model) if isinstance(own, dict)]
    return frozenset(name for names in lists if isinstance(names, _LISTS) for name in names)


def check_rights(models: Iterable[Any]) -> None:
    """Check what classes say of their fields.

    :raises bzz.errors.ConfigurationError: naming the class and what cannot be.
    """
    for model in models:
        for own in _own_rights(model):
            _check(model, own)
        _declare_rules(model)


def check_orders(codecs: Iterable[DeclaredFields]) -> None:
    """Check that no order of items tells of what only some users may see. Called when all rules are declared.

    :raises bzz.errors.ConfigurationError: naming a ``SortedListField`` that is sorted by such a field.
    """
    for codec in codecs:
        for field in codec.fields.values():
            for ordering, item in field.orders():
                for name, source in internals.fields(item).items():
                    if source.db_field == ordering and rules.has_read_rule(item, name):
                        raise ConfigurationError(
                            f"{codec.model.__name__}.{field.declared.name} is sorted by {item.__name__}.{name}, which"
                            " only some users may see: its order would tell the others. Sort it by another field"
                        )


def check_denials(model: Any) -> None:
    """Check that no DELETE tells of documents that refer to its own and that the user may not see.

    :param model: whose routes are being made: what is deleted by them, or seen.
    :raises bzz.errors.ConfigurationError: naming the reference whose ``reverse_delete_rule`` is DENY.
    """
    for deleted in (each for each in rules.DELETABLE if issubclass(each, me.Document)):  # others have other providers
        for own in map(internals.registered, internals.family(deleted)):
            for referring, name in _denying(own, set()):
                if deleted is model or issubclass(referring, model) or issubclass(model, referring):
                    _check_denial(own, referring, name)


def _check_denial(deleted: Any, referring: Any, name: str) -> None:
    for each in map(internals.registered, internals.family(referring)):
        _declare_rules(each)
    if denials.may_be_unseen(deleted, referring, name) and not denials.is_told(referring, name):
        raise ConfigurationError(
            f"{referring.__name__}.{name} has reverse_delete_rule=DENY: the 409 of a DELETE of {deleted.__name__}"
            " would tell of documents that the user may not see. Give it another rule, or say that this may be"
            f" told: rules({referring.__name__}, fields={{{name!r}: {{'denies': True}}}})"
        )


def _denying(model: Any, seen: set[Any]) -> Iterator[tuple[Any, str]]:
    """Return the references that forbid to delete documents of a class, or what would be deleted in cascade."""
    seen.add(model)
    for referring, name, rule in internals.delete_rules(model):
        if rule == me.DENY:
            yield referring, name
        elif rule == me.CASCADE and referring not in seen:
            yield from _denying(referring, seen)


def _declare_rules(model: Any) -> None:
    for each in model.__mro__:
        own = internals.own_meta(each).get("bzz", {})
        if RULES in own:
            rules.declare(each, own[RULES])
        if each in rules.DECLARED and not issubclass(each, BaseDocument):
            raise ConfigurationError(f"rules of {each.__name__}: it is no document; declare them of {model.__name__}")


def _own_rights(model: Any) -> Iterator[Any]:
    for each in model.__mro__:
        found = internals.own_meta(each).get("bzz")
        if found is not None:
            yield found


def _check(model: Any, own: Any) -> None:
    where = f"{model.__name__}.meta['bzz']"
    if not isinstance(own, dict) or not own.keys() <= {*OPTIONS, RULES}:
        raise ConfigurationError(f"{where} is a dict with {' and '.join((*OPTIONS, RULES))}, not {own!r}")
    for option, names in own.items():
        if option == RULES:
            continue
        if not isinstance(names, _LISTS):
            raise ConfigurationError(f"{where}[{option!r}]: a list of field names is expected, not {names!r}")
        for name in names:
            if name not in internals.fields(model):
                raise ConfigurationError(f"{where}[{option!r}]: {model.__name__} has no field {name!r}")

"""Who may do what with the documents of a model: declared once, and held wherever they are reached.

Here belong the declarations alone. What they mean for the user of a request is found out in :mod:`bzz.model.rights`.
That documents beyond a user's scope are not there, and fields that the user may not read are not shown, is the
provider's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from bzz.calling import check_takes
from bzz.errors import ConfigurationError

__all__ = [
    "ACTIONS",
    "ANYONE",
    "AUTHENTICATED",
    "DECLARED",
    "DELETABLE",
    "UNRESTRICTED",
    "Action",
    "FieldRule",
    "Restrictions",
    "Rules",
    "Who",
    "below",
    "concerns",
    "declare",
    "forget",
    "has_read_rule",
    "is_fixed",
    "of",
    "rules",
    "seal",
]

Action = Literal["list", "get", "create", "update", "delete", "link"]

ACTIONS: tuple[Action, ...] = get_args(Action)

Who = str | Callable[[Any], Any] | Sequence[str | Callable[[Any], Any]]
"""Who may do something: ``"anyone"``, ``"authenticated"`` (whoever is signed in), the name of a role, ``"scope:NAME"``
for an OAuth scope, or a function of the user, which may be a coroutine. Of several one is enough; an empty list is
nobody."""

Kept = tuple[str | Callable[[Any], Any], ...]

ANYONE, AUTHENTICATED = "anyone", "authenticated"


@dataclass(frozen=True)
class FieldRule:
    """What is declared of one field.

    :param read: who may see it; None for whoever gets the document.
    :param write: who may write it; None for whoever may write the document. Who may not see it may not write it.
    :param default: called with the user; what it returns is stored in a new document that does not bring a value.
    :param fixed: whether it is written when the document is created, and never after.
    :param denies: of a reference: whether that it keeps what it refers to from being deleted may be told to those, too,
        who may not see it.
    """

    read: Kept | None = None
    write: Kept | None = None
    default: Callable[[Any], Any] | None = None
    fixed: bool = False
    denies: bool = False


@dataclass(frozen=True)
class Rules:
    """What is declared of one model.

    :param actions: who may do each; nobody may do what is not among them.
    :param scope: called with the user; returns the filter that documents meet which are there for the user.
    """

    model: type
    actions: Mapping[Action, Kept] = field(default_factory=dict)
    scope: Callable[[Any], Any] | None = None
    fields: Mapping[str, FieldRule] = field(default_factory=dict)


@dataclass(frozen=True)
class Restrictions:
    """Fields that one user may not see, and those that the user may not write, each with the class that declares it."""

    hidden: frozenset[tuple[type, str]] = frozenset()
    read_only: frozenset[tuple[type, str]] = frozenset()

    def hides(self, model: type, name: str) -> bool:
        """Return whether the user may not see a field of ``model``."""
        return _lists(self.hidden, model, name)

    def fixes(self, model: type, name: str) -> bool:
        """Return whether the user may not write a field of ``model``."""
        return _lists(self.read_only, model, name)


UNRESTRICTED = Restrictions()

DECLARED: dict[type, Rules] = {}
"""The rules of this process, by their models."""

DELETABLE: set[type] = set()
"""The models whose documents can be deleted by routes of this process."""

_sealed: set[type] = set()


def rules(
    model: type,
    *,
    allow: Who = (),
    list: Who | None = None,  # the name of the action
    get: Who | None = None,
    create: Who | None = None,
    update: Who | None = None,
    delete: Who | None = None,
    link: Who | None = None,
    scope: Callable[[Any], Any] | None = None,
    fields: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Declare who may do what with the documents of a model. Called before the routes that lead to it are made.

    The rules hold for the classes below the model too, and on every way to their documents. A model without rules is
    open, as before. ``meta = {"bzz": {"rules": {...}}}`` in the model declares the same.

    :param allow: who may do what no other argument names; nobody unless it is given.
    :param list: who may read lists, filter by references to these documents, and write what filters select.
    :param get: who may read a document, all that is embedded in it, and go through it to another.
    :param create: who may create one.
    :param update: who may change one; with ``get`` too also what is embedded in it, at addresses of its own.
    :param delete: who may delete one.
    :param link: who may add documents to its references and take them away, at an address of their own.
    :param scope: called with ``handler.current_user``, which is None for strangers; returns the filter that a document
        meets which is there for the user, as ``filter`` takes it: ``{"owner": user["id"]}``; ``{}`` for all documents,
        None for none. May be a coroutine. What is beyond the scope is a 404, and cannot be made either.
    :param fields: by the names of fields, each with ``read`` and ``write`` (who may), ``default`` (a function of the
        user, for new documents), ``fixed`` (whether it stays as it was created), and, for references by which the model
        forbids to delete what they refer to, ``denies`` (whether that may be told to who cannot see them).
    :raises bzz.errors.ConfigurationError: for what is none of these, rules that are there already, or a model whose
        routes are made already.
    """
    given = {"list": list, "get": get, "create": create, "update": update, "delete": delete, "link": link}
    named = {name: who for name, who in given.items() if who is not None}
    _put(_made(model, {"allow": allow, "scope": scope, "fields": fields or {}, **named}, f"rules({_name(model)})"))


def declare(model: type, given: Any) -> None:
    """Declare the rules that stand in the ``meta`` of a model, unless that is done.

    :param given: the arguments of :func:`rules` by their names.
    :raises bzz.errors.ConfigurationError: as :func:`rules` does.
    """
    where = f"{_name(model)}.meta['bzz']['rules']"
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where} is a dict with the arguments of bzz.rules, not {given!r}")
    known = DECLARED.get(model)
    made = _made(model, given, where)
    if known is None:
        _put(made)
    elif known != made:
        raise ConfigurationError(f"{where}: {_name(model)} has other rules by bzz.rules: declare them in one place")


def forget(*models: type) -> None:
    """Take the rules of models back, and let new ones be declared: for tests."""
    for each in models:
        DECLARED.pop(each, None)
        _sealed.discard(each)
        DELETABLE.discard(each)


def of(model: type) -> Iterator[Rules]:
    """Yield the rules of a class and of those above it: all of them hold for its documents."""
    return (DECLARED[each] for each in model.__mro__ if each in DECLARED)


def below(model: type) -> Iterator[Rules]:
    """Yield the rules of the classes below one: they hold for those of its documents that are theirs."""
    return (each for each in DECLARED.values() if each.model is not model and issubclass(each.model, model))


def concerns(model: type) -> bool:
    """Return whether there are rules for some documents of a class."""
    return any(True for _ in (*of(model), *below(model)))


def is_fixed(model: type, name: str) -> bool:
    """Return whether a field stays as documents of a class, or of one below it, were created."""
    return any(name in each.fields and each.fields[name].fixed for each in (*of(model), *below(model)))


def has_read_rule(model: type, name: str) -> bool:
    """Return whether only some users may see a field, in documents of ``model`` or of a class below it."""
    return any(name in each.fields and each.fields[name].read is not None for each in (*of(model), *below(model)))


def seal(model: type) -> None:
    """Refuse further rules for a model, since its routes are made."""
    _sealed.add(model)


def _put(made: Rules) -> None:
    name = _name(made.model)
    if made.model in DECLARED:
        raise ConfigurationError(f"{name} has rules already: declare them in one place")
    if any(issubclass(made.model, each) or issubclass(each, made.model) for each in _sealed):
        raise ConfigurationError(f"routes that lead to {name} are made already: declare its rules before them")
    DECLARED[made.model] = made


def _made(model: type, given: Mapping[str, Any], where: str) -> Rules:
    if not isinstance(model, type):
        raise ConfigurationError(f"bzz.rules: a document class is expected, not {model!r}")
    unknown = [name for name in given if name not in (*ACTIONS, "allow", "scope", "fields")]
    if unknown:
        raise ConfigurationError(
            f"{where}: there is no {unknown[0]!r}; known are {', '.join(ACTIONS)}, allow, scope, fields"
        )
    others = _who(given.get("allow", ()), f"{where}: allow")
    actions = {each: _who(given[each], f"{where}: {each}") if each in given else others for each in ACTIONS}
    scope = given.get("scope")
    if scope is not None:
        _check_function(scope, f"{where}: scope")
        _check_hash(scope, f"{where}: scope")
    return Rules(model, actions, scope, _fields(given.get("fields", {}), f"{where}: fields"))


def _fields(given: Any, where: str) -> dict[str, FieldRule]:
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where}: a dict by names of fields is expected, not {given!r}")
    return {name: _field_rule(each, f"{where}[{name!r}]") for name, each in given.items()}


def _field_rule(given: Any, where: str) -> FieldRule:
    known = ("read", "write", "default", "fixed", "denies")
    if not isinstance(given, Mapping) or not given.keys() <= set(known):
        raise ConfigurationError(f"{where}: a dict with {', '.join(known)} is expected, not {given!r}")
    default, flags = given.get("default"), {name: given.get(name, False) for name in ("fixed", "denies")}
    if default is not None:
        _check_function(default, f"{where}: default")
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise ConfigurationError(f"{where}: {name} is True or False, not {flag!r}")
    read, write = (_who(given[each], f"{where}: {each}") if each in given else None for each in ("read", "write"))
    return FieldRule(read, write, default, **flags)


def _who(given: Any, where: str) -> Kept:
    several = (given,) if isinstance(given, str) or callable(given) else given
    if not isinstance(several, Collection) or isinstance(several, Mapping):
        raise ConfigurationError(
            f"{where}: a role, a function of the user, or a list of them is expected, not {given!r}"
        )
    for each in several:
        if callable(each):
            _check_function(each, where)
            _check_hash(each, where)
        elif not isinstance(each, str) or not each:
            raise ConfigurationError(f"{where}: a role or a function of the user is expected, not {each!r}")
    return tuple(several)


def _check_function(function: Any, where: str) -> None:
    if not callable(function):
        raise ConfigurationError(f"{where}: a function of the user is expected, not {function!r}")
    check_takes(function, ("user",), where)


def _check_hash(function: Any, where: str) -> None:
    try:
        hash(function)
    except TypeError:
        raise ConfigurationError(f"{where}: {function!r} cannot be hashed, so it cannot be asked once only") from None


def _lists(pairs: frozenset[tuple[type, str]], model: type, name: str) -> bool:
    """Whether a field is listed for a class, for one above it, or for one below, whose documents may stand there."""
    return any(each == name and (issubclass(model, owner) or issubclass(owner, model)) for owner, each in pairs)


def _name(model: Any) -> str:
    return getattr(model, "__name__", repr(model))

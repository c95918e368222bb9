"""The options of an engine that ``bzz.serve`` hands on, checked before the engine starts."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from bzz.errors import ConfigurationError

__all__ = ["check_options"]

_WORDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
    Path: "a path",
}

_ALSO: dict[type, tuple[type, ...]] = {float: (int, float), Path: (str, Path)}


def check_options(
    options: Mapping[str, Any], engine: Callable[..., Any], reserved: Iterable[str], converted: Collection[str] = ()
) -> None:
    """Check the names of options, and the types of their values as far as the engine declares plain ones.

    An engine itself may look at a value as late as at a request, and fails then.

    :param engine: the function of the engine that takes them.
    :param reserved: its parameters that are no options, for ``serve`` has names of its own for them.
    :param converted: options whose values are converted later on.
    :raises bzz.errors.ConfigurationError: for the first that the engine does not take.
    """
    known = inspect.signature(engine).parameters.keys() - {"self", *reserved}
    for name, value in options.items():
        if name not in known:
            raise ConfigurationError(f"there is no option {name!r}; this server takes {', '.join(sorted(known))}")
        kinds = () if name in converted else _kinds_of(engine, name)
        if kinds and not any(_is_of(kind, value) for kind in kinds):
            words = " or ".join(_WORDS.get(kind, kind.__name__) for kind in kinds if kind is not type(None))
            raise ConfigurationError(f"{name}: {value!r} must be {words}")


def _kinds_of(engine: Callable[..., Any], name: str) -> tuple[type, ...]:
    """Return the classes that a parameter takes; none where it declares anything but classes."""
    declared = SimpleNamespace(__annotations__={name: inspect.signature(engine).parameters[name].annotation})
    hint: Any = None
    with suppress(Exception):  # of some options granian declares what it imports for type checkers alone
        hint = get_type_hints(declared, vars(sys.modules[engine.__module__]))[name]
    hints = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = tuple(get_origin(each) or each for each in hints)
    return kinds if all(isinstance(each, type) and each is not Any for each in kinds) else ()


def _is_of(kind: type, value: object) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, _ALSO.get(kind, kind))

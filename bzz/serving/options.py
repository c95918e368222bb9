"""The options of an engine that ``bzz.serve`` hands on, checked before the engine starts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bzz.errors import ConfigurationError

__all__ = ["check_options"]


def check_options(options: Mapping[str, Any], engine: Callable[..., Any], reserved: Iterable[str]) -> None:
    """Raise ConfigurationError for an option that ``engine`` does not take, or for which ``serve`` has its own name."""
    known = set(inspect.signature(engine).parameters) - {"self", *reserved}
    for name in options:
        if name not in known:
            raise ConfigurationError(f"there is no option {name!r}; this server takes {', '.join(sorted(known))}")

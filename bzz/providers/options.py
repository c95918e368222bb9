"""What an application chose for the routes of a model, as the provider gets it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bzz.providers.asked import Clause
from bzz.providers.rules import UNRESTRICTED, Restrictions
from bzz.shape import Shape

__all__ = ["Options", "Purpose", "ScopeOf"]

Purpose = Literal["list", "get", "path"]
"""For what documents are asked for: to list them, to read those that something refers to, or because the path of a
request leads to them, for whatever it does there."""

ScopeOf = Callable[[Shape, Any, Purpose], Awaitable[Sequence[Clause]]]
"""Returns what documents of a class have to meet to be there for a request; all of it has to hold."""


@dataclass(frozen=True)
class Options:
    """The options that the application chose for these routes, checked by the provider against its model.

    :param hidden: dotted names that no client may know of; a name after a reference counts for the model it ends in,
        wherever that model is reached from these routes.
    :param read_only: dotted names that bodies may not hold.
    :param database: an asynchronous database object in place of the provider's own, or None.
    :param restrictions: fields of models that one user may not see or write; see :attr:`Provider.keeps_rules`.
    :param scope: called with a shape and the context of a request, before anything is done with its documents: what
        they have to meet is all that there is for the request, to read, to refer to, and to be written.
    """

    hidden: Sequence[str] = ()
    read_only: Sequence[str] = ()
    database: Any = None
    restrictions: Restrictions = UNRESTRICTED
    scope: ScopeOf | None = None

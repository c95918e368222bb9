"""The filter that the ``scope`` of a rule returns, read against the shape of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bzz.codec import plain
from bzz.errors import BadRequest, ConfigurationError
from bzz.model.filter_tree import read_tree
from bzz.providers.asked import Criterion
from bzz.shape import Shape

__all__ = ["opened", "read_scope"]


def read_scope(shape: Shape, given: Any) -> tuple[Criterion, ...] | None:
    """Return what documents have to meet; None if there are none for the user.

    :param given: what the application's function returned: conditions as ``filter`` takes them, {} for all documents,
        or None for none.
    :raises bzz.errors.ConfigurationError: for what is no filter: nobody is shown anything.
    """
    if given is None:
        return None
    if isinstance(given, Mapping) and not given:
        return ()
    try:
        return tuple(read_tree(opened(shape), plain(given), "scope", may_follow=False))
    except BadRequest as error:
        raise ConfigurationError(f"the scope of {shape.name} cannot be read: {error.detail}") from error


@lru_cache(256)
def opened(shape: Shape) -> Shape:
    """Return a shape that hides nothing: the application may ask for what users do not see."""
    return replace(shape, fields={name: replace(each, hidden=False) for name, each in shape.fields.items()})

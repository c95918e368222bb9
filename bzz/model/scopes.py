"""The filter that the ``scope`` of a rule returns, read against the shape of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bzz.codec import plain
from bzz.model.filters import read_filters
from bzz.providers.asked import Filter
from bzz.shape import Shape

__all__ = ["read_scope"]


def read_scope(shape: Shape, given: Any) -> tuple[Filter, ...] | None:
    """Return what documents have to meet; None if there are none for the user.

    :param given: what the application's function returned.
    :raises TypeError: for what is no filter.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise TypeError(f"the scope of {shape.name} is a dict, not {given!r}")
    return read_filters(_opened(shape), [(name, str(plain(value))) for name, value in given.items()])


@lru_cache(256)
def _opened(shape: Shape) -> Shape:
    """Return a shape that hides nothing: the application may ask for what users do not see."""
    return replace(shape, fields={name: replace(each, hidden=False) for name, each in shape.fields.items()})

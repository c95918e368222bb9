"""The step of a path that leads nowhere: raised by providers, described by :mod:`bzz.model.detail`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bzz.errors import NotFound
from bzz.providers.base import Step

__all__ = ["Missing", "missing_at"]


class Missing(NotFound):
    """A step of a path leads nowhere, or nowhere that this client may see.

    :param step: of the path that was asked for, the very object.
    """

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.step = step


@contextmanager
def missing_at(step: Step) -> Iterator[None]:
    """Turn a :class:`~bzz.errors.NotFound` without a detail into one of ``step``, unless it names a step already."""
    try:
        yield
    except NotFound as error:
        if error.detail or isinstance(error, Missing):
            raise
        raise Missing(step) from None

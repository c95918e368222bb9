"""Optional packages, and the extras that install them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bzz.errors import MissingExtra

__all__ = ["needs"]


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Explain the failure if an import within the block needs ``extra`` of ``pyproject.toml``.

    :raises bzz.errors.MissingExtra: if a package is missing.

    >>> with needs("auth"):
    ...     import no_such_package
    Traceback (most recent call last):
    ...
    bzz.errors.MissingExtra: the package 'no_such_package' is missing: pip install 'bzz[auth]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name).partition(".")[0], extra) from None

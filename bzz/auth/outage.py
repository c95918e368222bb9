"""What a client is told when a store that the application configured cannot be asked."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from bzz.errors import RequestError, Unavailable

__all__ = ["provider", "store"]

logger = logging.getLogger("bzz.auth")


@contextlib.contextmanager
def store(name: str) -> Iterator[None]:
    """Turn whatever the store called ``name`` raises into a 503, with the traceback in the log.

    :raises bzz.errors.Unavailable: whatever it raises, but for errors of bzz.
    """
    try:
        yield
    except RequestError:
        raise
    except Exception as error:
        raise _unavailable(name) from error


@contextlib.contextmanager
def provider(name: str, *kinds: type[RequestError]) -> Iterator[None]:
    """Do the same with errors of these ``kinds``, which a provider's store raises for the store called ``name``.

    :raises bzz.errors.Unavailable: in place of one of these.
    """
    try:
        yield
    except kinds as error:
        raise _unavailable(name) from error


def _unavailable(name: str) -> Unavailable:
    logger.exception("the %s store failed", name)
    return Unavailable(f"The {name} store cannot be asked; nothing was done.")

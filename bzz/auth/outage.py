"""What a client is told when a store that the application configured cannot be asked."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from bzz.errors import RequestError, Unavailable

__all__ = ["store"]

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
        logger.exception("the %s store failed", name)
        raise Unavailable(f"The {name} store cannot be asked; nothing was done.") from error

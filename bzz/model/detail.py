"""The details of a 404 and a 412 that were raised without any.

They are made of the request alone: an instance that a client may not see gets the same bytes as one that never existed.
"""

from __future__ import annotations

from collections.abc import Mapping

from bzz.errors import NotFound, PreconditionFailed, RequestError
from bzz.model.path import NOWHERE
from bzz.providers.base import Path
from bzz.providers.missing import Missing

__all__ = ["detail_of"]


def detail_of(error: RequestError, path: Path | None, headers: Mapping[str, str]) -> str:
    """Return the detail of ``error``, or what is missing (404) or did not match (412) if it has none.

    :param path: where the request points; None if that has not been read yet.
    :param headers: those of the request.
    """
    if error.detail:
        return error.detail
    if isinstance(error, NotFound):
        return NOWHERE if path is None else _nothing_at(path, error)
    if isinstance(error, PreconditionFailed):
        return _UNMET["If-Match" in headers, "If-None-Match" in headers]
    return ""


def _nothing_at(path: Path, error: NotFound) -> str:
    """Name the path up to its first step that leads nowhere."""
    missing = error.step if isinstance(error, Missing) else path.last
    position = next((position for position, step in enumerate(path.steps) if step is missing), len(path.steps))
    return f"There is nothing at {'/'.join(path.arguments[: position + 1])!r}."


_UNMET = {
    (True, False): "If-Match does not name the current entity tag; read the resource again.",
    (False, True): "If-None-Match names the current entity tag.",
    (True, True): "If-Match or If-None-Match does not hold for the current entity tag; read the resource again.",
    (False, False): "The resource is not in the state that this request rests on; read it again.",
}

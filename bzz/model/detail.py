"""What a 404 and a 412 say, where whoever raised them said nothing.

Whatever is not there for a client reads the same, byte for byte, whether it never existed or the client may not see it:
the words are made of the request alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from bzz.errors import NotFound, PreconditionFailed, RequestError
from bzz.model.path import NOWHERE
from bzz.providers.base import Path
from bzz.providers.missing import Missing

__all__ = ["detail_of"]


def detail_of(error: RequestError, path: Path | None, headers: Mapping[str, str]) -> str:
    """What an answer says: a 404 what is missing, a 412 what did not match, where ``error`` itself says nothing.

    :param path: where the request points; None where that has not been read yet.
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
    """The path up to the first step that leads nowhere."""
    missing = error.step if isinstance(error, Missing) else path.last
    position = next((position for position, step in enumerate(path.steps) if step is missing), len(path.steps))
    return f"There is nothing at {'/'.join(path.arguments[: position + 1])!r}."


_UNMET = {
    (True, False): "If-Match does not name the current entity tag; read the resource again.",
    (False, True): "If-None-Match names the current entity tag.",
    (True, True): "If-Match or If-None-Match does not hold for the current entity tag; read the resource again.",
    (False, False): "The resource is not in the state that this request rests on; read it again.",
}

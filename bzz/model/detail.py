"""What a 404 and a 412 say, where whoever raised them said nothing.

Whatever is not there for a client reads the same, byte for byte, whether it never existed or the client may not see it:
the words are made of the request alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from bzz.errors import NotFound, PreconditionFailed, RequestError
from bzz.providers.base import Missing, Path, Step

__all__ = ["add_detail"]


def add_detail(error: RequestError, path: Path, headers: Mapping[str, str]) -> None:
    """Add to a 404 what is missing, and to a 412 what did not match, unless it has a ``detail`` already.

    :param path: where the request points.
    :param headers: those of the request.
    """
    if error.detail:
        return
    if isinstance(error, NotFound):
        error.detail = _nothing_at(path, error.step if isinstance(error, Missing) else path.last)
    elif isinstance(error, PreconditionFailed):
        error.detail = _UNMET["If-Match" in headers, "If-None-Match" in headers]


def _nothing_at(path: Path, missing: Step) -> str:
    """The path up to the first step that leads nowhere."""
    position = next((position for position, step in enumerate(path.steps) if step is missing), len(path.steps))
    return f"There is nothing at {'/'.join(path.arguments[: position + 1])!r}."


_UNMET = {
    (True, False): "If-Match does not name the current entity tag; read the resource again.",
    (False, True): "If-None-Match names the current entity tag.",
    (True, True): "If-Match or If-None-Match does not hold for the current entity tag; read the resource again.",
    (False, False): "The resource is not in the state that this request rests on; read it again.",
}

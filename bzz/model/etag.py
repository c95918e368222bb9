"""``If-Match`` and ``If-None-Match`` (RFC 9110, section 13.1), and the entity tags that they name.

A tag is ``"<state>"``, the hash of what is stored, or ``"<state>-<view>"`` if something else was shown: if a receiver
or ``to_dict()`` changed it, or ``fields`` left things out. Writes compare the state, reads the whole tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from bzz.errors import Forbidden, PreconditionRequired
from bzz.providers.base import Path, Precondition

__all__ = ["if_match_holds", "precondition", "require_if_match", "view_tag"]


def view_tag(state: str, view: bytes) -> str:
    """Return the ``ETag`` of an instance that shows something else than its state alone.

    :param state: :attr:`bzz.providers.base.Record.state`.
    :param view: the body.

    >>> view_tag("abc", b"{}")
    '"abc-b4b8bf78e9ad"'
    """
    return f'"{state}-{blake2b(view, digest_size=6).hexdigest()}"'


def precondition(headers: Mapping[str, str], *, is_readable: bool = True) -> Precondition:
    """Return what the headers ask of the stored state.

    :param is_readable: whether the client may read that. The answer would tell it else.
    :raises bzz.errors.Forbidden: if it may not, and the headers ask for more than whether anything is there.

    >>> holds = precondition({"If-Match": '"abc-12", "def"'})
    >>> holds("abc"), holds("other")
    (True, False)
    """
    match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    if not is_readable and any(each is not None and each.strip() != "*" for each in (match, none_match)):
        raise Forbidden("You may not read this, so a write cannot rest on its ETag: leave it out, or send *.")
    return lambda state: (
        (match is None or _names(match, state)) and (none_match is None or not _names(none_match, state))
    )


def if_match_holds(headers: Mapping[str, str], state: str) -> bool:
    """Return whether ``If-Match`` lets a read go on. (Tornado answers ``If-None-Match`` of a read with 304.)"""
    match = headers.get("If-Match")
    return match is None or _names(match, state)


def require_if_match(method: str | None, path: Path, headers: Mapping[str, str]) -> None:
    """Refuse a write that does not say which state it changes (RFC 6585, section 3).

    What filters select is let through: each document is written only while it is as it was selected.

    :raises bzz.errors.PreconditionRequired: if there is no ``If-Match``.
    """
    if method in ("PUT", "PATCH", "DELETE") and not path.last.is_list and "If-Match" not in headers:
        raise PreconditionRequired("GET this first, and send its ETag as If-Match, so that nobody's change is lost.")


def _names(header: str, state: str) -> bool:
    """Return whether a header is ``*`` or lists a strong tag of this state."""
    if header.strip() == "*":
        return True
    tags = (tag.strip() for tag in header.split(","))
    return any(tag[1:-1].partition("-")[0] == state for tag in tags if tag.startswith('"') and tag.endswith('"'))

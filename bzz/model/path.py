"""The path of a request: read against the shape of the root model, and which methods its end takes.

Only the path is known here: no header, no body, no storage.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from bzz.errors import NotFound
from bzz.providers.base import Path, Step
from bzz.shape import Field, Shape

__all__ = ["MAX_STEPS", "METHODS", "NOWHERE", "allowed_methods", "read_path"]

MAX_STEPS = 32

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""Those that an application may choose from; GET brings HEAD, and QUERY for lists."""

_ORDER = ("GET", "HEAD", "QUERY", *METHODS[2:])

NOWHERE = "There is nothing at this address."

_LIST = frozenset({"GET", "HEAD", "QUERY", "POST"})
_DOCUMENTS = frozenset({"GET", "HEAD", "QUERY", "POST", "PATCH", "DELETE"})
_ITEM = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_LINKED_ITEM = frozenset({"GET", "HEAD", "DELETE"})
_SINGLE = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_READING = frozenset({"GET", "HEAD"})
_READING_LISTS = frozenset({"GET", "HEAD", "QUERY"})

_POSITION = re.compile(r"0|[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_path(root: Shape, resource: str, rest: str) -> Path:
    """Return where the URL after a resource's name points.

    After a list comes an item's id, or its position where items have no id; after a single property comes the name
    of a field that leads further, or else the property's own id.

    :param root: the model that the resource shows.
    :param resource: its name in the URL: the text of the first step.
    :param rest: what follows the name, percent-encoded as it came; empty for the whole list.
    :raises bzz.errors.NotFound: for anything malformed, unknown or hidden, always with the same detail.

    >>> from bzz.shape.scalars import StringKind
    >>> user = Shape("User", object, url_id=Field("name", StringKind()))
    >>> read_path(user, "user", "/ann%20lee/").arguments
    ['user/ann lee']
    """
    segments = rest.removeprefix("/").removesuffix("/").split("/") if rest not in ("", "/") else []
    segments.reverse()  # so that the next one is popped
    try:
        segments = [each if each.isalnum() and each.isascii() else _decode(each) for each in segments]
        steps = [_step(None, root, resource, segments)]
        while segments:
            steps.append(_next_step(steps, segments))
        return Path(tuple(steps))
    except ValueError:
        raise NotFound(NOWHERE) from None


def _decode(segment: str) -> str:
    if not segment or _BAD_ESCAPE.search(segment):
        raise ValueError(segment)
    return unquote_to_bytes(segment).decode()


def _next_step(steps: list[Step], segments: list[str]) -> Step:
    name = segments.pop()
    field = _linking_field(steps[-1].shape, name)
    if field is None or field.link is None or len(steps) == MAX_STEPS:
        raise ValueError(name)
    return _step(field, field.link.shape, name, segments)


def _linking_field(shape: Shape, name: str) -> Field | None:
    field = shape.known(name)
    return field if field is not None and field.link is not None else None


def _step(field: Field | None, shape: Shape, text: str, segments: list[str]) -> Step:
    """Return the step to ``shape``, with the key of one item or of the single property if the next segment is one."""
    many = field is None or field.is_list
    if not segments or (not many and _linking_field(shape, segments[-1])):
        return Step(field, shape, None, text)
    key = segments.pop()
    if shape.url_id is not None:
        value = shape.url_id.kind.from_text(key)
    elif many and shape.embedded and _POSITION.fullmatch(key):
        value = int(key)
    else:
        raise ValueError(key)
    return Step(field, shape, value, f"{text}/{key}")


def allowed_methods(path: Path, methods: tuple[str, ...]) -> list[str]:
    """Return the methods that the end of a path takes, OPTIONS included, for the ``Allow`` header.

    :param methods: those that the application lets through.
    """
    step = path.last
    if _is_read_only(path):
        return _listed(_READING_LISTS if step.is_list else _READING, methods)
    if step.is_list:
        return _listed(_DOCUMENTS if step.field is None else _LIST, methods)
    if step.field is None:
        return _listed(_ITEM, methods)
    if not step.field.is_list:
        return _listed(_SINGLE, methods)
    return _listed(_LINKED_ITEM if step.is_reference else _ITEM, methods)


@lru_cache
def _listed(fitting: frozenset[str], methods: tuple[str, ...]) -> list[str]:
    known = {*methods, "QUERY"} if "GET" in methods else methods
    return [*(method for method in _ORDER if method in fitting and method in known), "OPTIONS"]


def _is_read_only(path: Path) -> bool:
    """Return whether a read-only field lies between the end of a path and the document that holds it."""
    for step in reversed(path.steps):
        if step.field is not None and step.field.read_only:
            return True
        if step.is_reference:
            return False
    return False

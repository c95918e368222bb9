"""The path of a request, read against the shape of the root model."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from bzz.errors import NotFound
from bzz.providers.base import Path, Step
from bzz.shape import Field, Shape

__all__ = ["MAX_STEPS", "NOWHERE", "read_path"]

MAX_STEPS = 32

NOWHERE = "There is nothing at this address."

_POSITION = re.compile(r"0|[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def read_path(root: Shape, resource: str, rest: str) -> Path:
    """What the URL after a resource's name points at.

    After a list comes an item's id, or its position where items have no id; after a single property comes the name
    of a field that leads further, or else the property's own id.

    :param root: the model that the resource shows.
    :param resource: its name in the URL: the text of the first step.
    :param rest: what follows the name, percent-encoded as it came; empty for the whole list.
    :raises bzz.errors.NotFound: for anything malformed, unknown or hidden, always in the same words.

    >>> from bzz.shape.scalars import StringKind
    >>> user = Shape("User", object, url_id=Field("name", StringKind()))
    >>> read_path(user, "user", "/ann%20lee/").arguments
    ['user/ann lee']
    """
    try:
        return Path(tuple(_steps(root, resource, _segments(rest))))
    except ValueError:
        raise NotFound(NOWHERE) from None


def _segments(rest: str) -> list[str]:
    if rest in ("", "/"):
        return []
    return [_decode(segment) for segment in rest.removeprefix("/").removesuffix("/").split("/")]


def _decode(segment: str) -> str:
    if segment.isalnum() and segment.isascii():
        return segment
    if not segment or _BAD_ESCAPE.search(segment):
        raise ValueError(segment)
    return unquote_to_bytes(segment).decode()


def _steps(root: Shape, resource: str, segments: list[str]) -> list[Step]:
    segments.reverse()
    steps = [_step(None, root, resource, segments)]
    while segments:
        if len(steps) == MAX_STEPS:
            raise ValueError("too deep")
        name = segments.pop()
        field = _way_on(steps[-1].shape, name)
        if field is None or field.link is None:
            raise ValueError(name)
        steps.append(_step(field, field.link.shape, name, segments))
    return steps


def _way_on(shape: Shape, name: str) -> Field | None:
    field = shape.visible.get(name)
    return field if field is not None and field.link is not None else None


def _step(field: Field | None, shape: Shape, text: str, segments: list[str]) -> Step:
    """The step to ``shape``, with the key that names one item or the single property, where the next segment is one."""
    many = field is None or field.is_list
    if not segments or (not many and _way_on(shape, segments[-1])):
        return Step(field, shape, None, text)
    key = segments.pop()
    return Step(field, shape, _read_key(shape, key, many), f"{text}/{key}")


def _read_key(shape: Shape, text: str, many: bool) -> Any:
    if shape.url_id is not None:
        return shape.url_id.kind.from_text(text)
    if many and shape.embedded and _POSITION.fullmatch(text):
        return int(text)
    raise ValueError(text)

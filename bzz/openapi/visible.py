"""The references among the fields that clients are shown."""

from __future__ import annotations

from collections.abc import Iterator

from bzz.model.expansion import refers
from bzz.shape import Field, Shape
from bzz.shape.shown import fields_shown

__all__ = ["references"]


def references(shape: Shape, depth: int, hops: int, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Return the references of documents by dotted path, those of embedded documents and behind references, too.

    :param depth: how many embedded documents stand between at the most.
    :param hops: how many references a path leads through at the most.
    """
    for name, field in fields_shown(shape).items():
        path, link = f"{prefix}{name}", field.link
        if refers(field):
            yield path, field
            if link is not None and hops > 1:
                yield from references(link.shape, depth, hops - 1, f"{path}.")
        elif link is not None and depth > 0:
            yield from references(link.shape, depth - 1, hops, f"{path}.")

"""The fields that clients are shown, those of subclasses among them, and the references among these."""

from __future__ import annotations

from collections.abc import Iterator

from bzz.model.expansion import refers
from bzz.shape import Field, Shape

__all__ = ["fields_shown", "references"]


def fields_shown(shape: Shape) -> dict[str, Field]:
    """Return the fields that a client may see, and those that only subclasses declare."""
    below = {name: each for name, each in shape.subclass_fields.items() if not each.write_only}
    return {**shape.visible, **below}


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

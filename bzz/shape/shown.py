"""The fields of a model that clients are shown, by dotted path: what can be filtered by, sorted by and chosen."""

from __future__ import annotations

from collections.abc import Iterator

from bzz.shape.base import Field, Shape

__all__ = ["fields_shown", "paths_shown"]


def fields_shown(shape: Shape) -> dict[str, Field]:
    """Return the fields that a client may see, and those that only subclasses declare."""
    below = {name: each for name, each in shape.subclass_fields.items() if not each.write_only}
    return {**shape.visible, **below}


def paths_shown(shape: Shape, depth: int, *, lists: bool = True, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield the dotted paths and the fields that a client may see, of a document and of what is embedded in it.

    :param depth: how many embedded documents stand between at the most.
    :param lists: whether to go into lists of embedded documents, too.

    >>> from bzz.shape.documents import EmbeddedKind
    >>> from bzz.shape.scalars import StringKind
    >>> address = Shape("Address", object, {"city": Field("city", StringKind())}, embedded=True)
    >>> user = Shape("User", object, {"home": Field("home", EmbeddedKind(lambda: address))})
    >>> [path for path, _ in paths_shown(user, 1)]
    ['home', 'home.city']
    """
    for name, field in fields_shown(shape).items():
        yield prefix + name, field
        link = field.link
        if link is not None and not link.is_reference and depth and (lists or not field.is_list):
            yield from paths_shown(link.shape, depth - 1, lists=lists, prefix=f"{prefix}{name}.")

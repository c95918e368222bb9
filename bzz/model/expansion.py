"""``expand=team,owner.org``: which references are replaced by the documents that they lead to."""

from __future__ import annotations

from typing import Any

from bzz.model.parameters import MAX_PATH, unreadable
from bzz.shape import Field, Shape
from bzz.shape.documents import AnyReferenceKind
from bzz.shape.values import find_field

__all__ = ["Tree", "find_expanded", "read_expand", "refers"]

MAX_HOPS = 3
MAX_PATHS = 16

Tree = dict[str, Any]
"""What is expanded: by the dotted name of a reference, the tree of what is expanded in its documents."""


def read_expand(shape: Shape, text: str) -> Tree:
    """Return what is to be expanded.

    :param text: dotted names of references, parted by commas. Those of embedded documents stand between as well.
    :raises bzz.errors.BadRequest: for a name that is no visible reference, too many hops, or too many names.
    """
    tree: Tree = {}
    paths = text.split(",")
    if len(paths) > MAX_PATHS:
        raise unreadable("expand", f"Must be at most {MAX_PATHS} names.")
    for path in paths:
        _add(tree, shape, path, path, MAX_HOPS)
    return tree


def _add(tree: Tree, shape: Shape, path: str, whole: str, hops: int) -> None:
    if hops == 0:
        raise unreadable("expand", f"{whole!r} has more than {MAX_HOPS} references.")
    name, field, rest = _reference_in(shape, path, whole)
    inner = tree.setdefault(name, {})
    if rest:
        link = field.link
        if link is None:
            raise unreadable("expand", f"{whole!r} goes on after a reference to several models.")
        _add(inner, link.shape, rest, whole, hops - 1)


def _reference_in(shape: Shape, path: str, whole: str) -> tuple[str, Field, str]:
    """Return the first reference on a path, its field, and what follows."""
    names = path.split(".", MAX_PATH)
    for end in range(1, len(names) + 1):
        name = ".".join(names[:end])
        field = find_field(shape, name)
        if field is None:
            break
        kind = field.item.kind
        if isinstance(kind, AnyReferenceKind) and kind.is_open:
            raise unreadable("expand", f"{name!r} may refer to any model, of which none is served here.")
        if refers(field):
            return name, field, ".".join(names[end:])
    raise unreadable("expand", f"There is no reference {whole!r}.")


def refers(field: Field) -> bool:
    """Return whether a field, or each item of a list, refers to a document."""
    link = field.link
    return (link is not None and link.is_reference) or isinstance(field.item.kind, AnyReferenceKind)


def find_expanded(shape: Shape, path: str, tree: Tree) -> Field | None:
    """Return the visible field at a dotted name that leads through references which are expanded."""
    for name, inner in tree.items():
        rest = path.removeprefix(f"{name}.")
        field = find_field(shape, name) if rest != path else None
        if field is not None and field.link is not None:
            return find_field(field.link.shape, rest) or find_expanded(field.link.shape, rest, inner)
    return None

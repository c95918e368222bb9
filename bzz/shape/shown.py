"""The fields of a model that clients are shown, by dotted path: what can be filtered by, sorted by and chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bzz.shape.base import Field, Shape

__all__ = ["fields_shown", "paths_shown", "without_hidden"]


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


def without_hidden(shapes: Sequence[Shape], shown: Mapping[str, Any], show: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what an application's code shows of a document, without what clients may not see, at any depth.

    What counts are the names of fields.

    :param shapes: of the document; several if it may be of any of them.
    :param show: returns what is shown of a value that is neither a list nor a dict.
    """
    found = {}
    for name, value in shown.items():
        fields = [shape.fields[name] for shape in shapes if name in shape.fields]
        if not any(field.hidden or field.write_only for field in fields):
            found[name] = _inside(fields[0] if fields else None, value, show)
    return found


def _inside(field: Field | None, value: Any, show: Callable[[Any], Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_inside(field and field.item, each, show) for each in value]
    if not isinstance(value, Mapping):
        return show(value)
    entry = field and field.kind.entry
    if entry:
        return {key: _inside(entry, each, show) for key, each in value.items()}
    bases = [each for each in field.kind.leads_to() if each.embedded] if field else []
    return without_hidden([shape for base in bases for shape in (base, *base.subclasses.values())], value, show)

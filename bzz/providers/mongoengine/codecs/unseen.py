"""What of stored documents clients may not see, as paths by which MongoDB leaves it out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.document import DocumentCodec, Registry
from bzz.providers.mongoengine.codecs.embedded import EmbeddedCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.lists import ListCodec

__all__ = ["unseen_paths"]


def unseen_paths(codec: DocumentCodec) -> list[str]:
    """Return the stored paths of fields that clients may not see, in documents of a class and of those below it.

    Paths into maps and into generic fields are left out, for nobody knows their names; and so are keys, by which
    documents are told apart.
    """
    family = [codec.registry.named(name) for name in internals.family(codec.model)]
    return list(_paths(codec.registry, family, "", frozenset()))


def _paths(registry: Registry, codecs: Iterable[DocumentCodec], prefix: str, above: frozenset[type]) -> Iterator[str]:
    fields: dict[str, list[FieldCodec]] = defaultdict(list)
    keys: set[str] = set()
    for codec in codecs:
        for name, field in codec.fields.items():
            fields[field.stored].append(field)
            if field is codec.pk or (codec.shape.url_id is not None and codec.shape.url_id.name == name):
                keys.add(field.stored)
    for stored, found in fields.items():
        unseen = [field.declared.hidden or field.declared.write_only for field in found]
        if stored in keys:
            continue
        if all(unseen):
            yield prefix + stored
        elif not any(unseen):
            inside = {model for field in found for model in _embedded(field)}
            if inside and not inside & above:
                yield from _paths(registry, map(registry.of, inside), f"{prefix}{stored}.", above | inside)


def _embedded(field: FieldCodec) -> set[type]:
    while isinstance(field, ListCodec) and field.item is not None:
        field = field.item
    return field.models() if isinstance(field, EmbeddedCodec) and not field.leads_anywhere else set()

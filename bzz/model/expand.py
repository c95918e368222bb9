"""Documents in the place of the references that lead to them, in JSON that is about to be shown.

Each hop is one query, whatever the number of rows. What a client may not see stays the id that it would be anyway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tornado.web import HTTPError

from bzz import signals
from bzz.errors import Forbidden, RequestError
from bzz.model.authorize import is_refusal, lets
from bzz.model.expansion import Tree, refers
from bzz.model.parameters import unreadable
from bzz.model.rights import rights_of
from bzz.providers import rules
from bzz.providers.base import Record
from bzz.providers.hidden import shown_anywhere
from bzz.providers.rules import has_read_rule
from bzz.shape import Shape
from bzz.shape.types import TAG
from bzz.shape.values import key_text
from bzz.shape.walk import walk

__all__ = ["expand", "may_list"]


MAX_DOCUMENTS = 1000  # of one model in one hop: they are held in memory together


class _Place(NamedTuple):
    """One reference in the JSON of a document: ``holder[key]`` is what it is shown as.

    :param text: of the primary key.
    """

    target: Shape
    holder: Any
    key: Any
    text: str
    type: str | None


async def expand(handler: Any, shapes: Sequence[Shape | None], shown: Sequence[Any], tree: Tree) -> None:
    """Put documents in the place of references, in the JSON of documents with primary keys; then public ids.

    :param handler: of the request: its provider, its user.
    :param shapes: of the documents; None for one whose JSON is not made of its fields.
    :param shown: is changed in place.
    """
    pairs = [(shape, json) for shape, json in zip(shapes, shown, strict=True) if shape and isinstance(json, dict)]
    places = {name: [place for shape, json in pairs for place in _places(shape, json, name)] for name in tree}
    await _show_public_ids(handler, pairs)
    for name, inner in tree.items():
        by_target: dict[Shape, list[_Place]] = defaultdict(list)
        for place in places[name]:
            by_target[place.target].append(place)
        for target, found in by_target.items():
            documents = await _documents(handler, target, name, sorted({each.text for each in found}), inner)
            for place in found:
                if place.text in documents:
                    document = documents[place.text]
                    if place.type is not None:  # such a reference has no path of its own, on which these routes hide
                        document = {TAG: place.type, **shown_anywhere(target, document, has_read_rule)}
                    place.holder[place.key] = document


async def _show_public_ids(handler: Any, pairs: Sequence[tuple[Shape, Any]]) -> None:
    provider = handler.provider
    named = [(shape, json) for shape, json in pairs if provider.has_public_ids(shape)]
    if named:
        await provider.render_public_ids([shape for shape, _ in named], [json for _, json in named], handler)


def _places(shape: Shape, json: Any, name: str) -> Iterator[_Place]:
    for place, field, value in walk(shape, json):
        if not refers(field) or field.is_list:
            continue
        names: list[Any] = []
        at = place
        while at:
            at, each = at
            names.append(each)
        names.reverse()
        if ".".join(each for each in names if isinstance(each, str)) != name:
            continue
        reference = field.kind.reference(value)
        if reference is None or isinstance(reference[1], (dict, list)):
            continue
        holder = json
        for each in names[:-1]:
            holder = holder[each]
        tag = value.get(TAG) if isinstance(value, dict) else None
        target, key = reference
        yield _Place(target, holder, names[-1], key if isinstance(key, str) else key_text(target.pk, key), tag)


async def _documents(handler: Any, target: Shape, name: str, texts: Sequence[str], tree: Tree) -> dict[str, Any]:
    """Return the JSON of those documents that the client may see, by the texts of their primary keys."""
    assert target.pk is not None
    if len(texts) > MAX_DOCUMENTS:
        raise unreadable("expand", f"{name!r} leads to more than {MAX_DOCUMENTS} documents: ask for a shorter page.")
    keys = []
    for text in texts:
        try:
            keys.append(target.pk.kind.from_text(text))
        except ValueError:
            continue
    found = await handler.provider.fetch(target, keys, handler)
    seen = {text: each for text, each in found.items() if await _may_see(handler, target, name, each)}
    shown = await handler.provider.render(list(seen.values()))
    shapes = [None if callable(getattr(target.model, "to_dict", None)) else target] * len(shown)
    await expand(handler, shapes, shown, tree)
    return {text: json for text, json in zip(seen, shown, strict=True) if isinstance(json, dict)}


async def _may_see(handler: Any, target: Shape, name: str, record: Record) -> bool:
    """Ask ``authorize`` and the receivers as if the document were read by itself; whatever refuses it counts."""
    model = target.model
    try:
        if not await lets(handler.resource, "GET", model, record.id, handler, [(model, "get")]):
            return False
        if signals.pre_get_instance.has_receivers_for(model):
            arguments = [*handler.path.arguments, f"{name}/{record.id}"]
            await signals.pre_get_instance.notify(model, arguments=arguments, handler=handler)
        if signals.post_get_instance.has_receivers_for(model):
            await signals.post_get_instance.notify(model, instance=record.instance, handler=handler)
    except (RequestError, HTTPError) as error:
        if is_refusal(error):
            return False
        raise
    return True


async def may_list(handler: Any, target: Shape) -> None:
    """Ask ``authorize`` and the receivers as if documents were listed: a filter tells which of them meet it.

    :raises bzz.errors.Forbidden: if the user may not list them.
    """
    model = target.model
    if rules.DECLARED:
        await rights_of(handler).require_all([(model, "list")])
    if not await lets(handler.resource, "GET", model, None, handler):
        raise Forbidden(f"You may not filter by {target.name}.")
    if signals.pre_get_list.has_receivers_for(model):
        await signals.pre_get_list.notify(model, arguments=handler.path.arguments, handler=handler)

"""``facets=status,team``: how often each value of a field occurs in a whole list, shown as answers show values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bzz.errors import BadRequest
from bzz.providers.base import ListQuery
from bzz.shape import Shape
from bzz.shape.values import find_value
from bzz.signals import post_get_list

__all__ = ["check_facets", "count_facets"]


def check_facets(shape: Shape) -> None:
    """Refuse to count what receivers of the list may keep from clients.

    :raises bzz.errors.BadRequest: if there are any.
    """
    if post_get_list.has_receivers_for(shape.model):
        raise BadRequest(f"The values of {shape.name} cannot be counted: receivers decide what is shown of its lists.")


async def count_facets(handler: Any, query: ListQuery, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return how often each value occurs, by the name of its field, the most frequent first.

    :param handler: of the request: its provider, its path.
    """
    counted = await handler.provider.facets(handler.path, query, names, handler)
    shape = handler.path.last.shape
    return {
        name: [
            {"value": value, "count": count}
            for value, (_, count) in zip(await _shown(handler, shape, name, counted[name]), counted[name], strict=True)
        ]
        for name in names
    }


async def _shown(handler: Any, shape: Shape, name: str, counted: Sequence[tuple[Any, int]]) -> list[Any]:
    """Return the values, with public ids in place of primary keys."""
    values = [value for value, _ in counted]
    field = find_value(shape, name)
    if field is None or not handler.provider.has_public_ids(shape):
        return values
    documents = [_document(name, [value] if field.is_list else value) for value in values]
    await handler.provider.render_public_ids([shape] * len(documents), documents, handler)
    found = [_value(name, each) for each in documents]
    return [each[0] for each in found] if field.is_list else found


def _document(name: str, value: Any) -> dict[str, Any]:
    """
    >>> _document("home.land", "BR")
    {'home': {'land': 'BR'}}
    """
    for part in reversed(name.split(".")):
        value = {part: value}
    found: dict[str, Any] = value
    return found


def _value(name: str, document: Any) -> Any:
    for part in name.split("."):
        document = document[part]
    return document

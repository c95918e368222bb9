"""The names of the documents that the rows of a page refer to: one query for each model, with all rights of the reader.

A name is shown where the model has a page of its own, and reading its list would show it: its hooks hold, ``authorize``
is asked, and where signals have receivers for it, which may refuse or change what is shown, the id stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from tornado.web import HTTPError

from bzz import signals
from bzz.errors import RequestError
from bzz.explorer.addresses import below
from bzz.explorer.cells import Names, value_at
from bzz.explorer.columns import Column, display_field
from bzz.explorer.site import Site
from bzz.model.authorize import may
from bzz.model.resource import Resource
from bzz.model.rights import resource_for
from bzz.providers.base import Condition, Filter, ListQuery, Path, Step
from bzz.shape import Field, Shape

__all__ = ["names_of"]

MAX_NAMES = 200

_RECEIVERS = (signals.pre_get_list, signals.post_get_list, signals.pre_get_instance, signals.post_get_instance)


async def names_of(handler: Any, site: Site, columns: Iterable[Column], rows: Sequence[Any]) -> Names:
    """Return the names and URLs of what the columns of these rows refer to, by model and id."""
    wanted: dict[type, tuple[Shape, dict[str, None]]] = {}
    for column in columns:
        link = column.field.link
        if link is not None and link.is_reference:
            _, keys = wanted.setdefault(link.shape.model, (link.shape, {}))
            keys.update((key, None) for row in rows for key in _keys(value_at(row, column.name)))
    found: dict[tuple[type, str], tuple[str, str]] = {}
    for model, (shape, keys) in wanted.items():
        resource = site.of_model(model)
        if resource is not None and keys:
            url = f"{resource.url}/"
            found.update(((model, key), (key, below(url, key))) for key in keys)
            found.update(await _named(handler, resource, shape, list(keys)[:MAX_NAMES]))
    return found


async def _named(
    handler: Any, resource: Resource, shape: Shape, keys: Sequence[str]
) -> dict[tuple[type, str], tuple[str, str]]:
    """Return the names of documents, by the texts of their ids; only of those that the reader may see."""
    display, own = display_field(shape), shape.url_id
    if display is None or own is None or any(each.has_receivers_for(shape.model) for each in _RECEIVERS):
        return {}
    if not await may(resource, "GET", shape.model, None, handler, [(shape.model, "list")]):
        return {}
    resource = await resource_for(handler, resource)
    shape = resource.provider.shape
    display, own = display_field(shape), shape.url_id
    if display is None or own is None:
        return {}
    query = ListQuery(per_page=len(keys), filters=(_filter(own, keys),))
    path = Path((Step(None, resource.provider.shape, None, resource.name),))
    with suppress(RequestError, HTTPError):
        page = await resource.provider.page(path, query, handler)
        shown = await resource.provider.render(page.records)
        return {
            (shape.model, str(row[own.name])): (str(row[display.name]), below(f"{resource.url}/", str(row[own.name])))
            for row in shown
            if isinstance(row, dict) and row.get(own.name) is not None and row.get(display.name)
        }
    return {}


def _filter(own: Field, keys: Sequence[str]) -> Filter:
    values = []
    for key in keys:
        with suppress(ValueError):
            values.append(own.kind.from_text(key))
    return Filter(own.name, (Condition(own, "in", values),))


def _keys(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str | int) and not isinstance(each, bool):
            yield str(each)

"""The paths of the routes: of each model its list, its documents, and what is nested in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bzz.model.path import allowed_methods
from bzz.model.resource import Resource
from bzz.openapi.components import Components
from bzz.openapi.operations import Place, operation
from bzz.openapi.parameters import Parameter, in_path
from bzz.providers.base import Path, Step
from bzz.shape import Field
from bzz.shape.shown import fields_shown

__all__ = ["paths_of"]

DEPTH = 3  # of what is nested in a document; a path may go on, and what it leads to has the same schemas


def paths_of(resource: Resource, components: Components) -> dict[str, dict[str, Any]]:
    """Return the paths of one model with their operations."""
    found: dict[str, dict[str, Any]] = {}
    for url, place in _places(resource, components):
        methods = (each for each in allowed_methods(place.path, resource.methods) if each not in ("HEAD", "OPTIONS"))
        operations = {method.lower(): operation(place, method) for method in methods}
        known = {method: each for method, each in operations.items() if each is not None}
        if known:
            found[url] = known
    return found


def _places(resource: Resource, components: Components) -> Iterator[tuple[str, Place]]:
    shape, name = resource.provider.shape, _identifier(resource.url)
    root = Step(None, shape, None, resource.name)
    yield f"{resource.url}/", Place(resource, Path((root,)), (), name, components)
    if shape.url_id is None:
        return
    of_one = root._replace(key="id")
    ids = (in_path("id", shape.url_id),)
    place = Place(resource, Path((of_one,)), ids, f"{name}_item", components)
    yield f"{resource.url}/{{id}}/", place
    yield from _nested(place, f"{resource.url}/{{id}}/", name, DEPTH)


def _nested(above: Place, url: str, name: str, depth: int) -> Iterator[tuple[str, Place]]:
    """Return what is nested in an instance. References are followed no further: what they lead to has its own URL."""
    if depth == 0:
        return
    for field in fields_shown(above.last.shape).values():
        link = field.link
        if link is None:
            continue
        inner, own = link.shape, f"{name}_{field.name}"
        step = Step(field, inner, None, field.name)
        place = above._replace(path=Path((*above.path.steps, step)), name=own)
        yield f"{url}{field.name}/", place
        if not field.is_list:
            if not link.is_reference:
                yield from _nested(place, f"{url}{field.name}/", own, depth - 1)
            continue
        key = _key_name(field, above.ids)
        item = place._replace(
            path=Path((*above.path.steps, step._replace(key=0))),
            ids=(*above.ids, in_path(key, inner.url_id)),
            name=f"{own}_item",
        )
        yield f"{url}{field.name}/{{{key}}}/", item
        if not link.is_reference:
            yield from _nested(item, f"{url}{field.name}/{{{key}}}/", own, depth - 1)


def _key_name(field: Field, taken: tuple[Parameter, ...]) -> str:
    name = "_".join((field.name, "id"))
    return name if all(each["name"] != name for each in taken) else f"{name}_{len(taken)}"


def _identifier(url: str) -> str:
    return "_".join(part for part in url.replace("-", "_").split("/") if part)

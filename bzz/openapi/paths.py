"""The paths of the routes: of each model its list, its documents, and what is nested in them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bzz.model.below import paths_below
from bzz.model.path import allowed_methods
from bzz.model.query_method import QUERY
from bzz.model.resource import Resource
from bzz.model.rights import needed
from bzz.model.user_rights import Needed
from bzz.openapi.components import Components
from bzz.openapi.operations import operation
from bzz.openapi.parameters import Parameter, in_path
from bzz.openapi.place import Place
from bzz.providers.base import Path
from bzz.shape import Field

__all__ = ["paths_of"]


def paths_of(resource: Resource, components: Components, denied: Collection[Needed] = ()) -> dict[str, dict[str, Any]]:
    """Return the paths of one model with their operations.

    :param denied: what the reader may not do; operations that need it are left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in paths_below(resource, over_references=False):
        url, place = _place(resource, path, components)
        methods = [each for each in allowed_methods(place.path, resource.methods) if each not in ("HEAD", "OPTIONS")]
        if denied:
            methods = [each for each in methods if not any(need in denied for need in needed(place.path, each))]
        operations = {_key(method): operation(place, method) for method in methods}
        known = {method: each for method, each in operations.items() if each is not None}
        if known:
            found[url] = known
    return found


def _place(resource: Resource, path: Path, components: Components) -> tuple[str, Place]:
    """Return the URL of a path, with a parameter for each id in it, and what its operations are made of."""
    url, name = resource.url, _identifier(resource.url)
    ids: tuple[Parameter, ...] = ()
    for step in path.steps:
        if step.field is not None:
            url, name = f"{url}/{step.field.name}", f"{name}_{step.field.name}"
        if step.key is not None:
            key = "id" if step.field is None else _key_name(step.field, ids)
            url, ids = f"{url}/{{{key}}}", (*ids, in_path(key, step.shape.url_id))
    is_item = path.last.key is not None
    return f"{url}/", Place(resource, path, ids, f"{name}_item" if is_item else name, components)


def _key(method: str) -> str:
    return "x-query" if method == QUERY else method.lower()


def _key_name(field: Field, taken: tuple[Parameter, ...]) -> str:
    name = "_".join((field.name, "id"))
    return name if all(each["name"] != name for each in taken) else f"{name}_{len(taken)}"


def _identifier(url: str) -> str:
    return "_".join(part for part in url.replace("-", "_").split("/") if part)

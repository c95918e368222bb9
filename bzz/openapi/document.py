"""The whole document: paths, the schemas and answers that they share, and how clients say who they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bzz.codec import plain
from bzz.model.json_patch import MAX_OPERATIONS
from bzz.model.resource import Resource, resources_of
from bzz.model.user_rights import Needed
from bzz.openapi.components import Components
from bzz.openapi.described import described
from bzz.openapi.parameters import COMBINED, PAGES
from bzz.openapi.parameters import HEADERS as REQUEST_HEADERS
from bzz.openapi.paths import paths_of
from bzz.openapi.queries import QUERIES
from bzz.openapi.responses import HEADERS, PROBLEM, PROBLEMS, limited
from bzz.routing import flatten

__all__ = ["document", "with_rate_limits"]

VERSION = "3.1.1"

_OUTCOME = {
    "type": "object",
    "description": "What became of one document of several.",
    "properties": {
        "status": {"type": "integer"},
        "id": {"type": ["string", "null"]},
        "location": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["status"],
}

_JSON_PATCH = {
    "type": "array",
    "description": "A JSON Patch by RFC 6902: operations that are done in their order, all or none.",
    "maxItems": MAX_OPERATIONS,
    "items": {
        "type": "object",
        "properties": {
            "op": {"type": "string", "enum": ["add", "copy", "move", "remove", "replace", "test"]},
            "path": {"type": "string", "description": "A JSON Pointer by RFC 6901, such as `/tags/-`."},
            "from": {"type": "string", "description": "What `copy` and `move` take, as a JSON Pointer."},
            "value": {"description": "What `add`, `replace` and `test` need."},
        },
        "required": ["op", "path"],
    },
}

_SESSION = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The token of a sign-in with `bearer`."},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "AUTH_TOKEN", "description": "The session of a sign-in."},
}


def document(
    routes: Iterable[Any],
    *,
    title: str,
    version: str,
    description: str = "",
    resources: Sequence[Resource] | None = None,
    denied: Collection[Needed] = (),
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of routes, as JSON has it.

    :param routes: what hives return and single routes, nested at will, or the rules of an application. Models are
        described, and handlers that have an attribute ``openapi``: operations by method, in lower case. Others are
        left out.
    :param title: of the API, and ``version``: its own.
    :param resources: those of the routes as the reader may see them; None for all that there is.
    :param denied: what the reader may not do.
    """
    flat = flatten(list(routes))
    components = Components()
    if resources is None:
        resources = list(resources_of(flat))
    paths: dict[str, Any] = {}
    for resource in resources:
        paths.update(paths_of(resource, components, denied))
    others = described(flat)
    paths.update(others)
    info = {"title": title, "version": version, **({"description": description} if description else {})}
    found: dict[str, Any] = {
        "openapi": VERSION,
        "info": info,
        "tags": [_tag(each) for each in resources],
        "paths": paths,
        "components": {
            "schemas": {
                **components.with_examples(),
                "Problem": PROBLEM,
                "Outcome": _OUTCOME,
                "JsonPatch": _JSON_PATCH,
                **QUERIES,
            },
            "parameters": {**PAGES, **COMBINED, **REQUEST_HEADERS},
            "headers": HEADERS,
            "responses": PROBLEMS,
        },
    }
    if others:
        found["components"]["securitySchemes"] = _SESSION
        found["security"] = [{}, {"bearer": []}, {"cookie": []}]
    made: dict[str, Any] = plain(found)
    return made


def with_rate_limits(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of an application that limits all requests."""
    paths = {
        path: {method: limited(each) if "responses" in each else each for method, each in operations.items()}
        for path, operations in made["paths"].items()
    }
    return {**made, "paths": paths}


def _tag(resource: Resource) -> dict[str, str]:
    text = (resource.provider.shape.model.__doc__ or "").strip().split("\n")[0]
    return {"name": resource.name, **({"description": text} if text else {})}

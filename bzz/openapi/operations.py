"""What each verb does at the end of a path, as an operation of OpenAPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bzz.model.idempotency import keeps_answers
from bzz.model.representations import has_feed
from bzz.openapi.bodies import json_body, patch_body, rows_body
from bzz.openapi.components import CREATED, UPDATED
from bzz.openapi.parameters import (
    COMBINED,
    PAGES,
    SEARCH,
    Parameter,
    expand,
    facets,
    fields,
    filters,
    own,
    reference,
    sort,
)
from bzz.openapi.place import Place
from bzz.openapi.queries import query_body
from bzz.openapi.responses import answer, limited, problems
from bzz.shape.base import JsonSchema

__all__ = ["operation"]

Operation = dict[str, Any]

_MOST_LINKS = 1000


def operation(place: Place, method: str) -> Operation | None:
    """Return the operation of a method; None for those that need no description."""
    make = _MAKERS.get((method, place.last.is_list))
    if make is None:
        return None
    found = make(place)
    named = {"operationId": f"{found.pop('verb')}_{place.name}", "tags": [place.resource.name]}
    parameters = [*place.ids, *found.pop("parameters", [])]
    made = {**named, **found, **({"parameters": parameters} if parameters else {})}
    return made if place.resource.rate_limits is None else limited(made)


def _list(place: Place) -> Operation:
    step = place.last
    rows = {"type": "array", "items": place.shown()}
    found = answer(200, rows, headers=("Link", "X-Total-Count", "ETag"))
    options = [reference(name) for name in (*PAGES, "Prefer-count", "If-None-Match")]
    options += [sort(step.shape), fields(step.shape), *expand(step.shape)]
    if place.resource.provider.searches(place.path):
        options.append(SEARCH)
    statuses = [400, 401, 403, 503]
    if not place.is_root:
        statuses.append(404)
    if has_feed(place.resource, place.path):
        options.append(reference("Last-Event-ID"))
        statuses += [406, 429]
    return {
        "verb": "list",
        "summary": f"List {step.shape.name}",
        **_texts(place),
        "parameters": [*options, *_conditions(place)],
        "responses": {**found, "304": {"description": "It is as the client has it."}, **problems(*statuses)},
    }


def _conditions(place: Place) -> list[Parameter]:
    """Return the parameters that select items of a list."""
    declared = own(place.resource) if place.is_root else []
    return [*declared, *map(reference, COMBINED), *filters(place.last.shape)]


def _query(place: Place) -> Operation:
    """Return what a QUERY is, which OpenAPI has a place for from 3.2 on: it stands there as an extension."""
    found = _list(place)
    return {
        "verb": "query",
        "summary": f"Query {place.last.shape.name}",
        "description": "The list of GET, asked for by a body (RFC 10008).",
        "parameters": [reference(name) for name in ("Prefer-count", "If-None-Match")],
        "requestBody": json_body(query_body(own(place.resource) if place.is_root else [])),
        "responses": {**found["responses"], **problems(413, 415)},
    }


_FEED = (
    "With `Accept: text/event-stream` it is a feed: the same as server-sent events, and then every committed change"
    " with its diff. `Last-Event-ID` goes on where one broke off."
)


_FACETS = (
    "With `facets=` and names among `x-facets` the answer is an object: the list as `items`, and as `facets` how often"
    " each value of these fields occurs."
)


def _texts(place: Place) -> Operation:
    """Return what is said of a list beside its answer. Like a feed, the object with facets is no answer of its own:
    clients that are generated would have to tell it from the list at each call."""
    feed, names = _feed(place), facets(place.last.shape)
    if not names:
        return feed
    return {**feed, "description": " ".join([*filter(None, [feed.get("description")]), _FACETS]), "x-facets": names}


def _feed(place: Place) -> Operation:
    """Return what says that there is a feed, too. It is no answer of its own: clients that are generated would have to
    tell the two apart at each call."""
    return {"description": _FEED, "x-live": True} if has_feed(place.resource, place.path) else {}


def _show(place: Place) -> Operation:
    shape = place.last.shape
    options = [fields(shape), *expand(shape), reference("If-None-Match"), reference("If-Match")]
    found = answer(200, place.shown(), headers=("ETag",))
    statuses = [400, 401, 403, 404, 412, 503]
    if has_feed(place.resource, place.path):
        options.append(reference("Last-Event-ID"))
        statuses += [406, 429]
    return {
        "verb": "get",
        "summary": f"Show one {place.last.shape.name}",
        **_feed(place),
        "parameters": options,
        "responses": {**found, "304": {"description": "It is as the client has it."}, **problems(*statuses)},
    }


def _create(place: Place) -> Operation:
    step = place.last
    if step.is_reference:
        return _link(place)
    schema, statuses = place.components.refer(step.shape, CREATED), [400, 401, 403, 404, 409, 413, 415, 503]
    keyed, contradicted = _idempotency(place)
    replayed = ("Idempotency-Replayed",) if keyed else ()
    created = answer(201, place.shown(), headers=("Location", "X-Created-Id", "ETag", *replayed))
    options: list[Parameter] = [reference("Prefer-return")]
    takes_arrays = place.is_root and step.is_list
    if takes_arrays:
        statuses.remove(404)
        options = [reference("Prefer-handling")]
        created["201"]["content"]["application/json"]["schema"] = _one_or_many(place.shown())
        created |= answer(200, {"type": "array", "items": {"$ref": "#/components/schemas/Outcome"}})
        created["200"]["description"] = "What became of each row, where `handling=lenient` was asked for."
    return {
        "verb": "create",
        "summary": f"Create a {step.shape.name}" + (", or an array of them" if takes_arrays else ""),
        "parameters": [*options, *keyed],
        "requestBody": rows_body(schema) if takes_arrays else json_body(schema),
        "responses": {**created, **problems(*statuses, *contradicted)},
    }


def _idempotency(place: Place) -> tuple[list[Parameter], list[int]]:
    """Return the parameter for a key, and the status of one that belongs to another request."""
    return ([reference("Idempotency-Key")], [422]) if keeps_answers(place.resource.provider) else ([], [])


_MINIMAL = {"204": {"description": "It is done, where `return=minimal` was asked for."}}


def _one_or_many(schema: JsonSchema) -> JsonSchema:
    return {"anyOf": [schema, {"type": "array", "items": schema}]}


def _link(place: Place) -> Operation:
    field = place.last.field
    assert field is not None
    one = field.item.kind.json_schema(lambda shape: place.components.refer(shape, CREATED))
    ids = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": _MOST_LINKS}]}
    schema = {
        "type": "object",
        "properties": {field.name: ids if place.last.is_list else one},
        "required": [field.name],
        "additionalProperties": False,
    }
    shown = {"type": "object", "properties": {field.name: ids}}
    keyed, contradicted = _idempotency(place)
    return {
        "verb": "link",
        "summary": f"Link {'existing documents' if place.last.is_list else 'an existing document'}",
        "parameters": [reference("Prefer-return"), *keyed],
        "requestBody": json_body(schema),
        "responses": {
            **answer(200, shown),
            **_MINIMAL,
            **problems(400, 401, 403, 404, 409, 413, 415, 503, *contradicted),
        },
    }


def _update(place: Place, verb: str, body: dict[str, Any]) -> Operation:
    match, required = _if_match(place)
    return {
        "verb": verb,
        "summary": f"Change fields of one {place.last.shape.name}",
        "parameters": [reference(name) for name in (match, "If-None-Match", "Prefer-return")],
        "requestBody": body,
        "responses": {
            **answer(200, place.shown(), headers=("ETag",)),
            **_MINIMAL,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 503, *required),
        },
    }


def _if_match(place: Place) -> tuple[str, list[int]]:
    """Return the parameter for ``If-Match``, and the status of a change without it where it is required."""
    return ("If-Match-required", [428]) if place.resource.require_if_match else ("If-Match", [])


def _put(place: Place) -> Operation:
    return _update(place, "update", json_body(place.components.refer(place.last.shape, UPDATED)))


def _patch(place: Place) -> Operation:
    return _update(place, "patch", patch_body(place.components.refer(place.last.shape, UPDATED)))


def _delete(place: Place) -> Operation:
    what = "Unlink" if place.last.is_reference else "Delete"
    match, required = _if_match(place)
    return {
        "verb": "delete",
        "summary": f"{what} one {place.last.shape.name}",
        "parameters": [reference(match), reference("If-None-Match")],
        "responses": {
            "204": {"description": "It is gone."},
            **problems(401, 403, 404, 409, 412, 503, *required),
        },
    }


def _patch_many(place: Place) -> Operation:
    return {
        **_selected(place, "patch_selected", "Change all that the filters select"),
        "requestBody": patch_body(place.components.refer(place.last.shape, UPDATED)),
    }


def _delete_many(place: Place) -> Operation:
    return _selected(place, "delete_selected", "Delete all that the filters select")


def _selected(place: Place, verb: str, summary: str) -> Operation:
    outcomes = {"type": "array", "items": {"$ref": "#/components/schemas/Outcome"}}
    return {
        "verb": verb,
        "summary": summary,
        "parameters": [reference("Prefer-max-affected"), *_conditions(place)],
        "responses": {**answer(200, outcomes), **problems(400, 401, 403, 413, 415, 503)},
    }


_MAKERS: dict[tuple[str, bool], Callable[[Place], Operation]] = {
    ("GET", True): _list,
    ("GET", False): _show,
    ("QUERY", True): _query,
    ("POST", True): _create,
    ("POST", False): _create,
    ("PUT", False): _put,
    ("PATCH", False): _patch,
    ("PATCH", True): _patch_many,
    ("DELETE", False): _delete,
    ("DELETE", True): _delete_many,
}

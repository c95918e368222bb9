"""The parameters of operations: ids in paths, filters, pages, headers."""

from __future__ import annotations

from typing import Any

from bzz.model.expansion import MAX_PATHS
from bzz.model.parameters import MAX_VALUES
from bzz.model.query import MAX_SEARCH, MAX_SORT_KEYS
from bzz.model.resource import Resource
from bzz.openapi.visible import references
from bzz.shape import Field, Shape
from bzz.shape.base import JsonSchema
from bzz.shape.operators import LISTED, PATTERNS, Operator
from bzz.shape.scalars import IntegerKind
from bzz.shape.shown import fields_shown, paths_shown

__all__ = [
    "COMBINED",
    "HEADERS",
    "PAGES",
    "SEARCH",
    "expand",
    "facets",
    "fields",
    "filters",
    "in_path",
    "own",
    "reference",
    "sort",
]

Parameter = dict[str, Any]

DEPTH = 2  # of embedded documents whose fields are listed as filters; deeper ones work, too
HOPS = 2  # of references whose names are listed for `expand`; it takes one more
_ORDER: tuple[Operator, ...] = (
    "eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists",
    "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith",
    "all", "size", "near", "within",
)  # fmt: skip

_POSITIVE: JsonSchema = {"type": "integer", "minimum": 1, "maximum": 999_999_999}


def _query(name: str, schema: JsonSchema, description: str) -> Parameter:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _header(name: str, description: str, schema: JsonSchema | None = None) -> Parameter:
    return {"name": name, "in": "header", "schema": schema or {"type": "string"}, "description": description}


PAGES: dict[str, Parameter] = {
    "page": _query("page", _POSITIVE, "The number of the page, from 1."),
    "per_page": _query("per_page", _POSITIVE, "How many items a page has; the server has a maximum."),
    "after": _query("after", {"type": "string"}, "The cursor of the page before, from its `Link` header."),
    "before": _query("before", {"type": "string"}, "The cursor of the page after, from its `Link` header."),
}

COMBINED: dict[str, Parameter] = {
    "or": _query(
        "or",
        {"type": "string"},
        "Conditions of which one must hold: `age__gte=18|name=Ann`, each percent-encoded by itself first.",
    ),
    "filter": _query("filter", {"type": "string"}, "The JSON of the schema `Filter`: conditions and, or and not."),
}

SEARCH = _query(
    "q",
    {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH},
    "Words that the model's text index is searched for.",
)

_KEY = r'^("[ !#-\[\]-~]{1,255}"|[!#-+\-.-:<-\[\]-~]{1,255})$'

HEADERS: dict[str, Parameter] = {
    "Idempotency-Key": _header(
        "Idempotency-Key",
        "A string of your own for this one request: sent again with it, it is done once, and answered as it was.",
        {"type": "string", "pattern": _KEY},
    ),
    "If-Match": _header("If-Match", "The entity tag that the instance must have; else 412."),
    "If-Match-required": {
        **_header("If-Match", "The entity tag that the instance must have; else 412. Without it 428."),
        "required": True,
    },
    "If-None-Match": _header("If-None-Match", "The entity tag that the client has; 304 if it is still that one."),
    "Prefer-count": _header("Prefer", "`count=exact` for the number of matches.", {"type": "string"}),
    "Prefer-handling": _header(
        "Prefer",
        "`handling=lenient`: of an array, store what can be stored. `return=minimal`: answer without a body.",
    ),
    "Prefer-return": _header("Prefer", "`return=minimal`: answer without a body."),
    "Prefer-max-affected": {
        **_header("Prefer", "How many documents may be written, at the most: `max-affected=10`."),
        "required": True,
        "schema": {"type": "string", "pattern": "^max-affected=[1-9][0-9]{0,2}$"},
    },
    "Last-Event-ID": _header("Last-Event-ID", "The position after which a feed goes on."),
}
"""The headers of requests, by the names of their components."""


def reference(name: str) -> Parameter:
    """Return what stands for one of the parameters that operations share."""
    return {"$ref": f"#/components/parameters/{name}"}


def in_path(name: str, field: Field | None) -> Parameter:
    """Return a part of a path.

    :param field: whose value it is; None for the position of an item.
    """
    schema: JsonSchema = {"type": "string"}
    if field is None:
        schema = {"type": "integer", "minimum": 0}
    elif isinstance(field.kind, IntegerKind):
        schema = {"type": "integer", "format": "int64"}
    elif field.choices:
        schema = {"type": "string", "enum": list(field.choices)}
    what = "The position of the item." if field is None else f"The {field.name} of the document."
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": what}


def fields(shape: Shape) -> Parameter:
    """Return the parameter that chooses what is shown, of the documents that `expand` shows too."""
    known = [path for path, _ in paths_shown(shape, DEPTH, lists=False)]
    linked = [(path, field.link) for path, field in references(shape, DEPTH, 1)]
    known += [f"{path}.{name}" for path, link in linked if link is not None for name in fields_shown(link.shape)]
    return _names(
        "fields", known, "The fields to show; those behind a reference only where it is expanded.", MAX_VALUES
    )


def expand(shape: Shape) -> list[Parameter]:
    """Return the parameter that has documents shown in the place of references; none where there are no references."""
    known = [path for path, _ in references(shape, DEPTH, HOPS)]
    return [_names("expand", known, "The references to show as documents.", MAX_PATHS)] if known else []


def facets(shape: Shape) -> list[str]:
    """Return the names of the fields whose values a list can count."""
    return [path for path, field in paths_shown(shape, DEPTH, lists=False) if field.item.kind.is_scalar]


def sort(shape: Shape) -> Parameter:
    """Return the parameter that orders a list."""
    paths = [path for path, field in paths_shown(shape, DEPTH, lists=False) if field.kind.is_scalar]
    both = [f"{sign}{path}" for path in paths for sign in ("", "-")]
    return _names("sort", both, "The fields to sort by; `-` before one turns its order.", MAX_SORT_KEYS)


def _names(name: str, known: list[str], description: str, most: int) -> Parameter:
    schema: JsonSchema = {"type": "array", "items": {"type": "string", "enum": known}, "minItems": 1, "maxItems": most}
    return {**_query(name, schema, description), "style": "form", "explode": False}


def filters(shape: Shape) -> list[Parameter]:
    """Return the filters of a list: one for each field and operator, and of what references lead to."""
    found = list(paths_shown(shape, DEPTH))
    for path, field in references(shape, DEPTH, 1):
        if field.link is not None:
            found += paths_shown(field.link.shape, 0, prefix=f"{path}.")
    return [_filter(path, field, each) for path, field in found for each in _ORDER if each in field.kind.operators]


def own(resource: Resource) -> list[Parameter]:
    """Return the parameters that the application has declared for the list of a model."""
    declared = resource.parameters.values()
    return [_query(each.name, each.kind.json_schema(lambda shape: {}), each.description) for each in declared]


def _filter(path: str, field: Field, operator: Operator) -> Parameter:
    name = path if operator == "eq" else f"{path}__{operator}"
    return _query(name, _operand(field, operator), _MEANINGS[operator].format(path))


def _operand(field: Field, operator: Operator) -> JsonSchema:
    """Return the schema of the text behind an operator."""
    own = _OPERANDS.get(operator)
    if own is not None:
        return own
    item = field.item
    schema = _text(item)
    if operator in LISTED:
        return {"type": "string", "description": "Several values, parted by commas."}
    return schema


def _text(field: Field) -> JsonSchema:
    schema = field.kind.json_schema(lambda shape: {})
    if "anyOf" in schema or schema.get("type") not in ("integer", "number", "boolean", "string"):
        return {"type": "string"}
    kept = {name: each for name, each in schema.items() if name in ("type", "format", "minimum", "maximum")}
    return {**kept, "enum": list(field.choices)} if field.choices and schema["type"] == "string" else kept


_OPERANDS: dict[Operator, JsonSchema] = {
    "exists": {"type": "boolean"},
    "size": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    "near": {"type": "string", "description": "longitude,latitude,metres"},
    "within": {"type": "string", "description": "west,south,east,north"},
    **{operator: {"type": "string"} for operator in PATTERNS},
}

_MEANINGS: dict[Operator, str] = {
    "eq": "`{}` is this; given several times, any of them.",
    "ne": "`{}` is not this.",
    "gt": "`{}` is greater.",
    "gte": "`{}` is greater, or this.",
    "lt": "`{}` is less.",
    "lte": "`{}` is less, or this.",
    "in": "`{}` is one of these.",
    "nin": "`{}` is none of these.",
    "exists": "Whether `{}` is set.",
    "iexact": "`{}` is this, in upper or lower case.",
    "contains": "`{}` contains this.",
    "icontains": "`{}` contains this, in upper or lower case.",
    "startswith": "`{}` begins with this.",
    "istartswith": "`{}` begins with this, in upper or lower case.",
    "endswith": "`{}` ends with this.",
    "iendswith": "`{}` ends with this, in upper or lower case.",
    "all": "`{}` has all of these.",
    "size": "`{}` has so many items.",
    "near": "`{}` is within a distance of a point.",
    "within": "`{}` lies within a box.",
    "match": "",
}

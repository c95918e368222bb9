"""The schemas that operations refer to, each once, under a name of its own."""

from __future__ import annotations

from collections.abc import Callable

from bzz.model.expansion import refers
from bzz.openapi.examples import example_of
from bzz.providers.rules import is_fixed
from bzz.shape import Field, Shape
from bzz.shape.base import JsonSchema
from bzz.shape.json_schema import field_schema, nullable
from bzz.shape.scalars import IdKind
from bzz.shape.shown import fields_shown
from bzz.shape.types import TAG

__all__ = ["CREATED", "SHOWN", "UPDATED", "Components"]

SHOWN, CREATED, UPDATED = "", "Create", "Update"
"""What a schema is of: what clients are shown, what they post, what they put."""


class Components:
    """The schemas of one document, made when they are first referred to."""

    def __init__(self) -> None:
        self.schemas: dict[str, JsonSchema] = {}
        self._names: dict[tuple[Shape, str], str] = {}
        self._taken: dict[str, type] = {}

    def refer(self, shape: Shape, purpose: str) -> JsonSchema:
        """Return a reference to the schema of a shape."""
        key = (shape, purpose)
        if key not in self._names:
            name = f"{self._base(shape)}{purpose}"
            self._names[key] = name
            self.schemas[name] = {}  # its place, for schemas may be recursive
            self.schemas[name] = _MAKERS[purpose](shape, self)
        return {"$ref": f"#/components/schemas/{self._names[key]}"}

    def _base(self, shape: Shape) -> str:
        """Return the name of a shape; two models of one name are told apart by a number."""
        name, number = shape.name, 1
        while self._taken.setdefault(name, shape.model) is not shape.model:
            number += 1
            name = f"{shape.name}{number}"
        return name

    def with_examples(self) -> dict[str, JsonSchema]:
        """Return all schemas, those of what is sent with an example: without an id that the server makes."""
        made = dict(sorted(self.schemas.items()))
        for (shape, purpose), name in self._names.items():
            example = example_of(made[name], self.schemas) if purpose != SHOWN else None
            if isinstance(example, dict):
                own = {shape.pk.name} if shape.pk is not None and isinstance(shape.pk.kind, IdKind) else set()
                kept = {each: value for each, value in example.items() if each not in own}
                made[name] = {**made[name], "examples": [kept]}
        return made


def _shown(shape: Shape, components: Components) -> JsonSchema:
    """Return the schema of an instance as it is shown. A model's own ``to_dict`` shows what it likes."""
    if callable(getattr(shape.model, "to_dict", None)):
        return {"type": "object", "description": f"What {shape.name}.to_dict() returns."}
    refer: Callable[[Shape], JsonSchema] = lambda inner: components.refer(inner, SHOWN)  # noqa: E731
    fields = fields_shown(shape)
    stored = {name: _expanded(each, _stored(field_schema(each, refer)), refer) for name, each in fields.items()}
    ids = [name for name, each in fields.items() if each is shape.pk]
    properties = {name: schema if name in ids else nullable(schema) for name, schema in stored.items()}
    return {"type": "object", "properties": properties}


_BOUNDS = ("enum", "maximum", "maxItems", "maxLength", "minimum", "minLength", "pattern", "propertyNames")


def _stored(schema: JsonSchema) -> JsonSchema:
    """Return the schema of a value that is stored: whatever its bounds are now, it may be older than they are."""
    kept = {name: each for name, each in schema.items() if name not in _BOUNDS}
    if "items" in kept:
        kept["items"] = _stored(kept["items"])
    values = _values_of(kept)
    return kept if values is None else {**kept, "additionalProperties": nullable(_stored(values))}


def _without_nulls(schema: JsonSchema) -> JsonSchema:
    """Return the schema of a new map, whose values are not null; any other schema as it is."""
    values = _values_of(schema)
    return schema if values is None else {**schema, "additionalProperties": values}


def _values_of(schema: JsonSchema) -> JsonSchema | None:
    """Return the schema of the values of a map, but for null; None if it is none whose values have a schema."""
    values = schema.get("additionalProperties")
    if not isinstance(values, dict):
        return None
    found: JsonSchema = values["anyOf"][0] if values.get("anyOf", ())[1:] == [{"type": "null"}] else values
    return found


def _expanded(field: Field, schema: JsonSchema, refer: Callable[[Shape], JsonSchema]) -> JsonSchema:
    """Return the schema of a reference, or a list of them, where `expand` may have put documents in their place."""
    if not refers(field):
        return schema
    if "items" in schema:
        return {**schema, "items": _expanded(field.item, schema["items"], refer)}
    document = {"type": "object"} if field.item.link is None else refer(field.item.link.shape)
    return {"anyOf": [schema, document]}


def _created(shape: Shape, components: Components) -> JsonSchema:
    return _sent(shape, components, updating=False)


def _updated(shape: Shape, components: Components) -> JsonSchema:
    return _sent(shape, components, updating=True)


def _sent(shape: Shape, components: Components, *, updating: bool) -> JsonSchema:
    refer: Callable[[Shape], JsonSchema] = lambda inner: components.refer(inner, CREATED)  # noqa: E731
    ids = shape.visible_ids if updating else ()
    fields = {**shape.subclass_fields, **shape.fields}
    properties: dict[str, JsonSchema] = {}
    required: list[str] = []
    for name, field in fields.items():
        if field.hidden or field.read_only or name in ids or (updating and is_fixed(shape.model, name)):
            continue
        schema = field_schema(field, refer) if updating else _without_nulls(field_schema(field, refer))
        is_needed = field.required and not field.has_default
        properties[name] = schema if is_needed or (field is shape.pk and not updating) else nullable(schema)
        if is_needed and not updating and name in shape.fields:
            required.append(name)
    if shape.types:
        properties[TAG] = {"type": "string", "enum": list(shape.types)}
    is_open = shape.undeclared("a_name_that_nobody_declares") is not None
    found: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": is_open}
    return {**found, "required": required} if required else found


_MAKERS: dict[str, Callable[[Shape, Components], JsonSchema]] = {
    SHOWN: _shown,
    CREATED: _created,
    UPDATED: _updated,
}

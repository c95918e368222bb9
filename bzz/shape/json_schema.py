"""The JSON Schema of fields and shapes; that of a bare value comes from its kind.

The schemas allow what clients may send, and what they are shown. They leave out what JSON Schema cannot say, such as
which names a map may not have.
"""

from __future__ import annotations

from bzz.shape.base import Field, JsonSchema, Kind, Refer, Shape

__all__ = ["field_schema", "key_schema", "nullable", "shape_schema"]


def field_schema(field: Field, refer: Refer) -> JsonSchema:
    """Return the schema of a field's values, but for null; choices stand in it as Python values.

    :param refer: gives the schema that stands for a shape.

    >>> from bzz.shape.scalars import StringKind
    >>> field_schema(Field("size", StringKind(), choices=("s", "l"), read_only=True), lambda shape: {})
    {'type': 'string', 'enum': ['s', 'l'], 'readOnly': True}
    """
    return _marked(field, _restricted(field, field.kind.json_schema(refer)))


def _restricted(field: Field, schema: JsonSchema) -> JsonSchema:
    schema = {**schema, **field.bounds}
    if not field.choices:
        return schema
    choices = {"enum": list(field.choices)}
    if field.is_list:  # they are those of its items
        return {**schema, "items": {**schema["items"], **choices}}
    return {**schema, **choices}


def _marked(field: Field, schema: JsonSchema) -> JsonSchema:
    if field.write_only:
        return {**schema, "writeOnly": True}
    return {**schema, "readOnly": True} if field.read_only else schema


def shape_schema(shape: Shape, refer: Refer) -> JsonSchema:
    """Return the schema of an instance, without what is hidden.

    A write-only field is required, if it is, of what is sent.

    :param refer: gives the schema that stands for a shape.
    """
    fields = {name: each for name, each in shape.fields.items() if not each.hidden}
    properties = {name: _property(shape, each, refer) for name, each in fields.items()}
    required = [name for name, each in fields.items() if _is_needed(each)]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _property(shape: Shape, field: Field, refer: Refer) -> JsonSchema:
    kind = field.kind
    schema = _restricted(field, key_schema(kind, refer) if shape.writes_as_key(field) else kind.json_schema(refer))
    return _marked(field, schema if _is_needed(field) else nullable(schema))


def key_schema(kind: Kind, refer: Refer) -> JsonSchema:
    """Return the schema of a key, which JSON may write as its text: what :meth:`Kind.read_key` reads."""
    schema = kind.json_schema(refer)
    return schema if schema.get("type") == "string" else {"anyOf": [{"type": "string"}, schema]}


def _is_needed(field: Field) -> bool:
    return field.required and not field.has_default


def nullable(schema: JsonSchema) -> JsonSchema:
    """Return the schema that allows null, too.

    >>> nullable({"type": "string"})
    {'anyOf': [{'type': 'string'}, {'type': 'null'}]}
    """
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema

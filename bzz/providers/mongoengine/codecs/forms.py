"""Stored documents made of values: new ones, and those that take the place of others."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

import mongoengine as me
from bson import ObjectId

from bzz.errors import Invalid
from bzz.providers.mongoengine.codecs.checks import Errors
from bzz.providers.mongoengine.codecs.classes import misfits_in, misfits_of_new
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.messages import REQUIRED
from bzz.providers.mongoengine.raw import Raw, differ

__all__ = ["given", "merged", "new", "put_in_place"]


def new(codec: DocumentCodec, values: Map[str, Any]) -> Raw:
    """Return the whole stored document for ``values``: defaults filled in, everything validated.

    :raises bzz.errors.Invalid: with every refusal of the model.
    """
    raw: Raw = {}
    errors: Errors = misfits_of_new(codec, values) if codec.inherits else {}
    if codec.inherits:
        raw["_cls"] = codec.class_name
    for name, field in codec.fields.items():
        value = values.get(name)
        if value is None and field.is_optional and field is not codec.pk:
            continue
        is_meant = value is not None or (name in values and field.source.null and not field.declared.required)
        bson = field.check(value, errors) if is_meant else _initial(codec, field, errors)
        if bson is not None or field.source.null:
            raw[field.stored] = bson
    if codec.is_dynamic:
        _put_undeclared(codec, raw, values, errors)
    if errors:
        raise Invalid(errors)
    return raw


def _put_undeclared(codec: DocumentCodec, raw: Raw, values: Map[str, Any], errors: Errors) -> None:
    """Put the undeclared fields of a dynamic class into a stored document."""
    for name in values.keys() - codec.fields.keys():
        field = codec.undeclared(name)
        if field is not None:
            field.put(raw, field.check(values[name], errors, raw.get(name)))


def _initial(codec: DocumentCodec, field: FieldCodec, errors: Errors) -> Any:
    if field is codec.pk and isinstance(field.source, me.ObjectIdField) and not codec.embedded:
        return ObjectId()
    bson = field.default()
    if bson is None and field.declared.required:
        errors.setdefault(field.name, []).append(REQUIRED)
    elif bson is not None:
        field.check_bson(bson, errors)
    return bson


def given(codec: DocumentCodec, values: Map[str, Any]) -> Raw:
    """Return only the fields in ``values``, each validated by itself: for documents that complete themselves.

    :raises bzz.errors.Invalid: with every refusal.
    """
    errors = misfits_in(codec, values)
    raw = {field.stored: field.check(value, errors) for _, field, value in codec.value_parts(values)}
    if errors:
        raise Invalid(errors)
    return raw


def put_in_place(codec: DocumentCodec, values: Map[str, Any], stored: Any, declared: DocumentCodec) -> Raw:
    """Return the whole stored document for ``values`` in the place of ``stored``; of a new one without that.

    Fields that are not named are as in a new document, but for those that the client may not write or did not think of:
    hidden and read-only ones, and those that ``declared`` does not have. They, and keys that nobody declares, stay.

    :param declared: the codec of the class of whose documents the client knows: the one that values name, or else the
        one that the field declares. The document may be of a class below that.
    :returns: ``stored`` itself where nothing changes.
    :raises bzz.errors.Invalid: with every refusal of the model.
    """
    if not isinstance(stored, dict):
        return new(declared, values)
    raw = dict(stored)
    errors = misfits_in(codec, values)
    for name, field in codec.fields.items():
        old = stored.get(field.stored)
        if name in values:
            is_kept = values[name] is None and old is None and field.may_stay_unset
            field.put(raw, old if is_kept else field.check(values[name], errors, old))
        elif not field.is_protected and name in declared.fields:
            field.put(raw, _initial(codec, field, errors))
    if codec.is_dynamic:
        for name in codec.undeclared_in(raw).keys() - values.keys():
            del raw[name]
        _put_undeclared(codec, raw, values, errors)
    if errors:
        raise Invalid(errors)
    return raw if differ(raw, stored) else stored


def merged(codec: DocumentCodec, raw: Raw, values: Map[str, Any], *, merge: bool) -> Raw:
    """Return ``raw`` with ``values`` applied: embedded documents field by field, None unsetting.

    A value that clients are shown as they sent it stays as it is stored, whatever its stored form.

    :param merge: whether free-form maps are merged (RFC 7396) rather than replaced.
    :raises bzz.errors.Invalid: if the model refuses what would be left.
    :raises bzz.errors.Conflict: if a list cannot be written whole (:mod:`bzz.providers.mongoengine.codecs.pairs`).
    """
    after = dict(raw)
    errors = misfits_in(codec, values)
    for _, field, value in codec.value_parts(values):
        field.put(after, field.update(after.get(field.stored), value, errors, merge=merge))
    if errors:
        raise Invalid(errors)
    return after

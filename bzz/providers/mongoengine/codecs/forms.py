"""Stored documents made of values: new ones, and those that take the place of others."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

import mongoengine as me
from bson import ObjectId

from bzz.errors import Invalid
from bzz.providers.mongoengine.codecs.checks import Errors
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.raw import Raw, differ

__all__ = ["given", "merged", "new", "put_in_place"]


def new(document: DocumentCodec, values: Map[str, Any]) -> Raw:
    """Return the whole stored document for ``values``: defaults filled in, everything validated.

    :raises bzz.errors.Invalid: with every refusal of the model.
    """
    raw: Raw = {}
    errors: Errors = {}
    if document.inherits:
        raw["_cls"] = document.model._class_name
    for name, codec in document.fields.items():
        value = values.get(name)
        if value is None and codec.is_optional and codec is not document.pk:
            continue
        bson = _initial(document, codec, errors) if value is None else codec.check(value, errors)
        if bson is not None or codec.source.null:
            raw[codec.stored] = bson
    if errors:
        raise Invalid(errors)
    return raw


def _initial(document: DocumentCodec, codec: FieldCodec, errors: Errors) -> Any:
    if codec is document.pk and isinstance(codec.source, me.ObjectIdField) and not document.embedded:
        return ObjectId()
    bson = codec.default()
    if bson is None and codec.declared.required and not codec.source._auto_gen:
        errors.setdefault(codec.name, []).append("Field is required")
    elif bson is not None:
        codec.check_bson(bson, errors)
    return bson


def given(document: DocumentCodec, values: Map[str, Any]) -> Raw:
    """Return only the fields in ``values``, each validated by itself: for documents that complete themselves.

    :raises bzz.errors.Invalid: with every refusal.
    """
    errors: Errors = {}
    raw = {codec.stored: codec.check(value, errors) for _, codec, value in document.value_parts(values)}
    if errors:
        raise Invalid(errors)
    return raw


def put_in_place(document: DocumentCodec, values: Map[str, Any], stored: Any, declared: DocumentCodec) -> Raw:
    """Return the whole stored document for ``values`` in the place of ``stored``; of a new one without that.

    Fields that are not named are as in a new document, but for those that the client may not write: hidden and
    read-only ones, and those that ``declared`` does not have. They, and keys that nobody declares, stay.

    :param declared: the codec of the class that the field declares; ``document`` may be of a class below it.
    :returns: ``stored`` itself where nothing changes.
    :raises bzz.errors.Invalid: with every refusal of the model.
    """
    if not isinstance(stored, dict):
        return new(declared, values)
    raw = dict(stored)
    errors: Errors = {}
    for name, codec in document.fields.items():
        old = stored.get(codec.stored)
        if name in values:
            is_kept = values[name] is None and old is None and codec.may_stay_unset
            codec.put(raw, old if is_kept else codec.check(values[name], errors, old))
        elif not codec.is_protected and name in declared.fields:
            codec.put(raw, _initial(document, codec, errors))
    if errors:
        raise Invalid(errors)
    return raw if differ(raw, stored) else stored


def merged(document: DocumentCodec, raw: Raw, values: Map[str, Any], *, merge: bool) -> Raw:
    """Return ``raw`` with ``values`` applied: embedded documents field by field, None unsetting.

    A value that clients are shown as they sent it stays as it is stored, whatever its stored form.

    :param merge: whether free-form maps are merged (RFC 7396) rather than replaced.
    :raises bzz.errors.Invalid: if the model refuses what would be left.
    :raises bzz.errors.Conflict: if a list cannot be written whole (:mod:`bzz.providers.mongoengine.codecs.pairs`).
    """
    after = dict(raw)
    errors: Errors = {}
    for name, value in values.items():
        codec = document.fields[name]
        codec.put(after, codec.update(after.get(codec.stored), value, errors, merge=merge))
    if errors:
        raise Invalid(errors)
    return after

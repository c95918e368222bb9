"""The body of a request, decoded into the data that receivers see.

Here belongs what depends on media types: JSON, and forms as browsers send them. :func:`decode` accepts whatever is well
formed; :mod:`bzz.model.validation` checks names and values. Several documents in one body, as JSON or as CSV, are read
for :mod:`bzz.model.bulk`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from bzz.codec import loads
from bzz.errors import BadRequest, Invalid, UnsupportedMediaType
from bzz.model.multipart import parts
from bzz.model.query import pairs
from bzz.model.validation import READ_ONLY, UNKNOWN, BodyReading
from bzz.shape import TOP, Field, Shape
from bzz.shape.values import find_field

__all__ = [
    "ACCEPT_PATCH",
    "CSV",
    "FORM",
    "JSON",
    "JSON_PATCH",
    "MAX_FORM_FIELDS",
    "MERGE_PATCH",
    "decode",
    "field_at",
    "form_pairs",
    "form_value",
    "is_csv",
    "is_form",
    "is_json",
    "is_json_patch",
    "put_at",
    "read_form",
    "read_links",
]

MAX_FORM_FIELDS = 1000
MAX_LINKS = 1000

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
CSV = "text/csv"
JSON_PATCH = "application/json-patch+json"

_TYPES = (JSON, FORM, MULTIPART)
_PATCH_TYPES = (JSON, MERGE_PATCH, JSON_PATCH, FORM, MULTIPART)
ACCEPT_PATCH = ", ".join(_PATCH_TYPES)
"""What a PATCH may be: the value of ``Accept-Patch`` (RFC 5789, section 3.1)."""


def decode(
    shape: Shape, content_type: str | None, body: bytes, *, merge_patch: bool = False, takes_csv: bool = False
) -> dict[str, Any]:
    """Return the data of a body, in the types of JSON: what becomes ``handler.data``.

    Forms are read as browsers write them (https://url.spec.whatwg.org/#application/x-www-form-urlencoded): dotted
    names build embedded documents, ``name[]`` is always a list, and so are fields that the model declares as lists.
    Text becomes a number or a truth value if the field is one; text that cannot be read so stays text, to be refused
    later.
    An empty input is null, but for strings that may be empty and fields that may hold anything; among the items of a
    list it is left out. Forms in parts (RFC 7578) are read alike, but for files.

    :param shape: says which fields are lists, numbers and truth values.
    :param content_type: the header, or None if there was none.
    :param merge_patch: whether ``application/merge-patch+json`` (RFC 7396) is read too.
    :param takes_csv: whether rows of CSV could have been sent instead; the refusal of another type says so.
    :raises bzz.errors.UnsupportedMediaType: for any other type, a charset that is not UTF-8, and a file.
    :raises bzz.errors.BadRequest: for a malformed body, one that is no object, or one beyond a limit.

    >>> from bzz.shape.scalars import IntegerKind
    >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
    >>> decode(user, "application/x-www-form-urlencoded", b"age=3&address.city=Rio+Branco")
    {'age': 3, 'address': {'city': 'Rio Branco'}}
    """
    if not content_type and not body:
        return {}
    media = JSON if content_type == JSON else _media_type(content_type or "")  # most clients name it plainly
    if media not in _TYPES and not (merge_patch and media == MERGE_PATCH):
        raise _unsupported(is_patch=merge_patch, takes_csv=takes_csv)
    if media == FORM:
        return read_form(shape, form_pairs(body))
    if media == MULTIPART:
        return read_form(shape, parts(content_type or "", body, MAX_FORM_FIELDS))
    value = loads(body, shape.limits.depth)
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value


def is_json(content_type: str | None) -> bool:
    """Return whether a body is declared as JSON."""
    return _media_type(content_type or "") == JSON


def is_json_patch(content_type: str | None) -> bool:
    """Return whether a body is declared as a JSON Patch (RFC 6902)."""
    return _media_type(content_type or "") == JSON_PATCH


def is_form(content_type: str | None) -> bool:
    """Return whether a body is declared as a form as browsers send it."""
    return _media_type(content_type or "") == FORM


def is_csv(content_type: str | None) -> bool:
    """Return whether a body is declared as CSV (RFC 4180)."""
    return _media_type(content_type or "") == CSV


def read_links(field: Field, data: Mapping[str, Any], *, complete: bool = True) -> list[Any]:
    """Return the primary keys that a body names for a list or a single property of references, in order, each once.

    :param field: the property; the body holds its name and nothing else, with one id or an array of them.
    :param complete: whether there must be an id; not while a receiver may still add one.
    :raises bzz.errors.Invalid: for anything else, too many ids, or more than one for a single property.

    >>> from bzz.shape.containers import ListKind
    >>> from bzz.shape.documents import ReferenceKind
    >>> from bzz.shape.scalars import StringKind
    >>> user = Shape("User", object, pk=Field("name", StringKind()))
    >>> members = Field("members", ListKind(Field("", ReferenceKind(lambda: user))))
    >>> read_links(members, {"members": ["b", "a", "b"]})
    ['b', 'a']
    """
    reading = BodyReading()
    for name in data:
        if name != field.name:
            reading.note_at(str(name), UNKNOWN)
    if field.read_only:
        reading.note_at(field.name, READ_ONLY)
    given = data.get(field.name)
    keys = _read_keys(field, given, reading) if complete or given not in (None, []) else []
    if reading.errors:
        raise Invalid(reading.errors)
    return keys


def _media_type(content_type: str) -> str:
    media, *parameters = content_type.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType("Only UTF-8 is read.")
    return media.strip().lower()


def _unsupported(*, is_patch: bool, takes_csv: bool) -> UnsupportedMediaType:
    """Return a 415 that lists the types that are read (RFC 9110, section 15.5.16; RFC 5789, section 2.2)."""
    accepted = ACCEPT_PATCH if is_patch else ", ".join((*_TYPES, CSV) if takes_csv else _TYPES)
    headers = {"Accept": accepted} | ({"Accept-Patch": accepted} if is_patch else {})
    return UnsupportedMediaType(f"Send a body of one of these types: {accepted}.", headers=headers)


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a form as browsers send it.

    :raises bzz.errors.BadRequest: if it cannot be read, or has too many.
    """
    try:
        return pairs(body.decode(), limit=MAX_FORM_FIELDS)
    except UnicodeDecodeError:
        raise BadRequest("The form is not valid UTF-8.") from None


def read_form(shape: Shape, given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return what :func:`decode` does, of names and values that are read already."""
    texts: dict[str, list[str]] = {}
    lists = set()
    for written, value in given:
        name = written.removesuffix("[]")
        texts.setdefault(name, []).append(value)
        if name != written:
            lists.add(name)
    data: dict[str, Any] = {}
    for name, values in texts.items():
        put_at(data, name, form_value(field_at(shape, name), name, values, is_list=name in lists))
    return data


def field_at(shape: Shape, name: str) -> Field | None:
    """Return the field that a form's name stands for: declared, or an entry of a map whose values have one kind.

    :raises bzz.errors.BadRequest: if it is nested too deep.
    """
    if name.count(".") >= shape.limits.depth:
        raise BadRequest(f"A name is nested deeper than {shape.limits.depth} levels.")
    found = find_field(shape, name, written=True)
    if found is None:
        parent = find_field(shape, name.rpartition(".")[0], written=True)
        return None if parent is None else parent.kind.entry
    return found


def form_value(field: Field | None, name: str, texts: Sequence[str], *, is_list: bool) -> Any:
    """Return what JSON would hold in place of the texts that a form has under one name.

    :param field: the one of that name; None if it is unknown.
    :param is_list: whether the name is written with ``[]``.
    :raises bzz.errors.BadRequest: for several texts where no list is.
    """
    if is_list or (field is not None and field.is_list):
        item = field.item if field is not None and field.is_list else field
        return [_json_value(item, text) for text in texts if text]
    if len(texts) > 1:
        raise BadRequest(f"{name!r} is named more than once; only lists are repeated.")
    return _json_value(field, texts[0])


def _json_value(field: Field | None, text: str) -> Any:
    """Return what JSON would hold in place of ``text``."""
    if field is None:
        return text
    return field.kind.from_form(text) if text or _may_be_empty(field) else None


def _may_be_empty(field: Field) -> bool:
    """Return whether the rules of a field may let an empty text pass."""
    if "format" in field.bounds or field.bounds.get("minLength"):  # no format of texts has an empty one
        return False
    pattern = field.bounds.get("pattern")
    with suppress(re.error):  # of JSON Schema, which knows forms that Python does not
        if pattern is not None and re.search(pattern, "") is None:
            return False
    return not field.choices or "" in field.choices


def put_at(data: dict[str, Any], dotted: str, value: Any) -> None:
    """Put a value at a dotted name; what lies between becomes an embedded document.

    :raises bzz.errors.BadRequest: if something else is there already.
    """
    *parents, last = dotted.split(".")
    for name in parents:
        data = data.setdefault(name, {})
        if not isinstance(data, dict):
            raise _conflict(dotted)
    if last in data:
        raise _conflict(dotted)
    data[last] = value


def _conflict(name: str) -> BadRequest:
    return BadRequest(f"{name!r} is given both a value and names below it.")


def _read_keys(field: Field, value: Any, reading: BodyReading) -> list[Any]:
    link, ids = field.link, value if isinstance(value, list) else [value]
    limit = MAX_LINKS if field.is_list else 1
    if link is None or not link.is_reference:
        raise LookupError(f"{field.name} holds no references")
    if not ids or None in ids:
        reading.note_at(field.name, "Must be an id, or an array of ids.")
    elif len(ids) > limit:
        reading.note_at(field.name, f"Must be at most {limit}.")
    else:
        place = (TOP, field.name)
        places = [(place, position) for position in range(len(ids))] if ids is value else [place]
        keys = [link.read(each, at, reading) for each, at in zip(ids, places, strict=True)]
        return list(dict.fromkeys(keys))
    return []

"""Bodies of authentication requests: JSON objects, or forms as browsers send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado.httputil import HTTPInputError, parse_body_arguments

from bzz.codec import loads
from bzz.errors import BadRequest

__all__ = ["is_true", "read_form", "read_json", "read_members", "required_text"]

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def read_members(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the members of a ``body`` of the media type ``content_type``.

    :raises bzz.errors.BadRequest: if it is neither a JSON object nor a form.
    """
    if content_type.partition(";")[0].strip().lower() not in FORMS:
        return read_json(body)
    arguments: dict[str, list[bytes]] = {}
    try:
        parse_body_arguments(content_type, body, arguments, {})
    except HTTPInputError:
        raise BadRequest("The form cannot be read.") from None
    return read_form(arguments)


def read_json(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object.

    :raises bzz.errors.BadRequest: if it is not a JSON object.

    >>> read_json(b'{"access_token": "t", "provider": "google"}')
    {'access_token': 't', 'provider': 'google'}
    """
    data = loads(body)
    if not isinstance(data, dict):
        raise BadRequest("The body is a JSON object, or a form.")
    return data


def read_form(arguments: Mapping[str, list[bytes]]) -> dict[str, Any]:
    """Return the members of a form, each a string.

    :param arguments: the values of each name, as Tornado parses them.
    :raises bzz.errors.BadRequest: if a member occurs twice, or is not UTF-8.

    >>> read_form({"access_token": [b"t"], "provider": [b"google"]})
    {'access_token': 't', 'provider': 'google'}
    """
    for name, values in arguments.items():
        if len(values) > 1:
            raise BadRequest(f"The form has {name!r} more than once.")
    try:
        return {name: values[0].decode() for name, values in arguments.items()}
    except UnicodeDecodeError:
        raise BadRequest("The form is not UTF-8.") from None


def required_text(data: Mapping[str, Any], name: str) -> str:
    """Return the member ``name``, a string.

    :raises bzz.errors.BadRequest: if it is missing, empty, or not a string.
    """
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"The body needs {name}, a text.")
    return value


def is_true(data: Mapping[str, Any], name: str) -> bool:
    """Return whether the member ``name`` is ``true``, which is a string in a form.

    :raises bzz.errors.BadRequest: if it is neither true nor false.
    """
    value = data.get(name, False)
    if value not in (True, False, "true", "false"):
        raise BadRequest(f"{name} is true or false.")
    return value in (True, "true")

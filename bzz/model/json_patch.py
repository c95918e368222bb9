"""JSON Patch (RFC 6902): a patch read, and applied to the JSON of a document.

Operations and pointers (RFC 6901) are the work of jsonpatch (https://python-json-patch.readthedocs.io). Here belongs
what a server adds: limits, and answers that name the operation. No model and no storage is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jsonpatch

from bzz.codec import check_depth, dumps, loads
from bzz.errors import BadRequest, Conflict

__all__ = ["MAX_CARRIED_BYTES", "MAX_OPERATIONS", "Operation", "patched", "read_operations"]

MAX_OPERATIONS = 100

MAX_CARRIED_BYTES = 1024 * 1024
"""How long the JSON of all that ``copy`` and ``move`` carry may be, together. Without a limit, 16 operations that each
copy the whole document into itself make 6.9 MB of a hundred bytes."""

_NEEDS_VALUE = ("add", "replace", "test")
_NEEDS_FROM = ("copy", "move")
_MAX_PATH_TOLD = 100
_WRAPPERS = 2  # the array of a patch, and the object of an operation


class Operation(NamedTuple):
    """One operation of a patch.

    :ivar number: its position, from 0.
    :ivar op: ``add``, ``remove``, ``replace``, ``move``, ``copy`` or ``test``.
    :ivar path: where it acts: the parts of its pointer, unescaped; empty for the whole document.
    :ivar source: the same of ``from``; None if the operation has none.
    :ivar given: the JSON that the client sent.
    """

    number: int
    op: str
    path: tuple[str, ...]
    source: tuple[str, ...] | None
    given: Mapping[str, Any]

    def __str__(self) -> str:
        from_ = "" if self.source is None else f"{_short(self.given['from'])} to "
        return f"Operation {self.number} ({self.op} {from_}{_short(self.given['path'])})"


def read_operations(body: bytes, depth: int) -> list[Operation]:
    """Return the operations of a patch (RFC 6902, sections 3 and 4). Members that it does not define are ignored.

    :param depth: how many levels a document may have.
    :raises bzz.errors.BadRequest: for a malformed patch, naming the operation, or one beyond a limit.

    >>> [str(each) for each in read_operations(b'[{"op": "copy", "from": "/a~1b", "path": "/tags/-"}]', 32)]
    ["Operation 0 (copy '/a~1b' to '/tags/-')"]
    """
    found = loads(body, depth + _WRAPPERS)
    if not isinstance(found, list):
        raise BadRequest("A JSON Patch is an array of operations (RFC 6902).")
    if len(found) > MAX_OPERATIONS:
        raise BadRequest(f"A JSON Patch may have {MAX_OPERATIONS} operations; this one has {len(found)}.")
    return [_read(number, each, depth) for number, each in enumerate(found)]


def _read(number: int, given: Any, depth: int) -> Operation:
    if not isinstance(given, dict):
        raise _malformed(number, "it must be an object.")
    op = given.get("op")
    if not isinstance(op, str) or op not in jsonpatch.JsonPatch.operations:
        raise _malformed(number, f"`op` must be one of: {', '.join(sorted(jsonpatch.JsonPatch.operations))}.")
    if op in _NEEDS_VALUE and "value" not in given:
        raise _malformed(number, f"{op} needs a `value`.")
    path = _pointer(number, given, "path", depth)
    source = _pointer(number, given, "from", depth) if op in _NEEDS_FROM else None
    if op == "remove" and not path:
        raise _malformed(number, "the whole document cannot be removed; send a DELETE.")
    if op == "move" and source != path and source == path[: len(source or ())]:
        raise _malformed(number, "nothing can be moved into itself.")
    return Operation(number, op, path, source, given)


def _pointer(number: int, given: Mapping[str, Any], name: str, depth: int) -> tuple[str, ...]:
    text = given.get(name)
    if not isinstance(text, str):
        raise _malformed(number, f"`{name}` must be a JSON Pointer, such as '/tags/0'.")
    try:
        parts = tuple(jsonpatch.JsonPointer(text).parts)
    except jsonpatch.JsonPointerException:
        raise _malformed(
            number, f"{_short(text)} is no JSON Pointer: it begins with '/', and has '~' as '~0' and '/' as '~1'."
        ) from None
    if len(parts) > depth:
        raise _malformed(number, f"`{name}` leads deeper than {depth} levels.")
    return parts


def _malformed(number: int, why: str) -> BadRequest:
    return BadRequest(f"Operation {number} of the patch is malformed: {why}")


def _short(text: str) -> str:
    return repr(text if len(text) <= _MAX_PATH_TOLD else text[:_MAX_PATH_TOLD] + "...")


def patched(document: Any, operations: Sequence[Operation], depth: int) -> dict[str, Any]:
    """Return a JSON document after all operations, in their order; any that fails ends all (RFC 6902, section 5).

    :param document: is changed, and must not be used any more, whatever comes of it.
    :param depth: how many levels it may have.
    :raises bzz.errors.Conflict: if a ``test`` fails, or an operation does not fit the document.
    :raises bzz.errors.BadRequest: beyond a limit, or if something else than an object is left.

    >>> patched({"tags": ["a"]}, read_operations(b'[{"op": "add", "path": "/tags/-", "value": "b"}]', 32), 32)
    {'tags': ['a', 'b']}
    """
    left = MAX_CARRIED_BYTES
    for operation in operations:
        left -= _weight(operation, document, depth)
        if left < 0:
            raise BadRequest(f"{operation}: copy and move may carry {MAX_CARRIED_BYTES} bytes of JSON together.")
        document = _applied(operation, document)
    if not isinstance(document, dict):
        raise BadRequest("The patch leaves something else than an object.")
    return document


def _weight(operation: Operation, document: Any, depth: int) -> int:
    """Return how many bytes of JSON an operation carries from one place of the document to another.

    The levels of what it puts in its place are counted before, so that the document never gets deeper than it may be.
    """
    carries = operation.source is not None
    value = _found(document, operation.given["from"]) if carries else operation.given.get("value")
    if carries and not isinstance(value, (dict, list, str)):
        return 0
    weight = len(dumps(value)) if carries else 0
    if isinstance(value, (dict, list)) and operation.op != "test" and weight <= MAX_CARRIED_BYTES:
        _check_levels(operation, value, depth)
    return weight


def _check_levels(operation: Operation, value: Any, depth: int) -> None:
    try:
        check_depth(value, depth - len(operation.path))
    except BadRequest:
        raise BadRequest(f"{operation} makes the document deeper than {depth} levels.") from None


def _found(document: Any, pointer: str) -> Any:
    """Return what is at a place; None if nothing is."""
    return jsonpatch.JsonPointer(pointer).resolve(document, None)


def _applied(operation: Operation, document: Any) -> Any:
    try:
        return jsonpatch.JsonPatch([operation.given]).apply(document, in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        raise Conflict(f"{operation} fails: another value is there, or none. Nothing was done.") from None
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        raise Conflict(f"{operation} does not fit the document: its path leads nowhere. Nothing was done.") from None

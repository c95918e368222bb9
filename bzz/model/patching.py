"""An update by a JSON Patch: what the patch is applied to, and the data that it makes.

A patch that says itself what each field will hold is an update like any other (:func:`read_plainly`). Every other
patch is applied to the JSON that clients are shown, and what it changes in it is written only while that is what is
stored. The format itself is read in :mod:`bzz.model.json_patch`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bzz import signals
from bzz.codec import dumps, plain
from bzz.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from bzz.model.base import WriteAttempt
from bzz.model.body import is_json_patch
from bzz.model.json_patch import Operation, patched, read_operations
from bzz.model.validation import READ_ONLY, validate
from bzz.providers.base import Appended, Changed, Provider, Record
from bzz.shape import Field, Shape
from bzz.shape.types import fields_in

__all__ = ["PlainPatch", "changed_fields", "read_patch", "read_plainly", "update_by_patch"]


class PlainPatch(NamedTuple):
    """What a patch does to whole fields, whatever they hold.

    :ivar data: the data of an update that does the same, but that it replaces the lists which the patch appends to.
    :ivar appended: the names of these lists: the data has only the new items of each.
    """

    data: dict[str, Any]
    appended: frozenset[str]


def read_patch(handler: Any) -> list[Operation] | None:
    """Return the operations of the JSON Patch in a request; None if its body is of another type.

    :raises bzz.errors.BadRequest: for a malformed patch.
    """
    if not is_json_patch(handler.request.headers.get("Content-Type")):
        return None
    return read_operations(handler.body(), handler.path.last.shape.limits.depth)


async def update_by_patch(handler: Any, attempt: WriteAttempt, operations: Sequence[Operation]) -> Changed:
    """Update the instance at the end of a path by a patch.

    :param handler: of the request; its ``data`` will be what the patch changes, as a PUT would name it.
    :param attempt: if it rests on an instance that was read, the patch is applied to that.
    :raises bzz.errors.Conflict: if a ``test`` fails, or an operation does not fit what is stored.
    :raises bzz.errors.Forbidden: if the patch rests on what is stored, and the user may not read that.
    :raises bzz.providers.base.Stale: if something else is stored by now.
    """
    plainly = read_plainly(handler.path.last.shape, operations) if attempt.expected is None else None
    if plainly is not None:
        done = await _update_plainly(handler, attempt, plainly)
        if done is not None:
            return done
    if not handler.is_shown:
        raise Forbidden("You may not read this, and the patch rests on what is there; send a merge patch.")
    try:
        handler.data = await _patched_data(handler, attempt, operations)
    except (BadRequest, Conflict, NotFound, PreconditionFailed):
        await _let_receivers_refuse(handler, attempt)
        raise
    done = await handler.update_by_data(attempt, merge=False)
    assert isinstance(done, Changed)
    return done


async def _let_receivers_refuse(handler: Any, attempt: WriteAttempt) -> None:
    """Ask the receivers before a client is told anything that rests on what is stored: it may not be for this one."""
    handler.data = {}
    await handler._send_before(signals.pre_update_instance, attempt)


# -- patches that are applied to what is stored


async def _patched_data(handler: Any, attempt: WriteAttempt, operations: Sequence[Operation]) -> dict[str, Any]:
    """Return what the patch changes in the instance as it is now, which the write then rests on."""
    if attempt.expected is None:
        attempt.expected = await handler.provider.get(handler.path, handler)
    precondition = handler._precondition()
    if precondition is not None and not precondition(attempt.expected.state):
        raise PreconditionFailed()
    shape: Shape = handler.path.last.shape
    shown = await _shown(handler, attempt.expected)
    data = changed_fields(shape, shown, patched(plain(shown), operations, shape.limits.depth))
    await _resolve(handler, shape, data)
    if signals.pre_update_instance.has_receivers_for(shape.model):  # who may refuse all that is told of what is stored
        _validated(handler, copy.deepcopy(data))
    return data


async def _shown(handler: Any, record: Record) -> Any:
    """Return the JSON of an instance as the answer to the write shows it."""
    provider: Provider = handler.provider
    (shown,) = await provider.render([record])
    if provider.has_public_ids(handler.path.last.shape):
        await provider.render_public_ids([record], [shown], handler)
    return plain(shown)


async def _resolve(handler: Any, shape: Shape, data: dict[str, Any]) -> None:
    if handler.provider.has_public_ids(shape):
        await handler.provider.resolve_public_ids(shape, data, handler)


def _validated(handler: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return the values of the data, if nothing is wrong with them."""
    end = handler.path.last
    return validate(end.shape, data, handler.provider.check, own_id=end.key, updating=True).values


def changed_fields(shape: Shape, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of the update that makes one JSON document of another: only what differs, None for what is gone.

    Embedded documents are compared field by field, since that is how an update changes them; lists and maps are whole.

    >>> from bzz.shape.scalars import IntegerKind
    >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
    >>> changed_fields(user, {"age": 3, "name": "Ann", "city": None}, {"age": True, "city": None})
    {'age': True, 'name': None}
    """
    fields = fields_in(shape, after)
    data: dict[str, Any] = {}
    for name in [*before, *(each for each in after if each not in before)]:
        old, new = before.get(name), after.get(name)
        if name in before and dumps(old) == dumps(new):
            continue
        inner = _embedded(fields.get(name))
        if inner is None or not (isinstance(old, dict) and isinstance(new, dict)):
            data[name] = new
        elif changes := changed_fields(inner, old, new):
            data[name] = changes
    return data


def _embedded(field: Field | None) -> Shape | None:
    """Return the shape of the single document that lives in a field; None for any other field."""
    link = None if field is None or field.is_list else field.link
    return None if link is None or link.is_reference else link.shape


# -- patches that say what each field will hold


def read_plainly(shape: Shape, operations: Sequence[Operation]) -> PlainPatch | None:
    """Return what a patch does, if that does not rest on what is stored.

    It does not if each operation adds, replaces or removes one whole field that is always shown, each field once, or
    appends to a list of the document itself.

    >>> from bzz.model.json_patch import read_operations
    >>> from bzz.shape.scalars import IntegerKind
    >>> user = Shape("User", object, {"age": Field("age", IntegerKind())})
    >>> read_plainly(user, read_operations(b'[{"op": "remove", "path": "/age"}]', 32)).data
    {'age': None}
    >>> read_plainly(user, read_operations(b'[{"op": "test", "path": "/age", "value": 3}]', 32)) is None
    True
    """
    if hasattr(shape.model, "to_dict"):  # which shows what it likes
        return None
    data: dict[str, Any] = {}
    appended: set[str] = set()
    for operation in operations:
        name, *rest = operation.path or ("",)
        field = shape.visible.get(name)
        if field is None or operation.op not in ("add", "replace", "remove"):
            return None
        value = copy.deepcopy(operation.given.get("value")) if operation.op != "remove" else None
        if rest == ["-"] and operation.op == "add" and field.is_list and (name in appended or name not in data):
            appended.add(name)
            data.setdefault(name, []).append(value)
        elif rest or name in data or (value is not None and _embedded(field) is not None):
            return None
        else:
            data[name] = value
    return PlainPatch(data, frozenset(appended))


async def _update_plainly(handler: Any, attempt: WriteAttempt, wanted: PlainPatch) -> Changed | None:
    """Do what such a patch says; return None if it has to be applied to what is stored after all.

    Receivers see whole lists, so a list can be appended to as it is only if there are none. Whether it takes another
    item tells of those that it has, so who may not read them may not append.
    """
    shape: Shape = handler.path.last.shape
    if wanted.appended:
        is_possible = all(handler.provider.appends(shape, name) for name in wanted.appended)
        if not (is_possible and handler.is_shown) or signals.pre_update_instance.has_receivers_for(shape.model):
            return None
    handler.data = wanted.data
    await _resolve(handler, shape, handler.data)
    if not wanted.appended:
        done = await handler.update_by_data(attempt, merge=False)
        assert isinstance(done, Changed)
        return done
    return await _append(handler, wanted)


async def _append(handler: Any, wanted: PlainPatch) -> Changed | None:
    """Append to lists as they are; return None if that is refused.

    Applying the patch tells why, with the positions of the items.
    """
    try:
        values = _validated(handler, handler.data)
        read_only = [name for name in wanted.appended if handler.path.last.shape.fields[name].read_only]
        if read_only:
            raise Invalid({name: [READ_ONLY] for name in read_only})
        values |= {name: Appended(values[name]) for name in wanted.appended}
        provider: Provider = handler.provider
        return await provider.update(handler.path, values, handler, precondition=handler._precondition())
    except (Invalid, Conflict):
        return None

"""Documents that MongoEngine itself must save or delete, in a worker thread, so that the class's own hooks run.

Such are classes that override ``save``, ``clean``, ``validate`` or ``delete``, that hold fields which ask the database
while they are saved (sequences, cached references), that have delete rules, or whose MongoEngine signals have
receivers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import mongoengine as me
from mongoengine import signals
from mongoengine.base import NON_FIELD_ERRORS
from mongoengine.errors import SaveConditionError
from mongoengine.queryset import NotUniqueError, OperationError
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from bzz.errors import Conflict, Invalid, OutcomeUnknown, Unavailable
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.changes import assignments
from bzz.providers.mongoengine.codecs.document import DocumentCodec, documents_in
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.messages import add_error
from bzz.providers.mongoengine.documents import Documents
from bzz.providers.mongoengine.expressions import unchanged
from bzz.providers.mongoengine.failures import blames_data, hooked_failure, writing
from bzz.providers.mongoengine.overrides import overrides
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.rejections import duplicate_key, rejected
from bzz.providers.mongoengine.removal import delete_unchanged
from bzz.providers.mongoengine.required import missing_told
from bzz.providers.mongoengine.worker import in_thread

__all__ = ["create", "delete", "deletes_itself", "replace", "saves_itself"]

T = TypeVar("T")

_SAVE_SIGNALS = (signals.pre_save, signals.pre_save_post_validation, signals.post_save)
_DELETE_SIGNALS = (signals.pre_delete, signals.post_delete)


def saves_itself(codec: DocumentCodec) -> bool:
    """Whether a class must be saved by MongoEngine. Asked per request: signal receivers come and go."""
    return codec.has_save_hooks or any(signal.has_receivers_for(codec.model) for signal in _SAVE_SIGNALS)


def deletes_itself(codec: DocumentCodec) -> bool:
    """Whether a class must be deleted by MongoEngine."""
    return codec.has_delete_hooks or any(signal.has_receivers_for(codec.model) for signal in _DELETE_SIGNALS)


async def create(documents: Documents, given: Raw) -> Raw:
    """Insert a new document through ``save(force_insert=True)``; returns it as stored.

    :param given: the raw values that the client or a receiver gave; the class completes the rest.
    """
    codec = documents.codec
    documents.require_own_database()
    collection = await documents.collection()

    def insert() -> Raw:
        fields = [field for field in codec.fields.values() if given.get(field.stored) is not None]
        values = {field.declared.name: _saved(field, given[field.stored]) for field in fields}
        with missing_told(codec, values):
            instance = internals.construct_new(codec.model, values)
        with missing_told(codec, internals.values(instance)):
            instance.save(force_insert=True)
        return dict(instance.to_mongo())

    return documents.as_saved(await _in_thread(codec, insert), collection)


async def replace(documents: Documents, before: Raw, after: Raw) -> Raw | None:
    """Save the difference of two raw documents, if the first still is what is stored; None where it is not."""
    codec = documents.codec.variant(before)
    documents.require_own_database()
    collection = await documents.collection()

    def save() -> Raw | None:
        instance = _loaded(codec, before)
        loaded = instance.to_mongo()
        changed = {key for keys in assignments(before, after).values() for key in keys}
        for stored in changed:
            _assign(instance, codec.by_stored[stored], after.get(stored))
        try:
            with missing_told(codec, internals.values(instance)):
                instance.save(save_condition={"__raw__": unchanged(before)})
        except SaveConditionError:
            return None
        # What was not stored was loaded with its default, which is not stored now either, unless somebody changed it.
        known = {key for key, each in before.items() if each is not None} | changed
        return {key: each for key, each in instance.to_mongo().items() if key in known or each != loaded.get(key)}

    saved = await _in_thread(codec, save)
    return None if saved is None else documents.as_saved(saved, collection)


async def delete(documents: Documents, raw: Raw, *, in_any_state: bool = False) -> Raw | None:
    """Delete a document through its own ``delete()``, if it still is what is stored; None where it is not.

    An own ``delete()`` may never get to MongoEngine's, so for those what is stored is compared just before, too.

    :param in_any_state: whether it is enough that the document is there.
    :returns: the document as it was removed.
    """
    codec = documents.codec.variant(raw)
    documents.require_own_database()

    def delete() -> Raw | None:
        if overrides(codec.model, "delete") and not in_any_state and not _is_stored(codec.model, raw):
            return None
        return delete_unchanged(_loaded(codec, raw), raw, in_any_state=in_any_state)

    return await _in_thread(codec, delete)


def _is_stored(model: Any, raw: Raw) -> bool:
    found = internals.collection(model).find_one({"$and": [{"_id": raw["_id"]}, unchanged(raw)]}, ["_id"])
    return found is not None


def _loaded(codec: DocumentCodec, raw: Raw) -> Any:
    """An instance as MongoEngine loads it, but for stored keys that nobody declares: those it would not load at all."""
    model = codec.model
    if internals.is_dynamic(model):
        return internals.from_stored(model, dict(raw))
    values = {}
    for name, source in internals.fields(model).items():
        value, field = raw.get(source.db_field), codec.fields.get(name)
        if value is not None and name != internals.CLASS_KEY:
            values[name] = source.to_python(value) if field is None else _saved(field, value)
    return internals.construct(model, values)


def _assign(instance: Any, field: FieldCodec, raw: Any) -> None:
    """Set an attribute so that this very value is saved: MongoEngine makes None the default, and takes True for 1."""
    if raw is None:
        internals.values(instance)[field.declared.name] = None
    else:
        setattr(instance, field.declared.name, _saved(field, raw))
    internals.mark_changed(instance, field.declared.name)


def _saved(field: FieldCodec, value: Any) -> Any:
    """What an attribute holds for the class's own hooks: its references can be followed."""
    loaded = field.to_saved_attribute(value)
    for document in documents_in(loaded):
        internals.take_fields(document)
    return loaded


async def _in_thread(codec: DocumentCodec, work: Callable[[], T]) -> T:
    try:
        return await in_thread(work, _writing)
    except me.ValidationError as error:
        errors: dict[str, list[str]] = {}
        add_error(errors, "", error)
        raise Invalid({_open_name(codec, where): told for where, told in errors.items()}) from error
    except NotUniqueError as error:
        raise _conflict(codec, error) from error
    except OperationError as error:
        raise _operation_error(codec, error) from error


@contextmanager
def _writing() -> Iterator[None]:
    """As :func:`writing`, for code of the model's own, which may have written before the database went away."""
    try:
        with writing():
            yield
    except Unavailable as error:
        raise OutcomeUnknown() from error


def _open_name(codec: DocumentCodec, where: str) -> str:
    """The dotted name that a client may be told: without MongoEngine's mark for ``clean``, or hidden names."""
    return codec.open_name(".".join(name for name in where.split(".") if name != NON_FIELD_ERRORS))


def _conflict(codec: DocumentCodec, error: Exception) -> Conflict:
    cause = error.__context__
    return duplicate_key(codec, cause) if isinstance(cause, DuplicateKeyError) else Conflict("A unique value is taken.")


def _operation_error(codec: DocumentCodec, error: Exception) -> Exception:
    cause = error.__context__  # MongoEngine wraps what the driver says
    if isinstance(cause, OperationFailure) and blames_data(cause):
        return rejected(cause)
    if isinstance(cause, PyMongoError):
        return hooked_failure(cause)
    return Conflict("Other documents refer to this one.") if _denied(error) else error


def _denied(error: Exception) -> bool:
    return "refers to it" in str(error)

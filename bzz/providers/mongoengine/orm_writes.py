"""Documents that MongoEngine itself must save or delete, in a worker thread, so that the class's own hooks run.

Such are classes that override ``save``, ``clean``, ``validate``, ``to_mongo``, ``__init__``, ``__setattr__`` or
``delete``, that hold fields which fill or set themselves (sequences, cached references, ``__set__``), that have delete
rules, or whose MongoEngine signals have receivers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import mongoengine as me
from mongoengine import signals
from mongoengine.base import NON_FIELD_ERRORS
from mongoengine.errors import SaveConditionError
from mongoengine.queryset import NotUniqueError, OperationError
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from bzz.errors import ConfigurationError, Conflict, Invalid, OutcomeUnknown, Unavailable
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.declared import overrides
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.messages import messages_of
from bzz.providers.mongoengine.document_store import DocumentStore
from bzz.providers.mongoengine.failures import blames_data, failed_orm_write, writing
from bzz.providers.mongoengine.orm_assign import assign, changed_keys, saved_attribute
from bzz.providers.mongoengine.orm_delete import delete_unchanged
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.mongoengine.rejections import duplicate_key, rejected
from bzz.providers.mongoengine.required import blame_missing
from bzz.providers.mongoengine.updates import applied, assignments, unchanged
from bzz.providers.mongoengine.worker import in_thread

__all__ = ["check_save", "create", "delete", "deletes_itself", "replace", "saves_itself"]

T = TypeVar("T")

_SAVE_SIGNALS = (signals.pre_save, signals.pre_save_post_validation, signals.post_save)
_DELETE_SIGNALS = (signals.pre_delete, signals.post_delete)


def check_save(model: Any) -> None:
    """Refuse a ``save`` that cannot be told to insert, or to save only what is unchanged.

    :raises bzz.errors.ConfigurationError: if a class has one.
    """
    if not overrides(model, "save"):
        return
    parameters = inspect.signature(model.save).parameters
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    if not takes_all and not {"force_insert", "save_condition"} <= parameters.keys():
        raise ConfigurationError(f"{model.__name__}.save must take **kwargs and hand them to super().save()")


def saves_itself(codec: DocumentCodec) -> bool:
    """Return whether a class must be saved by MongoEngine. Asked per request: signal receivers come and go."""
    if codec.has_save_hooks or any(signal.has_receivers_for(codec.model) for signal in _SAVE_SIGNALS):
        return True
    return bool(signals.pre_init.receivers or signals.post_init.receivers) and codec.tells_of_instances


def deletes_itself(codec: DocumentCodec) -> bool:
    """Return whether a class must be deleted by MongoEngine."""
    return codec.has_delete_hooks or any(signal.has_receivers_for(codec.model) for signal in _DELETE_SIGNALS)


async def create(documents: DocumentStore, given: Raw) -> Raw:
    """Insert a new document through ``save(force_insert=True)``; return it as stored.

    :param given: the raw values that the client or a receiver gave; the class completes the rest.
    """
    codec = documents.codec
    documents.require_own_database()
    collection = await documents.collection()

    def insert() -> Raw:
        fields = [field for _, field, bson in codec.parts(given) if bson is not None]
        values = {field.declared.name: saved_attribute(field, given[field.stored]) for field in fields}
        values |= _nullable_defaults(codec, given)
        with blame_missing(codec, values):
            instance = _telling(internals.construct_new(codec.model, values))
        with blame_missing(codec, internals.values(instance)):
            instance.save(force_insert=True)
        return dict(instance.to_mongo())

    return collection.as_saved(await _in_thread(codec, insert, given))


async def replace(documents: DocumentStore, before: Raw, after: Raw) -> Raw | None:
    """Save the difference of two raw documents, if the first still is what is stored; return None if it is not."""
    codec = documents.codec.variant(before)
    documents.require_own_database()
    collection = await documents.collection()

    def save() -> Raw | None:
        instance = _telling(_loaded(codec, before))
        loaded = _dumped(instance)
        for key in changed_keys(before, after):
            field = codec.stored_field(key)
            assert field is not None
            assign(instance, field, before.get(key), after.get(key))
        updates: list[Raw] = []
        internals.watch_updates(instance, updates.append)
        try:
            with blame_missing(codec, internals.values(instance)):
                instance.save(save_condition={"__raw__": unchanged(before)})
        except SaveConditionError:
            if overrides(codec.model, "save") and _is_stored(codec.model, before):
                raise Conflict("The document is not as this change expects it; nothing was done.") from None
            return None
        stored = before
        for update in updates:
            stored = applied(stored, update)
        return stored if codec.has_own_form else {**stored, **_others(instance, loaded, updates)}

    saved = await _in_thread(codec, save, assignments(before, after).get("$set", {}))
    return None if saved is None else collection.as_saved(saved)


async def delete(
    documents: DocumentStore, raw: Raw, *, in_any_state: bool = False, scope: Raw | None = None
) -> Raw | None:
    """Delete a document through its own ``delete()``, if it still is what is stored; return None if it is not.

    An own ``delete()`` may never get to MongoEngine's, so for those what is stored is compared just before, too.

    :param in_any_state: whether it is enough that the document is there.
    :param scope: a query that it has to match even then.
    :returns: the document as it was removed.
    """
    codec = documents.codec.variant(raw)
    documents.require_own_database()

    def delete() -> Raw | None:
        if codec.overrides_delete and not in_any_state and not _is_stored(codec.model, raw):
            return None
        return delete_unchanged(_loaded(codec, raw), raw, in_any_state=in_any_state, scope=scope)

    return await _in_thread(codec, delete, {})


def _nullable_defaults(codec: DocumentCodec, given: Raw) -> dict[str, Any]:
    """Return the defaults of fields that nobody gave and that may be null: MongoEngine leaves those unset."""
    fields = {name: field for name, field in codec.fields.items() if field.source.null and field.stored not in given}
    return {name: field.declared_default() for name, field in fields.items() if field.source.default is not None}


def _dumped(instance: Any) -> Raw:
    """Return what an instance would store.

    :raises mongoengine.ValidationError: where it holds what its class cannot convert, as others may have stored it.
    """
    try:
        return dict(instance.to_mongo())
    except BAD_VALUE:
        instance.validate(clean=False)
        raise


def _is_stored(model: Any, raw: Raw) -> bool:
    found = internals.collection(model).find_one({"$and": [{"_id": raw["_id"]}, unchanged(raw)]}, ["_id"])
    return found is not None


def _loaded(codec: DocumentCodec, raw: Raw) -> Any:
    """Return an instance as MongoEngine loads it, without stored keys that nobody declares, which it refuses."""
    model = codec.model
    if internals.is_dynamic(model):
        return internals.from_stored(model, dict(raw))
    values = {}
    for name, source in internals.fields(model).items():
        value, field = raw.get(source.db_field), codec.fields.get(name)
        if value is not None and name != internals.CLASS_KEY:
            values[name] = source.to_python(value) if field is None else saved_attribute(field, value)
    return internals.construct(model, values)


def _telling(instance: Any) -> Any:
    """Have a ValueError of an instance's own ``clean`` be a refusal, as MongoEngine has it in embedded documents."""
    clean = instance.clean

    def refuse_or_clean() -> None:
        try:
            clean()
        except ValueError as error:
            raise me.ValidationError(str(error)) from error

    if overrides(type(instance), "clean"):
        instance.__dict__["clean"] = refuse_or_clean
    return instance


def _others(instance: Any, loaded: Raw, updates: Iterable[Raw]) -> Raw:
    """Return what an instance holds, and was not written by its updates, but by other means of its own ``save``."""
    written = {path.partition(".")[0] for update in updates for paths in update.values() for path in paths}
    return {key: each for key, each in instance.to_mongo().items() if key not in written and each != loaded.get(key)}


async def _in_thread(codec: DocumentCodec, work: Callable[[], T], written: Raw) -> T:
    try:
        return await in_thread(work, _writing)
    except me.ValidationError as error:
        raise Invalid(_errors(codec, error)) from error
    except NotUniqueError as error:
        raise _conflict(codec, error) from error
    except OperationError as error:
        raise _operation_error(codec, error, written) from error


def _errors(codec: DocumentCodec, error: me.ValidationError) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for where, message in messages_of(error):
        errors.setdefault(_open_name(codec, where), []).append(codec.expected_at(where) if message is None else message)
    return errors


@contextmanager
def _writing() -> Iterator[None]:
    """As :func:`writing`, for code of the model's own, which may have written before the database went away."""
    try:
        with writing():
            yield
    except Unavailable as error:
        raise OutcomeUnknown() from error


def _open_name(codec: DocumentCodec, where: str) -> str:
    """Return the dotted name that a client may know: without MongoEngine's mark for ``clean``, or hidden names."""
    return codec.open_name(".".join(name for name in where.split(".") if name != NON_FIELD_ERRORS))


def _conflict(codec: DocumentCodec, error: Exception) -> Conflict:
    cause = error.__context__
    return duplicate_key(codec, cause) if isinstance(cause, DuplicateKeyError) else Conflict("A unique value is taken.")


def _operation_error(codec: DocumentCodec, error: Exception, written: Raw) -> Exception:
    cause = error.__context__  # MongoEngine wraps what the driver says
    if isinstance(cause, OperationFailure) and blames_data(cause):
        return rejected(codec, cause, written)
    if isinstance(cause, PyMongoError):
        return failed_orm_write(cause)
    return Conflict("Other documents refer to this one.") if _denied(error) else error


def _denied(error: Exception) -> bool:
    return "refers to it" in str(error)

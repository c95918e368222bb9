"""``bzz.history``: an application declares that the changes of a model are recorded."""

from __future__ import annotations

from typing import Any

from bzz.delivery.history.recorder import Recorder, WholeChanges, recorder_of, recorders
from bzz.delivery.history.writers import Writers
from bzz.delivery.listener import durable, forget
from bzz.errors import ConfigurationError
from bzz.model.base import unwatch_writes, watch_writes
from bzz.model.hive import provider_class, provider_for
from bzz.providers.capabilities import require
from bzz.providers.changes import LiveProvider
from bzz.providers.hidden import note

__all__ = ["forget_history", "history"]

_writers = Writers()


def history(model: Any, *, orm: Any = "mongoengine") -> None:
    """Have every change of the documents of a model recorded, whoever makes it, and of the models below it.

    ::

        bzz.history(User)
        models = bzz.ModelHive.routes_for("mongoengine", User)
        routes = bzz.flatten([bzz.HistoryHive.routes_for(models), models])

    It is a durable listener, named ``history-`` and the collection: see :func:`bzz.durable`. What happened before it
    ran first is not recorded.

    :param model: has a collection of its own, or shares that of a model above it. The models that it refers to must be
        imported before, as for its routes.
    :param orm: as :meth:`bzz.ModelHive.routes_for` takes it.
    :raises bzz.errors.ConfigurationError: for anything but a model whose changes can be followed, and where another
        model with the same collection has a history.
    """
    kind = provider_class(orm)
    if not (isinstance(model, type) and issubclass(kind, LiveProvider) and model in kind.models()):
        raise ConfigurationError(f"history: {model!r} is no model whose documents are stored by themselves")
    provider = require(provider_for(orm, model), f"the history of {model.__name__}", "diff", "resume", "watch")
    known = recorders.get(provider.collection)
    if known is not None and known.provider.shape.name != provider.shape.name:
        raise ConfigurationError(
            f"history: {known.provider.shape.name} and {model.__name__} share the collection {provider.collection!r}:"
            " record the model that stands above both"
        )
    note(provider.shape)  # what the model itself hides, though no routes may serve it here
    recorder = Recorder(model, provider)
    forget(recorder.name)  # of the same model, whose module is loaded again
    durable(WholeChanges(model), name=recorder.name, orm=orm)(recorder.record)
    if not recorders:
        watch_writes(_writers)
    recorders[provider.collection] = recorder


def forget_history(model: type) -> None:
    """Record the changes of a model no more; what is stored stays."""
    recorder = recorder_of(model)
    if recorder is not None:
        del recorders[recorder.provider.collection]
        forget(recorder.name)
        if not recorders:
            unwatch_writes(_writers)

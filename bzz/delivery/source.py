"""Where the changes for one listener come from: the models that it wants, by the databases that they are stored in."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bzz.change import Change
from bzz.delivery.listener import DurableListener
from bzz.errors import ConfigurationError
from bzz.events.model_events import Created, Deleted, Updated
from bzz.events.targets import Exact, Subject, Target
from bzz.model.hive import provider_class, provider_for
from bzz.providers.capabilities import require
from bzz.providers.changes import Changes, LiveProvider
from bzz.providers.commit import Commit
from bzz.providers.deliveries import Deliveries
from bzz.shape import Shape

__all__ = ["Source", "providers_of", "roots_of", "sources_of", "wants"]

logger = logging.getLogger("bzz.delivery")


@dataclass(frozen=True, eq=False)
class Source:
    """The changes of one database that a listener may want.

    :param providers: by their collections.
    """

    changes: Changes
    providers: Mapping[str, LiveProvider]

    @property
    def collections(self) -> Sequence[str]:
        """The collections, in the order in which the documents that were there before are told."""
        return sorted(self.providers)

    @property
    def deliveries(self) -> Deliveries:
        """Where progress is kept."""
        return self.changes.deliveries

    def change(self, commit: Commit) -> Change:
        """Return a commit as listeners get it."""
        return self.providers[commit.collection].change(commit)


def sources_of(listener: DurableListener) -> list[Source]:
    """Return the sources of a listener, on the running event loop.

    :raises bzz.errors.ConfigurationError: if no model matches its target, or one of them cannot be followed.
    """
    found: dict[Changes, dict[str, LiveProvider]] = {}
    providers = providers_of(listener)
    for provider in providers:
        try:
            changes = provider.changes()
        except ConfigurationError as error:  # of a model whose connection this process does not have
            if len(providers) == 1:
                raise
            _leave_out(listener, provider.shape.name, error)
        else:
            found.setdefault(changes, {}).setdefault(provider.collection, provider)
    return [Source(changes, providers) for changes, providers in found.items()]


def roots_of(listeners: Iterable[DurableListener]) -> dict[type, type]:
    """Return, of each model that is listened to, the topmost one whose collection it shares."""
    found: dict[type, type] = {}
    for listener in listeners:
        kind = provider_class(listener.orm)
        models = kind.models() if issubclass(kind, LiveProvider) else {}
        wanted = set(_roots(listener.registration.target, models))
        found |= {model: root for model, root in models.items() if root in wanted}
    return found


def providers_of(listener: DurableListener) -> list[LiveProvider]:
    """Return the providers of the models that a listener wants.

    :raises bzz.errors.ConfigurationError: as :func:`sources_of`, and for the name of a field that there is not.
    """
    what = f"the durable listener {listener.name!r}"
    kind = provider_class(listener.orm)
    if not issubclass(kind, LiveProvider):
        raise ConfigurationError(f"{what} needs a provider that can be followed, which {kind.__name__} cannot")
    target = listener.registration.target
    wanted = _roots(target, kind.models())
    if not wanted:
        raise ConfigurationError(f"{what}: no model that this process has imported matches {target}")
    found = []
    for model in wanted:
        try:
            found.append(require(provider_for(listener.orm, model), what, "diff", "resume", "watch"))
        except ConfigurationError as error:
            if len(wanted) == 1:
                raise
            _leave_out(listener, model.__name__, error)
    if isinstance(target, Exact):
        _check_field(what, target.name, [each.shape for each in found])
    return found


def _check_field(what: str, name: str, shapes: Sequence[Shape]) -> None:
    """Refuse the name of an event about a field that no model has which might send it.

    :raises bzz.errors.ConfigurationError: with the names that there are.
    """
    _, _, dotted = name.partition(f".{Updated.verb}.")
    field = dotted.partition(".")[0]
    known = {each for shape in shapes for each in (*shape.fields, *shape.fields_below)}
    if field and field not in known and not any(shape.undeclared(field) for shape in shapes):
        raise ConfigurationError(f"{what}: there is no field {field!r} in {name!r}, but {', '.join(sorted(known))}")


def _leave_out(listener: DurableListener, model: str, error: ConfigurationError) -> None:
    """Say that a listener for many models is not told of one of them."""
    logger.warning("the durable listener %r is not told of %s: %s", listener.name, model, error)


def _roots(target: Target, models: Mapping[type, type]) -> list[type]:
    roots = {root: None for model, root in models.items() if wants(target, model)}
    return sorted(roots, key=lambda each: each.__name__)


def wants(target: Target, model: type) -> bool:
    """Return whether a target matches any stored change of a model."""
    named = (Subject(f"{model.__name__}.{kind.verb}", kind, model) for kind in (Created, Updated, Deleted))
    return any(map(target.matches, named)) or target.matches_some_field(model)

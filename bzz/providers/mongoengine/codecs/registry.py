"""The codecs of every class that one set of routes can reach, under that set's options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import mongoengine as me
from mongoengine.base import BaseDocument
from mongoengine.errors import NotRegistered

from bzz.errors import ConfigurationError
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs import (  # noqa: F401  # each registers the codecs of its field classes
    embedded,
    free_form,
    generic_embedded,
    geo,
    lists,
    maps,
    references,
    scalars,
    texts,
    times,
)
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.rights import check_orders, check_rights, listed
from bzz.providers.rules import UNRESTRICTED, Restrictions
from bzz.shape import Shape

__all__ = ["Registry"]

Model = type[BaseDocument]


class Registry:
    """The codecs of classes, made when they are first asked for: models may be recursive.

    An option that names ``members.password`` counts for the class that declares ``password``, wherever these routes
    reach it, so that no other path shows what one path hides.

    :raises bzz.errors.ConfigurationError: where an option names no field, or a reachable class cannot be served.
    """

    def __init__(
        self,
        model: Model,
        hidden: Sequence[str],
        read_only: Sequence[str],
        restrictions: Restrictions = UNRESTRICTED,
    ) -> None:
        self._restrictions = restrictions
        self._codecs: dict[Model, DocumentCodec] = {}
        self._listed_names: dict[tuple[Model, str], frozenset[str]] = {}
        self._hidden = _all_owners(model, hidden, "hidden")
        self._read_only = _all_owners(model, read_only, "read_only")
        self.root = self.of(model)
        self.reachable = self._draw_all()
        served = self._served()
        check_rights(served)
        check_orders(self.of(each) for each in served if not internals.is_abstract(each))

    def of(self, model: Model) -> DocumentCodec:
        """The codec of a document class."""
        if model not in self._codecs:
            self._codecs[model] = DocumentCodec(model, self)
        return self._codecs[model]

    def named(self, name: str) -> DocumentCodec:
        """The codec of the class that MongoEngine registered under ``name``."""
        return self.of(internals.registered(name))

    def find(self, name: Any) -> DocumentCodec | None:
        """Return the codec of a registered class, or None for a name that no class has."""
        try:
            return self.named(name) if isinstance(name, str) else None
        except NotRegistered:
            return None

    @cached_property
    def has_custom_json(self) -> bool:
        """Whether any class that these routes reach, or one below it, may have a ``to_dict()``."""
        return any(hasattr(each, "to_dict") for each in _with_subclasses(self.reachable)) or any(
            codec.leads_anywhere for each in self.reachable for codec in self.of(each).fields.values()
        )

    def custom_json(self, value: Any) -> Any:
        """Return what is shown of a value that a ``to_dict()`` holds: an embedded document is shown as elsewhere."""
        return self.of(type(value)).custom_json(value) if isinstance(value, me.EmbeddedDocument) else value

    @cached_property
    def with_public_ids(self) -> frozenset[Model]:
        """The classes whose documents, or those of a subclass, may refer to one that has a public id, at any depth."""
        return frozenset(each for each in self.reachable if self._refers_by_public_id(each))

    def _refers_by_public_id(self, model: Model) -> bool:
        concrete = (each for each in _with_subclasses([model]) if not internals.is_abstract(each))
        inside = {inner for each in concrete for inner in self.embedded_in(each)}
        fields = (field for each in inside for field in self.of(each).shape.fields.values())
        targets = (shape for field in fields for shape in field.kind.leads_to())
        return any(shape.public_id is not None and not shape.embedded for shape in targets)

    def is_hidden(self, model: Model, name: str) -> bool:
        """Whether clients may not know of a field: it is hidden, or they may neither see nor write it.

        Where a class hides it, its base may not be asked either.
        """
        if _listed(self._hidden, model, name) or name in self._listed_below(model, "hidden"):
            return True
        if self.is_secret(model, name):
            return True
        return self.is_write_only(model, name) and self.is_read_only(model, name)

    def is_secret(self, model: Model, name: str) -> bool:
        """Whether a field is one that other users may see, by the rules of its model."""
        return self._restrictions.hides(model, name)

    def is_read_only(self, model: Model, name: str) -> bool:
        """Whether bodies may not hold a field."""
        is_listed = _listed(self._read_only, model, name) or name in listed(model, "read_only")
        return is_listed or self._restrictions.fixes(model, name)

    def is_write_only(self, model: Model, name: str) -> bool:
        """Whether clients may write a field and never see it. Where a class says so, its base may not be asked."""
        return name in self._listed_below(model, "write_only")

    def _listed_below(self, model: Model, option: str) -> frozenset[str]:
        """Return the fields that a class, one of its bases, or one below it lists under an option."""
        key = (model, option)
        if key not in self._listed_names:
            each = (listed(own, option) for own in _with_subclasses([model]))
            self._listed_names[key] = frozenset().union(*each)
        return self._listed_names[key]

    def variants(self, choices: Iterable[Any], base: type) -> dict[str, Shape]:
        """The shapes that a generic field may hold: its choices, or every registered class below ``base``."""
        if choices:
            return {internals.class_name(each): self.of(each).shape for each in _variants(choices, base)}
        found = {}
        for each in _variants((), base):  # of all that the process has, some may never have been meant to be served
            with suppress(ConfigurationError, NotRegistered):
                found[internals.class_name(each)] = self.of(each).shape
        return found

    def subclasses(self, model: Model) -> dict[str, Shape]:
        """Return the shapes of the concrete classes below ``model``, by their registered names."""
        models = [each for each in _family(model)[1:] if _tells_class(each)]
        return {internals.class_name(each): self.of(each).shape for each in models}

    def embedded_in(self, model: Model) -> set[Model]:
        """``model`` and every class of documents that may be embedded in it, at any depth."""
        found, waiting = {model}, [model]
        while waiting:
            for codec in self.of(waiting.pop()).fields.values():
                inner = codec.models() - found
                found |= inner
                waiting += inner
        return found

    def _draw_all(self) -> set[Model]:
        """Draw every class that is reachable, so that what cannot be served is told now."""
        waiting = [self.root]
        seen: set[Model] = {self.root.model}
        while waiting:
            for found in self._next(waiting.pop().shape):
                if found.model not in seen:
                    seen.add(found.model)
                    waiting.append(found)
        return seen

    def _served(self) -> set[Model]:
        """Return every class of which something may be shown: what is embedded where no path leads among them."""
        found = set(_with_subclasses(self.reachable))
        for each in list(found):
            if not internals.is_abstract(each):
                found |= self.embedded_in(each)
        return found

    def _next(self, shape: Shape) -> Iterator[DocumentCodec]:
        """The codecs of the classes below one, and of those to which a path from a document of it leads."""
        for each in (shape, *shape.subclasses.values()):
            yield self.of(each.model)
            for field in each.fields.values():
                try:
                    if field.link:
                        yield self.of(field.link.shape.model)
                except NotRegistered as error:
                    raise ConfigurationError(f"{field.name}: {error}") from None


def _tells_class(model: Model) -> bool:
    """Whether there are documents of a class that tell of which one they are, or references that do.

    An embedded class whose own ``meta`` does not allow inheritance again stores no name.
    """
    if internals.is_abstract(model):
        return False
    return not issubclass(model, me.EmbeddedDocument) or internals.allows_inheritance(model)


def _with_subclasses(models: Iterable[Model]) -> set[Model]:
    found = set(models)
    for model in models:
        found |= _with_subclasses(model.__subclasses__())
    return found


def _checked(names: Sequence[str], option: str) -> Sequence[str]:
    if isinstance(names, str):
        raise ConfigurationError(f"{option} takes a list of field names, not the text {names!r}")
    return names


def _listed(pairs: set[tuple[Model, str]], model: Model, name: str) -> bool:
    return any((base, name) in pairs for base in model.__mro__)


def _declaring(model: Model, name: str) -> Model:
    """The class from which ``model`` has a field, for its documents may be read as that class's."""
    bases: Iterable[Any] = (each for each in reversed(model.__mro__) if internals.has_field(each, name))
    found: Model = next(each for each in bases if not internals.is_abstract(each))
    return found


def _all_owners(model: Model, names: Sequence[str], option: str) -> set[tuple[Model, str]]:
    return {owner for name in _checked(names, option) for owner in _owners([model], model.__name__, name, option)}


def _owners(models: Iterable[Model], label: str, dotted: str, option: str) -> Iterator[tuple[Model, str]]:
    """Return the classes that declare the field at ``dotted``, among ``models`` and the classes below them.

    :param label: what an error calls ``models``.
    """
    first, _, rest = dotted.partition(".")
    concrete = (each for each in _with_subclasses(models) if not internals.is_abstract(each))
    declaring = [each for each in concrete if first in internals.fields(each)]
    if not declaring:
        raise ConfigurationError(f"{option}: {label} has no field {first!r}")
    if not rest:
        yield from ((_declaring(each, first), first) for each in declaring)
        return
    targets = {target for each in declaring for target in _targets(internals.fields(each)[first])}
    if not targets:
        raise ConfigurationError(f"{option}: {label}.{first} leads to no other model")
    inner = next(iter(targets)).__name__ if len(targets) == 1 else f"{label}.{first}"
    yield from _owners(targets, inner, rest, option)


def _targets(source: Any) -> Sequence[Model]:
    """Return the classes that a field leads to, through lists and maps."""
    while getattr(source, "field", None) is not None:
        source = source.field
    if isinstance(source, me.GenericEmbeddedDocumentField):
        return _variants(source.choices or (), me.EmbeddedDocument)
    if isinstance(source, me.GenericReferenceField):
        return _variants(source.choices or (), me.Document)
    if isinstance(source, (me.EmbeddedDocumentField, me.ReferenceField, me.LazyReferenceField)):
        return [source.document_type]
    return ()


def _variants(choices: Iterable[Any], base: type) -> list[Model]:
    """Return the concrete classes that a generic field may hold: its choices, or every class below ``base``.

    Documents of a class below a choice may be embedded as well, but not be referred to.
    """
    models = [internals.registered(each) if isinstance(each, str) else each for each in choices]
    if not models:
        models = [each for each in internals.all_registered() if issubclass(each, base)]
    elif base is me.EmbeddedDocument:
        models = [below for each in models for below in _family(each)]
    return [each for each in dict.fromkeys(models) if not internals.is_abstract(each)]


def _family(model: Model) -> list[Model]:
    """Return a class and those below it."""
    names = internals.family(model)
    return [model, *map(internals.registered, sorted(set(names) - {internals.class_name(model)}))]

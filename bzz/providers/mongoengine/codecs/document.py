"""One MongoEngine class seen three ways: as a :class:`~bzz.shape.Shape`, as what MongoDB stores, and as its instances.

Everything that depends only on the class is worked out once, in :class:`DocumentCodec`; per request there are only
lookups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Protocol

from bzz.change import MASKED
from bzz.errors import BadRequest
from bzz.providers.mongoengine import internals, queryset_internals
from bzz.providers.mongoengine.codecs.custom import sets_by_itself
from bzz.providers.mongoengine.codecs.declared import DeclaredFields, Options, overrides
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.codecs.generated import FunctionSource
from bzz.providers.mongoengine.codecs.instance import (
    LoadedData,
    Origin,
    copied,
    has_receivers,
    origin_of,
    quiet_fields,
    remember,
    shown_bson,
    touched,
)
from bzz.providers.mongoengine.raw import Raw, differ
from bzz.shape import Shape
from bzz.shape.shown import without_hidden

__all__ = ["DocumentCodec", "Registry"]


class Registry(Options, Protocol):
    """What the codecs of documents ask about other classes."""

    def of(self, model: Any) -> DocumentCodec: ...

    def named(self, name: str) -> DocumentCodec: ...

    def find(self, name: Any) -> DocumentCodec | None: ...

    def variants(self, choices: Iterable[Any], base: type) -> dict[str, Shape]: ...

    def embedded_in(self, model: Any) -> set[Any]: ...

    @property
    def has_custom_json(self) -> bool: ...

    def custom_json(self, value: Any) -> Any: ...


class DocumentCodec(DeclaredFields):
    """Converts the documents of one class, under the options of one set of routes.

    :param model: the class.
    :param registry: the codecs of all classes that these routes can reach.
    """

    def __init__(self, model: Any, registry: Registry) -> None:
        super().__init__(model, registry)
        self.registry = registry

    # -- the class

    def known(self, name: str) -> FieldCodec:
        """Return the codec of a declared field, or of one that only subclasses declare.

        :raises bzz.errors.BadRequest: if they store it under different keys.
        """
        if name in self.fields:
            return self.fields[name]
        classes = (self.registry.of(shape.model) for shape in self.shape.subclasses.values())
        found = [each.fields[name] for each in classes if name in each.fields]
        if len({field.compared for field in found}) > 1:
            raise BadRequest(f"{name!r} is stored in different ways by the classes that have it.")
        return found[0]

    def variant(self, raw: Raw) -> DocumentCodec:
        """The codec of the very class that ``raw`` was stored by, where documents inherit."""
        name = raw.get("_cls")
        if name is None or name == self.class_name:
            return self
        return self.registry.named(name) if name in internals.family(self.model) else self

    @cached_property
    def refers(self) -> bool:
        """Whether a document of the class may hold a reference, at any depth."""
        return any(field.refers for each in self._embedded for field in each.fields.values())

    @cached_property
    def has_save_hooks(self) -> bool:
        """Whether the class must always be saved by MongoEngine itself."""
        inside = any(
            overrides(each.model, "clean", "validate", "to_mongo", "__init__", "__new__", "__setattr__")
            or any(field.asks_while_saved or sets_by_itself(field.source) for field in each.fields.values())
            for each in self._embedded
        )
        return inside or overrides(self.model, "save")

    @cached_property
    def has_own_form(self) -> bool:
        """Whether the class, or one embedded in it, makes what is stored by a ``to_mongo`` of its own."""
        return any(overrides(each.model, "to_mongo") for each in self._embedded)

    @property
    def tells_of_instances(self) -> bool:
        """Whether anybody wants to know of new instances of the class, or of one embedded in it."""
        return any(has_receivers(each.model) for each in self._embedded)

    @cached_property
    def overrides_delete(self) -> bool:
        """Whether the class, or that of its querysets, brings its own ``delete``."""
        return overrides(self.model, "delete") or queryset_internals.overrides(self.model, "delete")

    @property
    def has_delete_hooks(self) -> bool:
        """Whether the class must always be deleted by MongoEngine itself."""
        return self.overrides_delete or any(True for _ in internals.delete_rules(self.model))

    @cached_property
    def has_custom_json(self) -> bool:
        """Whether ``to_dict()`` of this class, or of one embedded in it, replaces what is shown."""
        return any(hasattr(each.model, "to_dict") for each in self._embedded)

    @property
    def _embedded(self) -> list[DocumentCodec]:
        """The codecs of the class and of all that may be embedded in it, at any depth."""
        return [self.registry.of(each) for each in self.registry.embedded_in(self.model)]

    # -- what is stored, to values and to JSON

    def to_value(self, raw: Raw) -> dict[str, Any]:
        """All fields as values, None where unset."""
        fields = {**self.fields, **self.undeclared_in(raw)}
        return {name: field.to_value(raw.get(field.stored)) for name, field in fields.items()}

    @cached_property
    def to_json(self) -> Callable[[Raw], dict[str, Any]]:
        """The function that returns the fields that clients may see, None where unset. It is generated."""
        declared = self._declared_to_json()
        if not self.is_dynamic:
            return declared
        return lambda raw: {**declared(raw), **self._undeclared_json(raw)}

    def _undeclared_json(self, raw: Raw) -> dict[str, Any]:
        return {name: field.to_json(raw[name]) for name, field in self.undeclared_in(raw).items()}

    def _declared_to_json(self) -> Callable[[Raw], dict[str, Any]]:
        source = FunctionSource(f"to_json_{self.model.__name__}", "raw")
        with source.inside(self):
            source.add(f"if len(raw) >= {len(self.visible)}:")
            source.add("    try:")
            source.add(f"        return {self.json_source(source, 'raw', whole=True)}")
            source.add("    except KeyError:  # something is unset after all")
            source.add("        pass")
            source.add(f"return {self.json_source(source, 'raw')}")
        return source.compile()

    def json_source(self, source: FunctionSource, raw: str, *, whole: bool = False) -> str:
        """Return a Python expression for the JSON of a stored document.

        :param raw: the variable that holds the document.
        :param whole: whether to expect that every key is there: subscripts take half the time of ``get()``.
        """
        get = f"{raw}[{{!r}}]" if whole else f"{raw}.get({{!r}})"
        shown = (
            f"{name!r}: {field.json_source(source, get.format(field.stored), whole=whole)}"
            for name, field in self.visible.items()
        )
        return f"{{{', '.join(shown)}}}"

    def custom_json(self, instance: Any) -> Any:
        """What ``to_dict()`` makes of an instance, without what clients may not see. It may ask the database."""
        if hasattr(self.model, "to_dict"):
            return without_hidden([self.shape], instance.to_dict(), self.registry.custom_json)
        shown, values = self.to_json(self.dump_shown(instance)), internals.values(instance)
        for name, field in self.visible.items():
            if field.has_custom_json and shown[name] is not None:
                shown[name] = field.custom_json(values.get(name))
        return shown

    # -- instances

    def load(self, raw: Raw) -> Any:
        """An instance that holds ``raw`` and never asks the database: references in it stay ids.

        Undeclared keys are left out. What is not stored has its default, as when MongoEngine loads it.
        """
        if self._is_simple and not has_receivers(self.model):
            instance = self.model.__new__(self.model)
            data = LoadedData(raw, self.fields, instance)
            internals.set_up(instance, data, self._quiet_fields, embedded=self.embedded)
            return instance
        stored, raw = raw, copied(raw)
        known = {name: raw[field.stored] for name, field in self.fields.items() if field.stored in raw}
        values = {name: self.fields[name].to_attribute(value) for name, value in known.items()}
        values.update({name: raw[name] for name in self.undeclared_in(raw)})
        instance = internals.construct(self.model, values, embedded=self.embedded)
        held = internals.values(instance)
        unset = [(name, held.get(name)) for name in self.fields if values.get(name) is None]
        filled = {name: self.fields[name].shown_bson(each) for name, each in unset if each is not None}
        remember(instance, Origin(stored, filled))
        internals.give_fields(instance, self._quiet_fields)
        return instance

    def mask(self, instance: Any) -> None:
        """Mask the write-only fields of an instance that a diff tells, and of those embedded in it."""
        if not self._masks:
            return
        values = internals.values(instance)
        for name, field in self.fields.items():
            if name in self.write_only:
                values[name] = MASKED
            elif field.holds_documents:
                field.masked(values.get(name))

    @cached_property
    def _masks(self) -> bool:
        return any(each.write_only for each in self._embedded)

    @cached_property
    def _is_simple(self) -> bool:
        """Whether making an instance runs no code of the class's own, and gives it nothing but its fields.

        MongoEngine's constructor, which looks at every field several times, is then passed over: it costs more than all
        else that is done for a receiver.
        """
        model = self.model
        has_choices = any(field.choices for field in internals.fields(model).values())
        special = internals.is_dynamic(model) or model.STRICT or has_choices
        special = special or any(map(sets_by_itself, internals.fields(model).values()))
        return not special and not overrides(model, "__init__", "__new__", "__setattr__")

    @cached_property
    def _quiet_fields(self) -> Any:
        return quiet_fields(self.model)

    def dump(self, instance: Any) -> Raw:
        """The stored form of an instance, as MongoEngine would store it."""
        values = internals.values(instance)
        raw = {field.stored: field.from_attribute(values.get(name)) for name, field in self.fields.items()}
        return self._with_class({**raw, **self._dump_undeclared(instance)})

    def _dump_undeclared(self, instance: Any) -> Raw:
        if not self.is_dynamic:
            return {}
        values = internals.values(instance)
        fields = {name: self.undeclared(name) for name in internals.undeclared_names(instance)}
        dumped = {name: each and each.from_attribute(values.get(name)) for name, each in fields.items()}
        return {name: bson for name, bson in dumped.items() if bson is not None}

    def dump_shown(self, instance: Any) -> Raw:
        """The stored form of an instance for clients: what was not stored stays unset, unless somebody changed it."""
        origin = origin_of(instance)
        if origin is None:
            return self.dump(instance)
        names = touched(instance)
        raw: Raw = {}
        for name, field in self.fields.items():
            is_as_stored = names is not None and name not in names
            raw[field.stored] = origin.raw.get(field.stored) if is_as_stored else shown_bson(field, instance, origin)
        return self._with_class({**raw, **self._dump_undeclared(instance)})

    def _with_class(self, raw: Raw) -> Raw:
        dumped = {key: bson for key, bson in raw.items() if bson is not None}
        return {**dumped, "_cls": self.class_name} if self.inherits else dumped

    def changed_json(self, instance: Any, raw: Raw) -> dict[str, Any]:
        """What clients see of ``raw``, but for the fields that somebody changed in an instance of it."""
        shown = self.to_json(raw)
        names = touched(instance)
        origin = origin_of(instance) or Origin(raw, {})
        fresh: Any = None
        for name, field in self.visible.items():
            if names is not None and name not in names:
                continue
            now = field.to_json(shown_bson(field, instance, origin))
            if differ(now, shown[name]):
                fresh = fresh or self.load(raw)  # not all that is stored comes out of an instance again
                if differ(now, field.to_json(shown_bson(field, fresh, origin_of(fresh) or origin))):
                    shown[name] = now
        if self.is_dynamic:
            held = self._undeclared_json(self._dump_undeclared(instance))
            was = self._undeclared_json(raw)
            gone = {name for name, each in was.items() if each is not None and name not in held}
            shown = {**{name: each for name, each in shown.items() if name not in gone}, **held}
        return shown

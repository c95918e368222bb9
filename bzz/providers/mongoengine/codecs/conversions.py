"""The conversions between the four forms of a field's value, as all kinds of fields begin with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from mongoengine.base import BaseField

from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.generated import FunctionSource
from bzz.shape import Field, Kind
from bzz.shape.free import AnyKind

__all__ = ["Conversions", "Declaration"]


@dataclass(frozen=True)
class Declaration:
    """A MongoEngine field as a class declares it, under the options of one set of routes.

    :param model: the class.
    :param place: ``Model.field``, for errors.
    :param registry: the codecs of all classes that these routes can reach.
    """

    name: str
    source: BaseField
    model: Any
    place: str
    registry: Any
    hidden: bool = False
    read_only: bool = False
    write_only: bool = False


class Conversions:
    """Converts the values of one declared field.

    What a subclass does not override is right for a scalar that MongoEngine's own ``to_mongo`` and ``to_python``
    convert.

    :ivar declared: the field as clients know it.
    :ivar source: MongoEngine's own field.
    :ivar stored: the key under which it is stored.
    :ivar model: the class that has the field.
    """

    kind: ClassVar[type[Kind]] = AnyKind
    is_stored_as_is: bool = False  # whether value and bson are the same when it is written
    reads_as_is: bool = True  # whether bson and value are the same, or equal, when it is read
    shows_as_is: bool = True  # whether bson and json are the same
    converted: frozenset[type] | None = None  # the classes of bson that alone are not shown as they are
    loads_as_is: bool = False  # whether bson and attribute are the same
    is_mutable: bool = False  # whether an attribute may be changed inside, without being set

    def __init__(self, declaration: Declaration) -> None:
        self.source: Any = declaration.source
        self.model = declaration.model
        self.stored: str = declaration.source.db_field or declaration.name
        self.declared = self._declare(declaration)

    # -- as clients know it

    def _declare(self, declaration: Declaration) -> Field:
        source = declaration.source
        fills_itself = internals.generates_values(source)
        options: dict[str, Any] = {
            "name": declaration.name,
            "kind": self._kind(),
            "required": bool(source.required) and not fills_itself,
            "has_default": source.default is not None or fills_itself,
            "read_only": declaration.read_only,
            "hidden": declaration.hidden,
            "write_only": declaration.write_only,
            "choices": self._choices(),
            "bounds": {name: bound for name, bound in self._bounds().items() if bound is not None},
        }
        return Field(**{**options, **self._field_options()})

    def _kind(self) -> Kind:
        """Return the kind of the field as clients know it."""
        return self.kind()

    def _field_options(self) -> dict[str, Any]:
        """What else the shape of the field tells, by the names of :class:`~bzz.shape.Field`."""
        return {}

    def _bounds(self) -> dict[str, Any]:
        """What the declaration asks of a value, in the words of JSON Schema; None for what it does not ask."""
        return {}

    def _choices(self) -> tuple[Any, ...]:
        choices = [each[0] if isinstance(each, (list, tuple)) else each for each in self.source.choices or ()]
        return tuple(getattr(each, "value", each) for each in choices)

    @property
    def name(self) -> str:
        """The name that errors give: a hidden field's is not told."""
        return "*" if self.declared.hidden else self.declared.name

    @property
    def is_protected(self) -> bool:
        """Whether a client that sends back what it was shown cannot mean to change the field."""
        return self.declared.hidden or self.declared.read_only or self.declared.write_only

    @property
    def may_stay_unset(self) -> bool:
        """Whether a stored document may go on without it: null over nothing is then no change."""
        return self.declared.has_default or not self.declared.required

    @cached_property
    def falls_back(self) -> bool:
        """Whether the model's default is stored in the place of null, since the field is required."""
        return self.declared.required and self.declared.has_default

    @cached_property
    def is_optional(self) -> bool:
        """Whether a new document may simply go without it."""
        source = self.source
        is_filled = source.null or source.primary_key or internals.generates_values(source)
        return source.default is None and not (source.required or is_filled)

    # -- value to bson, and back

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        """Return the bson of a value.

        :param stored: the bson whose place it takes. What the client may not write stays as it is in it.
        :raises ValueError: (or one of its kin) if the value does not fit the field.
        :raises bzz.errors.Conflict: if a list of ``stored`` cannot be written whole.
        """
        return None if value is None else self.source.to_mongo(value)

    def to_value(self, bson: Any) -> Any:
        """Return the value of what is stored."""
        return bson

    def to_json(self, bson: Any) -> Any:
        """Return what clients see of what is stored. By default that is the value."""
        return None if bson is None else self.to_value(bson)

    def json_source(self, source: FunctionSource, bson: str, *, whole: bool) -> str:
        """Return a Python expression for the json of what another expression gives.

        :param whole: whether to expect that embedded documents hold every key.
        """
        return bson if self.shows_as_is else source.call(self.to_json, bson)

    # -- bson to attribute, and back

    def to_attribute(self, bson: Any) -> Any:
        """Return what an attribute of an instance holds for what is stored; never asks the database."""
        return None if bson is None else self.source.to_python(bson)

    def to_saved_attribute(self, bson: Any) -> Any:
        """Return what an attribute holds while MongoEngine saves its instance: this may ask the database."""
        return self.to_attribute(bson)

    def from_attribute(self, attribute: Any) -> Any:
        """Return the bson of what an attribute of an instance holds."""
        return None if attribute is None else self.source.to_mongo(attribute)

    def unset_attribute(self) -> Any:
        """Return what MongoEngine gives an attribute for which nothing is stored: the default of the field."""
        return None if self.source.null else self.declared_default()

    def declared_default(self) -> Any:
        """Return the default that the model declares, as an attribute; None if it declares none."""
        declared = self.source.default
        return declared() if callable(declared) else declared

    def shown_bson(self, attribute: Any) -> Any:
        """Return what :meth:`from_attribute` does, but keep unset what is unset in documents that were loaded."""
        return self.from_attribute(attribute)

    def own(self, attribute: Any, instance: Any) -> Any:
        """Return an attribute as ``instance`` holds it: changes inside it are noted there."""
        return attribute

    def default(self) -> Any:
        """Return the bson of the model's default, or None if it has none."""
        return self.from_attribute(self.declared_default())

    # -- value and attribute, without bson: for custom field classes

    def attribute_of(self, value: Any) -> Any:
        """Return what an attribute holds that was set to a value."""
        return value

    def value_of(self, attribute: Any) -> Any:
        """Return the value of an attribute."""
        return attribute

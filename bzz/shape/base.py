"""The three parts of a description: a :class:`Shape` has :class:`Field` s, and each of them has a :class:`Kind`.

They refer to each other, so they are in one module. No particular kind is known here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from bzz.shape.limits import UNLIMITED, Limits
from bzz.shape.operators import EXISTS, Operator
from bzz.shape.place import Place
from bzz.shape.reading import Reader, Reading
from bzz.shape.subclasses import common_fields

__all__ = ["Field", "JsonSchema", "Kind", "Link", "Part", "Refer", "Shape"]

JsonSchema = dict[str, Any]
"""A schema of JSON Schema, draft 2020-12 (https://json-schema.org/draft/2020-12)."""

Refer = Callable[["Shape"], JsonSchema]
"""Gives the schema that stands for a shape inside another one: a ``$ref``, mostly."""


class Kind:  # not an ABC, whose isinstance() costs several times as much
    """What a field holds.

    :cvar name: its name in error messages.
    :ivar expected: the error message for a value that cannot be read.
    :cvar is_scalar: whether it is one value that can be compared, and so sorted by.
    :cvar is_list: whether it is many values, of which a path may name one.
    :cvar is_free: whether any keys may be inside.
    """

    name: ClassVar[str]
    expected: str
    is_scalar: ClassVar[bool] = False
    is_list: ClassVar[bool] = False
    is_free: ClassVar[bool] = False

    @property
    def operators(self) -> frozenset[Operator]:
        """The operators that a filter may have."""
        return EXISTS

    @abstractmethod
    def read(self, value: Any, place: Place, reading: Reading) -> Any:
        """Return the Python value of a JSON value.

        Python values that a signal receiver left (datetime, Decimal, UUID, bytes, ids) are taken as they are.

        :param value: anything but None, which stands for unset.
        :param reading: collects every mistake; what is returned after one means nothing.
        """

    def from_text(self, text: str) -> Any:
        """Return the Python value that ``text`` stands for, in a URL, a filter or a form.

        :raises ValueError: if it cannot be read, or the kind has no text form; the message is for people.
        """
        raise ValueError(f"This is {self.name}, which has no text form.")

    def filter_values(self, text: str) -> Sequence[Any]:
        """Return the Python values that ``text`` may stand for in a filter; raise ValueError if there are none."""
        return (self.from_text(text),)

    def filter_json(self, value: Any) -> Sequence[Any]:
        """Return the Python values that a JSON value may stand for in a filter; raise ValueError if there are none."""
        raise ValueError(f"This is {self.name}, which filters do not compare.")

    def from_form(self, text: str) -> Any:
        """Return the JSON value of a form's text; no text is null, and text that cannot be read stays text."""
        return text or None

    def to_text(self, value: Any) -> str:
        """Return the text of a Python value, in URLs and error messages: what :meth:`from_text` reads."""
        return str(value)

    def read_key(self, value: Any, place: Place, reading: Reading) -> Any:
        """Return the Python value of a key, which JSON may write as its text."""
        if not isinstance(value, str):
            return self.read(value, place, reading)
        try:
            return self.from_text(value)
        except ValueError as error:
            return reading.note(place, str(error))

    def item(self, owner: Field) -> Field:
        """Return the field that describes each value inside, or ``owner`` itself if the kind is not one of many."""
        return owner

    @property
    def entry(self) -> Field | None:
        """The field that describes the value under any free key; None if there are no free keys."""
        return None

    def member(self, name: str) -> Field | None:
        """Return the field of what filters may name inside a value that is no document; None if nothing is there."""
        return None

    @property
    def link(self) -> Link | None:
        """The kind that leads to another model, in paths: this one, or that of a list's items."""
        return None

    def leads_to(self) -> Sequence[Shape]:
        """Return the shapes of all documents that a value may hold or refer to."""
        return ()

    def parts(self, value: Any) -> Sequence[Part]:
        """Return the values inside a Python value, if it is one of many or a document."""
        return ()

    def reference(self, value: Any) -> tuple[Shape, Any] | None:
        """Return the shape and the primary key that a Python value refers to, or None if it is not a reference."""
        return None

    @abstractmethod
    def json_schema(self, refer: Refer) -> JsonSchema:
        """Return the schema of the JSON values that are read and shown, but for null."""


class Link(Kind):
    """A kind that leads to one other model.

    :param target: gives the shape at the other end (called late: models may be recursive).
    """

    is_reference: ClassVar[bool]

    def __init__(self, target: Callable[[], Shape]) -> None:
        self._target = target

    @cached_property
    def shape(self) -> Shape:
        """The shape at the other end."""
        return self._target()

    @property
    def link(self) -> Link:
        return self

    def leads_to(self) -> Sequence[Shape]:
        return (self.shape,)


@dataclass(frozen=True, eq=False)
class Field:
    """One declared field of a model.

    :param name: the declared name, also that in JSON, forms and query parameters; empty for items of a list or map.
    :param kind: what it holds.
    :param required: whether the model refuses to be stored without it.
    :param has_default: whether the model fills it in when a new instance does not bring it.
    :param read_only: shown, filtered and sorted by; a body that names it is refused.
    :param hidden: answered everywhere as if it were not declared.
    :param write_only: taken from bodies; never shown, filtered or sorted by.
    :param choices: the Python values that it may take; empty for no restriction.
    :param bounds: what else it asks of a value, as far as JSON Schema can say it: ``{"maxLength": 9}``.
    """

    name: str
    kind: Kind
    required: bool = False
    has_default: bool = False
    read_only: bool = False
    hidden: bool = False
    write_only: bool = False
    choices: tuple[Any, ...] = ()
    bounds: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def is_list(self) -> bool:
        """Whether it holds many values, of which a path may name one."""
        return self.kind.is_list

    @cached_property
    def item(self) -> Field:
        """The field that describes each value of a list or map; for all other kinds this one."""
        return self.kind.item(self)

    @cached_property
    def link(self) -> Link | None:
        """The kind that leads to another model, embedded or referenced: the field's, or for a list its items'."""
        return self.kind.link


class Part(NamedTuple):
    """One value inside another.

    :param key: its name, its key, or its position.
    :param field: what describes it; None if the model does not declare it.
    """

    key: str | int
    field: Field | None
    value: Any


@dataclass(eq=False)
class Shape:
    """One model: its fields in declared order, and how its instances are named in a URL.

    :param name: the class name, shown to people.
    :param model: the class itself: the sender of its signals.
    :param fields: every declared field by name, hidden ones included; see :attr:`visible`.
    :param pk: the primary key, by which references are stored. None for an embedded document without one.
    :param url_id: the field whose value stands in URLs: ``pk``, unless the model's ``get_id_field_name`` says
        otherwise. None for an embedded document without an id: its position in the list stands in the URL.
    :param embedded: whether instances live inside another document.
    :param limits: what can be stored.
    :param undeclared: gives the field that describes an undeclared name; None if an instance may not hold it.
    :param find_subclasses: gives :attr:`subclasses` (called late: models may be recursive).
    :param type_name: the registered name of the model, if its instances tell by it of which class they are.
    """

    name: str
    model: type
    fields: Mapping[str, Field] = field(default_factory=dict)
    pk: Field | None = None
    url_id: Field | None = None
    embedded: bool = False
    limits: Limits = UNLIMITED
    undeclared: Callable[[str], Field | None] = lambda name: None
    find_subclasses: Callable[[], Mapping[str, Shape]] = dict
    type_name: str | None = None

    @cached_property
    def subclasses(self) -> Mapping[str, Shape]:
        """The shapes of the models below this one, whose instances are among its own, by registered name."""
        return self.find_subclasses()

    @cached_property
    def types(self) -> Mapping[str, Shape]:
        """The shapes that ``@type`` may name in an instance, by registered name: this one's, and those below it."""
        return {**({} if self.type_name is None else {self.type_name: self}), **self.subclasses}

    @cached_property
    def fields_below(self) -> dict[str, Field]:
        """The fields that only subclasses declare, hidden ones too; not those that they declare differently."""
        return common_fields(self.fields, (shape.fields for shape in self.subclasses.values()))

    @cached_property
    def subclass_fields(self) -> dict[str, Field]:
        """Those :attr:`fields_below` that a client may know of; not if any subclass hides them."""
        return {name: each for name, each in self.fields_below.items() if not each.hidden}

    @cached_property
    def visible(self) -> dict[str, Field]:
        """The fields that a client may see: all but the hidden and the write-only."""
        return {name: each for name, each in self.fields.items() if not (each.hidden or each.write_only)}

    @cached_property
    def ids(self) -> frozenset[str]:
        """The names of the fields by which an instance is known."""
        return frozenset(each.name for each in (self.pk, self.url_id) if each is not None)

    @cached_property
    def visible_ids(self) -> frozenset[str]:
        """The names of the fields by which an instance is known, as far as a client may know them."""
        return self.ids.intersection(self.visible)

    @cached_property
    def public_id(self) -> Field | None:
        """The field by which clients name instances in references; None if they use the primary key."""
        field = self.url_id
        return None if field is None or field is self.pk or field.hidden else field

    @cached_property
    def readers(self) -> dict[str, Reader]:
        """The functions that read the JSON values of each declared field."""
        return {
            name: each.kind.read_key if self.writes_as_key(each) else each.kind.read
            for name, each in self.fields.items()
        }

    @cached_property
    def visible_readers(self) -> dict[str, Reader]:
        """:attr:`readers` of the fields that a client may see."""
        return {name: self.readers[name] for name in self.visible}

    @cached_property
    def writable_readers(self) -> dict[str, Reader]:
        """:attr:`readers` of the fields that a client may write."""
        return {name: self.readers[name] for name, each in self.fields.items() if not (each.hidden or each.read_only)}

    def writes_as_key(self, field: Field) -> bool:
        """Whether JSON may write the values of a field as their text: those of a primary key ``id``."""
        return field is self.pk and field.name == "id"

    def known(self, name: str, *, written: bool = False) -> Field | None:
        """Return a visible field of the model, or one that only subclasses declare; write-only ones if ``written``."""
        found = self.fields.get(name) or self.subclass_fields.get(name)
        return None if found is None or found.hidden or (found.write_only and not written) else found

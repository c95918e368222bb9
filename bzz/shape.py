"""A model described without its ORM.

A provider draws the :class:`Shape` of its model once, when the routes are made. Paths, queries and bodies are read
against it, and OpenAPI documents are written from it, so that none of them knows an ORM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

__all__ = ["Field", "Kind", "Shape"]


class Kind(Enum):
    """What a field holds, and so how its JSON and its text are read.

    ======================  ================================================  ============================
    kind                    in JSON                                           as a Python value
    ======================  ================================================  ============================
    STRING                  string                                            str
    INTEGER                 integer within 64 bits (never ``true``)           int
    FLOAT                   number, finite                                    float
    DECIMAL                 string or number                                  decimal.Decimal
    BOOLEAN                 ``true`` or ``false``                             bool
    DATETIME                ISO 8601, no zone meaning UTC                     datetime, naive, UTC
    DATE                    ``YYYY-MM-DD``                                    date
    UUID                    string                                            uuid.UUID
    ID                      string, read by ``Field.parse``                   what ``parse`` returns
    BINARY                  base64 string                                     bytes
    ANY                     any JSON value                                    the same
    MAP                     object with free keys; ``item`` may say of what   dict
    LIST                    array of ``item``                                 list
    GEO                     a GeoJSON geometry of type ``geometry``           dict
    EMBEDDED                object of the shape ``target``                    dict of Python values
    REFERENCE               string: the ``pk`` of a ``target``                that pk's Python value
    ANY_EMBEDDED            object with ``@type``, one of ``variants``        dict with ``@type``
    ANY_REFERENCE           ``{"@type": name, "id": string}``                 dict, ``id`` as a pk's value
    ======================  ================================================  ============================
    """

    __hash__ = object.__hash__  # each member is the one of its kind; Enum's own hash is a Python function

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DATE = "date"
    UUID = "uuid"
    ID = "id"
    BINARY = "binary"
    ANY = "any"
    MAP = "map"
    LIST = "list"
    GEO = "geo"
    EMBEDDED = "embedded"
    REFERENCE = "reference"
    ANY_EMBEDDED = "any_embedded"
    ANY_REFERENCE = "any_reference"


_SCALARS = frozenset(
    {
        Kind.STRING,
        Kind.INTEGER,
        Kind.FLOAT,
        Kind.DECIMAL,
        Kind.BOOLEAN,
        Kind.DATETIME,
        Kind.DATE,
        Kind.UUID,
        Kind.ID,
        Kind.BINARY,
        Kind.REFERENCE,
    }
)


@dataclass(frozen=True, eq=False)
class Field:
    """One declared field of a model.

    :param name: the declared name, which is also the name in JSON, in forms and in query parameters.
    :param kind: what it holds.
    :param required: whether the model refuses to be stored without it.
    :param has_default: whether the model fills it in when a new instance does not bring it.
    :param read_only: shown, filtered and sorted by; a body that names it is refused.
    :param hidden: answered everywhere as if it were not declared.
    :param choices: the Python values that it may take; empty for no restriction.
    :param item: for LIST, and for MAP where it is known, the field that describes each value; its name is ``""``.
    :param target: for EMBEDDED and REFERENCE, gives the shape at the other end (called late: models may be recursive).
    :param variants: for ANY_EMBEDDED and ANY_REFERENCE, gives the shapes that ``@type`` may name.
    :param parse: for ID, reads the text of an id; raises ValueError where it is none.
    :param geometry: for GEO, the GeoJSON type, such as ``Point``.
    """

    name: str
    kind: Kind
    required: bool = False
    has_default: bool = False
    read_only: bool = False
    hidden: bool = False
    choices: tuple[Any, ...] = ()
    item: Field | None = None
    target: Callable[[], Shape] | None = None
    variants: Callable[[], Mapping[str, Shape]] | None = None
    parse: Callable[[str], Any] | None = None
    geometry: str | None = None

    @property
    def is_scalar(self) -> bool:
        """Whether it holds one value that can be compared: what may be sorted by."""
        return self.kind in _SCALARS

    @cached_property
    def link(self) -> Field | None:
        """The field that leads to another model, embedded or referenced: this one, or for a list its item."""
        inner = self.item if self.kind is Kind.LIST else self
        return inner if inner is not None and inner.target is not None else None

    @property
    def shape(self) -> Shape:
        """The shape at the other end of an EMBEDDED or REFERENCE field (of the item, for a list).

        :raises LookupError: where the field leads to no other shape.
        """
        if self.link is None or self.link.target is None:
            raise LookupError(f"{self.name} leads to no other model")
        return self.link.target()


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
    """

    name: str
    model: type
    fields: Mapping[str, Field] = field(default_factory=dict)
    pk: Field | None = None
    url_id: Field | None = None
    embedded: bool = False

    @cached_property
    def visible(self) -> dict[str, Field]:
        """The fields that a client may know of: all but the hidden."""
        return {name: each for name, each in self.fields.items() if not each.hidden}

    @cached_property
    def visible_ids(self) -> frozenset[str]:
        """The names of the fields by which an instance is known, as far as a client may know them."""
        known = (each for each in (self.pk, self.url_id) if each is not None)
        return frozenset(each.name for each in known if each.name in self.visible)

    @cached_property
    def open_names(self) -> frozenset[str]:
        """The fields that a body may hold whatever is in them: visible, writable, with no names of their own inside."""
        fields = (each for each in self.visible.values() if not each.read_only)
        return frozenset(each.name for each in fields if (each.item or each).is_scalar)

    def is_open(self, data: Mapping[str, Any]) -> bool:
        """Whether a body may hold all these names, in embedded documents too; False where that is not easily told."""
        return all(self._is_open_inside(name, data[name]) for name in data.keys() - self.open_names)

    def _is_open_inside(self, name: str, value: Any) -> bool:
        field = self.visible.get(name)
        if field is None or field.read_only or field.kind is not Kind.EMBEDDED or not isinstance(value, dict):
            return False
        return field.shape.is_open(value)

    def find(self, dotted: str) -> Field | None:
        """The visible field at ``dotted``, through embedded documents and lists of them; None where there is none.

        >>> address = Shape("Address", object, {"city": Field("city", Kind.STRING)}, embedded=True)
        >>> user = Shape("User", object, {"address": Field("address", Kind.EMBEDDED, target=lambda: address)})
        >>> user.find("address.city").kind
        <Kind.STRING: 'string'>
        >>> user.find("address.zip") is None
        True
        """
        first, dot, rest = dotted.partition(".")
        found = self.visible.get(first)
        if found is None or not dot:
            return found
        link = found.link
        if link is None or link.kind is not Kind.EMBEDDED:
            return None
        return found.shape.find(rest)

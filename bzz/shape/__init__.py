"""A model described without its ORM.

A provider draws the :class:`Shape` of its model once, when the routes are made. Paths, queries and bodies are read
against it, and OpenAPI documents are written from it, so that none of them knows an ORM.

What a field holds is its :class:`Kind`. There is one class for each kind, in one of the modules below, and it knows
everything about its values: how they are read, the error for a wrong one, which filters they take, their JSON Schema.
No other code branches on the kind of a field if the kind itself can answer.

======================  ================================================  ============================
kind                    in JSON                                           as a Python value
======================  ================================================  ============================
StringKind              string                                            str
IntegerKind             integer within 64 bits (never ``true``)           int
FloatKind               number, finite                                    float
DecimalKind             string or number                                  decimal.Decimal
BooleanKind             ``true`` or ``false``                             bool
DateTimeKind            ISO 8601, no zone meaning UTC                     datetime, naive, UTC
DateKind                ``YYYY-MM-DD``                                    date
DurationKind            ISO 8601, without years and months                timedelta
UUIDKind                string                                            uuid.UUID
IdKind                  string, read by ``parse``                         what ``parse`` returns
BinaryKind              base64 string                                     bytes
AnyKind                 any JSON value                                    the same
MapKind                 object with free keys, each value an ``item``     dict
ListKind                array of ``item``                                 list
GeoKind                 a GeoJSON geometry of type ``geometry``           dict
EmbeddedKind            object of the shape ``target``                    dict of Python values
ReferenceKind           string: the ``pk`` of a ``target``                that pk's Python value
AnyEmbeddedKind         object with ``@type``, one of ``variants``        dict with ``@type``
AnyReferenceKind        ``{"@type": name, "id": string}``                 dict, ``id`` as a pk's value
======================  ================================================  ============================
"""

from bzz.shape.base import Field, JsonSchema, Kind, Link, Part, Shape
from bzz.shape.limits import Limits
from bzz.shape.place import TOP, Place, dotted
from bzz.shape.reading import Reading

__all__ = ["TOP", "Field", "JsonSchema", "Kind", "Limits", "Link", "Part", "Place", "Reading", "Shape", "dotted"]

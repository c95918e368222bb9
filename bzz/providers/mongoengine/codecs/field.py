"""The codec of one declared field: what all kinds of fields have in common.

There is one subclass for each kind. Nothing here knows which kinds there are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from bzz.errors import Invalid
from bzz.providers import merge_patch
from bzz.providers.base import Unchanged
from bzz.providers.diff import FieldPair
from bzz.providers.mongoengine.codecs.checks import Checks, Errors
from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.raw import Raw, differ

__all__ = ["FieldCodec", "Part"]


class Part(NamedTuple):
    """A value inside another one.

    :ivar key: its position in a list, its key in a map, or the name of its field.
    """

    key: Any
    field: FieldCodec
    value: Any


class FieldCodec(Checks):
    """Converts, compares, keeps and checks the values of one declared field.

    :ivar item: for lists and maps, the codec of each item, if the model tells what they are.
    """

    holds_documents: bool = False  # whether documents are embedded in it, in lists and maps too
    leads_anywhere: bool = False  # whether documents of classes that nobody declared may be embedded in it
    tells_default: bool = True  # whether a diff tells an unset field as what its attribute holds, and not as None
    may_be_custom: bool = True  # whether a field class with conversions of its own is asked for them
    is_ordered: bool = True  # whether MongoDB orders what is stored as its values are ordered
    takes_appended: bool = False  # whether items may be added to the end of what is stored, whatever that is
    compares_attributes: bool = False  # whether one value may be stored in more than one form

    @classmethod
    def chosen_for(cls, declaration: Declaration) -> type[FieldCodec]:
        """Return the class that serves a declared field: this one, or one for a special case of it."""
        return cls

    def __init__(self, declaration: Declaration) -> None:
        self.item = self._make_item(declaration)
        super().__init__(declaration)

    def _make_item(self, declaration: Declaration) -> FieldCodec | None:
        return None

    # -- what is inside

    def parts(self, bson: Any) -> Iterator[Part]:
        """The parts of what is stored, each with its own codec; ``key`` is the stored key."""
        return iter(())

    def value_parts(self, value: Any) -> Iterator[Part]:
        """The parts of a value, each with its own codec."""
        return iter(())

    def with_parts(self, bson: Any, parts: dict[Any, Any]) -> Any:
        """Return what is stored with these parts in place of its own."""
        return bson

    def target(self, bson: Any = None) -> Any:
        """The codec of the class whose documents are here or referred to; of the very class that ``bson`` names.

        :raises LookupError: where the field leads to no other class.
        """
        raise LookupError(f"{self.declared.name} leads to no other model")

    def target_of(self, bson: Any) -> Any:
        """Return the codec of a stored document, or None for anything else that stands in its place.

        Whatever writes to a collection beside bzz may leave a null, a text, or a class that is not known here.
        """
        return None

    def models(self) -> set[Any]:
        """The classes, subclasses too, whose documents may be embedded here, in lists and maps too."""
        return set() if self.item is None else self.item.models()

    def orders(self) -> Iterator[tuple[str, Any]]:
        """The stored keys by which items are sorted here, each with the class of the items."""
        return iter(()) if self.item is None else self.item.orders()

    @property
    def refers(self) -> bool:
        """Whether it may hold a reference, in lists and maps too."""
        return self.item is not None and self.item.refers

    @cached_property
    def has_custom_json(self) -> bool:
        """Whether a document embedded here may have a ``to_dict()``."""
        return False

    def custom_json(self, attribute: Any) -> Any:
        """Return what is shown of embedded documents that have a ``to_dict()``."""
        return attribute

    # -- filters and orders

    @property
    def compared(self) -> str:
        """The MongoDB path of what filters and orders compare."""
        return self.stored + self.key_path

    @property
    def key_path(self) -> str:
        """The path from what is stored to what is compared, with a dot at its beginning."""
        return "" if self.item is None else self.item.key_path

    def inside(self, dotted: str) -> tuple[str, FieldCodec]:
        """Return the path from what is stored to a value inside that is compared, with a dot at its beginning.

        :param dotted: the name of the value below this field; empty for the field itself.
        :returns: the path, and the codec of the value.
        """
        if not dotted:
            return self.key_path, self
        if self.item is not None:
            return self.item.inside(dotted)
        first, _, rest = dotted.partition(".")
        field = self.target().known(first)
        path, inner = field.inside(rest)
        return f".{field.stored}{path}", inner

    def operand(self, value: Any) -> Any:
        """Return the bson of a value, to be compared with what is stored at :attr:`compared`."""
        return self.to_bson(value)

    def pattern_operand(self, text: str) -> str:
        """Return the text that a pattern looks for in what is stored."""
        return text

    def sorted(self, items: list[Any]) -> list[Any]:
        """The stored items of a list in the order in which MongoEngine stores them.

        :raises ValueError: where they have none.
        """
        return items

    # -- differences: see bzz.providers.diff

    def diff_form(self, bson: Any) -> Any:
        """Return what a diff tells of what is stored: the attribute."""
        return self.to_attribute(copy.deepcopy(bson))  # what receivers do to a diff must not change what is stored

    def differs(self, old: Any, new: Any) -> bool:
        """Return whether two stored values differ."""
        return differ(old, new)

    def report(self, old: Any, new: Any) -> tuple[Any, Any] | None:
        """Return what a diff reports of two stored values that differ; None if it would report the same of both."""
        if self.tells_same(old, new):
            return None
        return self.masked(self.diff_form(old)), self.masked(self.diff_form(new))

    def tells_same(self, old: Any, new: Any) -> bool:
        """Return whether a diff would report the same of two stored values that differ."""
        return self.compares_attributes and not differ(self.diff_form(old), self.diff_form(new))

    def masked(self, attribute: Any) -> Any:
        """Return an attribute for a diff: write-only fields of documents embedded in it are masked."""
        return attribute

    def embedded_pairs(self, old: Any, new: Any) -> Iterable[FieldPair] | None:
        """Return the fields in which two embedded documents differ, each of which may be None.

        :returns: None for anything but embedded documents.
        """
        return None

    # -- updates

    def put(self, raw: Raw, bson: Any) -> None:
        """Put bson into a stored document. None takes a value away, or leaves a null if the model stores those."""
        if bson is not None:
            raw[self.stored] = bson
        elif raw.get(self.stored) is not None:
            if self.source.null:
                raw[self.stored] = None
            else:
                del raw[self.stored]

    def replaces(self, value: Any, *, merge: bool) -> bool:
        """Whether a value takes its place whatever is stored there.

        :param merge: whether free-form maps are merged (RFC 7396) rather than replaced.
        """
        if isinstance(value, Unchanged) or (value is None and (self.falls_back or self.source.null)):
            return False  # a null where nothing is stored changes nothing
        return self.declared.kind.is_scalar

    def parts_in_place(self, value: Any) -> Iterator[Part] | None:
        """Return the parts that are set one by one if ``value`` takes its place; None if it is set as a whole."""
        return None

    def update(self, current: Any, value: Any, errors: Errors, *, merge: bool) -> Any:
        """Return the bson that an update to ``value`` leaves in the place of ``current``; errors are collected."""
        if merge and self.is_patched and isinstance(value, dict):
            value = merge_patch.merged(self.to_value(current), value)
        if value is None and current is None and self.may_stay_unset:
            return None
        return self.check(value, errors, current)

    # -- what a client may not write

    def keeps(self, bson: Any, *, knowing: bool = False) -> bool:
        """Whether embedded documents in what is stored hold anything that a client may not write, or not see.

        :param knowing: whether the client knows of which class each of them is.
        """
        return False

    def names_class(self, value: Any) -> bool:
        """Whether a value is a document that names its class, or a list of such."""
        return False

    def is_of_another_class(self, value: Any, bson: Any) -> bool:
        """Whether a value names another class than that of a stored document."""
        return False

    def sets_write_only(self, value: Any) -> bool:
        """Whether a value names a write-only field of a document embedded in it."""
        return any(
            part.field.declared.write_only or part.field.sets_write_only(part.value) for part in self.value_parts(value)
        )

    def item_to_bson(self, key: Any, value: Any, stored: Any = None) -> Any:
        """Return what :meth:`to_bson` does, for an item of a list or map: refusals name its place."""
        try:
            return self.keep(self.to_bson(value, stored), stored)
        except Invalid as error:
            raise Invalid({f"{key}.{where}": told for where, told in (error.errors or {}).items()}) from None

    def sent_key(self, value: Any) -> Any:
        """Return the id that an item of a list names which a client sent, or None."""
        return None

    def known_key(self, bson: Any) -> Any:
        """Return the id by which clients know a stored item of a list, or None."""
        return None

    def stored_key(self, bson: Any) -> Any:
        """Return the id of a stored item of a list, or None."""
        return None

    def identity(self, bson: Any) -> Any:
        """Return what tells a stored item of a list from its neighbours, or None if a diff cannot follow it."""
        return None

"""The from/to diff of two stored documents, in the values that their instances hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bzz.change import Diff
from bzz.providers import diff as neutral
from bzz.providers.diff import Compared, FieldPair, Masked
from bzz.providers.mongoengine.codecs.checks import BAD_VALUE
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.raw import Raw, differ

__all__ = ["diff", "field_pairs"]


def diff(
    codec: DocumentCodec,
    before: Raw | None,
    after: Raw | None,
    *,
    by_item: bool = False,
    instance: Callable[[], Any] | None = None,
) -> Diff:
    """Return the fields in which two stored documents differ, as :mod:`bzz.providers.diff` reports them.

    Values are those of the model's own instances, defaults included, but for references, which are ids.

    :param before: None where the document was created.
    :param after: None where it was deleted.
    :param by_item: whether a list of embedded documents is compared item by item where both sides hold the same items.
    :param instance: gives the instance of ``after``, for defaults that are another value each time.
    """
    return neutral.diff(field_pairs(codec, before, after, instance), by_item=by_item)


def field_pairs(
    codec: DocumentCodec, before: Raw | None, after: Raw | None, instance: Callable[[], Any] | None = None
) -> Iterator[FieldPair]:
    """Return the fields, of the very classes of two documents, in which they differ; each name once."""
    for field in _codecs(codec, before, after):
        old = None if before is None else before.get(field.stored)
        new = None if after is None else after.get(field.stored)
        if differ(old, new):
            compared: Compared = _WithDefault(field, before, after, instance) if _reports_default(field) else field
            if field.declared.write_only:
                compared = Masked(compared)
            yield FieldPair(field.declared.name, compared, old, new)


def _codecs(codec: DocumentCodec, *stored: Raw | None) -> Iterator[FieldCodec]:
    known: dict[str, FieldCodec] = {}
    for each in stored:
        if each is not None:
            own = codec.variant(each)
            known.update(own.fields)
            if own.is_dynamic:
                known.update(own.undeclared_in(each))
    return iter(known.values())


def _reports_default(field: FieldCodec) -> bool:
    """Return whether a field is reported with its default where it is unset: not references, nor documents."""
    is_value = field.tells_default and not field.refers and not field.holds_documents
    return is_value and field.source.default is not None and not field.source.null


class _WithDefault:
    """A field of one value, reported as an instance holds it: an unset field has its default there."""

    item = None

    def __init__(
        self, field: FieldCodec, before: Raw | None, after: Raw | None, instance: Callable[[], Any] | None
    ) -> None:
        self._field = field
        self._is_there = before is not None, after is not None
        self._instance = instance

    def differs(self, old: Any, new: Any) -> bool:
        return self._field.differs(old, new)

    def embedded_pairs(self, old: Any, new: Any) -> None:
        return None

    def identity(self, stored: Any) -> Any:
        return None

    def report(self, old: Any, new: Any) -> tuple[Any, Any] | None:
        pair = self._field.report(old, new)
        if pair is None:
            return None
        from_, to = pair
        had, has = self._is_there
        is_fixed = not callable(self._field.source.default)
        if had and old is None and is_fixed:
            from_ = self._default()
        if has and new is None:
            if is_fixed:
                to = self._default()
            elif self._instance is not None:
                to = getattr(self._instance(), self._field.declared.name)
        is_unset = old is None or new is None
        return None if is_unset and not differ(from_, to) else (from_, to)

    def _default(self) -> Any:
        """Return the default as an instance would have it that was stored with it, whatever type it is declared in."""
        try:
            return self._field.to_attribute(self._field.default())
        except BAD_VALUE:
            return self._field.unset_attribute()

"""The codec of maps with free keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mongoengine as me
from mongoengine.base import BaseDict

from bzz.errors import Invalid
from bzz.providers.mongoengine.codecs.checks import Refusal, below
from bzz.providers.mongoengine.codecs.containers import ContainerCodec
from bzz.providers.mongoengine.codecs.dispatch import converts
from bzz.providers.mongoengine.codecs.field import FieldCodec
from bzz.providers.mongoengine.limits import LIMITS
from bzz.providers.mongoengine.raw import MISSING
from bzz.shape import Kind
from bzz.shape.containers import MapKind

__all__: list[str] = []

NULL = "Must not be null."


@converts(me.DictField)
class MapCodec(ContainerCodec):
    """A map with free keys to values of one kind."""

    is_patched = True

    def _kind(self) -> Kind:
        return MapKind(None if self.item is None else self.item.declared, LIMITS)

    def inside(self, dotted: str) -> tuple[str, FieldCodec]:
        if not dotted:
            return super().inside(dotted)
        if self.item is None:
            return f".{dotted}", self
        key, _, rest = dotted.partition(".")
        path, inner = self.item.inside(rest)
        return f".{key}{path}", inner

    def to_bson(self, value: Any, stored: Any = None) -> Any:
        if value is None or self.item is None:
            return value
        known = stored if isinstance(stored, dict) else {}
        if not self.item.declared.kind.is_free:
            _refuse_nulls(value, known)
        return {key: self.item.item_to_bson(key, each, known.get(key)) for key, each in value.items()}

    def replaces(self, value: Any, *, merge: bool) -> bool:
        return not (merge and isinstance(value, dict)) and super().replaces(value, merge=merge)

    def own(self, attribute: Any, instance: Any) -> Any:
        known = {} if attribute is None else attribute
        if not isinstance(known, dict):  # something else that stood in its place
            return known
        return BaseDict(known, instance, self.declared.name)

    def _expected(self) -> str:
        return "Must be an object with at least one key." if self.declared.required else super()._expected()

    def _refusals(self, value: Any) -> Iterator[Refusal]:
        if self.item is None or not isinstance(value, dict):
            yield from super()._refusals(value)
            return
        for part in self.value_parts(value):
            yield from below(str(part.key), part.field.refusals(part.value))


def _refuse_nulls(value: dict[str, Any], stored: dict[str, Any]) -> None:
    """Refuse a null that is not stored already.

    :raises bzz.errors.Invalid: naming every key that has one.
    """
    nulls = [key for key, each in value.items() if each is None and stored.get(key, MISSING) is not None]
    if nulls:
        raise Invalid({key: [NULL] for key in nulls})

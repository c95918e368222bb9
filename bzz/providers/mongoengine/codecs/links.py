"""What embedded documents and references have in common: they lead to other classes."""

from __future__ import annotations

from bzz.providers.mongoengine.codecs.conversions import Declaration
from bzz.providers.mongoengine.codecs.document import Registry
from bzz.providers.mongoengine.codecs.field import FieldCodec

__all__ = ["LinkCodec"]


class LinkCodec(FieldCodec):
    """A document of another class, embedded or referred to."""

    reads_as_is = shows_as_is = False
    may_be_custom = False

    def __init__(self, declaration: Declaration) -> None:
        self._registry: Registry = declaration.registry
        super().__init__(declaration)

    def expected_at(self, where: str) -> str:
        is_inside = where and self.holds_documents and not self.leads_anywhere
        return self.target().expected_at(where) if is_inside else super().expected_at(where)

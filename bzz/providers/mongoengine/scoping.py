"""Which documents of a class are there for a request, by the rules of its model, as MongoDB queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bzz.errors import Forbidden
from bzz.providers import rules
from bzz.providers.asked import Clause
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.filters import filter_query
from bzz.providers.mongoengine.querysets import NOTHING
from bzz.providers.mongoengine.raw import Raw
from bzz.providers.options import Purpose, ScopeOf

__all__ = ["Scoping", "keys_of", "require_within", "touches"]


class Scoping:
    """The scope of one class.

    :param ask: returns what its documents have to meet; None where nobody asks.
    :ivar is_declared: whether there may be documents that are not there for some users.
    """

    def __init__(self, codec: DocumentCodec, ask: ScopeOf | None) -> None:
        self._codec = codec
        self._ask = ask
        self.is_declared = ask is not None and rules.concerns(codec.model)

    async def query(self, context: Any, purpose: Purpose = "path") -> Raw | None:
        """Return the query that documents match which are there for a request; None if all of them are."""
        if self._ask is None or not self.is_declared:
            return None
        clauses = [self._clause(each) for each in await self._ask(self._codec.shape, context, purpose)]
        found = [each for each in clauses if each]
        return {"$and": found} if len(found) > 1 else found[0] if found else None

    def _clause(self, clause: Clause) -> Raw:
        codec = self._codec.registry.of(clause.shape.model)
        conditions = [NOTHING] if clause.criteria is None else filter_query(codec, clause.criteria)
        if clause.shape.model is self._codec.model or not conditions:
            return {"$and": conditions} if conditions else {}
        others = {internals.CLASS_KEY: {"$nin": list(internals.family(clause.shape.model))}}
        return {"$or": [others, {"$and": conditions}]}

    async def within(self, query: Raw, context: Any, purpose: Purpose = "path") -> Raw:
        """Return a query for what another one finds of the documents that are there for a request."""
        own = await self.query(context, purpose)
        return query if own is None else {"$and": [query, own]}

    async def require(self, collection: Collection, raw: Raw, context: Any) -> None:
        """Refuse to store what would not be there for the user who stores it.

        :raises bzz.errors.Forbidden: if it would not.
        """
        await require_within(collection, await self.query(context), raw)


async def require_within(collection: Collection, scope: Raw | None, raw: Raw) -> None:
    """Refuse to store a document beyond a scope; MongoDB itself is asked, on the very document.

    :raises bzz.errors.Forbidden: if it lies beyond.
    """
    if scope is not None and not await collection.would_match(raw, scope):
        raise Forbidden("This would be beyond what you may see.")


def touches(scope: Raw, keys: Iterable[str]) -> bool:
    """Return whether what a query says rests on any of these top-level keys."""
    return not set(keys).isdisjoint(keys_of(scope))


def keys_of(query: Any) -> Iterator[str]:
    """Yield the top-level keys of documents that a query looks at."""
    for name, value in query.items():
        if name in ("$and", "$or", "$nor"):
            for each in value:
                yield from keys_of(each)
        else:
            yield name.partition(".")[0]

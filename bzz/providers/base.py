"""The seam between HTTP and an ORM.

:mod:`bzz.model` reads a request into the values of this module (:class:`Path`, :class:`ListQuery`, a dict of Python
values) and asks a :class:`Provider`. A provider never sees a request and never sends a signal; a handler never sees a
driver. What a provider raises is always a :class:`bzz.errors.RequestError`.

Beside its models, a provider has a :class:`Store`, where bzz keeps its own data.
"""

from __future__ import annotations

import builtins
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from bzz.change import Diff
from bzz.errors import BadRequest, OutcomeUnknown, Unavailable
from bzz.providers.asked import (
    AllOf,
    AnyOf,
    Appended,
    Condition,
    Criterion,
    Filter,
    ListQuery,
    Not,
    Operator,
    Path,
    Sort,
    Step,
    Unchanged,
)
from bzz.providers.naming import NamesDocuments
from bzz.providers.options import Options
from bzz.providers.outcome import NOT_TRIED, ONE_BY_ONE, Changed, Page, Record, RowsRefused, Stale, Written
from bzz.providers.store import Entry, Store
from bzz.shape import Shape

__all__ = [
    "NOT_TRIED",
    "ONE_BY_ONE",
    "AllOf",
    "AnyOf",
    "Appended",
    "Changed",
    "Condition",
    "Criterion",
    "Entry",
    "Filter",
    "ListQuery",
    "Not",
    "Operator",
    "Options",
    "Page",
    "Path",
    "Precondition",
    "Provider",
    "Record",
    "RowsRefused",
    "Sort",
    "Stale",
    "Step",
    "Store",
    "Unchanged",
    "Written",
]

Precondition = Callable[[str], bool]
"""Called with the state of the stored instance (:attr:`Record.state`); returns whether the write may go on."""


class Provider(NamesDocuments, ABC):
    """One model's storage. Made once per ``routes_for``; every method may be called concurrently.

    ``context`` is handed to the model's own hooks (``get_instance_queryset``, ``get_list_queryset``) and never looked
    at. ``values`` are Python values as :mod:`bzz.shape` lists them, embedded documents as dicts.

    A :class:`~bzz.errors.NotFound` or :class:`~bzz.errors.PreconditionFailed` needs no detail: the handler adds it, by
    the step that :class:`bzz.providers.missing.Missing` names.

    Every method may raise :class:`~bzz.errors.Unavailable`; the writing ones :class:`~bzz.errors.OutcomeUnknown`.

    :param model: the root model.
    :raises bzz.errors.ConfigurationError: if the model or an option cannot be served.
    :ivar shape: the root model, as each request asks for it once.
    :cvar keeps_rules: whether ``restrictions`` and ``scope`` of its options hold. Without it models with rules are
        refused.
    :cvar combines: whether a query may combine filters by :class:`AllOf`, :class:`AnyOf` and :class:`Not`; where it may
        not, such a request is a 400.
    """

    keeps_rules: ClassVar[bool] = False
    shape: Shape
    combines: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, model: type, options: Options) -> None: ...

    async def ping(self) -> None:  # what needs no server is always there
        """Return if the storage answers.

        :raises bzz.errors.Unavailable: if it does not.
        """

    @abstractmethod
    def check(self, shape: Shape, values: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
        """Return what the model's fields refuse in ``values``, each by itself: lengths, choices, patterns, limits.

        Pure: nothing is read, and no code runs that may ask a database. Missing values are no mistake here: a receiver
        may still fill them in. :meth:`create` and :meth:`update` check all of this again, and what is required.

        :param shape: of the model, this provider's own or one that can be reached from it.
        :param values: None, and a :class:`Unchanged`, are let through.
        :returns: messages by dotted name; empty if all is well.
        """

    @abstractmethod
    async def get(self, path: Path, context: Any) -> Record:
        """Return the instance at the end of ``path``.

        :raises bzz.errors.NotFound: if nothing is there, or anything on the way is missing.
        """

    @abstractmethod
    async def page(self, path: Path, query: ListQuery, context: Any) -> Page:
        """Return one page of the list at the end of ``path``.

        :raises bzz.errors.NotFound: if anything on the way is missing.
        :raises bzz.errors.BadRequest: for a cursor that this list did not give, or a search that cannot be made.
        """

    def check_denials(self) -> None:
        """Check that the refusal to delete a document tells nobody of others that the user may not see.

        ``routes_for`` asks when it is known whose documents are deleted (``bzz.providers.rules.DELETABLE``). A provider
        that keeps no rules, or deletes whatever refers to a document, need not override it.

        :raises bzz.errors.ConfigurationError: if it would.
        """

    def searches(self, path: Path) -> bool:
        """Return whether :meth:`page` can search the list at the end of ``path`` for words (``query.search``).

        Pure: nothing is read. A provider that cannot need not override it.
        """
        return False

    async def fetch(self, shape: Shape, keys: Sequence[Any], context: Any) -> Mapping[str, Record]:
        """Return documents that references lead to, by the texts of their primary keys; those that there are.

        A provider without references need not override it.

        :param shape: of a model that can be reached from this one.
        :param keys: primary keys, as Python values.
        """
        return {}

    async def facets(
        self, path: Path, query: ListQuery, names: Sequence[str], context: Any
    ) -> Mapping[str, Sequence[tuple[Any, int]]]:
        """Return how often each value of fields occurs in the whole list that a query selects.

        :param names: dotted names of fields.
        :returns: for each name the JSON of values and their numbers, the most frequent first, at most fifty.
        :raises bzz.errors.BadRequest: if the provider cannot count.
        """
        raise BadRequest("The values of fields cannot be counted here.")

    @abstractmethod
    async def create(self, path: Path, values: Mapping[str, Any], context: Any) -> Written:
        """Insert a document at the root list, or attach an embedded document to a list or a single property.

        ``@type`` among the values, at any depth, names one of :attr:`~bzz.shape.Shape.types`: the class of what is new.

        :raises bzz.errors.Invalid: the model refuses the values, or a reference names nothing.
        :raises bzz.errors.Conflict: the id or a unique value is taken, or a single property is occupied.
        """

    def new_key(self, path: Path) -> Any:
        """Return a primary key for what is to be created at the end of ``path``, as a Python value.

        :meth:`create` takes it among the values, under the name of the primary key. A provider that cannot choose keys
        before it stores need not override it.

        :returns: one that no other document will ever have; None if the client has to name it, only storing tells it,
            or there is no primary key.
        """
        return None

    async def find_created(self, path: Path, keys: Sequence[Any], context: Any) -> Mapping[Any, Written]:
        """Return what :meth:`create` has stored at the end of ``path`` under keys from :meth:`new_key`.

        Root documents are found whoever may see them, and by a read that sees every write before it.

        :returns: those that are there, by their keys, as not new.
        """
        return {}

    async def create_many(
        self, path: Path, values: Sequence[Mapping[str, Any]], context: Any, *, all_or_none: bool
    ) -> builtins.list[Written | Exception]:
        """Insert several documents at the root list, as :meth:`create` inserts one.

        A provider that overrides nothing inserts one after the other, and cannot insert all or none.

        :param all_or_none: whether nothing is stored unless everything is.
        :returns: for each, in their order, what was written, or why it was not: a :class:`~bzz.errors.RequestError`, or
            what code of the model's own raised. With ``all_or_none`` all are written.
        :raises RowsRefused: with ``all_or_none``, if some are refused.
        :raises bzz.errors.BadRequest: with ``all_or_none``, if this cannot be promised here; it says what to do.
        """
        if all_or_none:
            raise BadRequest(f"{self.shape.name} documents cannot be stored together here. {ONE_BY_ONE}")
        outcomes: builtins.list[Written | Exception] = []
        for each in values:
            if outcomes and isinstance(outcomes[-1], Unavailable | OutcomeUnknown):
                outcomes.append(Unavailable(NOT_TRIED))
                continue
            try:
                outcomes.append(await self.create(path, each, context))
            except Exception as error:
                outcomes.append(error)
        return outcomes

    @abstractmethod
    async def update(
        self,
        path: Path,
        values: Mapping[str, Any],
        context: Any,
        *,
        merge: bool = False,
        precondition: Precondition | None = None,
        expected: Record | None = None,
    ) -> Changed:
        """Change the fields in ``values`` and no others; None unsets a field.

        An id in ``values`` must be what is stored, and changes nothing; so must an ``@type``. Fields that only
        subclasses declare are refused if the stored instance is of none of them.

        Embedded documents are changed field by field. Free-form maps are replaced, or, with ``merge``, merged by
        RFC 7396.

        :param expected: from :meth:`get`: the write happens only while this is what is stored at the end of the path.
        :raises bzz.errors.PreconditionFailed: if ``precondition`` returns false for what is stored.
        :raises Stale: if something else than ``expected`` is stored.
        """

    def appends(self, shape: Shape, name: str) -> bool:
        """Return whether :meth:`update` takes :class:`Appended` for a list, so that its other items need not be known.

        Pure: nothing is read. A provider that cannot need not override it.

        :param shape: of a model that can be reached from this one, and ``name``: of the field.
        """
        return False

    @abstractmethod
    def preview(self, record: Record, values: Mapping[str, Any], *, merge: bool = False) -> Diff:
        """Return what :meth:`update` with these values would change in an instance from :meth:`get`; write nothing.

        :raises bzz.errors.Invalid: the model refuses the values.
        """

    @abstractmethod
    async def delete(
        self,
        path: Path,
        context: Any,
        *,
        precondition: Precondition | None = None,
        expected: Record | None = None,
    ) -> Written:
        """Delete a document, remove an embedded one, or unlink a reference.

        :param expected: as for :meth:`update`.
        :raises bzz.errors.PreconditionFailed: if ``precondition`` returns false for what is stored.
        :raises Stale: if something else than ``expected`` is stored.
        """

    @abstractmethod
    async def link(self, path: Path, keys: Sequence[Any], context: Any) -> builtins.list[Written]:
        """Add references to existing documents, all or none, to the list or single property at the end of ``path``.

        :param keys: primary keys as Python values.
        :returns: one for each document that was not linked there before; all of them tell the same change.
        :raises bzz.errors.Invalid: if a document does not exist.
        :raises bzz.errors.Conflict: if a single property holds another one.
        """

    @abstractmethod
    async def render(self, items: Sequence[Any]) -> builtins.list[Any]:
        """Return the JSON of ``items``: records, or model objects that a receiver put in their place.

        The answer holds only what :func:`bzz.codec.dumps` can write.
        """

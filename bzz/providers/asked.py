"""What a request asks of a provider: a path, a list with its filters and its order, values to write.

:mod:`bzz.model` reads requests into these; providers take them. All of them are names of :mod:`bzz.providers.base` too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from bzz.shape import Field, Shape
from bzz.shape.operators import Operator

__all__ = [
    "AllOf",
    "AnyOf",
    "Appended",
    "Clause",
    "Condition",
    "Criterion",
    "Filter",
    "ListQuery",
    "Not",
    "Operator",
    "Path",
    "Sort",
    "Step",
    "Unchanged",
    "filters_in",
    "with_filters",
]


class Step(NamedTuple):
    """One hop of a path: the root model, or a field that leads to another model.

    :param field: the field that was followed; None at the root.
    :param shape: the model at the other end.
    :param key: the id or the position (an int, for embedded documents without an id field) of one item, as a Python
        value; None for a whole list, and for a single property that the path does not name by its id.
    :param text: the step as the client wrote it, percent-decoded: ``team/42`` or ``members``.
    """

    field: Field | None
    shape: Shape
    key: Any
    text: str

    @property
    def is_list(self) -> bool:
        """Whether the step ends at a whole list: the root without an id, or a list field without one."""
        many = self.field is None or self.field.is_list
        return many and self.key is None

    @property
    def is_reference(self) -> bool:
        """Whether the step leaves the document that holds the field, for another document."""
        link = None if self.field is None else self.field.link
        return link is not None and link.is_reference


class Clause(NamedTuple):
    """What documents of one class have to meet to be there for a user.

    :param shape: of the class, the one that is asked for or one below it; documents of others need not meet it.
    :param criteria: all of which have to hold; None where no document of the class is there.
    """

    shape: Shape
    criteria: tuple[Criterion, ...] | None


class Path(NamedTuple):
    """Where a request points, from the root model down; ``steps`` is never empty."""

    steps: tuple[Step, ...]

    @property
    def last(self) -> Step:
        """The end of the path: its shape's model is the sender of the signals."""
        return self.steps[-1]

    @property
    def arguments(self) -> list[str]:
        """The path as receivers get it: ``['team/42', 'members/7']``."""
        return [step.text for step in self.steps]

    @property
    def follows_reference(self) -> bool:
        """Whether the end of the path is a list of references, or lies in another document."""
        return any(step.is_reference for step in self.steps)


@dataclass(frozen=True)
class Condition:
    """One comparison.

    :param value: a Python value of the field's kind; a list of them for ``in``, ``nin`` and ``all``, a bool for
        ``exists``, an int for ``size``. For ``near`` a longitude, a latitude and a distance in metres, for ``within``
        west, south, east and north in degrees. For ``match`` a tuple of :data:`Criterion`, which one item of the list,
        or the document that a reference leads to, has to meet.
    """

    field: Field
    operator: Operator
    value: Any


@dataclass(frozen=True)
class Filter:
    """Conditions on one dotted path of which at least one must hold; the filters of a query must all hold."""

    path: str
    any_of: tuple[Condition, ...]


@dataclass(frozen=True)
class AllOf:
    """Criteria that must all hold."""

    of: tuple[Criterion, ...]


@dataclass(frozen=True)
class AnyOf:
    """Criteria of which at least one must hold."""

    of: tuple[Criterion, ...]


@dataclass(frozen=True)
class Not:
    """A criterion that must not hold: exactly the instances that it leaves out, with those whose field is unset."""

    of: Criterion


Criterion: TypeAlias = "Filter | AllOf | AnyOf | Not"
"""What an instance must meet. Only a provider that ``combines`` is asked for anything but filters."""


def filters_in(criteria: Iterable[Criterion]) -> Iterator[Filter]:
    """Yield all filters of a tree; those inside a ``match`` are no part of it."""
    for each in criteria:
        if isinstance(each, Filter):
            yield each
        else:
            yield from filters_in((each.of,) if isinstance(each, Not) else each.of)


def with_filters(criteria: Iterable[Criterion], replace: Callable[[Filter], Filter]) -> tuple[Criterion, ...]:
    """Return a tree of the same form, with what ``replace`` gives for each filter in its place."""
    return tuple(_with_filters(each, replace) for each in criteria)


def _with_filters(criterion: Criterion, replace: Callable[[Filter], Filter]) -> Criterion:
    if isinstance(criterion, Filter):
        return replace(criterion)
    if isinstance(criterion, Not):
        return Not(_with_filters(criterion.of, replace))
    return type(criterion)(with_filters(criterion.of, replace))


@dataclass(frozen=True)
class Sort:
    """One sort key: a dotted path to a scalar, and its direction."""

    path: str
    field: Field
    descending: bool = False


@dataclass(frozen=True)
class ListQuery:
    """What a list request asks for.

    :param page: from 1; not used together with a cursor.
    :param per_page: how many items at the most.
    :param sort: in order of weight; the provider adds the id, so that the order is total.
    :param after: an opaque cursor from :attr:`Page.next`, or None.
    :param before: an opaque cursor from :attr:`Page.previous`, or None.
    :param count: whether the client asked for the exact number of matches.
    :param filters: criteria that must all hold.
    :param search: words that the model's text index is searched for, or None.
    :param only_shown: whether nothing of the documents is looked at but what clients may see: a provider need not read
        more, where it would be too much.
    """

    page: int = 1
    per_page: int = 20
    sort: tuple[Sort, ...] = ()
    filters: tuple[Criterion, ...] = ()
    after: str | None = None
    before: str | None = None
    count: bool = False
    search: str | None = None
    only_shown: bool = False


@dataclass(frozen=True)
class Unchanged:
    """A read-only value that a client sent back; it stands among the values of an update, at any depth.

    The provider accepts it if it equals what is stored at its place, and writes nothing for it.

    :param value: the Python value, of the field's kind; None for null.
    """

    value: Any


class Appended(list[Any]):
    """Items for the end of a list, whatever it holds. They stand among the values of an update in the place of a list.

    Only a provider that :meth:`~bzz.providers.base.Provider.appends` gets them, for fields of the very instance. It
    refuses them with a :class:`~bzz.errors.Conflict` if no list is stored.
    """

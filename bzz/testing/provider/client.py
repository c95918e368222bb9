"""A provider called by paths as text, as they stand in a URL, and by queries as they stand behind one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bzz.codec import plain
from bzz.model.path import read_path
from bzz.model.query import read_list_query
from bzz.providers.base import (
    Changed,
    ListQuery,
    Page,
    Path,
    Precondition,
    Provider,
    Record,
    Written,
)
from bzz.shape import Shape

__all__ = ["Client"]

LARGEST_PAGE = 100


class Client:
    """Calls the verbs of one provider. ``where`` is the path below the root list, empty for that list itself.

    :param provider: what is under test.
    :param context: what the model's hooks get.
    """

    def __init__(self, provider: Provider, context: Any = None) -> None:
        self.provider = provider
        self._context = context

    @property
    def shape(self) -> Shape:
        """The shape of the root model."""
        return self.provider.shape

    def path(self, where: str) -> Path:
        """Return the path that ``where`` stands for."""
        return read_path(self.shape, self.shape.name.lower(), where)

    def key(self, instance_id: str) -> Any:
        """Return the Python value of the text of an id: what a reference to that instance holds."""
        return self.path(instance_id).last.key

    def query(self, where: str, text: str = "", *, per_page: int = LARGEST_PAGE, count: bool = False) -> ListQuery:
        """Return what the query string ``text`` asks of a list."""
        shape = self.path(where).last.shape
        return read_list_query(shape, text, per_page=per_page, max_per_page=LARGEST_PAGE, count=count)

    # -- verbs

    async def get(self, where: str) -> Record:
        """Return the instance at ``where``."""
        return await self.provider.get(self.path(where), self._context)

    async def page(self, where: str, text: str = "", *, per_page: int = LARGEST_PAGE, count: bool = False) -> Page:
        """Return one page of the list at ``where``."""
        query = self.query(where, text, per_page=per_page, count=count)
        return await self.provider.page(self.path(where), query, self._context)

    async def create(self, where: str, values: Mapping[str, Any]) -> Written:
        """Insert a document, or attach an embedded one."""
        return await self.provider.create(self.path(where), values, self._context)

    async def create_many(
        self, rows: Sequence[Mapping[str, Any]], *, all_or_none: bool = False
    ) -> list[Written | Exception]:
        """Insert several documents."""
        return await self.provider.create_many(self.path(""), rows, self._context, all_or_none=all_or_none)

    async def update(
        self,
        where: str,
        values: Mapping[str, Any],
        *,
        merge: bool = False,
        precondition: Precondition | None = None,
        expected: Record | None = None,
    ) -> Changed:
        """Change the fields in ``values``."""
        return await self.provider.update(
            self.path(where), values, self._context, merge=merge, precondition=precondition, expected=expected
        )

    async def delete(
        self, where: str, *, precondition: Precondition | None = None, expected: Record | None = None
    ) -> Written:
        """Delete a document, remove an embedded one, or unlink a reference."""
        return await self.provider.delete(self.path(where), self._context, precondition=precondition, expected=expected)

    async def link(self, where: str, keys: Sequence[Any]) -> list[Written]:
        """Add references."""
        return await self.provider.link(self.path(where), keys, self._context)

    # -- what tests do with them

    async def add(self, **values: Any) -> str:
        """Insert a document and return the text of its id."""
        record = (await self.create("", values)).record
        assert record.id is not None, "a document has an id"
        return record.id

    async def show(self, record: Record) -> dict[str, Any]:
        """Return what clients are shown of a record, as they read it from JSON."""
        shown: dict[str, Any] = plain((await self.provider.render([record]))[0])
        return shown

    async def shown(self, where: str) -> dict[str, Any]:
        """Return what clients are shown of the instance at ``where``."""
        return await self.show(await self.get(where))

    async def listed(self, where: str, text: str = "") -> list[dict[str, Any]]:
        """Return what clients are shown of the list at ``where``."""
        return [await self.show(record) for record in (await self.page(where, text)).records]

    async def pages(self, where: str, text: str = "", *, per_page: int) -> list[list[str | None]]:
        """Follow the cursors from the first page to the last and back, and return the ids on each page.

        :raises AssertionError: if the way back leads over other pages, or does not end.
        """
        page = await self.page(where, text, per_page=per_page)
        there = [_ids(page)]
        while page.next is not None:
            page = await self.page(where, _joined(text, f"after={page.next}"), per_page=per_page)
            there.append(_ids(page))
            assert len(there) <= LARGEST_PAGE, "following the next page does not end"
        back = [_ids(page)]
        while page.previous is not None:
            page = await self.page(where, _joined(text, f"before={page.previous}"), per_page=per_page)
            back.append(_ids(page))
            assert len(back) <= LARGEST_PAGE, "following the previous page does not end"
        assert back[::-1] == there
        return there


def _ids(page: Page) -> list[str | None]:
    return [record.id for record in page.records]


def _joined(text: str, more: str) -> str:
    return f"{text}&{more}" if text else more

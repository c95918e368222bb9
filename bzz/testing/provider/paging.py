"""Pages of lists: cursors over ties, nulls and missing values, page numbers, counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bzz.errors import BadRequest
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Paging"]

CROWD: list[dict[str, Any]] = [
    {"name": "h", "age": 3, "height": 1.5, "born": datetime(2000, 1, 1)},
    {"name": "a", "height": 1.5},
    {"name": "g", "age": 1, "active": False, "born": datetime(1990, 6, 1)},
    {"name": "b", "age": 3, "height": 1.5},
    {"name": "f", "age": None, "height": None},
    {"name": "c", "age": 2, "height": -0.5, "born": datetime(2000, 1, 1)},
    {"name": "e", "age": 3, "active": False},
    {"name": "d", "age": 1, "height": 1.5},
]
SORTS = [
    "", "sort=name", "sort=-name", "sort=age", "sort=-age", "sort=age,-name", "sort=-height,age", "sort=-born,active",
]  # fmt: skip


async def crowd(people: Client) -> list[str]:
    """Store eight people, three of one age and two of unknown age, and return their ids."""
    return [await people.add(**values) for values in CROWD]


async def names(people: Client, query: str, *, per_page: int = 100) -> list[str]:
    """Return the names on one page."""
    return [(await people.show(each))["name"] for each in (await people.page("", query, per_page=per_page)).records]


class Paging(Suite):
    """:meth:`Provider.page` and :class:`Page`."""

    @pytest.mark.parametrize("sort", SORTS)
    async def test_cursors_lead_over_every_item_once_and_back(self, people: Client, sort: str) -> None:
        added = await crowd(people)
        whole = [record.id for record in (await people.page("", sort)).records]
        pages = await people.pages("", sort, per_page=3)
        assert [len(page) for page in pages] == [3, 3, 2]
        assert [each for page in pages for each in page] == whole
        assert sorted(map(str, whole)) == sorted(added)

    @requires("embedded")
    @pytest.mark.parametrize("sort", ["sort=home.city", "sort=-home.city"])
    async def test_cursors_lead_over_values_inside_embedded_documents(self, people: Client, sort: str) -> None:
        homes = [{"city": "Rio"}, None, {"city": "Olinda"}, {"city": "Rio"}, None, {"city": "Rio"}]
        added = [await people.add(name=name, home=home) for name, home in zip("abcdef", homes, strict=True)]
        pages = await people.pages("", sort, per_page=1)
        assert sorted(str(each) for page in pages for each in page) == sorted(added)

    async def test_null_comes_first_and_ties_are_ordered_by_the_next_key(self, people: Client) -> None:
        await crowd(people)
        assert await names(people, "sort=age,name") == list("afdgcbeh")
        assert await names(people, "sort=-age,name") == list("behcdgaf")

    async def test_a_page_beyond_which_nothing_is_has_no_cursors(self, people: Client) -> None:
        none = await people.page("", "sort=-age", count=True)
        assert (none.records, none.next, none.previous, none.total) == ([], None, None, 0)
        await people.add(name="Ann")
        whole, past = await people.page("", per_page=1), await people.page("", "page=1000000", count=True)
        assert (len(whole.records), whole.next, whole.previous) == (1, None, None)
        assert (past.records, past.next, past.total) == ([], None, 1)

    async def test_page_numbers_and_cursors_give_the_same_pages(self, people: Client) -> None:
        await crowd(people)
        numbered = [await people.page("", f"sort=-age&page={number}", per_page=3) for number in (1, 2, 3)]
        ids = [[record.id for record in page.records] for page in numbered]
        assert ids == await people.pages("", "sort=-age", per_page=3)
        after = await people.page("", f"sort=-age&after={numbered[1].next}", per_page=3)
        before = await people.page("", f"sort=-age&before={numbered[1].previous}", per_page=3)
        assert [[record.id for record in page.records] for page in (before, after)] == [ids[0], ids[2]]

    async def test_items_that_come_and_go_move_no_other_over_a_cursor(self, people: Client) -> None:
        added = {name: await people.add(name=name) for name in "bcdef"}
        cursor = (await people.page("", "sort=name", per_page=2)).next
        await people.delete(added["b"])
        await people.delete(added["c"])  # by whose values the cursor knows its place
        await people.add(name="a")
        assert await names(people, f"sort=name&after={cursor}") == ["d", "e", "f"]

    async def test_all_matches_are_counted_where_a_count_is_asked_for(self, people: Client) -> None:
        await crowd(people)
        first = await people.page("", "age=3", per_page=2, count=True)
        rest = await people.page("", f"age=3&after={first.next}", per_page=2, count=True)
        everybody, uncounted = await people.page("", per_page=2, count=True), await people.page("", per_page=2)
        assert (first.total, rest.total, everybody.total, uncounted.total) == (3, 3, len(CROWD), None)

    @pytest.mark.parametrize("cursor", ["x", "AAAA", "%25", None], ids=["text", "base64", "percent", "another order"])
    async def test_a_cursor_that_this_list_did_not_give_is_refused(self, people: Client, cursor: str | None) -> None:
        await people.add(name="Ann")
        await people.add(name="Bob")
        given = cursor or (await people.page("", "sort=age", per_page=1)).next
        for way in ("after", "before"):
            with pytest.raises(BadRequest):
                await people.page("", f"sort=age,name&{way}={given}")

    # -- lists below the root

    @requires("embedded")
    async def test_a_list_of_embedded_documents_is_paged_in_its_own_order(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=[{"key": key, "text": "x"} for key in "cabed"])
        assert await people.pages(f"{ann}/notes", per_page=2) == [["c", "a"], ["b", "e"], ["d"]]
        assert await people.pages(f"{ann}/notes", "sort=-key&key__ne=c", per_page=3) == [["e", "d", "b"], ["a"]]
        ties = await people.pages(f"{ann}/notes", "sort=text", per_page=1)
        assert sorted(str(each) for page in ties for each in page) == list("abcde")

    @requires("positions")
    async def test_items_are_named_by_their_positions_in_any_order(self, people: Client) -> None:
        numbers = [5, None, 7, 5]
        ann = await people.add(name="Ann", phones=[{"label": "x", "number": each} for each in numbers])
        assert await people.pages(f"{ann}/phones", per_page=3) == [["0", "1", "2"], ["3"]]
        largest = await people.page(f"{ann}/phones", "sort=-number&number__gt=5", count=True)
        assert ([record.id for record in largest.records], largest.total) == (["2"], 1)

    @requires("links")
    async def test_a_list_of_links_shows_what_they_lead_to(self, people: Client, teams: Client) -> None:
        added = await crowd(people)
        await teams.add(code="red", members=[people.key(each) for each in added[:5]])
        pages = await teams.pages("red/members", "sort=-age", per_page=2)
        assert sorted(str(each) for page in pages for each in page) == sorted(added[:5])
        threes = await teams.page("red/members", "age=3&sort=name", count=True)
        assert ([(await teams.show(each))["name"] for each in threes.records], threes.total) == (["b", "h"], 2)

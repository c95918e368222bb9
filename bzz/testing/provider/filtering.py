"""Filters: which instances a list request selects."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Filtering"]

FOUR: list[dict[str, Any]] = [
    {"name": "Ann", "age": 41, "height": 1.7, "born": datetime(2000, 1, 1)},
    {"name": "Bob", "age": 30, "height": 1.5},
    {"name": "Cleo", "age": 17, "active": False, "born": datetime(2010, 1, 1)},
    {"name": "D.n_%", "age": None, "height": 1.7},
]


async def found(people: Client, query: str, **more: list[Any]) -> str:
    """Return the names that a query selects among the four, who have one value each of ``more`` too."""
    for place, values in enumerate(FOUR):
        given = {name: each[place] for name, each in more.items() if each[place] is not None}
        await people.add(**values, **given)
    return " ".join([each["name"] for each in await people.listed("", f"sort=name&{query}")])


class Filtering(Suite):
    """:class:`Filter` and :class:`Condition`."""

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("age=30&age=17", "Bob Cleo"),
            ("age__in=17,41", "Ann Cleo"),
            ("height=1.7&active=true", "Ann D.n_%"),
            ("active=false", "Cleo"),
            ("born=2000-01-01T00:00:00Z", "Ann"),
            ("name=ann", ""),
        ],
    )
    async def test_equal_values_are_selected(self, people: Client, query: str, names: str) -> None:
        assert await found(people, query) == names

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("age__ne=30", "Ann Cleo D.n_%"),
            ("age__nin=17,41", "Bob D.n_%"),
            ("born__exists=false", "Bob D.n_%"),
            ("age__exists=true", "Ann Bob Cleo"),
        ],
    )
    async def test_what_is_unset_differs_from_every_value(self, people: Client, query: str, names: str) -> None:
        assert await found(people, query) == names

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("age__gt=30", "Ann"),
            ("age__gte=30&active=true", "Ann Bob"),
            ("age__lt=30", "Cleo"),
            ("age__lte=30", "Bob Cleo"),
            ("born__lt=2005-01-01", "Ann"),
            ("name__gte=Cleo", "Cleo D.n_%"),
        ],
    )
    async def test_what_is_unset_is_neither_more_nor_less(self, people: Client, query: str, names: str) -> None:
        assert await found(people, query) == names

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("name__contains=o", "Bob Cleo"),
            ("name__contains=O", ""),
            ("name__icontains=O", "Bob Cleo"),
            ("name__startswith=a", ""),
            ("name__istartswith=a", "Ann"),
            ("name__endswith=b", "Bob"),
            ("name__iendswith=B", "Bob"),
            ("name__contains=%25", "D.n_%"),
            ("name__contains=_", "D.n_%"),
            ("name__contains=.", "D.n_%"),
        ],
    )
    async def test_parts_of_text_are_found_character_by_character(self, people: Client, query: str, names: str) -> None:
        assert await found(people, query) == names

    @requires("combined")
    @pytest.mark.parametrize(
        ("tree", "names"),
        [
            ({"or": [{"age": 30}, {"name": "Cleo"}]}, "Bob Cleo"),
            ({"or": [{"age": {"gt": 30}}, {"born": None}]}, "Ann Bob D.n_%"),
            ({"not": {"age": {"gt": 30}}}, "Bob Cleo D.n_%"),
            ({"not": {"age": 30}}, "Ann Cleo D.n_%"),
            ({"not": {"age": {"ne": 30}}}, "Bob"),
            ({"not": {"name": {"contains": "o"}}}, "Ann D.n_%"),
            ({"not": {"or": [{"age": {"lt": 20}}, {"height": 1.5}]}}, "Ann D.n_%"),
            ({"not": {"not": {"age": {"lt": 20}}}}, "Cleo"),
            ({"or": [{"and": [{"height": 1.7}, {"not": {"age": 41}}]}, {"active": False}]}, "Cleo D.n_%"),
            ({"height": 1.7, "not": {"age": None}}, "Ann"),
        ],
        ids=json.dumps,
    )
    async def test_combined_filters_select_exactly_what_they_say(
        self, people: Client, tree: dict[str, Any], names: str
    ) -> None:
        assert await found(people, urlencode({"filter": json.dumps(tree)})) == names

    @requires("lists")
    @pytest.mark.parametrize(
        ("query", "names"), [("tags=red", "Ann Bob"), ("tags__startswith=bl", "Ann"), ("tags__ne=red", "Cleo D.n_%")]
    )
    async def test_a_condition_on_a_list_is_one_on_its_items(self, people: Client, query: str, names: str) -> None:
        assert await found(people, query, tags=[["red", "blue"], ["red"], [], None]) == names

    @requires("embedded")
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("home.city__startswith=O", "Bob"),
            ("home.city__exists=false", "Cleo D.n_%"),
            ("notes.text=x", "Ann Cleo"),
            ("notes.key__in=b,c", "Cleo"),
        ],
    )
    async def test_a_filter_reaches_into_embedded_documents(self, people: Client, query: str, names: str) -> None:
        homes = [{"city": "Rio"}, {"city": "Olinda"}, None, None]
        notes = [[{"key": "a", "text": "x"}], [], [{"key": "b", "text": "y"}, {"key": "c", "text": "x"}], None]
        assert await found(people, query, home=homes, notes=notes) == names

    @requires("links")
    async def test_links_are_filtered_by_ids(self, people: Client, teams: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await teams.add(code="red", lead=people.key(ann), members=[people.key(ann), people.key(bob)])
        await teams.add(code="blue", lead=people.key(bob), members=[people.key(bob)])
        assert [each["code"] for each in await teams.listed("", f"lead={ann}")] == ["red"]
        assert [each["code"] for each in await teams.listed("", f"members={bob}&sort=code")] == ["blue", "red"]

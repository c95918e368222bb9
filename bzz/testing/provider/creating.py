"""Documents inserted: what is stored, reported and refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from bzz.codec import plain
from bzz.errors import Conflict, Invalid
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Creating", "named"]


def named(caught: pytest.ExceptionInfo[Any]) -> list[str]:
    """Return the dotted names in an error, sorted."""
    assert all(messages for messages in (caught.value.errors or {}).values())
    return sorted(caught.value.errors or {})


class Creating(Suite):
    """:meth:`Provider.create` at the root list."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("secret", "Ånn \U0001f41d ' \" \\ %"),
            ("secret", ""),
            ("age", 0),
            ("age", 2**63 - 1),
            ("height", -1.5),
            ("active", False),
            ("born", datetime(2026, 1, 31, 12, 30, 15, 123000)),
        ],
    )
    async def test_a_value_comes_back_as_it_was_given(self, people: Client, name: str, value: Any) -> None:
        ann = await people.add(name="Ann", **{name: value})
        assert (await people.shown(ann))[name] == plain(value)

    async def test_a_new_document_is_reported_from_nothing_with_its_defaults(self, people: Client) -> None:
        written = await people.create("", {"name": "Ann", "age": 3})
        change, new = written.change, people.key(str(written.record.id))
        assert (change.kind, change.model, change.id, written.holder) == ("created", self.models.person, new, None)
        assert change.diff is not None
        for name, value in (("name", "Ann"), ("age", 3), ("active", True)):
            assert change.diff[name] == {"from": None, "to": value}
        assert "height" not in change.diff
        assert (await people.shown(str(written.record.id)))["active"] is True

    @pytest.mark.parametrize(
        ("values", "name"), [({"name": "Ann", "age": -1}, "age"), ({"age": 3}, "name"), ({"name": None}, "name")]
    )
    async def test_what_is_refused_or_missing_is_named_and_nothing_is_stored(
        self, people: Client, values: dict[str, Any], name: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            await people.create("", values)
        assert named(caught) == [name]
        assert await people.listed("") == []

    @requires("embedded")
    async def test_everything_that_is_refused_is_named_by_its_path_at_once(self, people: Client) -> None:
        notes = [{"key": "a"}, {"key": "b"}, {"key": "a"}]  # the last with the id of the first
        with pytest.raises(Invalid) as caught:
            await people.create("", {"name": "Ann", "age": -1, "home": {"city": "R", "zip": "123456"}, "notes": notes})
        assert named(caught) == ["age", "home.zip", "notes.2"]
        with pytest.raises(Invalid) as caught:
            await people.create("", {"name": "Ann", "home": {}})
        assert named(caught) == ["home.city"]

    @requires("links")
    async def test_a_link_that_leads_nowhere_is_named(self, people: Client, teams: Client) -> None:
        ann, gone = people.key(await people.add(name="Ann")), await people.add(name="Bob")
        await people.delete(gone)
        with pytest.raises(Invalid) as caught:
            await teams.create("", {"code": "red", "lead": people.key(gone), "members": [ann, people.key(gone)]})
        assert named(caught) == ["lead", "members.1"]
        assert await teams.listed("") == []

    @requires("unique")
    async def test_a_unique_value_that_is_taken_is_a_conflict_and_named(self, people: Client) -> None:
        await people.add(name="Ann", age=3)
        with pytest.raises(Conflict) as caught:
            await people.create("", {"name": "Ann", "age": 4})
        assert named(caught) == ["name"]
        assert [each["age"] for each in await people.listed("")] == [3]

    @requires("links")
    async def test_an_id_that_is_taken_is_a_conflict_and_overwrites_nothing(
        self, people: Client, teams: Client
    ) -> None:
        ann = await people.add(name="Ann")
        await teams.add(code="red", lead=people.key(ann))
        with pytest.raises(Conflict) as caught:
            await teams.create("", {"code": "red"})
        assert named(caught) == ["code"]
        assert str((await teams.shown("red"))["lead"]) == ann

    async def test_what_is_stored_under_a_key_that_was_chosen_before_is_found_by_it(self, people: Client) -> None:
        path, pk = people.path(""), people.shape.pk
        keys = [people.provider.new_key(path) for _ in range(2)]
        if pk is None or None in keys:
            pytest.skip("it chooses no keys before it stores")
        await people.create("", {"name": "Ann", pk.name: keys[0]})
        found = await people.provider.find_created(path, keys, None)
        assert {key: (await people.show(each.record))["name"] for key, each in found.items()} == {keys[0]: "Ann"}
        assert not found[keys[0]].is_new

    @requires("unique")
    async def test_nothing_is_stored_twice_under_a_key_that_was_chosen_before(self, people: Client) -> None:
        path, pk = people.path(""), people.shape.pk
        key = people.provider.new_key(path)
        if pk is None or key is None:
            pytest.skip("it chooses no keys before it stores")
        await people.create("", {"name": "Ann", pk.name: key})
        with pytest.raises(Conflict):
            await people.create("", {"name": "Bob", pk.name: key})
        assert [each["name"] for each in await people.listed("")] == ["Ann"]

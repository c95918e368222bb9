"""Items that come to the end of lists, whatever these hold."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.errors import Conflict, Invalid
from bzz.providers.base import Appended
from bzz.testing.provider.client import Client
from bzz.testing.provider.racing import WRITERS, chain, race
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["Appending"]


@requires("appended", "lists")
class Appending(Suite):
    """:meth:`Provider.update` with :class:`~bzz.providers.base.Appended` among the values."""

    async def test_a_provider_says_that_it_appends(self, people: Client) -> None:
        assert people.provider.appends(people.shape, "tags")

    async def test_items_come_to_the_end_and_the_diff_tells_whole_lists(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3, tags=["a", "b"])
        changed = await people.update(ann, {"tags": Appended(["b", "c"]), "age": 4})
        assert (await people.shown(ann))["tags"] == ["a", "b", "b", "c"]
        assert changed.updated_fields == {
            "tags": {"from": ["a", "b"], "to": ["a", "b", "b", "c"]},
            "age": {"from": 3, "to": 4},
        }
        assert await people.show(changed.record) == await people.shown(ann)

    async def test_items_come_to_an_empty_list_and_to_none_that_is_not_there(self, people: Client) -> None:
        ann, bob = await people.add(name="Ann", tags=[]), await people.add(name="Bob", tags=None)
        await people.update(ann, {"tags": Appended(["a"])})
        assert (await people.shown(ann))["tags"] == ["a"]
        if (await people.shown(bob))["tags"] is None:
            with pytest.raises(Conflict):
                await people.update(bob, {"tags": Appended(["a"]), "age": 4})
            assert (await people.shown(bob))["age"] is None

    @requires("embedded")
    async def test_an_item_with_an_id_that_is_there_is_refused(self, people: Client) -> None:
        ann = await people.add(name="Ann", notes=[{"key": "a", "text": "old"}])
        await people.update(ann, {"notes": Appended([{"key": "b", "text": "new"}])})
        with pytest.raises(Invalid):
            await people.update(ann, {"notes": Appended([{"key": "a", "text": "new"}])})
        assert [each["text"] for each in await people.listed(f"{ann}/notes")] == ["old", "new"]

    async def test_all_that_many_writers_append_is_there(self, people: Client, mount: Mount) -> None:
        clients = [mount(self.models.person), mount(self.models.person)]
        ann = await people.add(name="Ann", tags=[])
        done, errors = await race(
            *(clients[number % 2].update(ann, {"tags": Appended([str(number)])}) for number in range(WRITERS))
        )
        assert (len(done), errors) == (WRITERS, [])
        assert sorted((await people.shown(ann))["tags"]) == [str(number) for number in range(WRITERS)]
        assert chain(0, [_sizes(each.updated_fields["tags"]) for each in done]) == WRITERS


def _sizes(pair: Any) -> dict[str, int]:
    return {side: len(pair[side]) for side in ("from", "to")}

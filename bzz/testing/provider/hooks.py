"""The model's own hooks: which instances there are for the context of a call."""

from __future__ import annotations

import pytest

from bzz.errors import Invalid, NotFound
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["Hooks"]


@requires("hooks")
class Hooks(Suite):
    """``context``, in every verb."""

    @pytest.fixture
    def everything(self, mount: Mount) -> Client:
        """Everything there is."""
        return mount(self.models.scoped)

    @pytest.fixture
    def scoped(self, mount: Mount) -> Client:
        """Only what has a name that begins with an a."""
        return mount(self.models.scoped, context="a")

    async def test_a_list_has_what_the_hook_lets_through(self, everything: Client, scoped: Client) -> None:
        for name in ("a1", "b1", "a2"):
            await everything.add(name=name)
        page = await scoped.page("", "sort=name", count=True)
        assert ([(await scoped.show(each))["name"] for each in page.records], page.total) == (["a1", "a2"], 2)
        assert await scoped.listed("", "name=b1") == []

    async def test_what_the_hook_leaves_out_is_not_found_by_any_verb(self, everything: Client, scoped: Client) -> None:
        seen, unseen = await everything.add(name="a1"), await everything.add(name="b1")
        assert (await scoped.shown(seen))["name"] == "a1"
        with pytest.raises(NotFound):
            await scoped.get(unseen)
        with pytest.raises(NotFound):
            await scoped.update(unseen, {"name": "a2"})
        with pytest.raises(NotFound):
            await scoped.delete(unseen)
        assert (await everything.shown(unseen))["name"] == "b1"

    async def test_the_hook_holds_behind_links(self, everything: Client, scoped: Client) -> None:
        seen, unseen = await everything.add(name="a1"), await everything.add(name="b1")
        keys = [scoped.key(each) for each in (seen, unseen)]
        first = await everything.add(name="a2", friend=keys[1], friends=keys)
        assert [each["name"] for each in await scoped.listed(f"{first}/friends")] == ["a1"]
        for where in (f"{first}/friend", f"{first}/friends/{unseen}"):
            with pytest.raises(NotFound):
                await scoped.get(where)
            with pytest.raises(NotFound):
                await scoped.delete(where)

    async def test_what_the_hook_leaves_out_is_not_linked(self, everything: Client, scoped: Client) -> None:
        first, unseen = await everything.add(name="a1"), scoped.key(await everything.add(name="b1"))
        with pytest.raises(Invalid):
            await scoped.link(f"{first}/friends", [unseen])
        with pytest.raises(Invalid):
            await scoped.update(first, {"friend": unseen})
        with pytest.raises(Invalid):
            await scoped.create("", {"name": "a2", "friends": [unseen]})
        assert await everything.listed(f"{first}/friends") == []

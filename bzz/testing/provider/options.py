"""Hidden and read-only fields."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.errors import Conflict, Invalid
from bzz.providers.base import Unchanged
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["Hiding"]


class Hiding(Suite):
    """:attr:`Options.hidden` and :attr:`Options.read_only`.

    The values of a call may name such fields all the same: the application's own receivers may have put them there.
    """

    async def test_a_hidden_field_is_shown_by_nothing(self, mount: Mount) -> None:
        public = mount(self.models.person, hidden=["secret"])
        record = (await public.create("", {"name": "Ann", "secret": "s3cret"})).record
        assert b"s3cret" not in (record.body or b"")
        assert "secret" not in await public.show(record)
        assert "secret" not in await public.shown(str(record.id))
        assert "secret" not in (await public.listed(""))[0]
        record.instance.name = "Eve"
        assert record.instance.secret == "s3cret"
        assert "secret" not in await public.show(record)

    async def test_a_hidden_field_is_kept_and_no_part_of_the_state(self, people: Client, mount: Mount) -> None:
        public = mount(self.models.person, hidden=["secret"])
        ann = await people.add(name="Ann", secret="old")
        state = (await public.get(ann)).state
        await people.update(ann, {"secret": "new"})
        assert (await public.get(ann)).state == state
        await public.update(ann, {"age": 4}, precondition=state.__eq__)
        assert (await people.shown(ann))["secret"] == "new"

    @requires("links")
    async def test_a_field_is_hidden_wherever_its_model_is_reached(self, people: Client, mount: Mount) -> None:
        teams = mount(self.models.team, hidden=["members.secret"])
        ann = await people.add(name="Ann", secret="s3cret")
        await teams.add(code="red", lead=people.key(ann), members=[people.key(ann)])
        for where in ("red/lead", f"red/members/{ann}"):
            assert "secret" not in await teams.shown(where)
        assert "secret" not in (await teams.listed("red/members"))[0]

    @requires("unique")
    async def test_a_hidden_field_is_named_by_no_error(self, mount: Mount) -> None:
        public = mount(self.models.person, hidden=["name"])
        await public.add(name="Ann")
        for values, error in (({"name": "Ann"}, Conflict), ({}, Invalid)):
            with pytest.raises(error) as caught:
                await public.create("", values)
            assert "name" not in f"{caught.value.errors}{caught.value.detail}"

    # -- lists that are written whole

    @requires("embedded")
    async def test_items_written_whole_keep_hidden_values_by_their_ids(self, people: Client, mount: Mount) -> None:
        public = mount(self.models.person, hidden=["notes.secret"])
        notes = [{"key": key, "text": key, "secret": f"of {key}"} for key in "abc"]
        ann = await people.add(name="Ann", notes=notes)
        assert all("secret" not in each for each in await public.listed(f"{ann}/notes"))
        await public.update(ann, {"notes": [{"key": "c", "text": "new"}, {"key": "a"}, {"key": "d"}]})
        kept = [(each["key"], each["secret"]) for each in await people.listed(f"{ann}/notes")]
        assert kept == [("c", "of c"), ("a", "of a"), ("d", None)]

    @requires("embedded")
    async def test_items_written_whole_keep_read_only_values_by_their_ids(self, people: Client, mount: Mount) -> None:
        readers = mount(self.models.person, read_only=["notes.secret"])
        ann = await people.add(name="Ann", notes=[{"key": "a", "text": "old", "secret": "x"}])
        await readers.update(ann, {"notes": [{"key": "a", "text": "new", "secret": Unchanged("x")}]})
        await readers.update(ann, {"notes": [{"key": "a", "text": "newer"}]})
        (note,) = await people.listed(f"{ann}/notes")
        assert (note["text"], note["secret"]) == ("newer", "x")

    @requires("positions")
    @pytest.mark.parametrize("phones", [[{"label": "work"}, {"label": "home"}], [{"label": "home"}], []])
    async def test_items_without_ids_are_not_written_over_hidden_values(
        self, people: Client, mount: Mount, phones: list[dict[str, Any]]
    ) -> None:
        public = mount(self.models.person, hidden=["phones.secret"])
        ann = await people.add(name="Ann", phones=[{"label": "home", "secret": "x"}, {"label": "work"}])
        with pytest.raises(Conflict):
            await public.update(ann, {"phones": phones})
        await public.update(ann, {"age": 4, "phones": [{"label": "home"}, {"label": "work"}]})  # as they are
        assert [each["secret"] for each in await people.listed(f"{ann}/phones")] == ["x", None]

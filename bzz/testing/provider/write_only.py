"""Write-only fields, which clients set and are never shown."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.change import MASKED
from bzz.errors import Invalid
from bzz.testing.provider.client import Client
from bzz.testing.provider.creating import named
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["WriteOnly"]

FROM_TO = {"from": MASKED, "to": MASKED}


@requires("write_only")
class WriteOnly(Suite):
    """:attr:`bzz.shape.Field.write_only`: the field is stored and compared, shown by nothing, and masked in diffs."""

    @pytest.fixture
    def accounts(self, mount: Mount) -> Client:
        """A client of the model ``account``."""
        return mount(self.models.account)

    async def test_a_write_only_field_is_in_the_shape_and_may_be_written(self, accounts: Client) -> None:
        assert [name for name, field in accounts.shape.fields.items() if field.write_only] == ["password"]
        assert "password" not in accounts.shape.visible
        assert "password" in accounts.shape.writable_readers

    async def test_a_write_only_field_is_shown_by_nothing_but_the_instance(self, accounts: Client) -> None:
        record = (await accounts.create("", {"name": "Ann", "password": "s3cret"})).record
        assert b"s3cret" not in (record.body or b"")
        assert "password" not in await accounts.show(record)
        assert "password" not in await accounts.shown(str(record.id))
        assert "password" not in (await accounts.listed(""))[0]
        record.instance.name = "Eve"
        assert "password" not in await accounts.show(record)
        assert (await accounts.get(str(record.id))).instance.password == "s3cret"

    async def test_a_write_only_field_may_be_required(self, accounts: Client) -> None:
        with pytest.raises(Invalid) as caught:
            await accounts.create("", {"name": "Ann"})
        assert named(caught) == ["password"]

    async def test_a_diff_names_a_write_only_field_and_masks_its_values(self, accounts: Client) -> None:
        created = await accounts.create("", {"name": "Ann", "password": "s3cret"})
        ann = str(created.record.id)
        previewed = accounts.provider.preview(await accounts.get(ann), {"password": "newer"})
        changed = await accounts.update(ann, {"name": "Eve", "password": "newer"})
        deleted = await accounts.delete(ann)
        assert changed.updated_fields == {"name": {"from": "Ann", "to": "Eve"}, "password": FROM_TO}
        diffs: list[Any] = [previewed, *(each.change.diff for each in (created, changed, deleted))]
        assert [each["password"] for each in diffs] == [FROM_TO] * 4

    async def test_an_equal_value_of_a_write_only_field_is_no_change(self, accounts: Client) -> None:
        ann = await accounts.add(name="Ann", password="s3cret")
        changed = await accounts.update(ann, {"password": "s3cret"})
        assert (changed.updated_fields, changed.change.diff) == ({}, {})

    async def test_a_write_only_field_is_no_part_of_the_state(self, accounts: Client) -> None:
        ann = await accounts.add(name="Ann", password="s3cret")
        state = (await accounts.get(ann)).state
        changed = await accounts.update(ann, {"password": "newer"}, precondition=state.__eq__)
        assert changed.record.state == state == (await accounts.get(ann)).state

"""Documents deleted."""

from __future__ import annotations

import pytest

from bzz.errors import NotFound
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite

__all__ = ["Deleting"]


class Deleting(Suite):
    """:meth:`Provider.delete` of whole documents."""

    async def test_a_deleted_document_is_gone_and_the_others_stay(self, people: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await people.delete(ann)
        for verb in (
            lambda: people.get(ann),
            lambda: people.update(ann, {"age": 4}),
            lambda: people.delete(ann),
            lambda: people.delete(ann, precondition=lambda state: True),
        ):
            with pytest.raises(NotFound):
                await verb()
        assert [record.id for record in (await people.page("")).records] == [bob]

    async def test_a_deleted_document_is_reported_down_to_nothing(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        written = await people.delete(ann)
        change = written.change
        assert (written.record.id, (await people.show(written.record))["age"], written.holder) == (ann, 3, None)
        assert (change.kind, change.model, change.id) == ("deleted", self.models.person, people.key(ann))
        assert change.diff is not None
        assert (change.diff["name"], change.diff["age"]) == ({"from": "Ann", "to": None}, {"from": 3, "to": None})

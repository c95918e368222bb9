"""What a provider says of its storage."""

from __future__ import annotations

from bzz.providers.diagnosis import Diagnosed, Diagnosis
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Diagnosing"]


@requires("diagnosis")
class Diagnosing(Suite):
    """:class:`bzz.providers.diagnosis.Diagnosed`."""

    async def test_instances_are_counted(self, people: Client) -> None:
        await people.add(name="Ann")
        await people.add(name="Bob")
        assert (await _diagnosed(people)).documents == 2

    async def test_nothing_stored_is_diagnosed_too(self, people: Client) -> None:
        assert (await _diagnosed(people)).documents == 0

    async def test_a_field_that_no_index_begins_with_is_told(self, people: Client) -> None:
        await people.add(name="Ann")
        assert (await _diagnosed(people, "age", "height")).unindexed == ("age", "height")

    @requires("unique")
    async def test_the_primary_key_and_a_unique_field_are_indexed(self, people: Client) -> None:
        await people.add(name="Ann")
        assert people.shape.pk is not None
        assert (await _diagnosed(people, "name", people.shape.pk.name)).unindexed == ()


async def _diagnosed(client: Client, *paths: str) -> Diagnosis:
    assert isinstance(client.provider, Diagnosed)
    return await client.provider.diagnose(paths)

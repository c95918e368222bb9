"""References by public ids: those of a field that stands in URLs in place of the primary key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["PublicIds"]


async def resolved(members: Client, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with primary keys in place of public ids, as texts."""
    body = dict(data)
    await members.provider.resolve_public_ids(members.shape, body, None)
    return {
        name: [str(each) for each in value] if isinstance(value, list) else str(value) for name, value in body.items()
    }


async def publicly(members: Client, where: str) -> dict[str, Any]:
    """Return what clients are shown of an instance, with public ids in its references."""
    record = await members.get(where)
    shown = await members.show(record)
    await members.provider.render_public_ids([record], [shown], None)
    return shown


async def introduce(members: Client) -> None:
    """Add Ann, Bob whom she sponsors, and one whose public id is the text of Ann's primary key."""
    for values in (
        {"number": 1, "slug": "ann"},
        {"number": 3, "slug": "1"},
        {"number": 2, "slug": "bob", "sponsor": 1, "peers": [1, 3]},
    ):
        await members.add(**values)


@requires("public_ids")
class PublicIds(Suite):
    """:class:`bzz.providers.naming.NamesDocuments`, and filters by public ids."""

    @pytest.fixture
    def members(self, mount: Mount) -> Client:
        """A client of the model ``member``."""
        return mount(self.models.member)

    async def test_the_shape_tells_the_public_id(self, members: Client) -> None:
        fields = members.shape.fields
        assert (members.shape.pk, members.shape.url_id) == (fields["number"], fields["slug"])
        assert members.shape.public_id is fields["slug"]
        assert members.provider.has_public_ids(members.shape)

    async def test_a_hidden_public_id_is_not_used(self, mount: Mount) -> None:
        members = mount(self.models.member, hidden=["slug"])
        assert members.shape.public_id is None
        assert not members.provider.has_public_ids(members.shape)

    async def test_an_instance_is_found_by_its_public_id(self, members: Client) -> None:
        await introduce(members)
        assert ((await members.get("bob")).id, (await members.shown("bob"))["number"]) == ("bob", 2)
        assert ((await members.shown("bob/sponsor"))["slug"], (await members.shown("bob/peers/ann"))["number"]) == (
            "ann",
            1,
        )

    async def test_public_ids_in_a_body_become_primary_keys(self, members: Client) -> None:
        await introduce(members)
        body = {"slug": "bob", "sponsor": "ann", "peers": ["bob", "ann"]}
        assert await resolved(members, body) == {"slug": "bob", "sponsor": "1", "peers": ["2", "1"]}

    async def test_what_is_no_public_id_stays_as_it_is(self, members: Client) -> None:
        await introduce(members)
        assert await resolved(members, {"sponsor": "nobody", "peers": ["2", 2]}) == {
            "sponsor": "nobody",
            "peers": ["2", "2"],
        }

    async def test_an_id_that_is_both_is_the_public_one(self, members: Client) -> None:
        await introduce(members)
        assert await resolved(members, {"sponsor": "1", "peers": ["1", "2"]}) == {"sponsor": "3", "peers": ["3", "2"]}

    async def test_a_body_that_holds_anything_else_is_left_to_be_judged(self, members: Client) -> None:
        await introduce(members)
        for body in (
            {"sponsor": None, "peers": 7},
            {"sponsor": {"x": 1}, "peers": [None, ["ann"]]},
            {"nothing": "ann"},
        ):
            data: dict[str, Any] = dict(body)
            await members.provider.resolve_public_ids(members.shape, data, None)
            assert data == body

    async def test_references_are_shown_by_public_ids(self, members: Client) -> None:
        await introduce(members)
        shown = await publicly(members, "bob")
        assert (shown["sponsor"], shown["peers"], shown["number"]) == ("ann", ["ann", "1"], 2)

    @requires("dangling")
    async def test_a_reference_that_leads_nowhere_is_shown_by_its_primary_key(self, members: Client) -> None:
        await introduce(members)
        await members.delete("ann")
        shown = await publicly(members, "bob")
        assert (shown["sponsor"], shown["peers"]) == (1, [1, "1"])

    async def test_values_of_a_shape_are_shown_by_public_ids_too(self, members: Client) -> None:
        await introduce(members)
        shown: dict[str, Any] = {"peers": ["1", "2"]}
        await members.provider.render_public_ids([members.shape], [shown], None)
        assert shown == {"peers": ["ann", "bob"]}

    async def test_the_state_and_the_changes_know_primary_keys_only(self, members: Client) -> None:
        await introduce(members)
        state = (await members.get("bob")).state
        changed = await members.update("bob", {"sponsor": 3})
        assert changed.updated_fields == {"sponsor": {"from": 1, "to": 3}}
        assert changed.record.state != state

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("sponsor=ann", "bob"),
            ("sponsor=1", ""),
            ("sponsor=2", ""),
            ("sponsor=nobody", ""),
            ("sponsor__ne=ann", "1 ann"),
            ("sponsor__ne=nobody", "1 ann bob"),
            ("sponsor__in=ann,nobody", "bob"),
            ("peers=1", "bob"),
            ("peers__all=ann,1", "bob"),
            ("peers__nin=ann", "1 ann"),
        ],
    )
    async def test_filters_name_documents_by_public_ids(self, members: Client, query: str, found: str) -> None:
        await introduce(members)
        assert [each["slug"] for each in await members.listed("", f"sort=slug&{query}")] == found.split()

    async def test_links_are_made_by_primary_keys_and_unlinked_by_public_ids(self, members: Client) -> None:
        await introduce(members)
        (written,) = await members.link("ann/peers", [2])
        assert (written.record.id, (written.change.diff or {})["peers"]["to"]) == ("bob", [2])
        await members.delete("ann/peers/bob")
        assert await members.listed("ann/peers") == []

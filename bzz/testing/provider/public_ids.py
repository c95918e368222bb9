"""References by public ids: those of a field that stands in URLs in place of the primary key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["PublicIds"]


async def resolved(accounts: Client, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with primary keys in place of public ids, as texts."""
    body = dict(data)
    await accounts.provider.resolve_public_ids(accounts.shape, body, None)
    return {
        name: [str(each) for each in value] if isinstance(value, list) else str(value) for name, value in body.items()
    }


async def publicly(accounts: Client, where: str) -> dict[str, Any]:
    """Return what clients are shown of an instance, with public ids in its references."""
    record = await accounts.get(where)
    shown = await accounts.show(record)
    await accounts.provider.render_public_ids([record], [shown], None)
    return shown


async def introduce(accounts: Client) -> None:
    """Add Ann, Bob whom she sponsors, and one whose public id is the text of Ann's primary key."""
    for values in (
        {"number": 1, "slug": "ann"},
        {"number": 3, "slug": "1"},
        {"number": 2, "slug": "bob", "sponsor": 1, "peers": [1, 3]},
    ):
        await accounts.add(**values)


@requires("public_ids")
class PublicIds(Suite):
    """:class:`bzz.providers.naming.NamesDocuments`, and filters by public ids."""

    @pytest.fixture
    def accounts(self, mount: Mount) -> Client:
        """A client of the model ``account``."""
        return mount(self.models.account)

    async def test_the_shape_tells_the_public_id(self, accounts: Client) -> None:
        fields = accounts.shape.fields
        assert (accounts.shape.pk, accounts.shape.url_id) == (fields["number"], fields["slug"])
        assert accounts.shape.public_id is fields["slug"]
        assert accounts.provider.has_public_ids(accounts.shape)

    async def test_a_hidden_public_id_is_not_used(self, mount: Mount) -> None:
        accounts = mount(self.models.account, hidden=["slug"])
        assert accounts.shape.public_id is None
        assert not accounts.provider.has_public_ids(accounts.shape)

    async def test_an_instance_is_found_by_its_public_id(self, accounts: Client) -> None:
        await introduce(accounts)
        assert ((await accounts.get("bob")).id, (await accounts.shown("bob"))["number"]) == ("bob", 2)
        assert ((await accounts.shown("bob/sponsor"))["slug"], (await accounts.shown("bob/peers/ann"))["number"]) == (
            "ann",
            1,
        )

    async def test_public_ids_in_a_body_become_primary_keys(self, accounts: Client) -> None:
        await introduce(accounts)
        body = {"slug": "bob", "sponsor": "ann", "peers": ["bob", "ann"]}
        assert await resolved(accounts, body) == {"slug": "bob", "sponsor": "1", "peers": ["2", "1"]}

    async def test_what_is_no_public_id_stays_as_it_is(self, accounts: Client) -> None:
        await introduce(accounts)
        assert await resolved(accounts, {"sponsor": "nobody", "peers": ["2", 2]}) == {
            "sponsor": "nobody",
            "peers": ["2", "2"],
        }

    async def test_an_id_that_is_both_is_the_public_one(self, accounts: Client) -> None:
        await introduce(accounts)
        assert await resolved(accounts, {"sponsor": "1", "peers": ["1", "2"]}) == {"sponsor": "3", "peers": ["3", "2"]}

    async def test_a_body_that_holds_anything_else_is_left_to_be_judged(self, accounts: Client) -> None:
        await introduce(accounts)
        for body in (
            {"sponsor": None, "peers": 7},
            {"sponsor": {"x": 1}, "peers": [None, ["ann"]]},
            {"nothing": "ann"},
        ):
            data: dict[str, Any] = dict(body)
            await accounts.provider.resolve_public_ids(accounts.shape, data, None)
            assert data == body

    async def test_references_are_shown_by_public_ids(self, accounts: Client) -> None:
        await introduce(accounts)
        shown = await publicly(accounts, "bob")
        assert (shown["sponsor"], shown["peers"], shown["number"]) == ("ann", ["ann", "1"], 2)

    @requires("dangling")
    async def test_a_reference_that_leads_nowhere_is_shown_by_its_primary_key(self, accounts: Client) -> None:
        await introduce(accounts)
        await accounts.delete("ann")
        shown = await publicly(accounts, "bob")
        assert (shown["sponsor"], shown["peers"]) == (1, [1, "1"])

    async def test_values_of_a_shape_are_shown_by_public_ids_too(self, accounts: Client) -> None:
        await introduce(accounts)
        shown: dict[str, Any] = {"peers": ["1", "2"]}
        await accounts.provider.render_public_ids([accounts.shape], [shown], None)
        assert shown == {"peers": ["ann", "bob"]}

    async def test_the_state_and_the_changes_know_primary_keys_only(self, accounts: Client) -> None:
        await introduce(accounts)
        state = (await accounts.get("bob")).state
        changed = await accounts.update("bob", {"sponsor": 3})
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
    async def test_filters_name_documents_by_public_ids(self, accounts: Client, query: str, found: str) -> None:
        await introduce(accounts)
        assert [each["slug"] for each in await accounts.listed("", f"sort=slug&{query}")] == found.split()

    async def test_links_are_made_by_primary_keys_and_unlinked_by_public_ids(self, accounts: Client) -> None:
        await introduce(accounts)
        (written,) = await accounts.link("ann/peers", [2])
        assert (written.record.id, (written.change.diff or {})["peers"]["to"]) == ("bob", [2])
        await accounts.delete("ann/peers/bob")
        assert await accounts.listed("ann/peers") == []

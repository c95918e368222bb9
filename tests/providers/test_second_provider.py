"""A provider over SQLite does what providers do, by what stands above the provider for MongoEngine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from bzz.errors import BadRequest
from bzz.shape import Field, Kind
from bzz.shape.containers import MapKind
from bzz.shape.free import AnyKind
from bzz.shape.scalars import BooleanKind, FloatKind, IntegerKind, StringKind
from bzz.shape.times import DateTimeKind
from bzz.testing.provider import CAPABILITIES, Capability, Models, ProviderContract
from bzz.testing.provider.client import Client
from tests.providers.sqlite import SQLiteProvider, Table


class Tenant(Table):
    """The person of the contract."""

    kinds: ClassVar[Mapping[str, Kind]] = {
        "id": IntegerKind(),
        "name": StringKind(),
        "age": IntegerKind(),
        "height": FloatKind(),
        "active": BooleanKind(),
        "born": DateTimeKind(),
        "secret": StringKind(),
        "extra": MapKind(Field("", AnyKind())),
    }
    required = frozenset(["name"])
    unique = frozenset(["name"])
    least: ClassVar[Mapping[str, int]] = {"age": 0}
    defaults: ClassVar[Mapping[str, object]] = {"active": True}


class Depositor(Table):
    """The account of the contract."""

    kinds: ClassVar[Mapping[str, Kind]] = {"id": IntegerKind(), "name": StringKind(), "password": StringKind()}
    required = frozenset(["password"])
    write_only = frozenset(["password"])


class TestSQLite(ProviderContract):
    provider = SQLiteProvider
    models = Models(person=Tenant, account=Depositor)
    lacks: ClassVar[dict[Capability, str]] = {
        each: "its rows are flat" for each in CAPABILITIES if each not in ("combined", "maps", "unique", "write_only")
    }

    @pytest.fixture
    def database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(":memory:")
        yield connection
        connection.close()

    async def test_an_array_that_cannot_be_stored_as_a_whole_is_refused_with_the_remedy(self, people: Client) -> None:
        with pytest.raises(BadRequest, match="handling=lenient"):
            await people.create_many([{"name": "Ann"}], all_or_none=True)
        assert await people.listed("") == []

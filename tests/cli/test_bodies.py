"""Rows in few requests: what a sender posts, and what it does where a server takes rows one by one only."""

from __future__ import annotations

import io

import mongoengine as me
import pytest

import bzz
from bzz.cli.bodies import TEXTS, VALUES
from bzz.cli.client import Client
from bzz.cli.resuming import Progress
from bzz.cli.rows import Format, read_rows
from bzz.cli.sending import Outcome, Sender
from bzz.errors import UnsupportedMediaType
from tests.conftest import Serve


class Herring(me.Document):
    name = me.StringField(max_length=5)
    length = me.IntField()
    seas = me.ListField(me.StringField())


class Posted(bzz.ModelHandler):
    """Notes the media types that are posted."""

    types: list[str] = []  # noqa: RUF012  # of all requests

    async def post(self) -> None:
        self.types.append(self.request.headers["Content-Type"])
        await super().post()


class Older(Posted):
    """Takes no CSV, as bzz did not either."""

    async def post(self) -> None:
        if self.request.headers["Content-Type"] == "text/csv":
            self.types.append("refused")
            raise UnsupportedMediaType("Send JSON.")
        await super().post()


@pytest.fixture(autouse=True)
def _nothing_posted() -> None:
    Posted.types.clear()


async def load(serve: Serve, handler: type[bzz.ModelHandler], text: str, form: Format) -> list[Outcome]:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Herring, handler=handler))
    sender = Sender(
        Client(f"{client.base_url}/herring/", {}), Progress("", takes_ids=True), TEXTS if form == "csv" else VALUES
    )
    return await sender.send(list(read_rows(io.BytesIO(text.encode()), form)))


CSV = 'name,seas[],length,seas[]\na,north,1,\n"b, c",north,,baltic\n\nd,,x,\ne,,,\n'


async def test_the_rows_of_csv_go_in_one_request(serve: Serve, database_name: str) -> None:
    outcomes = await load(serve, Posted, CSV, "csv")
    assert Posted.types == ["text/csv"]
    assert [(each.reason or {}).get("errors") for each in outcomes] == [
        None,
        None,
        {"length": ["Must be an integer within 64 bits."]},
        None,
    ]
    found = [(each.name, each.seas, each.length) for each in Herring.objects.order_by("name")]
    assert found == [("a", ["north"], 1), ("b, c", ["north", "baltic"], None), ("e", [], None)]


async def test_the_rows_of_csv_go_one_by_one_to_a_server_that_takes_no_csv(serve: Serve, database_name: str) -> None:
    outcomes = await load(serve, Older, CSV, "csv")
    assert Posted.types == ["refused", *["application/x-www-form-urlencoded"] * 4]
    assert [each.reason is None for each in outcomes] == [True, True, False, True]
    assert [each.seas for each in Herring.objects.order_by("name")] == [["north"], ["north", "baltic"], []]


async def test_the_rows_of_json_go_in_one_request(serve: Serve, database_name: str) -> None:
    await load(serve, Posted, '{"name": "a"}\n{"name": "b"}\n', "ndjson")
    assert Posted.types == ["application/json"]


async def test_a_column_that_comes_twice_refuses_its_rows_where_no_list_is(serve: Serve, database_name: str) -> None:
    outcomes = await load(serve, Posted, "name,name\na,b\nc,\nd,e\n", "csv")
    assert [each.reason is None for each in outcomes] == [False, True, False]
    assert outcomes[0].reason is not None
    assert outcomes[0].reason["detail"] == "'name' is named more than once; only lists are repeated."


@pytest.mark.parametrize("text", ["a,b\n1,2,3\n", "a,,b\n1,,2\n"])
def test_a_row_whose_cells_have_no_names_cannot_be_read(text: str) -> None:
    (row,) = read_rows(io.BytesIO(text.encode()), "csv")
    assert (row.data, row.problem) == (None, "This row has more cells than the header, or one without a name.")

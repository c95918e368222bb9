"""Documents near MongoDB's limit of 16 MiB: they can be edited and made smaller."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine as me
import pytest

from tests.rest import raw
from tests.rest.conftest import Api

pytestmark = pytest.mark.slow  # documents of 15 MiB

MIB = 1024 * 1024


class Sheet(me.EmbeddedDocument):
    """Has no id."""

    text = me.StringField()
    note = me.StringField()


class FileCard(me.EmbeddedDocument):
    key = me.StringField(primary_key=True)
    text = me.StringField()


class Archive(me.Document):
    name = me.StringField()
    big = me.StringField()
    sheets = me.ListField(me.EmbeddedDocumentField(Sheet))
    cards = me.EmbeddedDocumentListField(FileCard)
    free = me.DictField()


def url(archive: Archive) -> str:
    return f"/archive/{archive.id}/"


@pytest.fixture
def client(alone: Api) -> httpx.AsyncClient:
    return alone(Archive)


def stored(**values: Any) -> Archive:
    """An archive as somebody beside bzz wrote it."""
    archive = Archive()
    archive.id = Archive._get_collection().insert_one(values).inserted_id
    return archive


async def test_an_item_of_a_list_of_11_mib_is_removed_and_edited(client: httpx.AsyncClient) -> None:
    archive = stored(sheets=[{"text": str(number) + MIB * "x"} for number in range(11)])
    assert (await client.delete(url(archive) + "sheets/3/")).status_code == 204
    assert (await client.put(url(archive) + "sheets/3/", json={"note": "new"})).status_code == 200
    assert (await client.put(url(archive) + "sheets/4/", json={"text": "small"})).status_code == 200
    sheets = raw(archive)["sheets"]
    assert [each["text"][:2] for each in sheets] == ["0x", "1x", "2x", "4x", "sm", "6x", "7x", "8x", "9x", "10"]
    assert [each.get("note") for each in sheets][3] == "new"


async def test_a_document_of_15_5_mib_is_made_smaller(client: httpx.AsyncClient) -> None:
    half = MIB // 2 * "x"
    big = {
        "big": 2 * MIB * "x",
        "cards": [{"_id": str(number), "text": half} for number in range(13)],
        "sheets": [{"text": half} for _ in range(13)],
        "free": {"a": half},
    }
    archive = stored(**big)
    steps = [
        await client.delete(url(archive) + "cards/3/"),
        await client.delete(url(archive) + "sheets/3/"),
        await client.put(url(archive) + "cards/4/", json={"text": "small"}),
        await client.put(url(archive) + "sheets/4/", json={"text": None}),
        await client.put(url(archive), json={"big": "small"}),
        await client.put(url(archive), json={"free": {}}),
        await client.put(url(archive), json={"sheets": []}),
        await client.put(url(archive), json={"cards": []}),
    ]
    assert [each.status_code for each in steps] == [204, 204, *[200] * 6]
    left = raw(archive)
    assert (left["big"], left["free"], left["sheets"], left["cards"]) == ("small", {}, [], [])


async def test_a_document_of_15_5_mib_does_not_grow(client: httpx.AsyncClient) -> None:
    archive = stored(sheets=[{"text": MIB // 2 * "x"} for _ in range(31)])
    answers = [
        await client.post(url(archive) + "sheets/", json={"text": "x"}),
        await client.put(url(archive) + "sheets/0/", json={"note": "x"}),
    ]
    assert [each.status_code for each in answers] == [400, 400]
    assert "15728640 bytes" in answers[0].json()["errors"]["*"][0]


async def test_a_document_of_15_5_mib_is_deleted_on_condition(client: httpx.AsyncClient) -> None:
    archive = stored(sheets=[{"text": MIB // 2 * "x"} for _ in range(31)])
    tag = (await client.get(url(archive), timeout=60)).headers["ETag"]
    assert (await client.put(url(archive), json={"name": "x"}, headers={"If-Match": tag})).status_code == 400
    assert (await client.delete(url(archive), headers={"If-Match": '"other"'})).status_code == 412
    assert (await client.delete(url(archive), headers={"If-Match": tag})).status_code == 204

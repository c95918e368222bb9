"""CSV that is posted to a list: an array, written in another way."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz import signals
from bzz.model.bulk import MAX_ROWS
from bzz.testing import capture
from tests.conftest import Serve
from tests.rest.conftest import Api

LENIENT = {"Prefer": "handling=lenient"}


class Haulier(me.Document):
    code = me.StringField(primary_key=True, max_length=5)


class Postmark(me.EmbeddedDocument):
    office = me.StringField(max_length=5)
    day = me.DateField()


class Waybill(me.Document):
    number = me.IntField(unique=True, required=True)
    state = me.StringField(choices=("new", "sent"), default="new")
    text = me.StringField()
    tags = me.ListField(me.StringField())
    stamp = me.EmbeddedDocumentField(Postmark)
    stamps = me.EmbeddedDocumentListField(Postmark)
    haulier = me.ReferenceField(Haulier)
    secret = me.StringField()


async def post(client: httpx.AsyncClient, text: str | bytes, url: str = "/waybill/", **headers: str) -> httpx.Response:
    content_type = headers.pop("content_type", "text/csv")
    return await client.post(url, content=text, headers={"Content-Type": content_type, **headers})


async def numbers(client: httpx.AsyncClient) -> list[int]:
    return [each["number"] for each in (await client.get("/waybill/?sort=number&per_page=100")).json()]


async def test_rows_are_stored_and_shown_in_their_order(alone: Api) -> None:
    client = alone(Waybill)
    text = "number,state,stamp.office,stamp.day,tags[],tags[]\r\n2,,Natal,2026-01-31,a,b\r\n1,sent,,,c,\r\n"
    answer = await post(client, text, content_type="Text/CSV; charset=UTF-8; header=present")
    assert answer.status_code == 201
    shown = [(each["number"], each["state"], each["stamp"], each["tags"]) for each in answer.json()]
    assert shown == [
        (2, "new", {"office": "Natal", "day": "2026-01-31"}, ["a", "b"]),
        (1, "sent", None, ["c"]),
    ]


async def test_csv_is_answered_as_the_same_array_in_json(serve: Serve, database_name: str) -> None:
    waybills = bzz.ModelHive.routes_for("mongoengine", Waybill, hidden=["secret"], read_only=["text"])
    client = serve(bzz.flatten([waybills, bzz.ModelHive.routes_for("mongoengine", Haulier)]))
    await client.post("/haulier/", json={"code": "A"})
    rows = [
        {"number": 1, "haulier": "A"},
        {"number": "x", "state": "odd"},
        {"state": "new"},
        {"number": 4, "colour": "red", "secret": "s", "text": "t"},
        {"number": 5, "haulier": "B"},
        {"number": 6, "stamp": {"office": "Salvador", "place": "x"}},
    ]
    text = (
        "number,state,haulier,colour,secret,text,stamp.office,stamp.place\n"
        "1,,A\nx,odd\n,new\n4,,,red,s,t\n5,,B\n6,,,,,,Salvador,x\n"
    )
    for headers in ({}, LENIENT):
        plain, csv = await client.post("/waybill/", json=rows, headers=headers), await post(client, text, **headers)
        if headers:
            made, again = plain.json().pop(0), csv.json().pop(0)
            assert (made["status"], again["status"], again["errors"]) == (201, 409, {"number": ["The value is taken."]})
        assert (csv.status_code, csv.json()[1:] if headers else csv.json()) == (
            plain.status_code,
            plain.json()[1:] if headers else plain.json(),
        )


async def test_one_refused_row_keeps_all_from_being_stored(alone: Api) -> None:
    client = alone(Waybill)
    answer = await post(client, "number,text\n1,a\n2,b,c\nx,d\n")
    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        {
            "1.*": ["Must have no more cells than the header, which has 2."],
            "2.number": ["Must be an integer within 64 bits."],
        },
    )
    assert await numbers(client) == []


async def test_a_lenient_request_stores_what_can_be_stored_and_says_how_each_row_went(alone: Api) -> None:
    client = alone(Waybill)
    answer = await post(client, "number,text\n1,a\n2,b,c\n1,d\n4,\n", **LENIENT)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (200, "handling=lenient")
    assert [each["status"] for each in answer.json()] == [201, 400, 409, 201]
    assert answer.json()[1]["errors"] == {"*": ["Must have no more cells than the header, which has 2."]}
    assert await numbers(client) == [1, 4]


@pytest.mark.parametrize("prefer", ["handling=strict", "handling=lenient"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "The first line must name the fields."),
        (
            b"number,number\n1,2\n",
            "The header cannot be read: 'number' is named more than once; only lists are repeated.",
        ),
        (b"number\n1\n\xff\n", "The body is not valid UTF-8, from line 3 on."),
        (b'number\n1\n"2\n', "The body is not CSV, from line 3 on: unexpected end of data."),
        (b"number\n", "There are no rows."),
        (b"number\n" + b"1\n" * (MAX_ROWS + 1), "One request may have 1000 rows; send the others in further requests."),
    ],
)
async def test_what_cannot_be_read_to_its_end_is_a_400_and_nothing_is_stored(
    alone: Api, text: bytes, told: str, prefer: str
) -> None:
    client = alone(Waybill)
    answer = await post(client, text, Prefer=prefer)
    assert (answer.status_code, answer.json()["detail"]) == (400, told)
    assert await numbers(client) == []


async def test_a_thousand_rows_go_in_one_request(alone: Api) -> None:
    client = alone(Waybill)
    answer = await post(client, "number\n" + "\n".join(map(str, range(MAX_ROWS))))
    assert (answer.status_code, len(answer.json())) == (201, MAX_ROWS)


@pytest.mark.parametrize("formula", ["=1+1", "@SUM(A1)", "+1", "-2+3", "=cmd|' /C calc'!A0", "A\0B", "$where", "../.."])
async def test_what_other_programs_would_run_is_text(alone: Api, formula: str) -> None:
    client = alone(Waybill)
    answer = await post(client, f'number,text\n1,"{formula}"\n')
    assert (answer.status_code, answer.json()[0]["text"]) == (201, formula)


@pytest.mark.parametrize("name", ["$where", "_cls", "stamp.$set", "a\0b", "__class__.x", "id.x", "n" * 65_536])
async def test_a_column_that_is_no_field_is_a_400(alone: Api, name: str) -> None:
    client = alone(Waybill)
    answer = await post(client, f"number,{name}\n1,x\n")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {f"0.{name.split('.x')[0]}"})


async def test_a_body_beyond_the_limit_is_a_413(alone: Api) -> None:
    answer = await post(alone(Waybill), 10_000_000 * b'"')
    assert answer.status_code == 413


async def test_receivers_and_listeners_hear_of_each_row(alone: Api) -> None:
    client = alone(Waybill)
    seen: list[Any] = []

    def before(sender: type, handler: Any) -> None:
        seen.append(dict(handler.data))
        handler.data["state"] = "sent"

    with signals.pre_create_instance.connected_to(before, Waybill), capture("Waybill.created") as created:
        await post(client, "number,stamp.office\n1,Rio\n2,\n")
    assert seen == [{"number": 1, "stamp": {"office": "Rio"}}, {"number": 2}]
    assert [(each.instance.number, each.instance.state) for each in created] == [(1, "sent"), (2, "sent")]


async def test_two_that_race_for_the_same_values_store_one_of_each(alone: Api) -> None:
    client = alone(Waybill)
    text = "number\n" + "\n".join(map(str, range(20)))
    answers = await asyncio.gather(*(post(client, text, **LENIENT) for _ in range(4)))
    statuses = [each["status"] for answer in answers for each in answer.json()]
    assert (statuses.count(201), statuses.count(409)) == (20, 60)


@pytest.mark.parametrize("prefer", ["handling=strict", "handling=lenient"])
async def test_what_is_sent_again_with_its_key_is_stored_once(alone: Api, prefer: str) -> None:
    client = alone(Waybill)
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Prefer": prefer}
    first, second = [await post(client, "number\n1\n2\n", **headers) for _ in range(2)]
    assert (first.status_code, second.json()) == (second.status_code, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (await post(client, "number\n3\n", **headers)).status_code == 422
    assert (await client.post("/waybill/", json=[{"number": 1}, {"number": 2}], headers=headers)).status_code == 422
    assert await numbers(client) == [1, 2]


async def test_rows_that_are_refused_leave_their_key_free(alone: Api) -> None:
    client = alone(Waybill)
    key = {"Idempotency-Key": uuid.uuid4().hex}
    assert (await post(client, "number\nx\n", **key)).status_code == 400
    assert (await post(client, "number\n1\n", **key)).status_code == 201


async def test_nothing_is_shown_to_who_prefers_so(alone: Api) -> None:
    answer = await post(alone(Waybill), "number\n1\n", Prefer="return=minimal")
    assert (answer.status_code, answer.content) == (201, b"")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_document_is_not_changed_by_csv(alone: Api, method: str) -> None:
    client = alone(Waybill)
    created = (await client.post("/waybill/", json={"number": 1})).json()
    answer = await client.request(
        method, f"/waybill/{created['id']}/", content="number\n2\n", headers={"Content-Type": "text/csv"}
    )
    assert (answer.status_code, "text/csv" in answer.headers["Accept"]) == (415, False)


async def test_a_list_inside_a_document_takes_no_csv(alone: Api) -> None:
    client = alone(Waybill)
    created = (await client.post("/waybill/", json={"number": 1})).json()
    answer = await post(client, "office\nRio\n", f"/waybill/{created['id']}/stamps/")
    assert (answer.status_code, "text/csv" in answer.headers["Accept"]) == (415, False)


async def test_a_list_says_that_it_takes_csv_where_another_type_comes(alone: Api) -> None:
    answer = await post(alone(Waybill), "x", content_type="text/plain")
    assert answer.status_code == 415
    assert (
        answer.headers["Accept"] == "application/json, application/x-www-form-urlencoded, multipart/form-data, text/csv"
    )


async def test_another_charset_is_a_415(alone: Api) -> None:
    answer = await post(alone(Waybill), "number\n1\n", content_type="text/csv; charset=latin-1")
    assert (answer.status_code, answer.json()["detail"]) == (415, "Only UTF-8 is read.")

"""Documents whose primary key is a 128-bit decimal are served as all others."""

from __future__ import annotations

import mongoengine as me

from tests.rest.conftest import Api


class Depth(me.Document):
    metres = me.Decimal128Field(primary_key=True)
    name = me.StringField()


class Sonde(me.Document):
    name = me.StringField()
    depth = me.ReferenceField(Depth)


async def test_a_decimal_key_is_read_changed_and_deleted(api: Api) -> None:
    client = api(Depth)
    assert (await client.post("/depth/", json={"metres": "1.50", "name": "a"})).status_code == 201
    assert (await client.get("/depth/1.50/")).json() == {"metres": "1.50", "name": "a"}
    assert (await client.put("/depth/1.50/", json={"name": "b"})).json()["name"] == "b"
    assert (await client.delete("/depth/1.50/")).status_code == 204
    assert (await client.get("/depth/1.50/")).status_code == 404


async def test_a_reference_by_a_decimal_key_has_to_lead_somewhere(api: Api) -> None:
    client = api(Depth, Sonde)
    await client.post("/depth/", json={"metres": "2.5"})
    assert (await client.post("/sonde/", json={"depth": "2.5"})).status_code == 201
    assert (await client.post("/sonde/", json={"depth": "3.5"})).status_code == 400

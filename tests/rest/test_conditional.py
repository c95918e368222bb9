"""``ETag``, ``If-Match`` and ``If-None-Match``: reads that are spared, and writes that rest on what was read."""

from __future__ import annotations

import asyncio
from typing import Any

import mongoengine as me
import pytest

from tests.rest import Sailor, Ship, raw
from tests.rest.conftest import Api

JSON = {"Content-Type": "application/json"}


class Skiff(me.Document):
    """Saved by MongoEngine itself."""

    name = me.StringField()

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return super().delete(*args, **kwargs)


@pytest.mark.parametrize("verb", ["GET", "HEAD"])
async def test_a_read_of_what_the_client_has_is_304_without_a_body(api: Api, verb: str) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor)
    for place in (f"/sailor/{sailor.id}/", f"/sailor/{sailor.id}/?fields=name", "/sailor/", "/sailor/?fields=name"):
        tag = (await client.get(place)).headers["ETag"]
        for header in (tag, f'"x", {tag}', f"W/{tag}", "*"):
            spared = await client.request(verb, place, headers={"If-None-Match": header})
            assert (place, header, spared.status_code, spared.content) == (place, header, 304, b"")
        other = await client.request(verb, place, headers={"If-None-Match": '"x"'})
        assert (place, other.status_code) == (place, 200)


async def test_a_tag_changes_with_what_is_stored(api: Api) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor)
    place = f"/sailor/{sailor.id}/"
    first = (await client.get(place)).headers["ETag"]
    second = (await client.put(place, json={"age": 1})).headers["ETag"]
    back = (await client.put(place, json={"age": None})).headers["ETag"]
    assert (first != second, first == back, (await client.get(place)).headers["ETag"]) == (True, True, first)


async def test_a_created_instance_has_the_tag_that_a_read_gives(api: Api) -> None:
    client = api(Sailor)
    created = await client.post("/sailor/", json={"name": "Ann"})
    assert (await client.get(created.headers["Location"])).headers["ETag"] == created.headers["ETag"]


@pytest.mark.parametrize("model", [Sailor, Skiff])
async def test_a_write_goes_on_only_while_its_tag_holds(api: Api, model: type) -> None:
    client = api(model)
    root = f"/{model.__name__.lower()}/"
    place = (await client.post(root, json={"name": "a"})).headers["Location"]
    stale = (await client.get(place)).headers["ETag"]
    fresh = (await client.put(place, json={"name": "b"})).headers["ETag"]
    for verb in ("PUT", "PATCH", "DELETE"):
        for headers in ({"If-Match": stale}, {"If-Match": '"x", W/' + fresh}, {"If-None-Match": fresh}):
            body = b'{"name": "c"}' if verb != "DELETE" else b""
            refused = await client.request(verb, place, content=body, headers={**headers, **(JSON if body else {})})
            assert (verb, headers, refused.status_code) == (verb, headers, 412)
            assert refused.headers["Content-Type"] == "application/problem+json"
        assert (
            verb,
            (await client.request(verb, place, content=b"{}", headers={"If-None-Match": "*", **JSON})).status_code,
        ) == (verb, 412)
    assert (await client.get(place)).json()["name"] == "b"
    assert (await client.put(place, json={"name": "c"}, headers={"If-Match": f'"x", {fresh}'})).status_code == 200
    assert (await client.patch(place, json={"name": "d"}, headers={"If-None-Match": fresh})).status_code == 200
    assert (await client.delete(place, headers={"If-Match": "*"})).status_code == 204


async def test_a_write_of_nothing_is_404_whatever_its_tag(api: Api) -> None:
    client, place = api(Sailor), "/sailor/5f0000000000000000000000/"
    for verb in ("PUT", "PATCH", "DELETE"):
        answer = await client.request(verb, place, content=b"{}", headers={"If-Match": "*", **JSON})
        assert (verb, answer.status_code) == (verb, 404)


async def test_a_read_whose_if_match_fails_is_412(api: Api) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor)
    place = f"/sailor/{sailor.id}/"
    tag = (await client.get(place)).headers["ETag"]
    assert (await client.get(place, headers={"If-Match": '"x"'})).status_code == 412
    assert (await client.get(place, headers={"If-Match": tag})).status_code == 200


@pytest.mark.parametrize("model", [Sailor, Skiff])
async def test_of_many_writers_with_one_tag_one_writes(api: Api, model: type) -> None:
    client = api(model)
    place = (await client.post(f"/{model.__name__.lower()}/", json={"name": "a"})).headers["Location"]
    tag = {"If-Match": (await client.get(place)).headers["ETag"]}
    answers = await asyncio.gather(*(client.put(place, json={"name": str(n)}, headers=tag) for n in range(20)))
    assert sorted(each.status_code for each in answers) == [200, *[412] * 19]
    winner = next(each for each in answers if each.status_code == 200)
    assert (await client.get(place)).json() == winner.json()


async def test_a_tag_from_a_partial_view_guards_a_write_too(api: Api) -> None:
    ship, client = Ship(name="Argo").save(), api(Ship)
    place = f"/ship/{ship.id}/"
    tag = (await client.get(f"{place}?fields=name")).headers["ETag"]
    assert (await client.put(place, json={"tons": 1}, headers={"If-Match": tag})).status_code == 200
    assert (await client.put(place, json={"tons": 2}, headers={"If-Match": tag})).status_code == 412
    assert raw(ship)["t"] == 1


async def test_hidden_fields_do_not_show_in_a_tag(api: Api) -> None:
    sailor, client = Sailor(name="Ann", age=1).save(), api(Sailor, hidden=["age"])
    place = f"/sailor/{sailor.id}/"
    before = (await client.get(place)).headers["ETag"]
    sailor.update(age=2)
    assert (await client.get(place)).headers["ETag"] == before

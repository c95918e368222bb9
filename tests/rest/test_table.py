"""Every row of the table of requests and answers, for a document of its own collection."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest
from bson import ObjectId

import bzz
from tests.conftest import Serve
from tests.rest import Harbour, Sailor, Ship, raw
from tests.rest.conftest import Api

JSON = {"Content-Type": "application/json"}


class Pilot(me.Document):
    """As small as a document can be: for the three lines that need no further set-up."""

    name = me.StringField()


async def test_the_three_lines_alone_serve_a_model(serve: Serve, database_name: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Pilot))
    created = await client.post("/pilot/", json={"name": "Ann"})
    shown = await client.get(created.headers["Location"])
    assert shown.json() == created.json() == {"id": created.headers["X-Created-Id"], "name": "Ann"}


async def test_the_three_lines_alone_serve_every_verb(serve: Serve, database_name: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Pilot))
    place = (await client.post("/pilot/", json={"name": "Ann"})).headers["Location"]
    await client.put(place, json={"name": "Bea"})
    await client.patch(place, json={"name": None})
    assert (await client.get("/pilot/")).json() == [{"id": place.split("/")[2], "name": None}]
    assert (await client.delete(place)).status_code == 204
    assert (await client.get("/pilot/")).json() == []


async def test_a_list_is_a_json_array_ordered_by_id(api: Api) -> None:
    sailors = [Sailor(name=name).save() for name in "cab"]
    answer = await api(Sailor).get("/sailor/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert [each["id"] for each in answer.json()] == [str(each.id) for each in sailors]


async def test_post_answers_201_with_the_instance_its_place_and_its_id(api: Api) -> None:
    answer = await api(Sailor).post("/sailor/", json={"name": "Ann", "age": 3})
    stored = Sailor.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/sailor/{stored.id}/")
    assert answer.headers["X-Created-Id"] == str(stored.id)
    assert answer.json() == {
        "id": str(stored.id), "name": "Ann", "age": 3, "home": None, "boss": None, "friends": [],
    }  # fmt: skip


async def test_get_shows_every_declared_field_with_null_for_unset(api: Api) -> None:
    sailor = Sailor(name="Ann").save()
    answer = await api(Sailor).get(f"/sailor/{sailor.id}/")
    assert answer.status_code == 200
    assert {key: each for key, each in answer.json().items() if key != "friends"} == {
        "id": str(sailor.id), "name": "Ann", "age": None, "home": None, "boss": None,
    }  # fmt: skip


async def test_a_list_that_is_not_stored_is_shown_null(api: Api) -> None:
    sailor = Sailor(name="Ann").save()
    Sailor._get_collection().update_one({"_id": sailor.id}, {"$unset": {"fr": ""}})
    assert (await api(Sailor).get(f"/sailor/{sailor.id}/")).json()["friends"] is None


async def test_head_answers_as_get_without_a_body(api: Api) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor)
    for place in (f"/sailor/{sailor.id}/", "/sailor/"):
        shown, head = await client.get(place), await client.head(place)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["ETag"] == shown.headers["ETag"]


async def test_put_changes_only_the_fields_sent_and_answers_the_new_state(api: Api) -> None:
    sailor, client = Sailor(name="Ann", age=3).save(), api(Sailor)
    answer = await client.put(f"/sailor/{sailor.id}/", json={"age": 4})
    assert answer.status_code == 200
    assert answer.json() == (await client.get(f"/sailor/{sailor.id}/")).json()
    assert (answer.json()["name"], answer.json()["age"]) == ("Ann", 4)


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
async def test_patch_takes_both_media_types_and_null_unsets(api: Api, media_type: str) -> None:
    sailor, client = Sailor(name="Ann", age=3).save(), api(Sailor)
    headers = {"Content-Type": media_type}
    answer = await client.patch(f"/sailor/{sailor.id}/", content=b'{"age": null}', headers=headers)
    assert (answer.status_code, answer.json()["age"]) == (200, None)
    assert "a" not in raw(sailor)


async def test_patch_merges_free_form_objects_and_put_replaces_them(api: Api) -> None:
    ship, client = Ship(name="Ann", log={"a": 1, "b": {"c": 2, "d": 3}}).save(), api(Ship)
    patched = await client.patch(f"/ship/{ship.id}/", json={"log": {"a": None, "b": {"c": 9}}})
    assert patched.json()["log"] == {"b": {"c": 9, "d": 3}}
    put = await client.put(f"/ship/{ship.id}/", json={"log": {"x": 1}})
    assert put.json()["log"] == {"x": 1} == raw(ship)["lg"]


async def test_patch_merges_embedded_documents(api: Api) -> None:
    client = api(Ship)
    created = await client.post("/ship/", json={"name": "Ann", "engine": {"power": 3, "fuel": "coal"}})
    patched = await client.patch(created.headers["Location"], json={"engine": {"fuel": None}})
    assert (patched.json()["engine"]["power"], patched.json()["engine"]["fuel"]) == (3, None)


async def test_put_of_merge_patch_is_415(api: Api) -> None:
    sailor = Sailor(name="Ann").save()
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = await api(Sailor).put(f"/sailor/{sailor.id}/", content=b'{"age": 1}', headers=headers)
    assert answer.status_code == 415


async def test_delete_answers_204_and_the_second_time_404(api: Api) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor)
    first, second = [await client.delete(f"/sailor/{sailor.id}/") for _ in range(2)]
    assert (first.status_code, first.content, second.status_code) == (204, b"", 404)
    assert Sailor.objects.count() == 0


@pytest.mark.parametrize("name", ["5f0000000000000000000000", "5f", "x", "%00", "1e999", "%F0%9F%8D%95", "null", "a b"])
async def test_an_id_of_nothing_or_malformed_is_404(alone: Api, name: str) -> None:
    client = alone(Sailor)
    for verb in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        answer = await client.request(verb, f"/sailor/{name}/", json={} if verb in ("PUT", "PATCH") else None)
        assert (verb, answer.status_code) == (verb, 404)


async def test_options_and_a_wrong_method_say_what_is_allowed(api: Api) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor)
    rows = {
        "/sailor/": ("GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS", "PUT"),
        f"/sailor/{sailor.id}/": ("GET, HEAD, PUT, PATCH, DELETE, OPTIONS", "POST"),
        f"/sailor/{sailor.id}/friends/": ("GET, HEAD, QUERY, POST, OPTIONS", "DELETE"),
        f"/sailor/{sailor.id}/boss/": ("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", None),
        f"/sailor/{sailor.id}/friends/{sailor.id}/": ("GET, HEAD, DELETE, OPTIONS", "PUT"),
    }
    for place, (allowed, wrong) in rows.items():
        options = await client.options(place)
        assert (options.status_code, options.content, options.headers["Allow"]) == (204, b"", allowed)
        if wrong:
            refused = await client.request(wrong, place)
            assert (refused.status_code, refused.headers["Allow"]) == (405, allowed)


async def test_a_method_that_http_does_not_know_is_405_with_allow(api: Api) -> None:
    answer = await api(Sailor).request("BREW", "/sailor/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, QUERY, POST, PATCH, DELETE, OPTIONS")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_trailing_slash_is_optional(api: Api, slash: str) -> None:
    client = api(Sailor)
    created = await client.post(f"/sailor{slash}", json={"name": "Ann"})
    place = created.headers["Location"].rstrip("/") + slash
    assert created.headers["Location"].count("//") == 0
    assert (await client.put(place, json={"age": 2})).status_code == 200
    assert (await client.get(place)).json()["age"] == 2
    assert len((await client.get(f"/sailor{slash}")).json()) == 1
    assert (await client.delete(place)).status_code == 204


async def test_two_slashes_are_no_address(api: Api) -> None:
    assert (await api(Sailor).get("/sailor//")).status_code == 404


async def test_an_id_may_be_given_once_and_post_never_overwrites(api: Api) -> None:
    client, key = api(Sailor), str(ObjectId())
    assert (await client.post("/sailor/", json={"id": key, "name": "Ann"})).headers["X-Created-Id"] == key
    again = await client.post("/sailor/", json={"id": key, "name": "Bea"})
    assert (again.status_code, again.json()["errors"]) == (409, {"id": ["The value is taken."]})
    assert Sailor.objects.get().name == "Ann"


async def test_the_id_cannot_change_and_may_be_repeated(api: Api) -> None:
    sailor, client = Sailor(name="Ann").save(), api(Sailor)
    for verb in ("PUT", "PATCH"):
        changed = await client.request(verb, f"/sailor/{sailor.id}/", json={"id": str(ObjectId())})
        repeated = await client.request(verb, f"/sailor/{sailor.id}/", json={"id": str(sailor.id), "age": 5})
        assert (changed.status_code, list(changed.json()["errors"])) == (400, ["id"])
        assert (repeated.status_code, repeated.json()["age"]) == (200, 5)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": "Ann", "role": "x"}, "role"),
        ({"name": "Ann", "_cls": "Ship"}, "_cls"),
        ({"name": "Ann", "n": "stored name"}, "n"),
        ({"name": "Ann", "age": True}, "age"),
        ({"name": "Ann", "age": "12"}, "age"),
        ({"name": "Ann", "age": 1.5}, "age"),
        ({"name": "Ann", "age": 2**63}, "age"),
        ({"name": 7}, "name"),
        ({"age": 7}, "name"),
        ({"name": None}, "name"),
        ({"name": "Ann", "boss": "x"}, "boss"),
        ({"name": "Ann", "boss": "5f0000000000000000000000"}, "boss"),
        ({"name": "Ann", "friends": "x"}, "friends"),
        ({"name": "Ann", "friends": [None]}, "friends.0"),
        ({"name": "Ann", "friends": ["5f0000000000000000000000"]}, "friends.0"),
        ({"name": "Ann", "home": "nowhere"}, "home"),
    ],
)
async def test_what_the_model_refuses_is_400_and_named(alone: Api, body: dict[str, Any], wrong: str) -> None:
    answer = await alone(Sailor).post("/sailor/", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [wrong])
    assert Sailor.objects.count() == 0


async def test_one_answer_names_what_is_wrong_at_every_depth_by_dotted_names(api: Api) -> None:
    body: dict[str, Any] = {
        "engine": {"power": "x", "main": {"maker": None}},
        "cabins": [{"code": "a", "berths": [{"label": "x" * 11}]}, {"code": "b", "size": 0, "_cls": "x"}],
    }
    answer = await api(Ship).post("/ship/", json=body)
    assert answer.json()["errors"] == {
        "cabins.1._cls": ["Unknown field."],
        "engine.power": ["Must be an integer within 64 bits."],
        "cabins.0.berths.0.label": ["Must be a string of at most 10 characters."],
        "cabins.1.size": ["Must be an integer of at least 1."],
    }


async def test_what_is_missing_is_told_when_nothing_else_is_wrong(api: Api) -> None:
    answer = await api(Ship).post("/ship/", json={"engine": {"main": {"maker": None}}})
    assert set(answer.json()["errors"]) == {"name", "engine.main.name"}


async def test_a_reference_that_leads_nowhere_is_told_with_what_fields_refuse(api: Api) -> None:
    body = {"name": "Argo", "captain": "5f0000000000000000000000", "cabins": [{"code": "b", "size": 0}]}
    errors = (await api(Ship).post("/ship/", json=body)).json()["errors"]
    assert set(errors) == {"captain", "cabins.0.size"}


@pytest.mark.parametrize("key", ["_cls", "$set", "a.b", "a\0b", ""])
async def test_keys_that_mean_something_to_mongodb_are_refused_in_free_form_objects(alone: Api, key: str) -> None:
    answer = await alone(Ship).post("/ship/", json={"name": "Ann", "log": {"x": [{key: 1}]}})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [f"log.x.0.{key}"])


async def test_a_unique_value_that_is_taken_is_409_and_named_as_declared(api: Api) -> None:
    client = api(Ship)
    await client.post("/ship/", json={"name": "Ann"})
    other = await client.post("/ship/", json={"name": "Bea"})
    for answer in (
        await client.post("/ship/", json={"name": "Ann"}),
        await client.put(other.headers["Location"], json={"name": "Ann"}),
    ):
        assert (answer.status_code, answer.json()["errors"]) == (409, {"name": ["The value is taken."]})


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/mixed; boundary=x", "application/xml", "json", ""])
async def test_any_other_media_type_is_415_and_says_what_is_read(alone: Api, media_type: str) -> None:
    answer = await alone(Sailor).post("/sailor/", content=b"{}", headers={"Content-Type": media_type})
    assert (answer.status_code, answer.headers["Content-Type"]) == (415, "application/problem+json")
    assert "application/json" in answer.headers["Accept"]


async def test_a_charset_other_than_utf_8_is_415(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=latin-1"}
    assert (await api(Sailor).post("/sailor/", content=b"{}", headers=headers)).status_code == 415


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b'{"age": NaN}', b"[" * 100_000])
async def test_a_malformed_body_is_400(alone: Api, body: bytes) -> None:
    answer = await alone(Sailor).post("/sailor/", content=body, headers=JSON)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


async def test_a_body_over_a_mebibyte_is_413(api: Api) -> None:
    answer = await api(Sailor).post("/sailor/", content=b" " * (1024 * 1024 + 1), headers=JSON)
    assert answer.status_code == 413


async def test_a_form_creates_a_document(api: Api) -> None:
    harbour = Harbour(code="RIO").save()
    form = "name=Ann+%C3%A9&tons=12&engine.power=5&engine.main.name=shaft&tags%5B%5D=a&ports=RIO"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await api(Ship).post("/ship/", content=form, headers=headers)
    shown = answer.json()
    assert (answer.status_code, shown["name"], shown["tons"], shown["tags"]) == (201, "Ann é", 12, ["a"])
    assert (shown["engine"]["power"], shown["engine"]["main"]["name"], shown["ports"]) == (5, "shaft", [harbour.code])


async def test_a_form_is_read_strictly_by_the_type_of_the_field(api: Api) -> None:
    sailor = Sailor(name="Ann").save()
    answer = await api(Sailor).put(f"/sailor/{sailor.id}/", data={"age": "12x"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["age"])
    assert (await api(Sailor).put(f"/sailor/{sailor.id}/", data={"age": "12"})).json()["age"] == 12


@pytest.mark.parametrize(
    ("verb", "place", "status"),
    [("GET", "/ship/x/", 404), ("PUT", "/ship/", 405), ("POST", "/ship/", 400), ("GET", "/ship/?zz=1", 400)],
)
async def test_every_error_is_a_problem(api: Api, verb: str, place: str, status: int) -> None:
    answer = await api(Ship).request(verb, place, headers=JSON if verb == "POST" else None)
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (problem["type"], problem["status"], answer.status_code) == ("about:blank", status, status)
    assert problem["title"]
    assert problem["detail"]

"""A JSON Patch (RFC 6902) changes what a client is shown, all of it or nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import jsonpatch
import mongoengine as me
import pytest
from bson import ObjectId
from hypothesis import given, settings
from hypothesis import strategies as st

from bzz.errors import Forbidden
from bzz.signals import post_update_instance, pre_update_instance
from tests.conftest import DRIVERS
from tests.rest.conftest import Api

Connect = Callable[[Any], Callable[[Any], Any]]

HEADERS = {"Content-Type": "application/json-patch+json"}


class Cover(me.EmbeddedDocument):
    colour = me.StringField(max_length=5)
    weight = me.IntField()
    price = me.IntField()
    meta = {"bzz": {"hidden": ["price"]}}  # noqa: RUF012


class Gloss(me.EmbeddedDocument):
    key = me.StringField(primary_key=True)
    text = me.StringField()
    secret = me.StringField()
    meta = {"bzz": {"hidden": ["secret"]}}  # noqa: RUF012


class Stain(me.EmbeddedDocument):
    size = me.IntField()
    cause = me.StringField()


class Clasp(me.EmbeddedDocument):
    parts = me.ListField(me.StringField())


class Copyist(me.Document):
    code = me.StringField(primary_key=True)
    name = me.StringField()
    hand = me.StringField()
    works = me.ListField(me.StringField())

    @classmethod
    def get_id_field_name(cls) -> str:
        return "name"


class Folio(me.Document):
    title = me.StringField(db_field="t", required=True)
    pages = me.IntField(db_field="p", min_value=1)
    tags = me.ListField(me.StringField(max_length=5), db_field="tg")
    few = me.ListField(me.IntField(), max_length=2)
    ordered = me.SortedListField(me.IntField())
    rest = me.DictField()
    cover = me.EmbeddedDocumentField(Cover, db_field="c")
    clasp = me.EmbeddedDocumentField(Clasp)
    glosses = me.EmbeddedDocumentListField(Gloss, db_field="g")
    stains = me.EmbeddedDocumentListField(Stain)
    scribe = me.ReferenceField(Copyist)
    scribes = me.ListField(me.ReferenceField(Copyist))
    shelf = me.StringField()
    key = me.StringField()
    pin = me.StringField()
    meta = {"bzz": {"hidden": ["key"], "read_only": ["shelf"], "write_only": ["pin"]}}  # noqa: RUF012


class Leaflet(me.Document):
    """Shows something else than its fields."""

    title = me.StringField()
    key = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {"title": self.title, "loud": (self.title or "").upper()}


class Bound(me.Document):
    meta = {"allow_inheritance": True}  # noqa: RUF012
    title = me.StringField()


class Charts(Bound):
    maps = me.ListField(me.StringField())
    scale = me.IntField()


class Plans(Bound):
    """Declares a field otherwise than another class."""

    scale = me.StringField()


async def send(client: httpx.AsyncClient, place: str, *operations: Any, **headers: str) -> httpx.Response:
    """Send a patch; its operations are lists of op, path and what else there is."""
    return await client.patch(place, content=json.dumps(operations), headers={**HEADERS, **headers})


def op(name: str, path: str, *value: Any, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **({"value": value[0]} if value else {}), **more}


def folio(**fields: Any) -> str:
    """Store a folio, and return its place."""
    return f"/folio/{Folio(title='Ann', **fields).save().id}/"


@pytest.fixture
def connected() -> Iterator[Connect]:
    """Connects a receiver to a signal for the models here, until the test ends."""
    with ExitStack() as stack:

        def connect(signal: Any) -> Callable[[Any], Any]:
            return lambda receiver: stack.enter_context(signal.connected_to(receiver, Folio)) or receiver

        yield connect


def raw_folios() -> list[dict[str, Any]]:
    """All that is stored, as it is stored."""
    return list(Folio._get_collection().find())


def stored() -> dict[str, Any]:
    """The only one."""
    (found,) = raw_folios()
    return found


# -- what it does

TABLE: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "a field is replaced": ([op("replace", "/pages", 4)], {"pages": 4}),
    "a field is added, whatever it holds": ([op("add", "/pages", 4)], {"pages": 4}),
    "a field is removed": ([op("remove", "/pages")], {"pages": None}),
    "a field inside is replaced": ([op("replace", "/cover/colour", "tan")], {"cover": {"colour": "tan", "weight": 2}}),
    "a field inside is removed": ([op("remove", "/cover/weight")], {"cover": {"colour": "red", "weight": None}}),
    "an embedded document is replaced whole": ([op("replace", "/cover", {"weight": 1})],
                                               {"cover": {"colour": None, "weight": 1}}),
    "an embedded document is removed": ([op("remove", "/cover")], {"cover": None}),
    "an item is appended": ([op("add", "/tags/-", "c")], {"tags": ["a", "b", "c"]}),
    "two items are appended": ([op("add", "/tags/-", "c"), op("add", "/tags/-", "d")], {"tags": ["a", "b", "c", "d"]}),
    "an item is inserted": ([op("add", "/tags/1", "c")], {"tags": ["a", "c", "b"]}),
    "an item is inserted at the end": ([op("add", "/tags/2", "c")], {"tags": ["a", "b", "c"]}),
    "an item is removed": ([op("remove", "/tags/0")], {"tags": ["b"]}),
    "a list is replaced": ([op("replace", "/tags", ["x"])], {"tags": ["x"]}),
    "an item is moved": ([op("move", "/tags/0", **{"from": "/tags/1"})], {"tags": ["b", "a"]}),
    "a field is moved": ([op("move", "/rest/x", **{"from": "/pages"})],
                         {"pages": None, "rest": {"a/b": 1, "m~n": [1], "x": 3}}),
    "a field is copied": ([op("copy", "/cover/weight", **{"from": "/pages"})],
                          {"cover": {"colour": "red", "weight": 3}}),
    "keys are escaped": ([op("replace", "/rest/a~1b", 2), op("add", "/rest/m~0n/0", 0)],
                         {"rest": {"a/b": 2, "m~n": [0, 1]}}),
    "a test holds": ([op("test", "/pages", 3.0), op("replace", "/pages", 5)], {"pages": 5}),
    "an item of a list of documents is changed": ([op("replace", "/glosses/0/text", "new")],
                                                  {"glosses": [{"key": "k", "text": "new"}]}),
    "an embedded document is appended": ([op("add", "/glosses/-", {"key": "l"})],
                                         {"glosses": [{"key": "k", "text": "old"}, {"key": "l", "text": None}]}),
    "nothing": ([], {}),
    "a later operation sees the earlier": ([op("add", "/rest/x", [1]), op("add", "/rest/x/-", 2)],
                                           {"rest": {"a/b": 1, "m~n": [1], "x": [1, 2]}}),
    "members that nobody defines are ignored": ([op("replace", "/pages", 4, x=1)], {"pages": 4}),
    "a list that sorts itself": ([op("add", "/ordered/-", 2)], {"ordered": [1, 2, 3]}),
    "a list with a length": ([op("add", "/few/-", 2)], {"few": [1, 2]}),
}  # fmt: skip


def full() -> str:
    return folio(
        pages=3, tags=["a", "b"], few=[1], ordered=[1, 3], rest={"a/b": 1, "m~n": [1]}, key="k", pin="p", shelf="s",
        cover=Cover(colour="red", weight=2, price=9), glosses=[Gloss(key="k", text="old", secret="x")],
    )  # fmt: skip


async def test_a_patch_does_what_rfc_6902_says(alone: Api) -> None:
    client, shown = alone(Folio), {}
    for name, (operations, changed) in TABLE.items():
        place = full()
        expected = {**(await client.get(place)).json(), **changed}
        answer = await send(client, place, *operations)
        shown[name] = answer.status_code == 200 and answer.json() == expected == (await client.get(place)).json()
    assert [name for name, is_right in shown.items() if not is_right] == []


async def test_what_a_client_may_not_see_stays(alone: Api) -> None:
    client = alone(Folio)
    for operations, _ in TABLE.values():
        await send(client, full(), *operations)
    kept = [(each["key"], each["pin"], each["shelf"], each["g"][0]["secret"]) for each in raw_folios()]
    assert kept == [("k", "p", "s", "x")] * len(TABLE)
    assert sum(each.get("c", {}).get("price") == 9 for each in raw_folios()) == len(TABLE) - 1  # which was removed


@pytest.mark.parametrize("driver", DRIVERS, indirect=True)
async def test_both_drivers_take_a_patch(api: Api) -> None:
    client, place = api(Folio), folio(tags=["a"], pages=1)
    answer = await send(client, place, op("add", "/tags/-", "b"))
    assert answer.json()["tags"] == ["a", "b"]
    answer = await send(client, place, op("test", "/pages", 1), op("remove", "/tags/0"))
    assert answer.json()["tags"] == ["b"]


async def test_an_embedded_item_a_property_and_a_reference_are_patched_at_their_own_paths(alone: Api) -> None:
    Copyist(code="1", name="ann").save()
    place = folio(
        cover=Cover(colour="red"), glosses=[Gloss(key="k", text="a")], stains=[Stain(size=1)], scribe=Copyist(code="1")
    )
    client = alone(Folio)
    rows = {
        "cover/": op("replace", "/colour", "blue"),
        "glosses/k/": op("test", "/text", "a"),
        "stains/0/": op("add", "/cause", "wax"),
        "scribe/": op("replace", "/hand", "left"),
    }
    for path, operation in rows.items():
        answer = await send(client, place + path, operation, op("test", operation["path"], operation["value"]))
        assert (path, answer.status_code, answer.json()[operation["path"][1:]]) == (path, 200, operation["value"])


async def test_a_reference_is_named_by_its_public_id(alone: Api) -> None:
    ann, bob = (Copyist(code=code, name=name).save() for code, name in (("1", "ann"), ("2", "bob")))
    client, place = alone(Folio), folio(scribe=ann, scribes=[ann])
    answer = await send(
        client, place, op("test", "/scribe", "ann"), op("replace", "/scribe", "bob"), op("add", "/scribes/-", "bob")
    )
    assert (answer.json()["scribe"], answer.json()["scribes"]) == ("bob", ["ann", "bob"])
    assert (stored()["scribe"], stored()["scribes"]) == (bob.code, ["1", "2"])


async def test_a_reference_that_is_appended_must_lead_somewhere(alone: Api) -> None:
    client, place = alone(Folio), folio(scribes=[Copyist(code="1", name="ann").save()])
    answer = await send(client, place, op("add", "/scribes/-", "nobody"))
    assert (answer.status_code, answer.json()["errors"]) == (400, {"scribes.1": ["There is no such Copyist."]})


async def test_a_write_only_field_can_be_added(alone: Api) -> None:
    client, place = alone(Folio), folio(pin="1")
    answer = await send(client, place, op("add", "/pin", "2"))
    assert (answer.status_code, "pin" in answer.json(), stored()["pin"]) == (200, False, "2")


async def test_a_patch_of_a_subclass_names_its_own_fields(alone: Api) -> None:
    client, place = alone(Bound), f"/bound/{Charts(title='Ann', maps=['a'], scale=1).save().id}/"
    answer = await send(
        client, place, op("replace", "/title", "Bea"), op("add", "/maps/-", "b"), op("remove", "/maps/0")
    )
    assert (answer.status_code, answer.json()["title"], answer.json()["maps"]) == (200, "Bea", ["b"])


async def test_a_type_tells_which_of_two_fields_of_subclasses_is_meant(alone: Api) -> None:
    client, place = alone(Bound), f"/bound/{Charts(scale=1).save().id}/"
    patch = [op("test", "/scale", 1), op("replace", "/scale", 2)]
    assert (await send(client, place, *patch)).status_code == 400
    answer = await send(client, place, op("add", "/@type", "Bound.Charts"), *patch)
    assert (answer.status_code, answer.json()["scale"]) == (200, 2)


async def test_a_patch_is_applied_to_what_to_dict_shows(alone: Api) -> None:
    client, place = alone(Leaflet), f"/leaflet/{Leaflet(title='Ann', key='secret').save().id}/"
    answer = await send(client, place, op("test", "/loud", "ANN"), op("replace", "/title", "Bea"))
    assert (answer.status_code, answer.json()) == (200, {"title": "Bea", "loud": "BEA"})
    for operation in (op("copy", "/title", **{"from": "/key"}), op("replace", "/key", "x")):
        assert (await send(client, place, operation)).status_code == 409


async def test_a_patch_that_changes_nothing_writes_nothing(alone: Api, connected: Connect) -> None:
    client, place, told = alone(Folio), full(), []

    @connected(post_update_instance)
    def note(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    answer = await send(client, place, op("test", "/pages", 3), op("replace", "/pages", 3))
    assert (answer.status_code, told) == (200, [{}])


# -- what it refuses

CANNOT = {
    "a missing field is replaced": op("replace", "/nope", 1),
    "a missing field is removed": op("remove", "/nope"),
    "something is added below nothing": op("add", "/nope/x", 1),
    "something is added below a text": op("add", "/title/0", "x"),
    "something is added below null": op("add", "/scribe/x", "x"),
    "an item is replaced behind the end": op("replace", "/tags/2", "x"),
    "an item is inserted behind the end": op("add", "/tags/3", "x"),
    "the item behind the last is removed": op("remove", "/tags/-"),
    "the item behind the last is replaced": op("replace", "/tags/-", "x"),
    "the item behind the last is copied": op("copy", "/pages", **{"from": "/tags/-"}),
    "a position has leading zeros": op("replace", "/tags/00", "x"),
    "a position is negative": op("replace", "/tags/-1", "x"),
    "a position is no number": op("replace", "/tags/x", "x"),
    "a position is huge": op("remove", "/tags/" + "9" * 5000),
    "nothing is moved": op("move", "/pages", **{"from": "/nope"}),
    "nothing is copied": op("copy", "/pages", **{"from": "/nope/0"}),
    "a hidden field is replaced": op("replace", "/key", "x"),
    "a hidden field is copied": op("copy", "/title", **{"from": "/key"}),
    "a hidden field is moved": op("move", "/title", **{"from": "/key"}),
    "a write-only field is copied": op("copy", "/title", **{"from": "/pin"}),
    "a write-only field is replaced": op("replace", "/pin", "x"),
    "an item is appended to null": op("add", "/scribes/-", "x"),
    "a test names another value": op("test", "/pages", 4),
    "a test names another type": op("test", "/few/0", True),
    "a test names a missing field": op("test", "/nope", None),
    "a test names a hidden field": op("test", "/key", "k"),
    "a test names a write-only field": op("test", "/pin", "p"),
    "a test names the item behind the last": op("test", "/tags/-", None),
}


async def test_what_does_not_fit_is_a_409_that_names_the_operation_and_nothing_is_done(alone: Api) -> None:
    client, place, wrong = alone(Folio), full(), []
    Folio._get_collection().update_one({}, {"$unset": {"scribes": ""}})
    before = stored()
    for name, operation in CANNOT.items():
        answer = await send(client, place, op("replace", "/title", "changed"), operation)
        detail = answer.json().get("detail", "")
        is_named = detail.startswith(f"Operation 1 ({operation['op']} '") and operation["path"][:20] in detail
        alone_too = (await send(client, place, operation)).status_code
        if (answer.status_code, is_named, alone_too) != (409, True, 409):
            wrong.append(name)
    assert (wrong, stored()) == ([], before)


MALFORMED = {
    "no JSON": b"[",
    "nothing": b"",
    "an object": b'{"op": "remove", "path": "/pages"}',
    "operations that are no objects": b"[1]",
    "no op": b'[{"path": "/pages"}]',
    "an unknown op": b'[{"op": "append", "path": "/pages", "value": 1}]',
    "an op that is no text": b'[{"op": ["add"], "path": "/pages", "value": 1}]',
    "no path": b'[{"op": "remove"}]',
    "a path that is no text": b'[{"op": "remove", "path": 1}]',
    "a path without a slash": b'[{"op": "remove", "path": "pages"}]',
    "a path with a bad escape": b'[{"op": "remove", "path": "/a~2b"}]',
    "a path that ends in a tilde": b'[{"op": "remove", "path": "/a~"}]',
    "no value": b'[{"op": "add", "path": "/pages"}]',
    "no value to test": b'[{"op": "test", "path": "/pages"}]',
    "no from": b'[{"op": "copy", "path": "/pages"}]',
    "a from that is no text": b'[{"op": "move", "path": "/pages", "from": null}]',
    "the whole document removed": b'[{"op": "remove", "path": ""}]',
    "something moved into itself": b'[{"op": "move", "path": "/rest/x", "from": "/rest"}]',
    "a document that is no object": b'[{"op": "replace", "path": "", "value": [1]}]',
    "101 operations": json.dumps([op("test", "/pages", 3)] * 101).encode(),
    "a value that is too deep": b'[{"op": "add", "path": "/rest/x", "value": ' + b"[" * 40 + b"]" * 40 + b"}]",
    "a path that is too deep": b'[{"op": "add", "path": "' + b"/x" * 5000 + b'", "value": 1}]',
}


async def test_what_is_malformed_is_a_400(alone: Api) -> None:
    client, place = alone(Folio), full()
    before = stored()
    answers = {name: await client.patch(place, content=body, headers=HEADERS) for name, body in MALFORMED.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(MALFORMED, 400)
    assert {answer.headers["Content-Type"] for answer in answers.values()} == {"application/problem+json"}
    assert stored() == before


INVALID: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a value of the wrong type": (op("replace", "/pages", "x"), ["pages"]),
    "a value that the model refuses": (op("replace", "/pages", 0), ["pages"]),
    "what is required removed": (op("remove", "/title"), ["title"]),
    "an unknown field": (op("add", "/nope", 1), ["nope"]),
    "a hidden field": (op("add", "/key", "x"), ["key"]),
    "a read-only field": (op("replace", "/shelf", "x"), ["shelf"]),
    "a read-only field that is removed": (op("remove", "/shelf"), ["shelf"]),
    "another id": (op("replace", "/id", str(ObjectId())), ["id"]),
    "no id": (op("remove", "/id"), ["id"]),
    "a read-only field that is moved away": (op("move", "/title", **{"from": "/shelf"}), ["shelf"]),
    "an item that is appended": (op("add", "/tags/-", "too long"), ["tags.2"]),
    "an item of the wrong type that is appended": (op("add", "/tags/-", None), ["tags.2"]),
    "one item too many": (op("add", "/few", [1, 2, 3]), ["few"]),
    "an id that is there already": (op("add", "/glosses/-", {"key": "k"}), ["glosses.1"]),
    "another document in its place": (op("replace", "", {"title": "x", "pages": 0}), ["id", "pages"]),
    "a type": (op("add", "/@type", "x"), ["@type"]),
    "_cls": (op("add", "/cover/_cls", "x"), ["cover._cls"]),
    "an operator": (op("add", "/rest/$where", "x"), ["rest.$where"]),
}


async def test_what_the_model_refuses_is_a_400_that_names_the_fields(alone: Api) -> None:
    client, place = alone(Folio), full()
    before = stored()
    answers = {name: await send(client, place, operation) for name, (operation, _) in INVALID.items()}
    told = {name: (each.status_code, sorted(each.json().get("errors", ()))) for name, each in answers.items()}
    assert told == {name: (400, fields) for name, (_, fields) in INVALID.items()}
    assert stored() == before


async def test_a_list_does_not_get_longer_than_it_may_be(alone: Api) -> None:
    client, place = alone(Folio), folio(few=[1])
    answer = await send(client, place, op("add", "/few/-", 2), op("add", "/few/-", 3))
    assert (answer.status_code, [*answer.json()["errors"]], stored()["few"]) == (400, ["few"], [1])


async def test_copies_that_double_what_is_there_are_stopped(alone: Api) -> None:
    client, place = alone(Folio), folio(rest={"a": "x" * 100})
    answer = await send(client, place, *(op("copy", f"/rest/{number}", **{"from": "/rest"}) for number in range(16)))
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "Operation 13 (copy '/rest' to '/rest/13'): copy and move may carry 1048576 bytes of JSON together.",
    )


async def test_moves_that_deepen_what_is_there_are_stopped(alone: Api) -> None:
    client, place = alone(Folio), folio(rest={})
    deep = json.loads('{"x": ' * 15 + "1" + "}" * 15)
    operations = [op("add", "/rest/a", deep), op("add", "/rest/b", deep)]
    operations.append(op("move", "/rest/a" + "/x" * 15, **{"from": "/rest/b"}))
    answer = await send(client, place, *operations, op("move", "/x/a", **{"from": "/rest"}))
    assert answer.status_code in (400, 409)
    operations.append(op("copy", "/rest/a" + "/x" * 20, **{"from": "/rest/a"}))
    answer = await send(client, place, *operations)
    assert (answer.status_code, "deeper than 32 levels" in answer.text) == (400, True)


async def test_nothing_there_is_404(alone: Api) -> None:
    client = alone(Folio)
    for operation in (op("replace", "/pages", 1), op("test", "/pages", 1), op("add", "/tags/-", "x")):
        assert (await send(client, f"/folio/{ObjectId()}/", operation)).status_code == 404


# -- how it is asked


async def test_options_and_415_name_what_a_patch_may_be(alone: Api) -> None:
    client, place = alone(Folio), folio()
    named = "application/json, application/merge-patch+json, application/json-patch+json"
    assert (await client.options(place)).headers["Accept-Patch"].startswith(named)
    refused = await client.patch(place, content=b"x", headers={"Content-Type": "text/plain"})
    assert (refused.status_code, refused.headers["Accept-Patch"].startswith(named)) == (415, True)


async def test_what_cannot_be_patched_names_no_patch(alone: Api) -> None:
    client, place = alone(Folio), folio()
    assert "Accept-Patch" not in (await client.options(place + "glosses/")).headers


async def test_put_and_post_take_no_json_patch(alone: Api) -> None:
    client, place = alone(Folio), folio()
    for verb, path in (("PUT", place), ("POST", "/folio/")):
        assert (await client.request(verb, path, content=b"[]", headers=HEADERS)).status_code == 415


async def test_the_media_type_may_have_parameters_and_capitals(alone: Api) -> None:
    client, place = alone(Folio), folio()
    headers = {"Content-Type": "Application/JSON-Patch+JSON; charset=UTF-8"}
    answer = await client.patch(place, content=json.dumps([op("add", "/pages", 2)]), headers=headers)
    assert answer.json()["pages"] == 2


async def test_if_match_comes_before_what_the_patch_says(alone: Api) -> None:
    client, place = alone(Folio), full()
    for operation in (op("replace", "/pages", 2), op("add", "/tags/-", "x"), op("test", "/pages", 7)):
        assert (await send(client, place, operation, **{"If-Match": '"x"'})).status_code == 412


async def test_if_match_of_the_current_tag_lets_it_through(alone: Api) -> None:
    client, place = alone(Folio), full()
    tag = (await client.get(place)).headers["ETag"]
    for operation in (op("replace", "/pages", 2), op("add", "/tags/-", "x"), op("remove", "/tags/0")):
        answer = await send(client, place, operation, **{"If-Match": tag})
        tag = (await client.get(place)).headers["ETag"]
        assert (answer.status_code, answer.headers["ETag"]) == (200, tag)


async def test_prefer_minimal_leaves_the_body_out(alone: Api) -> None:
    client, place = alone(Folio), full()
    for operation in (op("replace", "/pages", 2), op("add", "/tags/-", "x"), op("remove", "/tags/0")):
        answer = await send(client, place, operation, Prefer="return=minimal")
        assert (answer.status_code, answer.content) == (204, b"")


async def test_a_patch_of_a_list_is_applied_to_each_that_the_filters_select(alone: Api) -> None:
    client = alone(Folio)
    folio(pages=1, tags=["a"])
    folio(pages=2, tags=[])
    patch = [op("test", "/pages", 1), op("add", "/tags/-", "x")]
    answer = await send(client, "/folio/?pages__gte=1", *patch, Prefer="max-affected=2")
    assert [each["status"] for each in answer.json()] == [200, 409]
    assert answer.json()[1]["detail"].startswith("Operation 0 (test '/pages')")
    assert [each["tags"] for each in (await client.get("/folio/")).json()] == [["a", "x"], []]


async def test_a_malformed_patch_of_a_list_is_refused_before_anything_is_selected(alone: Api) -> None:
    answer = await alone(Folio).patch("/folio/", content=b"[1]", headers={**HEADERS, "Prefer": "max-affected=2"})
    assert answer.status_code == 400


# -- signals


@pytest.mark.parametrize(
    ("operations", "data", "changed"),
    [
        ([op("replace", "/pages", 4)], {"pages": 4}, {"pages": {"from": 3, "to": 4}}),
        ([op("remove", "/pages")], {"pages": None}, {"pages": {"from": 3, "to": None}}),
        ([op("add", "/tags/-", "c")], {"tags": ["a", "b", "c"]}, {"tags": {"from": ["a", "b"], "to": ["a", "b", "c"]}}),
        (
            [op("test", "/pages", 3), op("remove", "/cover/weight")],
            {"cover": {"weight": None}},
            {"cover.weight": {"from": 2, "to": None}},
        ),
    ],
)
async def test_receivers_see_the_fields_that_change(
    alone: Api, connected: Connect, operations: Any, data: Any, changed: Any
) -> None:
    client, place, told = alone(Folio), full(), []

    @connected(pre_update_instance)
    def before(sender: Any, handler: Any) -> None:
        told.append(dict(handler.data))

    @connected(post_update_instance)
    def after(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    assert (await send(client, place, *operations)).status_code == 200
    assert told == [data, changed]


async def test_the_diff_of_an_item_that_was_appended_tells_the_whole_lists(alone: Api, connected: Connect) -> None:
    client, place, told = alone(Folio), full(), []

    @connected(post_update_instance)
    def after(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    await send(client, place, op("add", "/tags/-", "c"))
    assert told == [{"tags": {"from": ["a", "b"], "to": ["a", "b", "c"]}}]


async def test_what_a_receiver_leaves_in_the_data_is_stored(alone: Api, connected: Connect) -> None:
    client, place = alone(Folio), full()

    @connected(pre_update_instance)
    def before(sender: Any, handler: Any) -> None:
        handler.data["title"] = handler.data.pop("tags")[-1]

    answer = await send(client, place, op("add", "/tags/-", "c"))
    assert (answer.json()["title"], answer.json()["tags"]) == ("c", ["a", "b"])


@pytest.mark.parametrize(
    "operation", [op("test", "/pages", 3), op("test", "/pages", 4), op("copy", "/pages", **{"from": "/title"})]
)
async def test_a_receiver_refuses_before_anything_is_told_of_what_is_stored(
    alone: Api, connected: Connect, operation: Any
) -> None:
    client, place = alone(Folio), full()

    @connected(pre_update_instance)
    def refuse(sender: Any) -> None:
        raise Forbidden("You may not.")

    assert (await send(client, place, operation)).status_code == 403


# -- with others


@pytest.mark.parametrize(("path", "name"), [("", "tags"), ("", "glosses"), ("clasp/", "parts"), ("scribe/", "works")])
async def test_all_who_append_at_once_succeed(alone: Api, path: str, name: str) -> None:
    scribe = Copyist(code="1", name="ann", works=[]).save()
    client, place = alone(Folio), folio(tags=[], glosses=[], clasp=Clasp(parts=[]), scribe=scribe)
    Folio._get_collection().update_one({}, {"$set": {"tg": [], "g": [], "clasp.parts": []}})
    Copyist._get_collection().update_one({}, {"$set": {"works": []}})
    items: list[Any] = [{"key": str(number)} if name == "glosses" else str(number) for number in range(20)]
    patches = [send(client, place + path, op("add", f"/{name}/-", item)) for item in items]
    assert {answer.status_code for answer in await asyncio.gather(*patches)} == {200}
    shown = (await client.get(place + path)).json()[name]
    keys = [each["key"] if name == "glosses" else each for each in shown]
    assert sorted(keys, key=int) == [str(number) for number in range(20)]


async def test_the_diffs_of_those_who_append_at_once_form_one_chain(alone: Api, connected: Connect) -> None:
    client, place, told = alone(Folio), folio(tags=[]), []

    @connected(post_update_instance)
    def after(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields["tags"])

    await asyncio.gather(*(send(client, place, op("add", "/tags/-", str(number))) for number in range(10)))
    by_length = sorted(told, key=lambda pair: len(pair["to"]))
    assert [pair["from"] for pair in by_length] == [[], *(pair["to"] for pair in by_length[:-1])]


async def test_of_two_who_test_the_same_value_one_wins(alone: Api) -> None:
    client, place = alone(Folio), folio(pages=1)
    patches = [send(client, place, op("test", "/pages", 1), op("replace", "/pages", each)) for each in (2, 3)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*patches)) == [200, 409]


async def test_a_patch_is_applied_anew_to_what_another_writer_left(alone: Api, connected: Connect) -> None:
    client, place, calls = alone(Folio), folio(tags=["a"]), []

    @connected(pre_update_instance)
    def interfere(sender: Any, handler: Any) -> None:
        calls.append(list(handler.data["tags"]))
        if len(calls) == 1:
            Folio._get_collection().update_one({}, {"$push": {"tg": "b"}})

    answer = await send(client, place, op("add", "/tags/-", "c"))
    assert (answer.json()["tags"], calls) == (["a", "b", "c"], [["a", "c"], ["a", "b", "c"]])


@pytest.mark.parametrize("change", [{"$unset": {"tg": ""}}, {"$set": {"tg": "text"}}])
async def test_nothing_is_appended_where_there_is_no_list(alone: Api, change: Any) -> None:
    client, place = alone(Folio), folio(tags=["a"])
    Folio._get_collection().update_one({}, change)
    before = stored()
    assert (await send(client, place, op("add", "/tags/-", "c"))).status_code == 409
    assert stored() == before


# -- whatever is sent

PATHS = st.sampled_from(
    [
        "", "/id", "/title", "/pages", "/tags", "/tags/-", "/tags/0", "/tags/1", "/few/-", "/ordered/-",
        "/rest", "/rest/a", "/rest/a/-", "/rest/m~0n", "/cover", "/cover/colour", "/cover/weight", "/cover/price",
        "/glosses", "/glosses/-", "/glosses/0", "/glosses/0/text", "/glosses/0/secret", "/stains/-", "/stains/0/size",
        "/scribe", "/scribes/-", "/shelf", "/key", "/pin", "/nope", "/@type",
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        None, True, 0, 1, 2.5, "", "a", "too long", [], ["a"], [1], {}, {"key": "z"}, {"key": "k", "text": "b"},
        {"size": 1}, {"colour": "red"}, {"colour": "red", "weight": None}, {"a": [1], "b": {"c": None}}, {"$a": 1},
    ]
)  # fmt: skip
PATCHES = st.lists(
    st.one_of(
        st.builds(lambda path, value: op("add", path, value), PATHS, VALUES),
        st.builds(lambda path, value: op("replace", path, value), PATHS, VALUES),
        st.builds(lambda path: op("remove", path), PATHS),
        st.builds(lambda path, value: op("test", path, value), PATHS, VALUES),
        st.builds(lambda name, path, source: op(name, path, **{"from": source}),
                  st.sampled_from(["copy", "move"]), PATHS, PATHS),
    ),
    max_size=4,
)  # fmt: skip


def filled(document: dict[str, Any]) -> dict[str, Any]:
    """A document as a PUT names all of it: what is gone is null."""
    shown = {**dict.fromkeys(name for name in Folio._fields if name not in ("key", "pin")), **document}
    if isinstance(shown["cover"], dict):
        shown["cover"] = {"colour": None, "weight": None, **shown["cover"]}
    return shown


async def compare(client: httpx.AsyncClient, operations: list[Any]) -> None:
    """A patch does to a document what a PUT does to its twin: of what jsonpatch makes of the GET."""
    place, twin = full(), full()
    before = (await client.get(place)).json()
    answer = await send(client, place, *operations)
    try:
        after = jsonpatch.apply_patch(before, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        after = None
    if isinstance(after, dict):
        same_id = {"id": twin.split("/")[2]} if after.get("id") == before["id"] else {}
        put = await client.put(twin, json={**filled(after), **same_id})
        assert answer.status_code == put.status_code, (operations, answer.text, put.text)
        assert answer.is_error or answer.json() == {**put.json(), "id": before["id"]}
    else:
        assert answer.status_code in (400, 409), operations
    if answer.is_error:
        assert (await client.get(place)).json() == before, operations


async def test_a_patch_is_a_put_of_what_jsonpatch_makes_of_the_get(alone: Api) -> None:
    client, loop = alone(Folio), asyncio.get_running_loop()

    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    @given(PATCHES)
    def search(operations: list[Any]) -> None:
        asyncio.run_coroutine_threadsafe(compare(client, operations), loop).result(30)

    await asyncio.to_thread(search)

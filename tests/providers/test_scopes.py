"""Scopes: what a client may see, asked of the two exact versions of a changed document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bson
import mongoengine as me
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, monitoring

from bzz.dev import MongoServer
from bzz.errors import BadRequest, NotFound, PayloadTooLarge
from bzz.providers.base import Options
from bzz.providers.changes import Commit, Matches, Scope
from bzz.providers.mongoengine.changes import matching
from bzz.providers.mongoengine.changes.commits import StoredCommit
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.testing.provider.client import Client
from tests.conftest import Driver
from tests.providers.following import following

pytestmark = pytest.mark.timeout(240)  # some write tens of megabytes, for which a busy machine takes long

BOTH, NEITHER = Matches(before=True, after=True), Matches(before=False, after=False)
ENTERS, LEAVES = Matches(before=False, after=True), Matches(before=True, after=False)


class Lane(me.Document):
    code = me.StringField(unique=True)
    name = me.StringField()

    @classmethod
    def get_id_field_name(cls) -> str:
        return "code"


class Jetty(me.EmbeddedDocument):
    deck = me.IntField()
    size = me.IntField()


class Packet(me.Document):
    meta = {"allow_inheritance": True}  # noqa: RUF012  # as MongoEngine has it
    name = me.StringField()
    knots = me.IntField()
    harbour = me.PointField()
    tags = me.ListField(me.StringField())
    lane = me.ReferenceField(Lane)
    berths = me.EmbeddedDocumentListField(Jetty)


class FastFerry(Packet):
    jets = me.IntField()


class Caique(me.Document):
    """Its hooks let a caller see what is theirs, or whatever query they bring."""

    owner = me.StringField()
    name = me.StringField()

    @staticmethod
    def get_list_queryset(queryset: Any, handler: Any) -> Any:
        return queryset.filter(__raw__=handler) if isinstance(handler, dict) else queryset.filter(owner=handler)

    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset.filter(pk=instance_id, owner=handler)


Served = dict[type, MongoEngineProvider]


@pytest.fixture
async def served(driver: Driver) -> Served:
    found: Served = {model: MongoEngineProvider(model, Options(database=driver())) for model in (Packet, Caique, Lane)}
    await found[Packet].changes().prepare(["packet", "caique"])
    return found


async def scope_of(provider: MongoEngineProvider, text: str = "", where: str = "", context: Any = None) -> Scope:
    client = Client(provider)
    return await provider.scope(client.path(where), client.query(where, text), context)


async def changed(served: Served, driver: Driver, before: Any, after: Any, name: str = "packet") -> Commit:
    """The commit of one change."""
    documents = driver()[name]
    async with following(served[Packet].changes(), name) as stream:
        if before is not None:
            await documents.insert_one(before)
        if before is None:
            await documents.insert_one(after)
        elif after is None:
            await documents.delete_one({"_id": before["_id"]})
        else:
            await documents.update_one({"_id": before["_id"]}, [{"$replaceWith": {"$literal": after}}])
        return (await stream.take(1 if before is None else 2))[-1]


def ferry(**values: Any) -> dict[str, Any]:
    return {"_id": bson.ObjectId("a" * 24), "_cls": "Packet", **values}


async def test_the_database_says_which_side_lies_in_each_scope(served: Served, driver: Driver) -> None:
    commit = await changed(served, driver, ferry(name="Ann", knots=10), ferry(name="Ann", knots=20))
    texts = ["knots__gte=15", "knots__lt=15", "name=Ann", "name=Bob", ""]
    scopes = [await scope_of(served[Packet], text) for text in texts]
    assert await served[Packet].changes().match(commit, scopes) == [ENTERS, LEAVES, BOTH, NEITHER, BOTH]


async def test_a_side_that_is_not_there_lies_in_no_scope(served: Served, driver: Driver) -> None:
    scopes = [await scope_of(served[Packet], text) for text in ("knots=1", "name__exists=false", "")]
    created = await changed(served, driver, None, ferry(knots=1))
    assert await served[Packet].changes().match(created, scopes) == [ENTERS] * 3
    await driver()["packet"].delete_many({})
    deleted = await changed(served, driver, ferry(knots=1), None)
    assert await served[Packet].changes().match(deleted, scopes) == [LEAVES] * 3


@pytest.mark.parametrize(
    "text",
    [
        "knots__in=20,30", "knots__nin=10", "knots__ne=10", "knots__eq=20", "knots__lte=20&knots__gt=10",
        "name__icontains=BO", "name__startswith=B",
        "name__endswith=b", "name__exists=true", "tags__all=a,b", "tags__size=2", "tags=b",
        "berths.deck__gte=2&knots=20",
        "harbour__near=13.4,52.5,1000", "harbour__within=13,52,14,53", "berths[].deck=2&berths[].size__gt=5",
    ],
)  # fmt: skip
async def test_every_filter_of_a_list_is_answered_as_the_list_is(served: Served, driver: Driver, text: str) -> None:
    before = ferry(knots=10, berths=[{"deck": 2, "size": 1}])
    after = ferry(
        name="Bob",
        knots=20,
        tags=["a", "b"],
        harbour={"type": "Point", "coordinates": [13.4, 52.5]},
        berths=[{"deck": 2, "size": 9}],
    )
    client = Client(served[Packet])
    try:
        scope = await scope_of(served[Packet], text)
    except BadRequest as error:
        pytest.fail(f"{text}: {error}")
    commit = await changed(served, driver, before, after)
    assert (await served[Packet].changes().match(commit, [scope]), len(await client.listed("", text))) == ([ENTERS], 1)


async def test_keys_that_look_like_operators_are_data(served: Served, driver: Driver) -> None:
    odd = {"$x": "$name", "$$ROOT": 1, "a.b": {"$gt": 5}, "$literal": {"$y": 1}}
    commit = await changed(served, driver, ferry(name="Ann", **odd), ferry(name="Bob", **odd))
    scopes = [await scope_of(served[Packet], text) for text in ("name=Ann", "name=Bob")]
    assert await served[Packet].changes().match(commit, scopes) == [LEAVES, ENTERS]


async def test_a_field_that_an_update_moves_is_seen_once(served: Served, driver: Driver) -> None:
    commit = await changed(served, driver, ferry(knots=1, name="a"), ferry(tags=["x"], name="b", knots=2))
    assert isinstance(commit, StoredCommit)
    [before, after] = [each and bson.decode(each.raw) for each in commit.sides]
    assert (before, after) == (commit.before, commit.after)
    scopes = [await scope_of(served[Packet], text) for text in ("knots=1", "knots=2", "knots__ne=1")]
    assert await served[Packet].changes().match(commit, scopes) == [LEAVES, ENTERS, ENTERS]


async def test_a_scope_sees_the_document_exactly(served: Served, driver: Driver) -> None:
    names = ["_id", "owner"]
    exact = {"$jsonSchema": {"properties": {each: {} for each in names}, "additionalProperties": False}}
    scope = await scope_of(served[Caique], context=exact)
    commit = await changed(served, driver, {"_id": 1, "owner": "ann"}, {"_id": 1, "owner": "bob"}, "caique")
    assert await served[Caique].changes().match(commit, [scope]) == [BOTH]


async def test_hooks_say_what_a_caller_may_see(served: Served, driver: Driver) -> None:
    key = bson.ObjectId()
    lists = [await scope_of(served[Caique], context=each) for each in ("ann", "bob")]
    own = [await scope_of(served[Caique], where=str(key), context=each) for each in ("ann", "bob")]
    commit = await changed(served, driver, {"_id": key, "owner": "ann"}, {"_id": key, "owner": "bob"}, "caique")
    assert await served[Caique].changes().match(commit, [*lists, *own]) == [LEAVES, ENTERS] * 2


async def test_subclasses_lie_in_the_scope_of_their_own(served: Served, driver: Driver) -> None:
    fast = MongoEngineProvider(FastFerry, Options(database=driver()))
    scopes = [await scope_of(served[Packet]), await scope_of(fast)]
    slow = await changed(served, driver, ferry(), ferry(name="x"))
    await driver()["packet"].delete_many({})
    quick = await changed(served, driver, ferry(), ferry(_cls="Packet.FastFerry"))
    changes = fast.changes()
    assert [await changes.match(each, scopes) for each in (slow, quick)] == [[BOTH, NEITHER], [BOTH, ENTERS]]


async def test_documents_are_named_by_public_ids_as_in_lists(served: Served, driver: Driver) -> None:
    await driver()["lane"].insert_many([{"_id": 1, "code": "north"}, {"_id": 2, "code": "south"}])
    lane = bson.ObjectId()
    await driver()["lane"].insert_one({"_id": lane, "code": "east"})
    commit = await changed(served, driver, ferry(), ferry(lane=lane))
    scopes = [await scope_of(served[Packet], text) for text in ("lane=east", "lane=north")]
    assert await served[Packet].changes().match(commit, scopes) == [ENTERS, NEITHER]


async def test_texts_are_compared_by_the_collation_of_the_collection(served: Served, driver: Driver) -> None:
    await driver()["caique"].drop()
    await driver().create_collection("caique", collation={"locale": "en", "strength": 2})
    await served[Caique].changes().prepare(["caique"])
    commit = await changed(served, driver, None, {"_id": 1, "owner": "ANN"}, "caique")
    assert await served[Caique].changes().match(commit, [await scope_of(served[Caique], context="ann")]) == [ENTERS]


async def test_many_scopes_are_asked_in_few_commands(mongo: MongoServer, database_name: str) -> None:
    class Aggregates(monitoring.CommandListener):
        sizes: list[int] = []  # noqa: RUF012  # of this one test

        def started(self, event: monitoring.CommandStartedEvent) -> None:
            for stage in event.command.get("pipeline", ()):
                self.sizes += [len(stage["$facet"])] if "$facet" in stage else []

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    async with AsyncMongoClient[Any](mongo.uri, event_listeners=[Aggregates()]) as client:
        provider = MongoEngineProvider(Packet, Options(database=client[database_name]))
        changes = provider.changes()
        await changes.prepare(["packet"])
        scopes = [await scope_of(provider, f"knots={number}") for number in range(450)]
        async with following(changes, "packet") as stream:
            await client[database_name]["packet"].insert_one(ferry(knots=7))
            commit = await stream.next()
        Aggregates.sizes.clear()
        found = await changes.match(commit, [*scopes, await scope_of(provider)])
    assert ([rank for rank, each in enumerate(found) if each != NEITHER], found[450]) == ([7, 450], ENTERS)
    assert sorted(Aggregates.sizes) == [50, 200, 200]


async def test_a_scope_of_a_whole_class_needs_no_command(served: Served, driver: Driver) -> None:
    commit = await changed(served, driver, ferry(), ferry(name="x" * 9_000_000))
    assert await served[Packet].changes().match(commit, [await scope_of(served[Packet])]) == [BOTH]


async def test_a_change_that_does_not_fit_into_a_command_is_too_large(served: Served, driver: Driver) -> None:
    text = "x" * 15_000_000
    whole = await changed(served, driver, None, ferry(name=text))
    assert await served[Packet].changes().match(whole, [await scope_of(served[Packet], "name__startswith=x")]) == [
        ENTERS
    ]
    assert isinstance(whole, StoredCommit)
    images = (whole.images[1], whole.images[1])  # which no stream would tell
    large = replace(whole, encoded=lambda: images)
    with pytest.raises(PayloadTooLarge):
        await served[Packet].changes().match(large, [await scope_of(served[Packet], "name__startswith=x")])


@pytest.mark.parametrize(
    "query",
    [
        {"$where": "true"},
        {"$text": {"$search": "x"}},
        {"at": {"$near": {"$geometry": {"type": "Point", "coordinates": [1, 2]}}}},
        {"$or": [{"owner": "x"}, {"at": {"$nearSphere": [1, 2]}}]},
        {"owner": {"$bad": 1}},
    ],
    ids=str,
)
async def test_what_cannot_be_asked_of_one_document_is_refused_at_once(served: Served, query: Any) -> None:
    operator = next((each for each in ("$where", "$text", "$nearSphere", "$near") if each in str(query)), "a single")
    with pytest.raises(BadRequest, match=operator.replace("$", r"\$")):
        await scope_of(served[Caique], context=query)


@pytest.mark.parametrize(
    "query",
    [
        {"$expr": {"$eq": ["$owner", "ann"]}},
        {"$jsonSchema": {"required": ["owner"]}},
        {"owner": {"$regex": "^a", "$options": "i"}},
        {"owner": {"$type": "string"}},
        {"owner": {"$not": {"$in": ["bob"]}}},
        {"$nor": [{"owner": "bob"}]},
        {"$comment": "x"},
        {"at": {"$geoIntersects": {"$geometry": {"type": "Point", "coordinates": [1, 2]}}}, "owner": "ann"},
    ],
    ids=str,
)
async def test_whatever_else_hooks_ask_is_answered(served: Served, driver: Driver, query: Any) -> None:
    at = {"type": "Point", "coordinates": [1, 2]}
    commit = await changed(served, driver, None, {"_id": 1, "owner": "ann", "at": at}, "caique")
    assert await served[Caique].changes().match(commit, [await scope_of(served[Caique], context=query)]) == [ENTERS]


async def test_a_scope_that_the_database_refuses_on_a_document_is_told_apart(served: Served, driver: Driver) -> None:
    scope = await scope_of(served[Caique], context={"$expr": {"$gt": [{"$divide": [1, "$size"]}, 0]}})
    commit = await changed(served, driver, None, {"_id": 1, "size": 0}, "caique")
    with pytest.raises(BadRequest):
        await served[Caique].changes().match(commit, [scope])


async def test_an_id_that_cannot_be_stored_names_nothing(served: Served) -> None:
    with pytest.raises(NotFound):
        await served[Packet].scope(Client(served[Packet]).path("x"), Client(served[Packet]).query(""), None)


# -- keys


async def test_one_query_has_one_key_and_another_has_another(served: Served) -> None:
    texts = ["", "knots=1", "knots=2", "name=1", "knots__gt=1", "knots=1&name=1"]
    keys = [(await scope_of(served[Packet], text)).key for text in texts]
    again = [(await scope_of(served[Packet], text)).key for text in texts]
    assert (keys, len(set(keys))) == (again, len(texts))


async def test_the_key_changes_with_the_hook(served: Served) -> None:
    keys = {(await scope_of(served[Caique], context=each)).key for each in ("ann", "bob", "ann")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"owner": {"$in": ["a", "b"]}}, {"owner": {"$in": ["b", "a"]}}),
        ({"owner": "a", "name": "b"}, {"name": "b", "owner": "a"}),
        ({"$or": [{"owner": "a"}, {"name": "b"}]}, {"$or": [{"name": "b"}, {"owner": "a"}]}),
    ],
    ids=str,
)
async def test_order_that_means_nothing_makes_no_other_key(served: Served, one: Any, other: Any) -> None:
    keys = {(await scope_of(served[Caique], context=each)).key for each in (one, other)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"owner": {"x": 1, "y": 2}}, {"owner": {"y": 2, "x": 1}}),
        ({"owner": ["a", "b"]}, {"owner": ["b", "a"]}),
        ({"owner": {"$eq": ["a", "b"]}}, {"owner": {"$eq": ["b", "a"]}}),
        ({"$expr": {"$gt": ["$a", "$b"]}}, {"$expr": {"$gt": ["$b", "$a"]}}),
        ({"owner": 1}, {"owner": 1.0}),
    ],
    ids=str,
)
async def test_order_and_type_of_values_make_another_key(served: Served, one: Any, other: Any) -> None:
    keys = {(await scope_of(served[Caique], context=each)).key for each in (one, other)}
    assert len(keys) == 2


async def test_a_scope_says_whether_it_holds_all_or_only_one(served: Served, driver: Driver) -> None:
    key = bson.ObjectId()
    lane = served[Lane]
    found = [
        await scope_of(lane),
        await scope_of(lane, "name=x"),
        await scope_of(served[Packet]),
        await scope_of(served[Packet], where=str(key)),
        await scope_of(lane, where="north"),
    ]
    assert [(each.is_all, each.only) for each in found] == [
        (True, None),
        (False, None),
        (False, None),
        (False, key),
        (False, None),
    ]


def test_chunks_are_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "BYTES_OF_A_COMMAND", 100)
    scopes: Any = [type("Sized", (), {"query": RawBSONDocument(bson.encode({"x": "y" * 40}))})() for _ in range(5)]
    assert [len(each) for each in matching._chunks(scopes)] == [1, 1, 1, 1, 1]

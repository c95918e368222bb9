"""Races between two real processes: deletes through MongoEngine, and transitions of which one may win."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import mongoengine as me
import pymongo
import pytest

import bzz
from bzz.dev import MongoServer
from bzz.providers.mongoengine.client import close as close_clients
from bzz.signals import post_delete_instance
from tests.conftest import Serve
from tests.robustness.raced import DELETED, ISSUES, MODELS, Ruled, RuledPart, listen, stop
from tests.robustness.second import second_process

RACES = 20
WRITERS = 200


@pytest.fixture(autouse=True)
def _listeners() -> Iterator[None]:
    listen()
    yield
    stop()


@pytest.fixture(scope="module")
def second(mongo: MongoServer) -> Iterator[tuple[str, str]]:
    """A database, and the address of a process that serves it."""
    name = f"bzz_test_{uuid.uuid4().hex}"
    with second_process(mongo.uri, name) as address:
        yield name, address
    with pymongo.MongoClient[Any](mongo.uri) as client:
        client.drop_database(name)


@pytest.fixture
async def both(mongo: MongoServer, second: tuple[str, str], serve: Serve) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of a server in this process and of one in another."""
    name, address = second
    me.connect(db=name, host=mongo.uri, uuidRepresentation="standard")
    here = serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each) for each in MODELS]))
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as there:
        yield [here, there]
    await close_clients()
    me.disconnect_all()


def url_of(document: Any) -> str:
    name = "".join(f"_{each.lower()}" if each.isupper() else each for each in type(document).__name__).strip("_")
    return f"/{name}/{document.id}/"


@pytest.mark.parametrize("model", DELETED)
async def test_of_a_put_and_a_delete_on_one_condition_one_succeeds(both: list[httpx.AsyncClient], model: Any) -> None:
    outcomes = set()
    for number in range(RACES):
        document = model(number=0).save()
        child = RuledPart(ruled=document).save() if model is Ruled else None
        url, (one, other) = url_of(document), both[:: 1 if number % 2 else -1]
        tag = {"If-Match": (await one.get(url)).headers["ETag"]}
        put, delete = await asyncio.gather(
            one.put(url, json={"number": 1}, headers=tag), other.delete(url, headers=tag)
        )
        outcome = (put.status_code, delete.status_code)
        outcomes.add(outcome)
        assert outcome in {(200, 412), (412, 204), (404, 204)}
        assert (model.objects(id=document.id).first() is not None) == (outcome[0] == 200)
        if child is not None:  # what a DELETE takes with it goes only where the DELETE succeeds
            assert (RuledPart.objects(id=child.id).first() is not None) == (outcome[0] == 200)
    assert outcomes


@pytest.mark.parametrize("model", DELETED)
async def test_of_six_deletes_one_succeeds(both: list[httpx.AsyncClient], model: Any) -> None:
    for _ in range(RACES // 4):
        url = url_of(model(number=0).save())
        answers = await asyncio.gather(*(client.delete(url) for client in both * 3))
        assert sorted(each.status_code for each in answers) == [204] + 5 * [404]


@pytest.mark.parametrize("model", ISSUES)
async def test_of_many_exclusive_transitions_one_wins(both: list[httpx.AsyncClient], model: Any) -> None:
    issue = model().save()
    url = url_of(issue)
    answers = await asyncio.gather(
        *(both[number % 2].put(url, json={"status": f"taken by {number}"}) for number in range(WRITERS))
    )
    winners = [f"taken by {number}" for number, each in enumerate(answers) if each.status_code == 200]
    assert winners == [issue.reload().status]
    # 503: nothing was done, for no turn came in three seconds, as on a busy machine.
    assert {200, 409} <= {each.status_code for each in answers} <= {200, 409, 503}


# -- rules, in one process


class Shelf(me.Document):
    number = me.IntField()


class Tome(me.Document):
    shelf = me.ReferenceField(Shelf, reverse_delete_rule=me.CASCADE)


class Loan(me.Document):
    book = me.ReferenceField(Tome, reverse_delete_rule=me.DENY)


class Stub(me.Document):
    shelf = me.ReferenceField(Shelf, reverse_delete_rule=me.NULLIFY)


class Hall(me.Document):
    shelves = me.ListField(me.ReferenceField(Shelf, reverse_delete_rule=me.PULL))


class Node(me.Document):
    """Refers to its own kind, in circles."""

    above = me.ReferenceField("self", reverse_delete_rule=me.CASCADE)


@pytest.fixture
def client(database_name: str, serve: Serve) -> httpx.AsyncClient:
    """Of a server for the models with rules."""
    return serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each) for each in (Shelf, Tome, Node)]))


async def test_the_rules_are_applied_once_the_document_is_gone(client: httpx.AsyncClient) -> None:
    shelf, other = Shelf().save(), Shelf().save()
    books = [Tome(shelf=each).save() for each in (shelf, shelf, other)]
    card, room = Stub(shelf=shelf).save(), Hall(shelves=[other, shelf]).save()
    assert (await client.delete(url_of(shelf))).status_code == 204
    assert [each.id for each in Tome.objects] == [books[2].id]
    assert (card.reload().shelf, [each.id for each in room.reload().shelves]) == (None, [other.id])


async def test_a_delete_that_is_denied_does_nothing(client: httpx.AsyncClient) -> None:
    book = Tome(shelf=Shelf().save()).save()
    Loan(book=book).save()
    assert (await client.delete(url_of(book))).status_code == 409
    assert Tome.objects.count() == 1


async def test_a_delete_whose_cascade_is_denied_does_nothing(client: httpx.AsyncClient) -> None:
    shelf = Shelf().save()
    card = Stub(shelf=shelf).save()
    Tome(shelf=shelf).save()
    Loan(book=Tome(shelf=shelf).save()).save()
    assert (await client.delete(url_of(shelf))).status_code == 409
    assert (Shelf.objects.count(), Tome.objects.count(), card.reload().shelf) == (1, 2, shelf)


async def test_a_circle_of_cascades_is_deleted(client: httpx.AsyncClient) -> None:
    first = Node().save()
    second = Node(above=first).save()
    first.update(above=second)
    assert (await client.delete(url_of(first))).status_code == 204
    assert Node.objects.count() == 0


# -- own deletes


class Kept(me.Document):
    """Its own ``delete()`` never gets to MongoEngine's: it only marks the document."""

    number = me.IntField()
    gone = me.BooleanField()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        self.update(gone=True)


class Stubborn(me.Document):
    """Its own ``delete()`` keeps quiet about whatever MongoEngine's raises."""

    number = me.IntField()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        type(self).objects(id=self.id, number=0).update(number=1)  # as another writer would
        try:
            super().delete(*args, **kwargs)
        except Exception:
            return None


async def test_an_own_delete_that_keeps_the_document_is_taken_at_its_word(database_name: str, serve: Serve) -> None:
    kept, client = Kept(number=0).save(), serve(bzz.ModelHive.routes_for("mongoengine", Kept))
    old = {"If-Match": (await client.get(url_of(kept))).headers["ETag"]}
    await client.put(url_of(kept), json={"number": 1})
    assert (await client.delete(url_of(kept), headers=old)).status_code == 412
    assert (await client.delete(url_of(kept))).status_code == 204
    assert (Kept.objects.get().gone, Kept.objects.get().number) == (True, 1)


async def test_an_own_delete_that_swallows_errors_does_not_hide_that_it_came_too_late(
    database_name: str, serve: Serve
) -> None:
    stubborn, client = Stubborn(number=0).save(), serve(bzz.ModelHive.routes_for("mongoengine", Stubborn))
    tag = {"If-Match": (await client.get(url_of(stubborn))).headers["ETag"]}
    assert (await client.delete(url_of(stubborn), headers=tag)).status_code == 412
    assert Stubborn.objects.count() == 1


class Counting(me.Document):
    """Its own ``delete()`` changes the stored document behind its back, each time."""

    tries = me.IntField(default=0)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        type(self).objects(id=self.id).update(inc__tries=1)
        return super().delete(*args, **kwargs)


async def test_an_own_delete_that_changes_the_document_by_other_means_gets_it_deleted_all_the_same(
    database_name: str, serve: Serve
) -> None:
    counting, told = Counting().save(), []

    def tell(sender: Any, instance: Any) -> None:
        told.append(instance.tries)

    client = serve(bzz.ModelHive.routes_for("mongoengine", Counting))
    with post_delete_instance.connected_to(tell, Counting):
        assert (await client.delete(url_of(counting))).status_code == 204
    assert (Counting.objects.count(), told) == (0, [5])


async def test_receivers_are_told_of_no_delete_that_came_too_late(database_name: str, serve: Serve) -> None:
    shelf, told, left = Shelf(number=0).save(), [], [1]

    def interfere(sender: Any, document: Any, **kwargs: Any) -> None:
        while left:
            Shelf.objects(id=document.id).update(number=left.pop())

    def tell(sender: Any, document: Any, **kwargs: Any) -> None:
        told.append(document.number)

    client = serve(bzz.ModelHive.routes_for("mongoengine", Shelf))
    with me.signals.pre_delete.connected_to(interfere, Shelf), me.signals.post_delete.connected_to(tell, Shelf):
        assert (await client.delete(url_of(shelf))).status_code == 204
    assert told == [1]

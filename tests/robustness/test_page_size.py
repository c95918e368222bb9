"""A page has a limit in bytes, too: what does not go into one reply of MongoDB is behind the next link."""

from __future__ import annotations

import re

import httpx
import mongoengine as me
import pytest

import bzz
from tests.conftest import Driver, Serve

MEGABYTE = 1_000_000
NUMBER = 20


class Scan(me.Document):
    number = me.IntField()
    image = me.StringField()


class Plate(me.EmbeddedDocument):
    image = me.StringField()


class Album(me.Document):
    plates = me.EmbeddedDocumentListField(Plate)


@pytest.fixture
def client(serve: Serve, driver: Driver) -> httpx.AsyncClient:
    database = driver()
    Scan.objects.insert([Scan(number=number, image=MEGABYTE * "x") for number in range(NUMBER)])
    models = (Scan, Album)
    return serve(bzz.flatten([bzz.ModelHive.routes_for("mongoengine", each, database=database) for each in models]))


def link(answer: httpx.Response, relation: str) -> str | None:
    found = re.search(f'<([^>]*)>; rel="{relation}"', answer.headers["Link"])
    return found and found[1]


def numbers(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200
    return [each["number"] for each in answer.json()]


async def test_a_page_that_would_be_too_large_is_shorter_and_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/scan/", params={"per_page": 100})
    assert 1 < len(answer.json()) < NUMBER
    assert len(answer.content) < 17 * MEGABYTE
    assert answer.headers["X-Page-Cut"] == "size"


async def test_following_next_shows_every_item_once(client: httpx.AsyncClient) -> None:
    seen, url = [], "/scan/?sort=-number&per_page=100"
    while url:
        answer = await client.get(url)
        seen += numbers(answer)
        url = link(answer, "next") or ""
    assert seen == list(range(NUMBER))[::-1]


async def test_following_prev_shows_every_item_once(client: httpx.AsyncClient) -> None:
    url = link(await client.get("/scan/?sort=number&page=20&per_page=1"), "prev")
    seen: list[int] = []
    while url:
        answer = await client.get(url.replace("per_page=1&", "per_page=100&"))
        seen = numbers(answer) + seen
        url = link(answer, "prev")
    assert seen == list(range(NUMBER - 1))


async def test_a_numbered_page_that_was_cut_leads_on_by_a_cursor(client: httpx.AsyncClient) -> None:
    Scan.objects.insert([Scan(number=number, image=MEGABYTE * "x") for number in range(NUMBER, 2 * NUMBER)])
    answer = await client.get("/scan/?sort=number&page=2&per_page=20")
    shown = numbers(answer)
    following = link(answer, "next")
    assert (answer.headers["X-Page-Cut"], len(shown) < NUMBER) == ("size", True)
    assert following is not None
    assert "after=" in following
    assert "page=" not in following.replace("per_page=", "")
    assert numbers(await client.get(following))[0] == shown[-1] + 1


async def test_the_last_page_and_one_of_usual_size_are_not_cut(client: httpx.AsyncClient) -> None:
    for query in ("per_page=5", "page=4&per_page=5", "page=3&per_page=10", "number=3"):
        assert "X-Page-Cut" not in (await client.get(f"/scan/?{query}")).headers


async def test_an_exact_count_counts_what_a_cut_page_does_not_show(client: httpx.AsyncClient) -> None:
    answer = await client.get("/scan/?per_page=100", headers={"Prefer": "count=exact"})
    assert answer.headers["X-Total-Count"] == str(NUMBER)


async def test_a_nested_list_is_as_large_as_its_document_at_most(client: httpx.AsyncClient) -> None:
    album = Album(plates=[Plate(image=MEGABYTE * "x") for _ in range(14)]).save()
    answer = await client.get(f"/album/{album.id}/plates/?per_page=100")
    assert (len(answer.json()), "X-Page-Cut" in answer.headers) == (14, False)


async def test_a_page_shows_one_document_where_two_are_too_large(client: httpx.AsyncClient) -> None:
    Scan.objects.delete()
    Scan.objects.insert([Scan(number=number, image=9 * MEGABYTE * "x") for number in range(2)])
    answer = await client.get("/scan/")
    assert (numbers(answer), answer.headers["X-Page-Cut"]) == ([0], "size")
    assert numbers(await client.get(link(answer, "next") or "")) == [1]


async def test_what_is_selected_and_too_large_to_be_read_at_once_is_told_and_not_written(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.patch("/scan/?number__gte=0", json={"number": -1}, headers={"Prefer": "max-affected=100"})
    assert (answer.status_code, Scan.objects(number=-1).count()) == (400, 0)
    assert answer.json()["detail"].startswith("The selected documents are too large to be read at once, 16 MiB")

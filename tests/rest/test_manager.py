"""A model's own ``objects`` is where every read, write and list starts."""

from __future__ import annotations

from typing import Any

import httpx
import mongoengine as me
import pytest
from bson import ObjectId

from tests.rest.conftest import Api


class Parchment(me.Document):
    """Stays in the database when it is burnt, and is not there any more."""

    text = me.StringField()
    is_burnt = me.BooleanField(default=False)
    meta = {"abstract": True}  # noqa: RUF012  # as MongoEngine wants it

    @me.queryset_manager  # type: ignore[untyped-decorator]  # MongoEngine ships no types
    def objects(doc_cls, queryset: Any) -> Any:  # noqa: N805  # as MongoEngine calls it
        return queryset.filter(is_burnt__ne=True).order_by("-text")


class Papyrus(Parchment):
    pass


class SavedPapyrus(Parchment):
    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)


class HookedPapyrus(Parchment):
    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset.filter(text__ne="secret")

    @staticmethod
    def get_list_queryset(queryset: Any, handler: Any) -> Any:
        return queryset.filter(text__ne="secret")


class UnburntQuerySet(me.QuerySet):
    """Filters by itself, as packages for soft deletion do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cls_query = {**self._cls_query, "is_burnt": {"$ne": True}}  # type: ignore[has-type]  # MongoEngine ships no types


class AskedQuerySet(me.QuerySet):
    """Filters when it is called, as other packages for soft deletion do."""

    def __call__(self, q_obj: Any = None, **query: Any) -> Any:
        query.setdefault("is_burnt__ne", True)
        return super().__call__(q_obj, **query)


class UnburntManager(me.queryset.QuerySetManager):
    """Filters before anybody asks it."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        found = super().__get__(instance, owner)
        return found if instance is not None else found.filter(is_burnt__ne=True)


class FilteredPapyrus(me.Document):
    text = me.StringField()
    is_burnt = me.BooleanField(default=False)
    meta = {"queryset_class": UnburntQuerySet, "ordering": ["-text"]}  # noqa: RUF012


class AskedPapyrus(me.Document):
    text = me.StringField()
    is_burnt = me.BooleanField(default=False)
    meta = {"queryset_class": AskedQuerySet, "ordering": ["-text"]}  # noqa: RUF012


class UncachedPapyrus(Parchment):
    @me.queryset_manager  # type: ignore[untyped-decorator]
    def objects(doc_cls, queryset: Any) -> Any:  # noqa: N805
        return queryset.filter(is_burnt__ne=True).order_by("-text").no_cache()


class ManagedPapyrus(me.Document):
    text = me.StringField()
    is_burnt = me.BooleanField(default=False)
    meta = {"ordering": ["-text"]}  # noqa: RUF012

    objects = UnburntManager()


class PapyrusShelf(me.Document):
    best = me.ReferenceField(Papyrus)
    rolls = me.ListField(me.ReferenceField(Papyrus))


BODIES = {"PUT": {"text": "b"}, "PATCH": {"text": "b"}}
MODELS = [Papyrus, SavedPapyrus, HookedPapyrus, FilteredPapyrus, AskedPapyrus, UncachedPapyrus, ManagedPapyrus]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return request.param


def url(model: Any, document: Any = None) -> str:
    name = f"{model.__name__.removesuffix('Papyrus')}_papyrus".lower().lstrip("_")
    return f"/{name}/" if document is None else f"/{name}/{document.pk}/"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_what_the_manager_leaves_out_is_not_there(alone: Api, model: Any, method: str) -> None:
    client, burnt = alone(model), model(text="a", is_burnt=True).save()
    answer = await client.request(method, url(model, burnt), json=BODIES.get(method))
    assert answer.status_code == 404
    assert model._get_collection().find_one({"_id": burnt.pk})["text"] == "a"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_what_it_gives_is_there(alone: Api, model: Any, method: str) -> None:
    client, kept = alone(model), model(text="a").save()
    answer = await client.request(method, url(model, kept), json=BODIES.get(method))
    assert answer.status_code in (200, 204)


async def test_a_list_is_that_of_the_manager_in_its_order(alone: Api, model: Any) -> None:
    client = alone(model)
    for text, is_burnt in (("a", False), ("b", True), ("c", False)):
        model(text=text, is_burnt=is_burnt).save()
    answer = await client.get(url(model), headers={"Prefer": "count=exact"})
    assert [each["text"] for each in answer.json()] == ["c", "a"]
    assert answer.headers["X-Total-Count"] == "2"
    assert [each["text"] for each in (await client.get(url(model) + "?sort=text")).json()] == ["a", "c"]


async def test_a_document_that_a_client_burns_is_gone_for_it(alone: Api, model: Any) -> None:
    client, kept = alone(model), model(text="a").save()
    assert (await client.put(url(model, kept), json={"is_burnt": True})).status_code == 200
    assert (await client.get(url(model, kept))).status_code == 404


async def refusals(client: httpx.AsyncClient, burnt: ObjectId) -> set[str]:
    answer = await client.post("/papyrus_shelf/", json={"best": str(burnt), "rolls": [str(burnt)]})
    assert answer.status_code == 400
    return set(answer.json()["errors"])


async def test_a_reference_leads_to_nothing_that_it_leaves_out(alone: Api) -> None:
    client, burnt = alone(PapyrusShelf), Papyrus(text="a", is_burnt=True).save()
    assert await refusals(client, burnt.pk) == {"best", "rolls.0"}
    shelf = PapyrusShelf(best=burnt, rolls=[burnt]).save()
    assert (await client.get(f"/papyrus_shelf/{shelf.pk}/best/")).status_code == 404
    assert (await client.get(f"/papyrus_shelf/{shelf.pk}/rolls/")).json() == []
    assert (await client.get(f"/papyrus_shelf/{shelf.pk}/rolls/{burnt.pk}/")).status_code == 404


class TrimmedPapyrus(me.Document):
    text = me.StringField()
    note = me.StringField()

    @me.queryset_manager  # type: ignore[untyped-decorator]
    def objects(doc_cls, queryset: Any) -> Any:  # noqa: N805
        return queryset.only("text").exclude("note")


async def test_which_fields_a_manager_loads_does_not_count(alone: Api) -> None:
    client, stored = alone(TrimmedPapyrus), TrimmedPapyrus(text="a", note="n").save()
    assert (await client.get(url(TrimmedPapyrus, stored))).json()["note"] == "n"
    assert [each["note"] for each in (await client.get(url(TrimmedPapyrus))).json()] == ["n"]

"""``expand``: documents in the place of references; filters of what references lead to; ``q`` and ``facets``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import mongoengine as me
import pymongo.monitoring
import pytest
from tornado.web import HTTPError

import bzz
from bzz import signals
from bzz.errors import Forbidden, Unavailable
from tests.conftest import Serve
from tests.rest.conftest import Api


class Land(me.Document):
    code = me.StringField(primary_key=True)
    name = me.StringField()


class Lodge(me.Document):
    name = me.StringField()
    land = me.ReferenceField(Land)
    secret = me.StringField()
    meta = {"bzz": {"hidden": ["secret"]}}  # noqa: RUF012


class Workshop(me.EmbeddedDocument):
    street = me.StringField()
    land = me.ReferenceField(Land)


class Smith(me.Document):
    name = me.StringField()
    trade = me.StringField(choices=("iron", "gold"))
    tags = me.ListField(me.StringField())
    guild = me.ReferenceField(Lodge)
    friends = me.ListField(me.ReferenceField("self"))
    shop = me.EmbeddedDocumentField(Workshop)
    any = me.GenericReferenceField(choices=[Lodge, Land])
    meta = {"indexes": ["$name"]}  # noqa: RUF012


class Cottage(me.EmbeddedDocument):
    number = me.IntField()


class Street(me.Document):
    houses = me.EmbeddedDocumentListField(Cottage)


class Cloaked(me.Document):
    """Shows what it likes of itself."""

    name = me.StringField()
    diary = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name}


class Courier(me.Document):
    """With a reference to any model, and a text index on what routes may hide."""

    name = me.StringField()
    diary = me.StringField()
    anything = me.GenericReferenceField()
    meta = {"indexes": [{"fields": ["$diary"]}]}  # noqa: RUF012


class Veiled(me.Document):
    name = me.StringField()
    owner = me.StringField()

    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset.filter(owner=handler.request.headers.get("X-User"))


class Seeker(me.Document):
    veiled = me.ReferenceField(Veiled)


class Sluggish(me.Document):
    slug = me.StringField(unique=True)
    name = me.StringField()
    land = me.ReferenceField(Land)

    @staticmethod
    def get_id_field_name() -> str:
        return "slug"


class Pointer(me.Document):
    to = me.ReferenceField(Sluggish)


Receive = Callable[[Any, Any, type], None]


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Connects a receiver to a signal of a model until the test ends."""
    with ExitStack() as stack:
        yield lambda signal, receiver, sender: stack.enter_context(signal.connected_to(receiver, sender))


class Made:
    """A smith with all that it refers to."""

    def __init__(self) -> None:
        self.land = Land(code="BR", name="Brazil").save()
        self.guild = Lodge(name="Hammer", land=self.land, secret="x").save()
        self.friend = Smith(name="Bob", guild=self.guild).save()
        self.smith = Smith(
            name="Ann Lee",
            trade="iron",
            tags=["a", "b"],
            guild=self.guild,
            friends=[self.friend],
            shop=Workshop(street="Main", land=self.land),
            any=self.guild,
        ).save()


async def get(client: httpx.AsyncClient, url: str, **headers: str) -> Any:
    answer = await client.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


# -- expand


async def test_a_reference_is_replaced_by_its_document(api: Api) -> None:
    client, made = api(Smith), Made()
    shown = await get(client, f"/smith/{made.smith.id}/?expand=guild")
    assert shown["guild"] == {"id": str(made.guild.id), "name": "Hammer", "land": "BR"}
    assert shown["friends"] == [str(made.friend.id)]


async def test_references_behind_references_and_in_lists_and_embedded_documents(api: Api) -> None:
    client, made = api(Smith), Made()
    shown = await get(client, f"/smith/{made.smith.id}/?expand=guild.land,friends.guild,shop.land,any")
    assert shown["guild"]["land"] == {"code": "BR", "name": "Brazil"}
    assert shown["friends"][0]["name"] == "Bob"
    assert shown["friends"][0]["guild"]["name"] == "Hammer"
    assert shown["shop"] == {"street": "Main", "land": {"code": "BR", "name": "Brazil"}}
    assert (shown["any"]["@type"], shown["any"]["name"]) == ("Lodge", "Hammer")


async def test_fields_reach_into_what_is_expanded(api: Api) -> None:
    client, made = api(Smith), Made()
    shown = await get(client, f"/smith/{made.smith.id}/?expand=guild.land&fields=name,guild.land.name")
    assert shown == {"id": str(made.smith.id), "name": "Ann Lee", "guild": {"land": {"name": "Brazil"}}}
    refused = await client.get("/smith/?fields=guild.name")
    assert refused.status_code == 400


async def test_a_list_takes_one_query_for_each_hop(serve: Serve, database_name: str) -> None:
    made = Made()
    for number in range(20):
        guild = Lodge(name=str(number), land=made.land).save()
        Smith(name=str(number), guild=guild).save()
    seen: list[str] = []

    class Listener(pymongo.monitoring.CommandListener):
        def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
            seen.append(str(event.command.get("find")))

        def succeeded(self, event: Any) -> None: ...

        def failed(self, event: Any) -> None: ...

    host, port = Smith._get_db().client.address
    mongo = pymongo.AsyncMongoClient[dict[str, Any]](host, port, event_listeners=[Listener()])
    client = serve(bzz.ModelHive.routes_for("mongoengine", Smith, database=mongo[database_name]))
    shown = await get(client, "/smith/?expand=guild.land&per_page=50")
    assert len(shown) == 22
    assert all(each["guild"]["land"]["name"] == "Brazil" for each in shown)
    assert seen == ["smith", "lodge", "land"]
    await mongo.close()


async def test_what_is_not_there_stays_an_id(api: Api) -> None:
    client, made = api(Smith), Made()
    made.guild.delete()
    shown = await get(client, f"/smith/{made.smith.id}/?expand=guild,any")
    assert shown["guild"] == str(made.guild.id)
    assert shown["any"] == {"@type": "Lodge", "id": str(made.guild.id)}


async def test_what_a_hook_leaves_out_stays_an_id(api: Api) -> None:
    client = api(Seeker)
    hers, his = Veiled(name="hers", owner="ann").save(), Veiled(name="his", owner="bob").save()
    Seeker(veiled=hers).save()
    Seeker(veiled=his).save()
    shown = await get(client, "/seeker/?expand=veiled", **{"X-User": "ann"})
    assert [each["veiled"] if isinstance(each["veiled"], str) else each["veiled"]["name"] for each in shown] == [
        "hers",
        str(his.id),
    ]


async def test_a_document_that_authorize_refuses_stays_an_id(api: Api) -> None:
    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        if model is Land:
            raise Forbidden("No lands.")
        return True

    client, made = api(Smith, authorize=authorize), Made()
    shown = await get(client, f"/smith/{made.smith.id}/?expand=guild.land")
    assert (shown["guild"]["name"], shown["guild"]["land"]) == ("Hammer", "BR")


async def test_receivers_may_refuse_a_document_or_change_what_is_shown_of_it(api: Api, receive: Receive) -> None:
    client, made = api(Smith), Made()

    def refuse(sender: type, arguments: list[str]) -> None:
        assert arguments[-1] == "land/BR"
        raise HTTPError(403)

    def mask(sender: type, instance: Any) -> None:
        instance.name = "***"

    receive(signals.pre_get_instance, refuse, Land)
    receive(signals.post_get_instance, mask, Lodge)
    shown = await get(client, f"/smith/{made.smith.id}/?expand=guild.land")
    assert (shown["guild"]["name"], shown["guild"]["land"]) == ("***", "BR")


async def test_public_ids_stay_public_ids(api: Api) -> None:
    client, made = api(Pointer), Made()
    known = Sluggish(slug="one", name="One", land=made.land).save()
    pointer = Pointer(to=known).save()
    assert (await get(client, f"/pointer/{pointer.id}/"))["to"] == "one"
    assert (await get(client, f"/pointer/{pointer.id}/?expand=to.land"))["to"]["land"]["name"] == "Brazil"
    known.delete()
    assert (await get(client, f"/pointer/{pointer.id}/?expand=to"))["to"] == str(known.pk)


async def test_the_tag_follows_what_is_expanded(api: Api) -> None:
    client, made = api(Smith), Made()
    url = f"/smith/{made.smith.id}/?expand=guild"
    first = (await client.get(url)).headers["ETag"]
    assert (await client.get(url, headers={"If-None-Match": first})).status_code == 304
    Lodge.objects.update(name="Anvil")
    second = await client.get(url, headers={"If-None-Match": first})
    assert (second.status_code, second.json()["guild"]["name"]) == (200, "Anvil")
    assert (await client.get("/smith/?expand=guild")).headers["ETag"] != (await client.get("/smith/")).headers["ETag"]


@pytest.mark.parametrize(
    "text", ["nothing", "name", "shop", "guild.secret", "guild.name", "", "friends.friends.friends.guild", "any.land"]
)
async def test_what_is_no_reference_is_a_400_that_names_the_parameter(api: Api, text: str) -> None:
    client, made = api(Smith), Made()
    for url in ("/smith/", f"/smith/{made.smith.id}/"):
        answer = await client.get(url, params={"expand": text})
        assert (answer.status_code, "'expand'" in answer.json()["detail"]) == (400, True)


# -- filters of what a reference leads to


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("guild.name=Hammer", ["Ann Lee", "Bob"]),
        ("guild.name=Anvil", ["Cid"]),
        ("guild.name__startswith=A&guild.land=BR", ["Cid"]),
        ("guild.name=Nobody", []),
        ("friends.name=Bob", ["Ann Lee"]),
        ("shop.land.name=Brazil", ["Ann Lee"]),
        ("guild.name=Hammer&trade=iron", ["Ann Lee"]),
    ],
)
async def test_a_filter_reaches_over_a_reference(api: Api, query: str, names: list[str]) -> None:
    client, made = api(Smith), Made()
    Smith(name="Cid", guild=Lodge(name="Anvil", land=made.land).save()).save()
    assert [each["name"] for each in await get(client, f"/smith/?{query}&sort=name")] == names


@pytest.mark.parametrize("query", ["guild.secret=x", "guild.land.name=Brazil", "guild.nothing=1", "name.x=1"])
async def test_a_filter_over_a_reference_reveals_nothing_that_is_hidden(api: Api, query: str) -> None:
    client, _ = api(Smith), Made()
    assert (await client.get(f"/smith/?{query}")).status_code == 400


async def test_a_filter_over_a_reference_sees_only_what_the_client_may_see(api: Api) -> None:
    client = api(Seeker)
    his = Veiled(name="his", owner="bob").save()
    Seeker(veiled=his).save()
    assert await get(client, "/seeker/?veiled.name=his", **{"X-User": "ann"}) == []
    assert len(await get(client, "/seeker/?veiled.name=his", **{"X-User": "bob"})) == 1


# -- words and counts


async def test_q_searches_by_the_text_index(api: Api) -> None:
    client, _ = api(Smith), Made()
    assert [each["name"] for each in await get(client, "/smith/?q=lee")] == ["Ann Lee"]
    assert await get(client, "/smith/?q=lee&trade=gold") == []
    assert [each["name"] for each in await get(client, "/smith/?q=ann+bob&sort=-name&per_page=1")] == ["Bob"]


async def test_q_without_a_text_index_is_a_400_with_the_remedy(api: Api) -> None:
    answer = await api(Lodge).get("/lodge/?q=x")
    assert (answer.status_code, "text index" in answer.json()["detail"]) == (400, True)
    assert (await api(Smith).get("/smith/?q=+")).status_code == 400


class Searched(me.Document):
    name = me.StringField()
    meta = {"indexes": ["$name"], "allow_inheritance": True}  # noqa: RUF012


class SearchedBelow(Searched):
    pass


async def test_q_by_a_text_index_of_one_class_is_a_400_where_there_are_several(api: Api) -> None:
    answer = await api(Searched).get("/searched/?q=x")
    assert (answer.status_code, '"cls": False' in answer.json()["detail"]) == (400, True)


async def test_q_in_a_list_of_embedded_documents_is_a_400(api: Api) -> None:
    street = Street(houses=[Cottage(number=1)]).save()
    answer = await api(Street).get(f"/street/{street.id}/houses/?q=x")
    assert (answer.status_code, "'q'" in answer.json()["detail"]) == (400, True)


async def test_facets_count_the_values_of_fields(api: Api) -> None:
    client, made = api(Smith), Made()
    Smith(name="Cid", trade="gold", tags=["b"]).save()
    shown = await get(client, "/smith/?facets=trade,tags,guild&per_page=1&fields=name")
    assert [each["name"] for each in shown["items"]] == ["Bob"]
    assert shown["facets"]["tags"] == [
        {"value": "b", "count": 2},
        {"value": None, "count": 1},
        {"value": "a", "count": 1},
    ]
    assert {each["value"]: each["count"] for each in shown["facets"]["trade"]} == {None: 1, "gold": 1, "iron": 1}
    assert shown["facets"]["guild"][0] == {"value": str(made.guild.id), "count": 2}
    filtered = await get(client, "/smith/?facets=trade&guild.name=Hammer")
    assert {each["value"]: each["count"] for each in filtered["facets"]["trade"]} == {None: 1, "iron": 1}


@pytest.mark.parametrize("query", ["facets=nothing", "facets=shop", "facets=", "facets=guild.name"])
async def test_facets_of_what_cannot_be_counted_are_a_400(api: Api, query: str) -> None:
    assert (await api(Smith).get(f"/smith/?{query}")).status_code == 400


@pytest.mark.parametrize("query", ["expand=guild", "q=x", "facets=trade", "guild.name=x"])
async def test_a_feed_takes_none_of_these(serve: Serve, database_name: str, query: str) -> None:
    client = serve(bzz.ModelHive.routes_for("mongoengine", Smith, live=True))
    answer = await client.get(f"/smith/?{query}", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


# -- what may not be found out


async def test_a_reference_to_any_model_cannot_be_expanded(api: Api) -> None:
    answer = await api(Courier).get("/courier/?expand=anything")
    assert (answer.status_code, "'expand'" in answer.json()["detail"]) == (400, True)


async def test_what_other_routes_hide_is_not_shown_behind_a_reference_to_several_models(api: Api) -> None:
    made = Made()
    bzz.ModelHive.routes_for("mongoengine", Land, hidden=["name"])
    Smith.objects(pk=made.smith.pk).update(any=made.land)
    shown = await get(api(Smith), f"/smith/{made.smith.id}/?expand=any")
    assert shown["any"] == {"@type": "Land", "code": "BR"}


async def test_a_text_index_on_a_hidden_field_is_not_searched(api: Api) -> None:
    Courier(diary="secret love").save()
    assert len(await get(api(Courier), "/courier/?q=love")) == 1
    answer = await api(Courier, hidden=["diary"]).get("/courier/?q=love")
    assert (answer.status_code, "text index" in answer.json()["detail"]) == (400, True)


async def test_a_filter_over_a_reference_asks_authorize_and_the_receivers_of_lists(api: Api, receive: Receive) -> None:
    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        return model is not Land

    def refuse(sender: type) -> None:
        raise HTTPError(403)

    client, _ = api(Smith, authorize=authorize), Made()
    assert (await client.get("/smith/?shop.land.name=Brazil")).status_code == 403
    assert (await client.get("/smith/?guild.name=Hammer")).status_code == 200
    receive(signals.pre_get_list, refuse, Lodge)
    assert (await client.get("/smith/?guild.name=Hammer")).status_code == 403


async def test_trouble_while_expanding_is_no_refusal(api: Api, receive: Receive) -> None:
    def away(sender: type, instance: Any) -> None:
        raise Unavailable

    client, made = api(Smith), Made()
    receive(signals.post_get_instance, away, Lodge)
    assert (await client.get(f"/smith/{made.smith.id}/?expand=guild")).status_code == 503


async def test_a_write_to_what_a_filter_over_a_reference_selects_asks_as_a_list_does(api: Api) -> None:
    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        return model is not Land

    client, _ = api(Smith, authorize=authorize), Made()
    url, prefer = "/smith/?shop.land.name=Brazil", {"Prefer": "max-affected=9"}
    assert (await client.delete(url, headers=prefer)).status_code == 403
    assert (await client.patch(url, json={"name": "x"}, headers=prefer)).status_code == 403


async def test_values_that_a_model_keeps_to_itself_are_not_counted(api: Api, receive: Receive) -> None:
    Cloaked(name="Ann", diary="secret").save()
    answer = await api(Cloaked).get("/cloaked/?facets=diary")
    assert (answer.status_code, "secret" in answer.text) == (400, False)

    def mask(sender: type, items: list[Any]) -> None:
        items.clear()

    client, _ = api(Smith), Made()
    receive(signals.post_get_list, mask, Smith)
    assert (await client.get("/smith/?facets=trade")).status_code == 400


async def test_facets_name_documents_by_their_public_ids(api: Api) -> None:
    known = Sluggish(slug="one").save()
    Pointer(to=known).save()
    shown = await get(api(Pointer), "/pointer/?facets=to")
    assert shown["facets"]["to"] == [{"value": "one", "count": 1}]

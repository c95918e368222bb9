"""Every 404 and 412 says what is missing or did not match, and never more than the client may know."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest
from tornado.web import HTTPError

import bzz
from bzz import signals
from bzz.errors import NotFound, PreconditionFailed
from bzz.problem import GUARD
from tests.conftest import Serve
from tests.rest import Berth, Cabin, Engine, Fleet, Sailor, Ship
from tests.rest.conftest import Api

NO_ID = "5f0000000000000000000000"


class Mooring(me.Document):
    """Only those of the harbour that the request names are there for it."""

    harbour = me.StringField()
    ship = me.ReferenceField(Ship)
    neighbours = me.ListField(me.ReferenceField("self"))
    next = me.ReferenceField("self")
    cabin = me.EmbeddedDocumentField(Cabin)

    @staticmethod
    def get_instance_queryset(model: Any, queryset: Any, instance_id: str, handler: Any) -> Any:
        return queryset.filter(harbour="rio")


@pytest.fixture
def ship(database_name: str) -> Ship:
    ann, bea = Sailor(name="Ann").save(), Sailor(name="Bea").save()
    made: Ship = Ship(
        name="Argo", engine=Engine(power=1), cabins=[Cabin(code="A", berths=[Berth(deck=1)])], crew=[ann, bea]
    ).save()
    return made


@pytest.mark.parametrize(
    ("verb", "way", "missing"),
    [
        ("GET", f"ship/{NO_ID}", f"ship/{NO_ID}"),
        ("PUT", f"ship/{NO_ID}", f"ship/{NO_ID}"),
        ("DELETE", f"ship/{NO_ID}", f"ship/{NO_ID}"),
        ("GET", f"ship/{NO_ID}/cabins/A/berths/0", f"ship/{NO_ID}"),
        ("GET", f"ship/{NO_ID}/cabins", f"ship/{NO_ID}"),
        ("POST", f"ship/{NO_ID}/cabins", f"ship/{NO_ID}"),
        ("GET", f"ship/{NO_ID}/crew", f"ship/{NO_ID}"),
        ("GET", "ship/ID/cabins/B/berths/0", "ship/ID/cabins/B"),
        ("PUT", "ship/ID/cabins/B", "ship/ID/cabins/B"),
        ("DELETE", "ship/ID/cabins/B", "ship/ID/cabins/B"),
        ("PATCH", "ship/ID/cabins/A/berths/7", "ship/ID/cabins/A/berths/7"),
        ("POST", "ship/ID/cabins/B/berths", "ship/ID/cabins/B"),
        ("GET", "ship/ID/engine/main", "ship/ID/engine/main"),
        ("GET", "ship/ID/engine/main/inner", "ship/ID/engine/main"),
        ("DELETE", "ship/ID/engine/main", "ship/ID/engine/main"),
        ("GET", "ship/ID/captain", "ship/ID/captain"),
        ("PUT", "ship/ID/captain/home", "ship/ID/captain"),
        ("DELETE", "ship/ID/captain", "ship/ID/captain"),
        ("GET", f"ship/ID/crew/{NO_ID}", f"ship/ID/crew/{NO_ID}"),
        ("DELETE", f"ship/ID/crew/{NO_ID}", f"ship/ID/crew/{NO_ID}"),
        ("GET", f"ship/ID/crew/{NO_ID}/friends", f"ship/ID/crew/{NO_ID}"),
    ],
)
async def test_a_404_names_the_first_step_that_leads_nowhere(
    alone: Api, ship: Ship, verb: str, way: str, missing: str
) -> None:
    body = {"POST": {"label": "x"} if way.endswith("berths") else {"code": "Z"}, "PUT": {}, "PATCH": {}}.get(verb)
    answer = await alone(Ship).request(verb, f"/{way.replace('ID', str(ship.id))}/", json=body)
    detail = f"There is nothing at {missing.replace('ID', str(ship.id))!r}."
    assert (answer.status_code, answer.json()["detail"]) == (404, detail)


async def test_an_address_that_cannot_be_is_told_without_its_text(alone: Api) -> None:
    for place in ("/ship/x/", "/ship/1/2/3/", "/ship/%zz/"):
        answer = await alone(Ship).get(place)
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is nothing at this address.")


async def test_the_prefix_of_a_resource_is_left_out(alone: Api) -> None:
    answer = await alone(Ship, prefix="/api", resource_name="boats").get(f"/api/boats/{NO_ID}/")
    assert answer.json()["detail"] == f"There is nothing at 'boats/{NO_ID}'."


@pytest.mark.parametrize("verb", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("way", ["", "/cabin", "/neighbours", "/next", "/ship"])
async def test_what_a_client_may_not_see_reads_as_what_does_not_exist(alone: Api, verb: str, way: str) -> None:
    hidden, client = Mooring(harbour="secret", cabin=Cabin(code="A")).save(), alone(Mooring)
    place = f"/mooring/{hidden.id}"
    if way == "/neighbours" and verb != "GET":
        way = f"/neighbours/{NO_ID}"
    answers = []
    for exists in (True, False):
        answer = await client.request(verb, place + way, json=None if verb in ("GET", "DELETE") else {})
        answers.append((answer.status_code, answer.content))
        if exists:
            hidden.delete()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("way", ["neighbours/ID", "neighbours/ID/cabin", "next", "next/cabin"])
async def test_a_link_to_what_a_client_may_not_see_reads_as_one_that_leads_nowhere(alone: Api, way: str) -> None:
    hidden = Mooring(harbour="secret", cabin=Cabin(code="A")).save()
    seen, client = Mooring(harbour="rio", neighbours=[hidden], next=hidden).save(), alone(Mooring)
    place = f"/mooring/{seen.id}/{way.replace('ID', str(hidden.id))}"
    before = await client.get(place)
    hidden.delete()
    after = await client.get(place)
    assert (before.status_code, before.content) == (404, after.content)
    seen.update(neighbours=[], next=None)
    assert (await client.get(place)).content == after.content


@pytest.mark.parametrize("error", [NotFound(), HTTPError(404)])
async def test_a_receiver_hides_an_instance_in_the_words_for_one_that_is_missing(
    alone: Api, ship: Ship, error: Exception
) -> None:
    def hide(sender: Any) -> None:
        raise error

    client, place = alone(Ship), f"/ship/{ship.id}/"
    with signals.pre_get_instance.connected_to(hide, sender=Ship):
        hidden = await client.get(place)
    ship.delete()
    assert (hidden.status_code, hidden.content) == (404, (await client.get(place)).content)


async def test_an_error_that_is_raised_again_is_told_anew(alone: Api, ship: Ship) -> None:
    error, other = NotFound(), Ship(name="Bark").save()

    def hide(sender: Any) -> None:
        raise error

    client = alone(Ship)
    with signals.pre_get_instance.connected_to(hide, sender=Ship):
        for each in (ship, other):
            answer = await client.get(f"/ship/{each.id}/")
            assert answer.json()["detail"] == f"There is nothing at 'ship/{each.id}'."


async def test_what_a_receiver_says_is_what_is_told(alone: Api, ship: Ship) -> None:
    def say(sender: Any) -> None:
        raise NotFound("Sunk.")

    client = alone(Ship)
    with signals.pre_get_instance.connected_to(say, sender=Ship):
        assert (await client.get(f"/ship/{ship.id}/")).json()["detail"] == "Sunk."


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"If-Match": '"x"'}, "If-Match does not name the current entity tag; read the resource again."),
        ({"If-None-Match": "*"}, "If-None-Match names the current entity tag."),
        (
            {"If-Match": '"x"', "If-None-Match": "*"},
            "If-Match or If-None-Match does not hold for the current entity tag; read the resource again.",
        ),
    ],
)
@pytest.mark.parametrize("way", ["", "cabins/A/", "cabins/A/berths/0/", "engine/", "crew/SAILOR/"])
@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
async def test_a_412_says_which_header_did_not_match(
    alone: Api, ship: Ship, verb: str, way: str, headers: dict[str, str], detail: str
) -> None:
    if way.startswith("crew") and verb != "DELETE":
        way = "captain/"
        ship.update(captain=ship.crew[0])
    place = f"/ship/{ship.id}/{way.replace('SAILOR', str(ship.crew[0].id))}"
    answer = await alone(Ship).request(verb, place, json=None if verb == "DELETE" else {}, headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (412, detail)


async def test_a_read_whose_if_match_fails_says_so(alone: Api, ship: Ship) -> None:
    answer = await alone(Ship).get(f"/ship/{ship.id}/", headers={"If-Match": '"x"'})
    assert (answer.status_code, "If-Match" in answer.json()["detail"]) == (412, True)


async def test_a_412_of_the_application_says_something_too(alone: Api, ship: Ship) -> None:
    def refuse(sender: Any) -> None:
        raise PreconditionFailed()

    client = alone(Ship, Fleet)
    with signals.pre_update_instance.connected_to(refuse, sender=Ship):
        answer = await client.put(f"/ship/{ship.id}/", json={})
    assert (answer.status_code, answer.json()["detail"]) == (
        412,
        "The resource is not in the state that this request rests on; read it again.",
    )


async def test_a_guard_that_hides_everything_says_so_before_the_address_is_read(serve: Serve) -> None:
    async def hide(handler: Any) -> None:
        raise NotFound()

    client = serve(bzz.ModelHive.routes_for("mongoengine", Ship), **{GUARD: hide})
    answer = await client.get("/ship/")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is nothing at this address.")

"""What listens, and what a write has caused, is told to those who may look inside, and to nobody else."""

from __future__ import annotations

import json
from typing import Any

import httpx
import mongoengine as me
import pytest
from tornado.web import Application

import bzz
from bzz import explorer, signals
from bzz.delivery.listener import forget
from bzz.errors import ConfigurationError
from bzz.events.bus import bus
from tests.conftest import Serve
from tests.explorer.conftest import ACCEPT, explored, seen

pytestmark = pytest.mark.usefixtures("database_name")

ASK = {"Bzz-Explain": "1"}


class Windlass(me.Document):
    turns = me.IntField()


async def haul(event: bzz.Event) -> None:
    await bzz.emit("anchor.up", depth=3)


async def cheer(event: bzz.Event) -> None:
    raise ValueError("hoarse")


def check(sender: type, handler: Any) -> None:
    """A receiver."""


@pytest.fixture(autouse=True)
def _listeners() -> Any:
    bzz.on("Windlass.updated")(haul)
    bzz.on("anchor.up")(cheer)
    with signals.pre_update_instance.connected_to(check, sender=Windlass):
        yield
    bzz.off(haul)
    bzz.off(cheer)


def allowed(app: Application) -> None:
    explorer.configure(app, insight=lambda handler: handler.request.headers.get("X-Who") == "admin")


def routes() -> bzz.RouteList:
    return explored(bzz.ModelHive.routes_for("mongoengine", Windlass))


async def write(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    windlass = Windlass(turns=1).save()
    return await client.put(f"/windlass/{windlass.pk}/", json={"turns": 2}, headers=headers)


def names(steps: list[dict[str, Any]]) -> list[Any]:
    return [[each["name"].rpartition(".")[2], *names(each["steps"])] for each in steps]


async def test_a_write_tells_what_it_caused_one_within_the_other(serve: Serve) -> None:
    answer = await write(serve(routes(), allowed), **ASK, **{"X-Who": "admin"})
    caused = json.loads(answer.headers["Bzz-Caused"])
    first, updated = caused["steps"]
    assert (first["what"], first["on"], first["name"]) == ("receiver", "pre_update_instance", f"{__name__}.check")
    assert updated["name"] == "Windlass.updated"
    assert names(updated["steps"]) == [["haul", ["up", ["cheer"]]]]
    assert updated["steps"][0]["steps"][0]["steps"][0]["error"] == "ValueError"
    assert caused["ms"] >= updated["ms"] >= 0
    assert caused["called"] == 3


@pytest.mark.parametrize("headers", [{"X-Who": "admin"}, ASK, {**ASK, "X-Who": "stranger"}])
async def test_nothing_is_told_that_was_not_asked_for_by_who_may_know(serve: Serve, headers: dict[str, str]) -> None:
    answer = await write(serve(routes(), allowed), **headers)
    assert answer.status_code == 200
    assert "Bzz-Caused" not in answer.headers


@pytest.mark.parametrize(("debug", "told"), [(True, True), (False, False)])
async def test_unless_the_application_says_who_it_takes_debug(serve: Serve, debug: bool, told: bool) -> None:
    client = serve(routes(), debug=debug, autoreload=False)
    answer = await write(client, **ASK)
    assert ("Bzz-Caused" in answer.headers) is told


async def test_a_request_that_fails_tells_what_it_caused_too(serve: Serve) -> None:
    client = serve(routes(), allowed)
    answer = await client.put(f"/windlass/{'0' * 24}/", json={"turns": 2}, headers={**ASK, "X-Who": "admin"})
    assert answer.status_code == 404
    assert names(json.loads(answer.headers["Bzz-Caused"])["steps"])[0] == ["check"]


async def test_nothing_is_watched_when_the_answer_is_out(serve: Serve) -> None:
    before = bus._hooks, signals._hooks  # metrics, once there are any, watch as long as the process lives
    await write(serve(routes(), allowed), **ASK)
    assert (bus._hooks, signals._hooks) == before


async def test_what_is_told_fits_into_a_header(serve: Serve) -> None:
    async def much(event: bzz.Event) -> None:
        for number in range(100):
            await bzz.emit(f"wave.number-{number}-{'x' * 100}")

    bzz.on("Windlass.updated")(much)
    try:
        answer = await write(serve(routes(), allowed), **ASK, **{"X-Who": "admin"})
    finally:
        bzz.off(much)
    assert len(answer.headers["Bzz-Caused"]) < 6100
    assert json.loads(answer.headers["Bzz-Caused"])["more"] is True


async def test_the_page_says_what_listens_to_those_who_may_know(serve: Serve) -> None:
    windlass = Windlass(turns=1).save()
    client = serve(routes(), allowed)
    told = await client.get(f"/windlass/{windlass.pk}/", headers={**ACCEPT, "X-Who": "admin"})
    untold = await client.get(f"/windlass/{windlass.pk}/", headers=ACCEPT)
    listening = seen(told.text).texts("span", class_="to")
    assert listening[:2] == ["pre_update_instance", "Windlass.updated"]
    assert "haul" in told.text
    assert "haul" not in untold.text


async def test_durable_listeners_come_last_with_their_names(serve: Serve) -> None:
    async def index(event: bzz.Event) -> None: ...

    bzz.durable("Windlass.*", name="windlasses")(index)
    try:
        place = f"/windlass/{Windlass(turns=1).save().pk}/"
        told = seen((await serve(routes(), allowed).get(place, headers={**ACCEPT, "X-Who": "admin"})).text)
    finally:
        forget("windlasses")
    assert told.texts("span", class_="to")[-1].strip() == "Windlass.*"
    assert told.texts("span", class_="badge")[-1] == "durable as windlasses"


def test_insight_is_a_function() -> None:
    with pytest.raises(ConfigurationError, match="insight"):
        explorer.configure(Application(), insight=True)  # type: ignore[arg-type]  # the mistake

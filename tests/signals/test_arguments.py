"""Which signal a request sends, with which sender and arguments, in which order."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import httpx
import mongoengine as me
import pytest

from bzz import signals
from bzz.model.handler import ModelHandler
from bzz.signals import Signal
from tests.rest import Berth, Cabin, Engine, Harbour, Part, Sailor, Ship
from tests.rest.conftest import Api
from tests.signals.conftest import Connect

MODEL_SIGNALS = [
    getattr(signals, f"{when}_{what}")
    for what in ("get_instance", "get_list", "create_instance", "update_instance", "delete_instance")
    for when in ("pre", "post")
]

Heard = list[tuple[str, Any, dict[str, Any]]]


@pytest.fixture
def heard(connect: Connect) -> Heard:
    """What every model signal sends from now on: its name, its sender and its arguments."""
    told: Heard = []

    def listener(name: str) -> Callable[..., None]:
        def listen(sender: Any, **arguments: Any) -> None:
            told.append((name, sender, arguments))

        return listen

    for signal in MODEL_SIGNALS:
        connect(signal, listener(signal.name))
    return told


@pytest.fixture
def ship(database_name: str) -> Ship:
    ann, bea = Sailor(name="Ann").save(), Sailor(name="Bea").save()
    ann.update(boss=bea)
    rio = Harbour(code="R/O", name="Rio").save()
    made: Ship = Ship(
        name="Argo",
        engine=Engine(power=1, main=Part(name="shaft", maker=rio)),
        cabins=[Cabin(code="A", berths=[Berth(deck=1)])],
        captain=ann,
        crew=[ann, bea],
    ).save()
    return made


async def test_each_verb_sends_its_two_signals(api: Api, heard: Heard, ship: Ship) -> None:
    client = api(Ship)
    place, step = f"/ship/{ship.id}/", f"ship/{ship.id}"
    rows: list[tuple[str, str, Any, str, list[str], set[str]]] = [
        ("GET", "/ship/", None, "get_list", ["ship"], {"items"}),
        ("HEAD", "/ship/", None, "get_list", ["ship"], {"items"}),
        ("POST", "/ship/", {"name": "x"}, "create_instance", ["ship"], {"instance", "change"}),
        ("GET", place, None, "get_instance", [step], {"instance"}),
        ("HEAD", place, None, "get_instance", [step], {"instance"}),
        ("PUT", place, {"tons": 1}, "update_instance", [step], {"instance", "updated_fields", "change"}),
        ("PATCH", place, {"tons": 2}, "update_instance", [step], {"instance", "updated_fields", "change"}),
        ("DELETE", place, None, "delete_instance", [step], {"instance", "change"}),
    ]
    for verb, where, body, name, arguments, after in rows:
        heard.clear()
        assert (await client.request(verb, where, json=body)).status_code // 100 == 2
        assert [(each, sender) for each, sender, _ in heard] == [(f"pre_{name}", Ship), (f"post_{name}", Ship)]
        before, then = heard[0][2], heard[1][2]
        assert (set(before), before["arguments"]) == ({"arguments", "handler"}, arguments)
        assert then.keys() == after | {"handler"}
        assert isinstance(then["handler"], ModelHandler)
        assert then["handler"] is before["handler"]


async def test_the_sender_is_the_model_at_the_end_of_the_path(api: Api, heard: Heard, ship: Ship) -> None:
    client, root, captain = api(Ship), f"ship/{ship.id}", ship.captain
    rows: list[tuple[str, str, Any, str, type, list[str]]] = [
        ("GET", "cabins/", None, "get_list", Cabin, [root, "cabins"]),
        ("POST", "cabins/", {"code": "B"}, "create_instance", Cabin, [root, "cabins"]),
        ("GET", "cabins/A/", None, "get_instance", Cabin, [root, "cabins/A"]),
        ("PUT", "cabins/A/", {"size": 2}, "update_instance", Cabin, [root, "cabins/A"]),
        ("GET", "cabins/A/berths/0/", None, "get_instance", Berth, [root, "cabins/A", "berths/0"]),
        ("DELETE", "cabins/A/berths/0/", None, "delete_instance", Berth, [root, "cabins/A", "berths/0"]),
        ("PATCH", "engine/main/", {"name": "x"}, "update_instance", Part, [root, "engine", "main"]),
        ("GET", "engine/main/maker/R%2FO/", None, "get_instance", Harbour, [root, "engine", "main", "maker/R/O"]),
        ("GET", "crew/", None, "get_list", Sailor, [root, "crew"]),
        ("GET", f"crew/{captain.id}/boss/", None, "get_instance", Sailor, [root, f"crew/{captain.id}", "boss"]),
        ("PUT", "captain/", {"age": 2}, "update_instance", Sailor, [root, "captain"]),
        ("DELETE", f"crew/{captain.id}/", None, "delete_instance", Sailor, [root, f"crew/{captain.id}"]),
        ("POST", "crew/", {"crew": [str(captain.id)]}, "create_instance", Sailor, [root, "crew"]),
        ("DELETE", "captain/", None, "delete_instance", Sailor, [root, "captain"]),
        ("POST", "captain/", {"captain": str(captain.id)}, "create_instance", Sailor, [root, "captain"]),
    ]
    for verb, where, body, name, model, arguments in rows:
        heard.clear()
        answer = await client.request(verb, f"/{root}/{where}", json=body)
        assert (verb, where, answer.status_code // 100) == (verb, where, 2)
        told = [(each, sender) for each, sender, _ in heard]
        assert (where, told) == (where, [(f"pre_{name}", model), (f"post_{name}", model)])
        assert heard[0][2]["arguments"] == arguments
        instance = heard[1][2].get("instance")
        assert instance is None or isinstance(instance, model)


async def test_instances_hold_what_was_stored(api: Api, heard: Heard, ship: Ship) -> None:
    client = api(Ship)
    created = await client.post("/ship/", json={"name": "x", "engine": {"power": 3}})
    made = heard[-1][2]["instance"]
    assert (type(made), str(made.id), made.name) == (Ship, created.headers["X-Created-Id"], "x")
    assert (type(made.engine), made.engine.power, made.engine.fuel, made.tons) == (Engine, 3, "oil", None)
    await client.delete(f"/ship/{ship.id}/")
    gone = heard[-1][2]["instance"]
    assert (gone.id, gone.name, gone.cabins[0].code) == (ship.id, "Argo", "A")


async def test_items_are_instances_in_the_order_shown(api: Api, heard: Heard, ship: Ship) -> None:
    answer = await api(Ship).get(f"/ship/{ship.id}/crew/?sort=-name")
    items = heard[-1][2]["items"]
    assert isinstance(items, list)
    assert [type(each) for each in items] == [Sailor, Sailor]
    assert [each.name for each in items] == ["Bea", "Ann"] == [each["name"] for each in answer.json()]


async def test_linking_sends_the_create_signals_once_for_each_new_link(api: Api, heard: Heard, ship: Ship) -> None:
    cid, dan = Sailor(name="Cid").save(), Sailor(name="Dan").save()
    ids = [str(each.id) for each in (ship.captain, cid, dan)]
    client = api(Ship)
    await client.post(f"/ship/{ship.id}/crew/", json={"crew": ids})
    assert [name for name, _, _ in heard] == ["pre_create_instance", "post_create_instance", "post_create_instance"]
    assert [each["instance"].name for _, _, each in heard[1:]] == ["Cid", "Dan"]
    heard.clear()
    await client.post(f"/ship/{ship.id}/crew/", json={"crew": ids})
    assert [name for name, _, _ in heard] == ["pre_create_instance"]


async def test_unlinking_sends_the_delete_signals_with_the_instance_that_stays(
    api: Api, heard: Heard, ship: Ship
) -> None:
    await api(Ship).delete(f"/ship/{ship.id}/crew/{ship.captain.id}/")
    assert [name for name, _, _ in heard] == ["pre_delete_instance", "post_delete_instance"]
    assert heard[1][2]["instance"] == Sailor.objects.get(name="Ann")


@pytest.mark.parametrize(
    ("verb", "place", "body", "status", "sent"),
    [
        ("GET", "/ship/5f0000000000000000000000/", None, 404, ["pre_get_instance"]),
        ("PUT", "/ship/5f0000000000000000000000/", {"tons": 1}, 404, ["pre_update_instance"]),
        ("DELETE", "/ship/5f0000000000000000000000/", None, 404, ["pre_delete_instance"]),
        ("POST", "/ship/", {"name": None}, 400, ["pre_create_instance"]),
        ("POST", "/ship/", {"name": "Argo"}, 409, ["pre_create_instance"]),
        ("POST", "/ship/", {"zz": 1}, 400, []),
        ("GET", "/ship/x/", None, 404, []),
        ("GET", "/ship/?zz=1", None, 400, []),
        ("PUT", "/ship/", {}, 405, []),
        ("OPTIONS", "/ship/", None, 204, []),
    ],
)
async def test_a_request_that_fails_sends_no_post_signal(
    api: Api, heard: Heard, ship: Ship, verb: str, place: str, body: Any, status: int, sent: list[str]
) -> None:
    answer = await api(Ship).request(verb, place, json=body)
    assert (answer.status_code, [name for name, _, _ in heard]) == (status, sent)


# -- receivers


class Manual(me.Document):
    """What the manual's sample receivers listen to."""

    name = me.StringField()


async def drive(client: httpx.AsyncClient) -> None:
    """Every verb once."""
    place = (await client.post("/manual/", data={"name": "Bernardo Heynemann"})).headers["Location"]
    for verb, where, body in (
        ("GET", place, None),
        ("GET", "/manual/", None),
        ("PUT", place, {"name": "b"}),
        ("DELETE", place, None),
    ):
        assert (await client.request(verb, where, json=body)).status_code // 100 == 2


async def test_the_sample_receivers_of_the_manual_work_as_printed(alone: Api, connect: Connect) -> None:
    ran: list[str] = []

    def handle_pre_get_instance(sender, arguments, handler):  # type: ignore[no-untyped-def]  # as the manual prints it
        ran.append("pre_get_instance")

    def handle_post_get_instance(sender, instance, handler):  # type: ignore[no-untyped-def]
        ran.append(f"post_get_instance {instance.name}")

    def handle_pre_get_list(sender, arguments, handler):  # type: ignore[no-untyped-def]
        ran.append("pre_get_list")

    def handle_post_get_list(sender, items, handler):  # type: ignore[no-untyped-def]
        ran.append(f"post_get_list {len(items)}")

    def handle_before_instance_created(sender, arguments, handler):  # type: ignore[no-untyped-def]
        ran.append("pre_create_instance")

    def handle_post_instance_created(sender, instance, handler):  # type: ignore[no-untyped-def]
        ran.append(f"post_create_instance {instance.name}")

    def handle_before_instance_updated(sender, arguments, handler):  # type: ignore[no-untyped-def]
        ran.append("pre_update_instance")

    def handle_post_instance_updated(sender, instance, updated_fields, handler):  # type: ignore[no-untyped-def]
        ran.append(f"post_update_instance {instance.name} {updated_fields}")

    def handle_before_instance_deleted(sender, arguments, handler):  # type: ignore[no-untyped-def]
        ran.append("pre_delete_instance")

    def handle_post_instance_deleted(sender, instance, handler):  # type: ignore[no-untyped-def]
        ran.append(f"post_delete_instance {instance.name}")

    receivers = [each for name, each in locals().items() if name.startswith("handle_")]
    order = ["get_instance", "get_list", "create_instance", "update_instance", "delete_instance"]
    named = [getattr(signals, f"{when}_{what}") for what in order for when in ("pre", "post")]
    for signal, receiver in zip(named, receivers, strict=True):
        connect(signal, receiver)
    await drive(alone(Manual))
    assert ran == [
        "pre_create_instance",
        "post_create_instance Bernardo Heynemann",
        "pre_get_instance",
        "post_get_instance Bernardo Heynemann",
        "pre_get_list",
        "post_get_list 1",
        "pre_update_instance",
        "post_update_instance b {'name': {'from': 'Bernardo Heynemann', 'to': 'b'}}",
        "pre_delete_instance",
        "post_delete_instance b",
    ]


@pytest.mark.parametrize("signal", MODEL_SIGNALS, ids=lambda each: each.name)
async def test_functions_and_coroutines_run_in_the_order_of_their_connection(
    alone: Api, connect: Connect, signal: Signal
) -> None:
    ran: list[int] = []

    def receiver(number: int) -> Callable[..., Any]:
        def plain(sender: Any) -> None:
            ran.append(number)

        async def coroutine(sender: Any) -> None:
            await asyncio.sleep(0)
            ran.append(number)

        return coroutine if number % 2 else plain

    receivers = [receiver(number) for number in range(10)]
    for number, each in enumerate(receivers):
        connect(signal, each, **({"sender": Manual} if number % 3 else {}))
    await drive(alone(Manual))
    assert ran == list(range(10))


async def test_a_receiver_gets_the_arguments_that_it_names(alone: Api, connect: Connect) -> None:
    told: list[Any] = []

    def nothing_more(sender: Any) -> None:
        told.append(sender)

    def one(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    def all_of_them(sender: Any, **kwargs: Any) -> None:
        told.append(sorted(kwargs))

    def with_a_default(sender: Any, missing: str = "default") -> None:
        told.append(missing)

    for receiver in (nothing_more, one, all_of_them, with_a_default):
        connect(signals.post_update_instance, receiver)
    await drive(alone(Manual))
    diff = {"name": {"from": "Bernardo Heynemann", "to": "b"}}
    assert told == [Manual, diff, ["change", "handler", "instance", "updated_fields"], "default"]


async def test_connect_via_disconnect_and_muted_work_as_blinker_says(alone: Api) -> None:
    told: list[str] = []

    @signals.post_create_instance.connect_via(Manual)
    def listen(sender: Any, instance: Any) -> None:
        told.append(instance.name)

    client = alone(Manual)
    await client.post("/manual/", json={"name": "heard"})
    with signals.post_create_instance.muted():
        await client.post("/manual/", json={"name": "muted"})
    await client.post("/manual/", json={"name": "heard again"})
    signals.post_create_instance.disconnect(listen, sender=Manual)
    await client.post("/manual/", json={"name": "disconnected"})
    assert told == ["heard", "heard again"]


async def test_a_receiver_of_another_model_is_not_called(alone: Api, connect: Connect) -> None:
    told: list[Any] = []

    def listen(sender: Any) -> None:
        told.append(sender)

    for signal in MODEL_SIGNALS:
        connect(signal, listen, sender=Ship)
    await drive(alone(Manual))
    assert told == []


async def test_receivers_are_held_weakly(alone: Api) -> None:
    told: list[str] = []

    def listen(sender: Any, instance: Any) -> None:
        told.append(instance.name)

    signals.post_create_instance.connect(listen, sender=Manual)
    client = alone(Manual)
    await client.post("/manual/", json={"name": "first"})
    del listen
    gc.collect()
    await client.post("/manual/", json={"name": "second"})
    assert told == ["first"]

"""``await handler.stored()``: the instance before a write, and a write that happens only while it is what is stored."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol, TypeVar

import mongoengine as me
import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent
from tornado.web import HTTPError

import bzz
from bzz import signals
from bzz.errors import ConfigurationError, Conflict
from tests.rest.conftest import Api
from tests.signals.conftest import Connect


class Status(enum.Enum):
    OPEN = "open"
    SOLVED = "solved"
    CLOSED = "closed"


class Notice(me.EmbeddedDocument):
    text = me.StringField(db_field="tx")
    status = me.StringField()


class Duty(me.EmbeddedDocument):
    """An item with an id."""

    code = me.StringField(primary_key=True)
    status = me.StringField()
    inner = me.EmbeddedDocumentField(Notice)


class Holder(me.Document):
    name = me.StringField(db_field="nm")
    status = me.StringField()


class Task(me.Document):
    status = me.StringField(default="open", db_field="st")
    state = me.EnumField(Status)
    title = me.StringField()
    secret = me.StringField()
    free = me.DictField()
    remarks = me.ListField(me.EmbeddedDocumentField(Notice))
    duties = me.ListField(me.EmbeddedDocumentField(Duty))
    main = me.EmbeddedDocumentField(Notice)
    owner = me.ReferenceField(Holder)
    owners = me.ListField(me.ReferenceField(Holder))


class Job(me.Document):
    """As a task, but saved and deleted by MongoEngine."""

    status = me.StringField(default="open", db_field="st")
    secret = me.StringField()
    title = me.StringField()

    def save(self, *args: Any, **kwargs: Any) -> Any:
        return super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return super().delete(*args, **kwargs)


@pytest.fixture
def task(database_name: str) -> Task:
    owner = Holder(name="Ann", status="open").save()
    remark = Notice(text="a", status="open")
    duty = Duty(code="A", status="open", inner=remark)
    made: Task = Task(title="t", remarks=[remark], duties=[duty], main=remark, owner=owner, owners=[owner]).save()
    return made


def once(write: Callable[[], Any]) -> Callable[[], None]:
    """Somebody else's write, done the first time only."""
    left = [write]

    def do() -> None:
        if left:
            left.pop()()

    return do


async def test_stored_is_the_instance_before_the_update(alone: Api, connect: Connect, task: Task) -> None:
    seen: list[Any] = []

    async def look(sender: Any, handler: Any) -> None:
        stored = await handler.stored()
        seen.append((type(stored), stored.status, stored is await handler.stored()))

    connect(signals.pre_update_instance, look, sender=Task)
    answer = await alone(Task).put(f"/task/{task.id}/", json={"status": "solved"})
    assert (answer.status_code, seen) == (200, [(Task, "open", True)])


# Where a path ends, what somebody else writes meanwhile, and the status that the receivers see in their two runs.
PLACES: dict[str, tuple[str, type, Callable[[Task], Any]]] = {
    "root": ("", Task, lambda task: task.update(status="x")),
    "item": ("duties/A/", Duty, lambda task: task.update(__raw__={"$set": {"duties.0.status": "x"}})),
    "deeper": ("duties/A/inner/", Notice, lambda task: task.update(__raw__={"$set": {"duties.0.inner.status": "x"}})),
    "single": ("main/", Notice, lambda task: task.update(main__status="x")),
    "reference": ("owner/", Holder, lambda task: task.owner.update(status="x")),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE"])
async def test_a_faster_writer_makes_the_receivers_run_again_on_the_new_state(
    api: Api, connect: Connect, task: Task, verb: str, place: str
) -> None:
    where, model, change = PLACES[place]
    seen: list[Any] = []
    interfere = once(lambda: change(task))

    async def look(sender: Any, handler: Any) -> None:
        seen.append(((await handler.stored()).status, dict(handler.data)))
        handler.data["status"] = "mine"
        interfere()

    connect(signals.pre_update_instance, look, sender=model)
    connect(signals.pre_delete_instance, look, sender=model)
    sent = {} if verb == "DELETE" else {"status": "solved"}
    answer = await api(Task).request(verb, f"/task/{task.id}/{where}", json=sent or None)
    assert (answer.status_code // 100, seen) == (2, [("open", sent), ("x", sent)])


@pytest.mark.parametrize("verb", ["PUT", "DELETE"])
async def test_it_holds_for_models_that_mongoengine_saves_and_deletes(
    api: Api, connect: Connect, database_name: str, verb: str
) -> None:
    job, seen = Job().save(), []
    interfere = once(lambda: job.update(status="x"))

    async def look(sender: Any, handler: Any) -> None:
        seen.append((await handler.stored()).status)
        interfere()

    connect(signals.pre_update_instance, look)
    connect(signals.pre_delete_instance, look)
    body = {"title": "b"} if verb == "PUT" else None
    answer = await api(Job).request(verb, f"/job/{job.id}/", json=body)
    assert (answer.status_code // 100, seen) == (2, ["open", "x"])


@pytest.mark.parametrize("model", [Task, Job])
async def test_a_hidden_field_is_part_of_what_is_stored(
    alone: Api, connect: Connect, database_name: str, model: Any
) -> None:
    document, seen = model(secret="a").save(), []
    interfere = once(lambda: document.update(secret="b"))

    async def look(sender: Any, handler: Any) -> None:
        seen.append((await handler.stored()).secret)
        interfere()

    connect(signals.pre_update_instance, look)
    name = model.__name__.lower()
    await alone(model, hidden=["secret"]).put(f"/{name}/{document.id}/", json={"title": "x"})
    assert seen == ["a", "b"]


@pytest.mark.parametrize("verb", ["PUT", "DELETE"])
async def test_an_item_that_only_its_position_names_is_a_conflict_once_it_has_changed(
    api: Api, connect: Connect, task: Task, verb: str
) -> None:
    runs: list[Any] = []

    async def look(sender: Any, handler: Any) -> None:
        runs.append(await handler.stored())
        task.update(__raw__={"$set": {"remarks": [{"tx": "another"}, {"tx": "a", "status": "open"}]}})

    connect(signals.pre_update_instance, look, sender=Notice)
    connect(signals.pre_delete_instance, look, sender=Notice)
    body = {"text": "b"} if verb == "PUT" else None
    answer = await api(Task).request(verb, f"/task/{task.id}/remarks/0/", json=body)
    assert (answer.status_code, len(runs)) == (409, 1)
    assert [each.text for each in Task.objects.get().remarks] == ["another", "a"]


async def test_a_write_beside_an_embedded_document_is_none_of_its_receivers_business(
    alone: Api, connect: Connect, task: Task
) -> None:
    runs: list[Any] = []

    async def look(sender: Any, handler: Any) -> None:
        runs.append(await handler.stored())
        task.update(title="other")

    connect(signals.pre_update_instance, look, sender=Notice)
    answer = await alone(Task).put(f"/task/{task.id}/remarks/0/", json={"text": "b"})
    assert (answer.status_code, len(runs)) == (200, 1)


async def test_after_five_runs_the_request_is_a_conflict(alone: Api, connect: Connect, task: Task) -> None:
    runs: list[int] = []

    async def look(sender: Any, handler: Any) -> None:
        await handler.stored()
        runs.append(len(runs))
        task.update(status=f"other {len(runs)}")

    connect(signals.pre_update_instance, look)
    answer = await alone(Task).put(f"/task/{task.id}/", json={"title": "b"})
    assert (answer.status_code, len(runs)) == (409, 5)
    assert answer.json()["detail"] == "Others keep changing this; nothing was done. Try again."
    assert Task.objects.get().title == "t"


async def test_what_receivers_do_to_the_stored_instance_is_not_stored(alone: Api, connect: Connect, task: Task) -> None:
    task.update(free={"a": {"b": 1}})

    async def spoil(sender: Any, handler: Any) -> None:
        stored = await handler.stored()
        stored.free["a"]["b"] = 2
        stored.status = "spoilt"
        stored.remarks.clear()

    connect(signals.pre_update_instance, spoil)
    answer = await alone(Task).put(f"/task/{task.id}/", json={"title": "b"})
    task.reload()
    assert (answer.status_code, task.title, task.status, task.free) == (200, "b", "open", {"a": {"b": 1}})
    assert len(task.remarks) == 1


async def test_nothing_is_locked_while_receivers_run(alone: Api, connect: Connect, task: Task) -> None:
    client, place = alone(Task), f"/task/{task.id}/"
    statuses: list[int] = []

    async def write_meanwhile(sender: Any, handler: Any) -> None:
        await handler.stored()
        if handler.data["title"] == "outer" and not statuses:
            statuses.append((await client.put(place, json={"title": "inner"})).status_code)

    connect(signals.pre_update_instance, write_meanwhile)
    answer = await client.put(place, json={"title": "outer"}, timeout=5)
    assert (answer.status_code, statuses, answer.json()["title"]) == (200, [200], "outer")


async def test_a_refusal_on_the_stored_state_is_the_answer(alone: Api, connect: Connect, task: Task) -> None:
    async def refuse(sender: Any, handler: Any) -> None:
        if (await handler.stored()).status == "closed":
            raise Conflict("It is closed.")

    connect(signals.pre_update_instance, refuse)
    connect(signals.pre_delete_instance, refuse)
    task.update(status="closed")
    client, place = alone(Task), f"/task/{task.id}/"
    assert [(await client.request(verb, place, json={})).status_code for verb in ("PUT", "DELETE")] == [409, 409]
    assert Task.objects.count() == 1


async def test_if_match_is_asked_too(alone: Api, connect: Connect, task: Task) -> None:
    client, place = alone(Task), f"/task/{task.id}/"
    tag = {"If-Match": (await client.get(place)).headers["ETag"]}
    runs: list[Any] = []
    interfere = once(lambda: task.update(title="other"))

    async def look(sender: Any, handler: Any) -> None:
        runs.append(await handler.stored())
        interfere()

    connect(signals.pre_update_instance, look)
    assert (await client.put(place, json={"status": "solved"}, headers=tag)).status_code == 412
    assert len(runs) == 1
    tag = {"If-Match": (await client.get(place)).headers["ETag"]}
    assert (await client.put(place, json={"status": "solved"}, headers=tag)).status_code == 200


async def test_what_is_not_there_is_a_404(alone: Api, connect: Connect, task: Task) -> None:
    async def look(sender: Any, handler: Any) -> None:
        await handler.stored()

    connect(signals.pre_update_instance, look)
    client = alone(Task)
    for where in ("5f0000000000000000000000/", f"{task.id}/remarks/7/"):
        assert (await client.put(f"/task/{where}", json={})).status_code == 404


async def _create(client: Any, task: Task) -> None:
    await client.post("/task/", json={})


async def _link(client: Any, task: Task) -> None:
    await client.post(f"/task/{task.id}/owners/", json={"owners": [str(task.owner.id)]})


async def _get(client: Any, task: Task) -> None:
    await client.get(f"/task/{task.id}/")


async def _put(client: Any, task: Task) -> None:
    await client.put(f"/task/{task.id}/", json={"title": "b"})


@pytest.mark.parametrize(
    ("signal", "request_"),
    [
        (signals.pre_create_instance, _create),
        (signals.pre_create_instance, _link),
        (signals.pre_get_instance, _get),
        (signals.post_get_instance, _get),
        (signals.post_update_instance, _put),
    ],
    ids=["create", "link", "get", "after get", "after put"],
)
async def test_anywhere_else_it_is_an_error_of_the_application(
    alone: Api, connect: Connect, task: Task, signal: Any, request_: Callable[[Any, Task], Awaitable[None]]
) -> None:
    raised: list[Exception] = []

    async def ask(sender: Any, handler: Any) -> None:
        try:
            await handler.stored()
        except ConfigurationError as error:
            raised.append(error)

    connect(signal, ask)
    await request_(alone(Task), task)
    assert [str(each) for each in raised] == [
        "handler.stored() is for receivers of pre_update_instance and pre_delete_instance, while they run"
    ]


class Commands(CommandListener):
    """The names of the commands that are sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


async def test_while_nobody_asks_nothing_is_read(mongo: Any, serve: Any, connect: Connect, task: Task) -> None:
    commands, runs = Commands(), []

    def look(sender: Any) -> None:
        runs.append(sender)

    connect(signals.pre_update_instance, look)
    connect(signals.pre_delete_instance, look)
    name = Task._get_db().name
    driver: AsyncMongoClient[Any]
    async with AsyncMongoClient(mongo.uri, uuidRepresentation="standard", event_listeners=[commands]) as driver:
        client = serve(bzz.ModelHive.routes_for("mongoengine", Task, database=driver[name]))
        await client.put(f"/task/{task.id}/", json={"title": "b"})
        await client.delete(f"/task/{task.id}/")
    assert [each for each in commands.names if each in ("find", "findAndModify", "aggregate")] == ["findAndModify"] * 2
    assert runs == [Task, Task]


async def test_proposed_is_what_the_update_would_change(alone: Api, connect: Connect, task: Task) -> None:
    seen: list[Any] = []

    async def look(sender: Any, handler: Any) -> None:
        handler.data["state"] = "closed"
        seen.append(await handler.proposed())

    connect(signals.pre_update_instance, look)
    client = alone(Task)
    await client.put(f"/task/{task.id}/", json={"status": "open", "main": {"text": "b"}, "id": str(task.id)})
    assert seen == [{"state": {"from": None, "to": Status.CLOSED}, "main.text": {"from": "a", "to": "b"}}]


# -- events


F = TypeVar("F", bound=Callable[..., Any])


class Listen(Protocol):
    """``bzz.on`` until the test ends."""

    def __call__(self, target: Any, **options: Any) -> Callable[[F], F]: ...


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Registers listeners until the test ends."""
    registered: list[Any] = []

    def on(target: Any, **options: Any) -> Callable[[F], F]:
        def register(function: F) -> F:
            registered.append(function)
            bzz.on(target, **options)(function)
            return function

        return register

    yield on
    for function in registered:
        bzz.off(function)


async def test_events_before_an_update_or_a_delete_have_stored_too(alone: Api, listen: Listen, task: Task) -> None:
    seen: list[Any] = []

    @listen("Task.updating")
    @listen("Task.deleting")
    async def look(event: Any) -> None:
        seen.append((event.name, (await event.stored()).status))

    @listen("Task.creating")
    async def wrong(event: Any) -> None:
        await event.stored()

    client = alone(Task)
    await client.put(f"/task/{task.id}/", json={"status": "solved"})
    await client.delete(f"/task/{task.id}/")
    assert seen == [("Task.updating", "open"), ("Task.deleting", "solved")]
    assert (await client.post("/task/", json={})).status_code == 500


async def test_a_transition_can_be_refused(alone: Api, listen: Listen, task: Task) -> None:
    @listen("Task.updating.status", when=("open", "solved"))
    async def refuse(event: Any) -> None:
        raise HTTPError(403, f"{event.field}: {event.old} -> {event.new}")

    client, place = alone(Task), f"/task/{task.id}/"
    statuses = [(await client.put(place, json={"status": each})).status_code for each in ("solved", "open", "late")]
    assert statuses == [403, 200, 200]
    assert (await client.put(place, json={"status": "solved"})).status_code == 200


async def test_a_transition_of_an_enum_is_chosen_by_its_members(alone: Api, listen: Listen, task: Task) -> None:
    seen: list[Any] = []
    listen("Task.updating.state", when=(Status.OPEN, {Status.SOLVED, Status.CLOSED}))(
        lambda event: seen.append((event.name, event.old, event.new))
    )
    listen("Task.updated.state", when=(Status.OPEN, Status.SOLVED))(
        lambda event: seen.append((event.name, event.old, event.new))
    )
    listen("Task.updated.state", when=("open", "solved"))(lambda event: seen.append("by value"))
    client, place = alone(Task), f"/task/{task.id}/"
    for state in ("open", "solved"):
        await client.put(place, json={"state": state})
    assert seen == [
        ("Task.updating.state", Status.OPEN, Status.SOLVED),
        ("Task.updated.state", Status.OPEN, Status.SOLVED),
        "by value",
    ]


async def test_a_transition_is_to_what_the_last_receiver_left(
    alone: Api, connect: Connect, listen: Listen, task: Task
) -> None:
    seen: list[Any] = []

    def replace(sender: Any, handler: Any) -> None:
        handler.data["status"] += "!"

    @listen("Task.updating")
    def replace_again(event: Any) -> None:
        event.data["status"] += "?"

    listen("Task.updating.status")(lambda event: seen.append((event.old, event.new)))
    connect(signals.pre_update_instance, replace)
    await alone(Task).put(f"/task/{task.id}/", json={"status": "new"})
    assert (seen, Task.objects.get().status) == ([("open", "new!?")], "new!?")


async def test_what_a_field_listener_changes_is_told_too(alone: Api, listen: Listen, task: Task) -> None:
    seen: list[Any] = []

    @listen("Task.updating.title")
    def close(event: Any) -> None:
        event.data["status"] = "closed"

    listen("Task.updating.status")(lambda event: seen.append(event.new))
    await alone(Task).put(f"/task/{task.id}/", json={"title": "b"})
    assert (seen, Task.objects.get().status) == (["closed"], "closed")


async def test_field_listeners_that_change_one_another_without_end_are_stopped(
    alone: Api, listen: Listen, task: Task
) -> None:
    @listen("Task.updating.title")
    def longer(event: Any) -> None:
        event.data["title"] += "x"

    answer = await alone(Task).put(f"/task/{task.id}/", json={"title": "b"})
    assert (answer.status_code, Task.objects.get().title) == (500, "t")


@pytest.mark.parametrize("place", PLACES)
async def test_a_field_event_rests_on_the_stored_state(alone: Api, listen: Listen, task: Task, place: str) -> None:
    where, model, change = PLACES[place]
    seen: list[Any] = []
    interfere = once(lambda: change(task))

    @listen(f"{model.__name__}.updating.status")
    def look(event: Any) -> None:
        seen.append((event.old, event.new))
        interfere()

    answer = await alone(Task).put(f"/task/{task.id}/{where}", json={"status": "solved"})
    assert (answer.status_code, seen) == (200, [("open", "solved"), ("x", "solved")])


async def test_an_update_of_another_field_rests_on_nothing(alone: Api, listen: Listen, task: Task) -> None:
    runs: list[Any] = []
    listen("Task.updating.status")(lambda event: None)

    @listen("Task.updating")
    def interfere(event: Any) -> None:
        runs.append(event.name)
        task.update(status="x")

    assert (await alone(Task).put(f"/task/{task.id}/", json={"title": "b"})).status_code == 200
    assert len(runs) == 1


@pytest.mark.parametrize("target", ["*", "Task.*", "*.upd*.status", bzz.Event])
async def test_no_wildcard_asks_for_field_events_before_an_update(
    alone: Api, listen: Listen, task: Task, target: Any
) -> None:
    seen: list[str] = []
    listen(target)(lambda event: seen.append(event.name))
    await alone(Task).put(f"/task/{task.id}/", json={"status": "solved"})
    assert "Task.updating.status" not in seen
    assert "Task.updated.status" in seen


@pytest.mark.parametrize(
    "target", ["*.updating.*", "Task.updating.st*", "T?sk.updating.status", "Task.updating.status"]
)
async def test_a_pattern_that_spells_updating_out_asks_for_field_events(
    alone: Api, listen: Listen, task: Task, target: str
) -> None:
    seen: list[str] = []
    listen(target)(lambda event: seen.append(event.name))
    await alone(Task).put(f"/task/{task.id}/", json={"status": "solved", "title": "t"})
    assert seen == ["Task.updating.status"]


async def test_an_event_that_was_made_by_hand_has_no_stored_instance() -> None:
    event: Any = bzz.events.Updating(model=Task)
    with pytest.raises(ConfigurationError, match=r"Task\.updating was made by hand"):
        await event.stored()

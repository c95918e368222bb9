"""From signals to events: who is asked, what is built, and what comes of it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError

import bzz
from bzz import signals
from bzz.events import Created, Deleting, Fact, FieldUpdated, Listed, ModelEvent, Updated
from tests.events.conftest import Calls


class User: ...


class Admin(User): ...


class Team: ...


@dataclass
class Handler:
    """As much of a handler as events look at."""

    headers: dict[str, str] = field(default_factory=dict)
    data: Any = None
    path: Any = None

    @property
    def request(self) -> Any:
        return SimpleNamespace(headers=HTTPHeaders(self.headers))


POST: dict[str, tuple[str, dict[str, Any]]] = {
    "post_create_instance": ("created", {"instance": User()}),
    "post_get_instance": ("fetched", {"instance": User()}),
    "post_delete_instance": ("deleted", {"instance": User()}),
    "post_get_list": ("listed", {"items": [User()]}),
    "post_update_instance": ("updated", {"instance": User(), "updated_fields": {"email": {"from": "a", "to": "b"}}}),
}
PRE = {
    "pre_create_instance": "creating",
    "pre_get_instance": "fetching",
    "pre_get_list": "listing",
    "pre_update_instance": "updating",
    "pre_delete_instance": "deleting",
}
ALL = [getattr(signals, name) for name in (*PRE, *POST)]
UPDATED = {"address.city": {"from": "Rio", "to": "Olinda"}, "email": {"from": None, "to": "b"}}


def wanted(model: type) -> set[str]:
    return {signal.name for signal in ALL if signal.has_receivers_for(model)}


def test_while_nobody_listens_no_signal_has_receivers() -> None:
    assert wanted(User) == set()


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (("User.created",), {"post_create_instance"}),
        (("User.updated",), {"post_update_instance"}),
        (("User.updated.email",), {"post_update_instance"}),
        (("User.updated.*",), {"post_update_instance"}),
        (("*.updated.email",), {"post_update_instance"}),
        (("U?er",), set()),
        (("U*.upd*.email",), {"post_update_instance"}),
        ((FieldUpdated, User), {"post_update_instance"}),
        ((Updated[User],), {"post_update_instance"}),
        (("*.deleting",), {"pre_delete_instance"}),
        ((Deleting,), {"pre_delete_instance"}),
        (("User.*",), {*PRE, *POST}),
        (("*",), {*PRE, *POST}),
        ((bzz.Event,), {*PRE, *POST}),
        ((ModelEvent, User), {*PRE, *POST}),
        ((Fact, User), {*POST}),
        (("report.ready",), set()),
        (("Team.*",), set()),
        ((Updated[Team],), set()),
    ],
)
def test_a_signal_has_receivers_where_somebody_listens_for_its_events(target: Any, names: set[str]) -> None:
    def listener(event: Any) -> None: ...

    bzz.on(*target)(listener)
    assert wanted(User) == names
    bzz.off(listener)
    assert wanted(User) == set()


def test_an_expression_may_mean_any_field_of_the_models_that_its_beginning_leaves_open() -> None:
    bzz.on(re.compile(r".*\.email"))(lambda event: None)
    assert wanted(User) == wanted(Team) == {"post_update_instance"}
    bzz.on(re.compile(r"Team\..*"))(lambda event: None)
    assert wanted(User) == {"post_update_instance"}


def test_an_expression_that_begins_with_a_model_asks_for_nothing_of_others() -> None:
    bzz.on(re.compile(r"Team\..*"))(lambda event: None)
    assert wanted(User) == set()


def test_a_listener_for_a_model_wants_its_subclasses_too_and_no_other_model() -> None:
    bzz.on(Created, User)(lambda event: None)
    assert wanted(Admin) == {"post_create_instance"}
    assert wanted(Team) == set()


def test_a_listener_for_the_origin_of_one_model_wants_that_model_only() -> None:
    bzz.on(Created, origin=User)(lambda event: None)
    assert wanted(User) == {"post_create_instance"}
    assert wanted(Team) == set()


async def test_nothing_is_built_for_a_model_that_nobody_listens_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("built")

    bzz.on("Team.*")(lambda event: None)
    monkeypatch.setattr(bzz.Event, "__new__", refuse)
    for signal, (_, arguments) in POST.items():
        await getattr(signals, signal).notify(User, handler=Handler(), **arguments)


@pytest.mark.parametrize("signal", PRE)
async def test_each_signal_before_becomes_an_event_that_may_refuse(signal: str) -> None:
    seen: list[Any] = []

    @bzz.on(f"User.{PRE[signal]}")
    async def refuse(event: Any) -> None:
        seen.append(event)
        raise HTTPError(403)

    handler = Handler(data={"name": "x"})
    with pytest.raises(HTTPError):
        await getattr(signals, signal).notify(User, arguments=["user/1"], handler=handler)
    (event,) = seen
    assert (event.model, event.arguments, event.handler, event.data) == (User, ["user/1"], handler, {"name": "x"})
    assert event.origin is User


async def test_a_fact_knows_the_path_and_the_body_of_its_request() -> None:
    seen: list[Any] = []
    bzz.on("User.created")(seen.append)
    handler = Handler(data={"name": "x"})
    handler.path = SimpleNamespace(arguments=["team/1", "members"])
    await signals.post_create_instance.report(User, instance=User(), handler=handler)
    assert (seen[0].arguments, seen[0].data) == (("team/1", "members"), {"name": "x"})


@pytest.mark.parametrize("signal", POST)
async def test_each_signal_after_becomes_a_fact_that_no_listener_can_undo(
    signal: str, caplog: pytest.LogCaptureFixture
) -> None:
    verb, arguments = POST[signal]
    seen: list[Any] = []

    @bzz.on(f"User.{verb}")
    def broken(event: Any) -> None:
        seen.append(event)
        raise HTTPError(403)

    await getattr(signals, signal).notify(User, handler=Handler(), **arguments)
    (event,) = seen
    assert (event.model, event.origin) == (User, User)
    assert "HTTP 403" in caplog.text


async def test_what_listeners_put_in_data_is_the_handlers_data() -> None:
    @bzz.on("User.creating")
    def rewrite(event: Any) -> None:
        event.data = {**event.data, "role": "guest"}

    handler = Handler(data={"name": "x"})
    await signals.pre_create_instance.notify(User, arguments=["user"], handler=handler)
    assert handler.data == {"name": "x", "role": "guest"}


async def test_events_come_after_the_receivers_of_the_signal(calls: Calls) -> None:
    bzz.on("User.creating")(calls.listener("event"))

    def receiver(sender: Any) -> None:
        calls.made.append("signal")

    with signals.pre_create_instance.connected_to(receiver, sender=User):
        await signals.pre_create_instance.notify(User, arguments=["user"], handler=Handler())
    assert calls.made == ["signal", "event"]


async def test_a_muted_signal_sends_no_events(calls: Calls) -> None:
    bzz.on("*")(calls.listener("event"))
    with signals.post_create_instance.muted():
        await signals.post_create_instance.report(User, instance=User(), handler=Handler())
    assert calls.made == []


async def test_an_update_is_one_event_and_one_more_for_each_field_that_somebody_listens_for() -> None:
    seen: list[Any] = []
    bzz.on("User.updated")(seen.append)
    bzz.on("User.updated.address.city")(seen.append)
    await signals.post_update_instance.report(User, instance=User(), updated_fields=UPDATED, handler=Handler())
    whole, city = seen
    assert (whole.name, whole.diff) == ("User.updated", UPDATED)
    assert (city.name, city.field, city.old, city.new) == (
        *("User.updated.address.city", "address.city"),
        *("Rio", "Olinda"),
    )
    assert city.diff == UPDATED


async def test_no_event_is_made_for_a_field_that_nobody_listens_for() -> None:
    made: list[str] = []

    @bzz.events.watch
    def hook(event: bzz.Event, listener: str | None) -> contextlib.AbstractContextManager[None]:
        made.append(event.name)
        return contextlib.nullcontext()

    bzz.on("User.updated.email")(lambda event: None)
    await signals.post_update_instance.report(User, instance=User(), updated_fields=UPDATED, handler=Handler())
    assert set(made) == {"User.updated.email"}


async def test_an_update_of_nothing_is_an_event_with_an_empty_diff() -> None:
    seen: list[Any] = []
    bzz.on("User.*")(seen.append)
    await signals.post_update_instance.report(User, instance=User(), updated_fields={}, handler=Handler())
    assert [(event.name, event.diff) for event in seen] == [("User.updated", {})]


async def test_a_transition_of_a_field_can_be_chosen(calls: Calls) -> None:
    bzz.on("User.updated.address.city", when=("Rio", "Olinda"))(calls.listener("moved"))
    bzz.on("User.updated.address.city", when=("Olinda", ...))(calls.listener("left"))
    await signals.post_update_instance.report(User, instance=User(), updated_fields=UPDATED, handler=Handler())
    assert calls.made == ["moved"]


async def test_a_listed_event_has_its_items() -> None:
    seen: list[Any] = []
    items = [User(), User()]
    bzz.on(Listed[User])(seen.append)
    await signals.post_get_list.notify(User, items=items, handler=Handler())
    assert seen[0].items == tuple(items)


async def test_events_of_one_request_share_the_id_that_its_header_gives() -> None:
    seen: list[Any] = []
    bzz.on("*")(seen.append)
    handler = Handler({"X-Request-Id": "abc-123"})
    await signals.pre_create_instance.notify(User, arguments=["user"], handler=handler)
    await signals.post_create_instance.report(User, instance=User(), handler=handler)
    assert [event.request_id for event in seen] == ["abc-123", "abc-123"]


@pytest.mark.parametrize("header", ["", "x" * 129, "two\twords", "é", 'quo"te'])
async def test_a_request_id_is_made_up_where_the_header_is_none(header: str) -> None:
    seen: list[Any] = []
    bzz.on("*")(seen.append)
    handler = Handler({"X-Request-Id": header})
    for _ in range(2):
        await signals.post_create_instance.report(User, instance=User(), handler=handler)
    first, second = (event.request_id for event in seen)
    assert first == second
    assert re.fullmatch("[0-9a-f]{32}", first)


async def test_a_handler_without_a_request_gives_no_request_id() -> None:
    seen: list[Any] = []
    bzz.on("*")(seen.append)
    await signals.post_create_instance.report(User, instance=User(), handler=None)
    assert seen[0].request_id is None


async def test_listeners_that_change_one_another_are_stopped_and_the_request_succeeds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rounds: list[str] = []

    @bzz.on("User.updated")
    async def touch_team(event: Any) -> None:
        rounds.append("user")
        await signals.post_update_instance.report(Team, instance=Team(), updated_fields={}, handler=event.handler)

    @bzz.on("Team.updated")
    async def touch_user(event: Any) -> None:
        rounds.append("team")
        await signals.post_update_instance.report(User, instance=User(), updated_fields={}, handler=event.handler)

    await signals.post_update_instance.report(User, instance=User(), updated_fields={}, handler=Handler())
    assert len(rounds) == 9
    assert "User.updated -> Team.updated -> User.updated" in caplog.text


async def test_a_read_goes_on_where_a_fact_sets_off_a_loop(caplog: pytest.LogCaptureFixture) -> None:
    @bzz.on("User.fetched")
    async def fetch(event: Any) -> None:
        await signals.post_get_instance.notify(User, instance=User(), handler=event.handler)

    await signals.post_get_instance.notify(User, instance=User(), handler=Handler())
    assert "User.fetched set off a loop" in caplog.text

"""What a type checker must make of events. Not run: mypy reads it, and an ignore that is not needed is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, assert_type

import bzz
from bzz.events import (
    AdHocEvent,
    Created,
    Creating,
    Deleted,
    Fetched,
    FieldUpdated,
    FieldUpdating,
    Linked,
    Listed,
    Updated,
    Updating,
)
from bzz.testing import Captured, capture

if TYPE_CHECKING:

    class User:
        email: str

    class ReportReady(bzz.Event):
        path: str
        pages: int = 1

    @bzz.on(Updated[User])
    async def updated(event: Updated[User]) -> None:
        assert_type(event.instance, User)
        assert_type(event.instance.email, str)
        assert_type(event.diff, Mapping[str, Mapping[str, Any]])
        assert_type(event.model, type[User])
        event.instance = User()  # type: ignore[misc]  # a fact is frozen

    @bzz.on(Created[User])
    def created(event: Created[User]) -> None:
        assert_type(event.instance, User)

    @bzz.on(Deleted[User], background=True)
    async def deleted(event: Deleted[User]) -> None:
        assert_type(event.instance, User)

    @bzz.on(Fetched[User])
    async def fetched(event: Fetched[User]) -> None:
        assert_type(event.instance, User)

    @bzz.on(Listed[User])
    async def listed(event: Listed[User]) -> None:
        assert_type(event.items, tuple[User, ...])

    @bzz.on(FieldUpdated[User], when=("a", ...))
    async def field_updated(event: FieldUpdated[User]) -> None:
        assert_type(event.instance, User)
        assert_type(event.field, str)

    @bzz.on(Creating[User])
    async def creating(event: Creating[User]) -> None:
        assert_type(event.arguments, list[str])
        event.data = {"email": "a@example.org"}

    @bzz.on(Updating[User])
    async def updating(event: Updating[User]) -> None:
        assert_type(await event.stored(), User)

    @bzz.on(FieldUpdating[User], when=("a", "b"))
    async def field_updating(event: FieldUpdating[User]) -> None:
        assert_type(event.field, str)

    @bzz.on(Linked[User])
    async def linked(event: Linked[User]) -> None:
        assert_type(event.instance, User)

    @bzz.on(Updated, User)
    async def updated_by_model(event: Updated[User]) -> None: ...

    @bzz.on("User.updated.email", when=("a", "b"))
    async def by_name(event: Any) -> int:
        return 3

    @bzz.on(re.compile("User.*"))
    def by_expression(event: bzz.Event) -> None:
        assert_type(event.name, str)
        assert_type(event.cause, "bzz.Event | None")

    @bzz.on(ReportReady)
    async def ready(event: ReportReady) -> None:
        assert_type(event.path, str)
        event.path = "elsewhere"

    @bzz.on(Updated[User])  # type: ignore[arg-type]  # the listener takes another event
    async def wrong(event: ReportReady) -> None: ...

    bzz.on(3)  # type: ignore[call-overload]  # no target

    class Audit(bzz.Observer):
        observes = User

        async def created(self, event: Created[User]) -> None:
            assert_type(event.instance, User)

    async def sending() -> None:
        assert_type(await bzz.emit(ReportReady(path="a")), ReportReady)
        assert_type(await bzz.emit("report.ready", path="a"), AdHocEvent)
        assert_type(await by_name(AdHocEvent("a")), int)
        assert_type(await bzz.drain(), list[str])
        ReportReady()  # type: ignore[call-arg]  # the path is missing
        ReportReady(path=3)  # type: ignore[arg-type]  # and is text
        ReportReady("a")  # type: ignore[call-arg]  # and is a keyword
        with capture(Updated[User]) as seen:
            assert_type(seen, Captured[Updated[User]])
            assert_type(seen[0].instance, User)

    assert_type(Audit().connect(), Audit)

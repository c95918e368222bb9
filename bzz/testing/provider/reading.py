"""Single instances: what is read, shown, and known of it."""

from __future__ import annotations

import pytest

from bzz.codec import dumps
from bzz.errors import NotFound
from bzz.providers.missing import Missing
from bzz.testing.provider.client import Client
from bzz.testing.provider.suite import Suite, requires

__all__ = ["Reading", "missing_step"]


async def missing_step(client: Client, where: str) -> int:
    """Return the position, in the path ``where``, of the step that a read says is missing."""
    path = client.path(where)
    with pytest.raises(NotFound) as caught:
        await client.provider.get(path, None)
    step = caught.value.step if isinstance(caught.value, Missing) else path.last
    return next(position for position, each in enumerate(path.steps) if each is step)


class Reading(Suite):
    """:meth:`Provider.get`, :meth:`Provider.render` and :class:`Record`."""

    async def test_what_was_created_is_shown_and_null_what_is_unset(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        shown = await people.shown(ann)
        assert (await people.get(ann)).id == ann
        assert set(shown) == set(people.shape.visible)
        assert (shown["name"], shown["age"], shown["height"], shown["born"]) == ("Ann", 3, None, None)

    async def test_the_state_and_the_body_are_those_of_what_is_stored(self, people: Client) -> None:
        written = await people.create("", {"name": "Ann", "age": 3})
        ann = str(written.record.id)
        record = await people.get(ann)
        assert record.state == (await people.get(ann)).state == written.record.state
        assert record.body in (None, dumps((await people.provider.render([record]))[0]))
        changed = await people.update(ann, {"age": 4})
        assert (await people.get(ann)).state == changed.record.state != written.record.state

    async def test_an_instance_is_an_object_of_the_model_and_shown_as_it_is_changed(self, people: Client) -> None:
        ann = await people.add(name="Ann", age=3)
        record = await people.get(ann)
        body, state, instance = record.body, record.state, record.instance
        assert isinstance(instance, self.models.person)
        assert (getattr(instance, "name", None), record.body, record.state) == ("Ann", body, state)
        record.instance.age = 99
        assert (await people.show(record))["age"] == 99
        assert record.body in (None, dumps((await people.provider.render([record]))[0]))
        assert (record.state, (await people.shown(ann))["age"]) == (state, 3)

    async def test_records_and_objects_of_the_model_are_shown_in_order(self, people: Client) -> None:
        ann, bob = await people.get(await people.add(name="Ann")), await people.get(await people.add(name="Bob"))
        shown = await people.provider.render([bob.instance, ann, bob])
        assert [each["name"] for each in shown] == ["Bob", "Ann", "Bob"]
        assert dumps(shown[0]) == dumps(shown[2])
        assert await people.provider.render([]) == []

    # -- paths

    @requires("embedded")
    async def test_embedded_documents_are_read(self, people: Client) -> None:
        ann = await people.add(name="Ann", home={"city": "Rio"}, notes=[{"key": "b"}, {"key": "a", "text": "first"}])
        assert await people.shown(f"{ann}/home") == {"city": "Rio", "zip": None}
        assert (await people.shown(f"{ann}/notes/a"))["text"] == "first"
        assert ((await people.get(f"{ann}/home")).id, (await people.get(f"{ann}/notes/a")).id) == (None, "a")

    @requires("embedded", "links")
    async def test_links_are_shown_as_ids_and_followed(self, people: Client, teams: Client) -> None:
        ann, bob = (
            await people.add(name="Ann"),
            await people.add(name="Bob", home={"city": "Rio"}, notes=[{"key": "a", "text": "first"}]),
        )
        await teams.add(code="red", lead=people.key(ann), members=[people.key(ann), people.key(bob)])
        shown = await teams.shown("red")
        assert (str(shown["lead"]), [str(each) for each in shown["members"]]) == (ann, [ann, bob])
        for where in ("red/lead", f"red/lead/{ann}", f"red/members/{ann}"):
            assert (await teams.shown(where))["name"] == "Ann"
        assert (await teams.shown(f"red/members/{bob}/home"))["city"] == "Rio"
        assert (await teams.shown(f"red/members/{bob}/notes/a"))["text"] == "first"

    @requires("embedded")
    async def test_the_step_that_leads_nowhere_is_named(self, people: Client) -> None:
        ann, gone = await people.add(name="Ann", notes=[{"key": "a"}]), await people.add(name="Bob")
        await people.delete(gone)
        assert [await missing_step(people, where) for where in (gone, f"{gone}/notes/a")] == [0, 0]
        assert [await missing_step(people, f"{ann}/{below}") for below in ("home", "notes/b")] == [1, 1]

    @requires("links")
    async def test_a_link_that_is_not_there_is_named(self, people: Client, teams: Client) -> None:
        ann, bob = await people.add(name="Ann"), await people.add(name="Bob")
        await teams.add(code="red", lead=people.key(ann), members=[people.key(ann)])
        await teams.add(code="blue")
        for where in ("blue/lead", f"red/lead/{bob}", f"red/members/{bob}"):
            assert await missing_step(teams, where) == 1

"""Models with subclasses: types that values name, and fields that only a subclass declares."""

from __future__ import annotations

from typing import Any

import pytest

from bzz.errors import Invalid, NotFound
from bzz.shape.documents import TAG
from bzz.testing.provider.client import Client
from bzz.testing.provider.creating import named
from bzz.testing.provider.reading import missing_step
from bzz.testing.provider.suite import Mount, Suite, requires

__all__ = ["Inheriting"]


def below(client: Client) -> str:
    """Return the name of the one class below the model."""
    (name,) = client.shape.subclasses
    return name


@requires("subclasses")
class Inheriting(Suite):
    """:attr:`~bzz.shape.Shape.subclasses`, and ``@type`` among values."""

    @pytest.fixture
    def vehicles(self, mount: Mount) -> Client:
        """A client of the model ``vehicle``, below which are trucks."""
        return mount(self.models.vehicle)

    async def test_the_shape_names_the_classes_below_it(self, vehicles: Client) -> None:
        shape = vehicles.shape
        (truck,) = shape.subclasses.values()
        assert issubclass(truck.model, shape.model)
        assert truck.model is not shape.model
        assert truck.subclasses == {}
        assert ("axles" in shape.fields, "axles" in truck.fields, list(truck.subclass_fields)) == (False, True, [])
        assert "axles" in shape.subclass_fields
        assert set(shape.types) == {shape.type_name, below(vehicles)}
        assert shape.types[str(shape.type_name)] is shape

    async def test_a_type_chooses_the_class_of_a_new_document(self, vehicles: Client) -> None:
        written = await vehicles.create("", {TAG: below(vehicles), "name": "red", "axles": 3})
        record = await vehicles.get(str(written.record.id))
        truck = vehicles.shape.subclasses[below(vehicles)].model
        assert (type(written.record.instance), type(record.instance)) == (truck, truck)
        assert (await vehicles.show(record))["axles"] == 3
        assert [each["axles"] for each in await vehicles.listed("")] == [3]
        assert (written.change.diff or {})["axles"] == {"from": None, "to": 3}

    async def test_a_new_document_is_of_the_base_itself_without_a_type_or_by_its_name(self, vehicles: Client) -> None:
        for values in ({}, {TAG: vehicles.shape.type_name}):
            record = (await vehicles.create("", {**values, "name": "red"})).record
            assert type((await vehicles.get(str(record.id))).instance) is self.models.vehicle
            assert "axles" not in await vehicles.show(record)

    async def test_fields_of_the_stored_class_are_changed_and_reported(self, vehicles: Client) -> None:
        truck = await vehicles.add(**{TAG: below(vehicles), "name": "red", "axles": 3})
        changed = await vehicles.update(truck, {"axles": 4})
        assert changed.updated_fields == {"axles": {"from": 3, "to": 4}}
        assert ((await vehicles.shown(truck))["axles"], (await vehicles.shown(truck))["name"]) == (4, "red")

    async def test_what_only_another_class_declares_is_refused_and_nothing_is_written(self, vehicles: Client) -> None:
        plain = await vehicles.add(name="red")
        values = {"name": "blue", "axles": 3}
        with pytest.raises(Invalid) as caught:
            await vehicles.update(plain, values)
        assert named(caught) == ["axles"]
        with pytest.raises(Invalid) as caught:
            await vehicles.create("", values)
        assert named(caught) == ["axles"]
        assert [each["name"] for each in await vehicles.listed("")] == ["red"]

    async def test_the_type_of_a_document_cannot_change(self, vehicles: Client) -> None:
        base, truck = str(vehicles.shape.type_name), below(vehicles)
        plain, long = await vehicles.add(name="red"), await vehicles.add(**{TAG: truck, "name": "long"})
        for where, other in ((plain, truck), (long, base)):
            with pytest.raises(Invalid) as caught:
                await vehicles.update(where, {TAG: other, "name": "blue"})
            assert named(caught) == [TAG]
        for where, own in ((plain, base), (long, truck)):
            assert (await vehicles.update(where, {TAG: own})).updated_fields == {}
        assert [each["name"] for each in await vehicles.listed("", "sort=name")] == ["long", "red"]

    async def test_what_a_field_of_a_subclass_refuses_is_named(self, vehicles: Client) -> None:
        truck = vehicles.shape.subclasses[below(vehicles)]
        assert list(vehicles.provider.check(truck, {TAG: below(vehicles), "name": "red", "axles": 10})) == ["axles"]
        stored = await vehicles.add(**{TAG: below(vehicles), "axles": 3})
        with pytest.raises(Invalid) as caught:
            await vehicles.create("", {TAG: below(vehicles), "axles": 10})
        assert named(caught) == ["axles"]
        with pytest.raises(Invalid) as caught:
            await vehicles.update(stored, {"axles": 10})
        assert named(caught) == ["axles"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [("axles=3", "b"), ("axles__gte=3&sort=-axles", "c b"), ("axles__exists=false", "a"), ("sort=axles", "a b c")],
    )
    async def test_a_list_of_the_base_is_filtered_and_sorted_by_fields_of_subclasses(
        self, vehicles: Client, query: str, names: str
    ) -> None:
        await vehicles.add(name="a")
        for name, axles in (("c", 4), ("b", 3)):
            await vehicles.add(**{TAG: below(vehicles), "name": name, "axles": axles})
        assert [each["name"] for each in await vehicles.listed("", query)] == names.split()

    async def test_a_field_of_a_subclass_can_be_hidden(self, mount: Mount) -> None:
        vehicles = mount(self.models.vehicle, hidden=["axles"])
        truck = await vehicles.add(**{TAG: below(vehicles), "name": "red", "axles": 3})
        assert "axles" not in vehicles.shape.subclass_fields
        assert "axles" not in await vehicles.shown(truck)
        assert "axles" not in (await vehicles.listed(""))[0]
        await vehicles.update(truck, {"name": "blue"})
        assert (await vehicles.get(truck)).instance.axles == 3

    # -- embedded documents

    @requires("embedded")
    async def test_types_are_taken_in_embedded_documents(self, vehicles: Client) -> None:
        engine = self._engine(vehicles)
        values = {
            "name": "red",
            "spare": {TAG: engine, "key": "s", "power": 1},
            "parts": [{TAG: engine, "key": "a", "power": 2}],
        }
        red = await vehicles.add(**values)
        attached = await vehicles.create(f"{red}/parts", {TAG: engine, "key": "b", "power": 3})
        await vehicles.create(f"{red}/parts", {"key": "c", "label": "plain"})
        assert (await vehicles.show(attached.record))["power"] == 3
        assert (await vehicles.shown(f"{red}/spare"))["power"] == 1
        assert [each.get("power") for each in await vehicles.listed(f"{red}/parts")] == [2, 3, None]

    @requires("embedded")
    async def test_fields_of_embedded_subclasses_are_changed_through_their_parent(self, vehicles: Client) -> None:
        engine = self._engine(vehicles)
        parts = [{TAG: engine, "key": "a", "power": 2}, {"key": "b"}]
        red = await vehicles.add(name="red", spare={TAG: engine, "key": "s", "power": 1}, parts=parts)
        await vehicles.update(red, {"spare": {"power": 5}, "parts": [{"key": "b"}, {"key": "a", "power": 6}]})
        await vehicles.update(f"{red}/parts/a", {"label": "new"})
        assert (await vehicles.shown(f"{red}/spare"))["power"] == 5
        a = await vehicles.shown(f"{red}/parts/a")
        assert (a["power"], a["label"]) == (6, "new")

    @requires("embedded")
    async def test_what_does_not_fit_an_embedded_document_is_named_by_its_path(self, vehicles: Client) -> None:
        engine = self._engine(vehicles)
        red = await vehicles.add(name="red", spare={"key": "s"}, parts=[{"key": "a"}])
        for values, where in (
            ({"spare": {"power": 1}}, "spare.power"),
            ({"parts": [{"key": "a", "power": 1}]}, "parts.0.power"),
            ({"spare": {TAG: engine}}, f"spare.{TAG}"),
            ({"parts": [{TAG: engine, "key": "a"}]}, f"parts.0.{TAG}"),
        ):
            with pytest.raises(Invalid) as caught:
                await vehicles.update(red, values)
            assert named(caught) == [where]
        assert "power" not in await vehicles.shown(f"{red}/spare")

    # -- paths

    @requires("embedded")
    async def test_a_path_leads_through_a_field_of_a_subclass_where_there_is_one(self, vehicles: Client) -> None:
        values: dict[str, Any] = {"name": "long", "trailer": {"key": "t", "label": "x"}}
        truck, plain = await vehicles.add(**{TAG: below(vehicles), **values}), await vehicles.add(name="red")
        await vehicles.update(f"{truck}/trailer", {"label": "y"})
        assert (await vehicles.shown(f"{truck}/trailer"))["label"] == "y"
        await vehicles.delete(f"{truck}/trailer")
        await vehicles.create(f"{truck}/trailer", {"key": "t", "label": "z"})
        assert (await vehicles.shown(f"{truck}/trailer"))["label"] == "z"
        assert await missing_step(vehicles, f"{plain}/trailer") == 1
        with pytest.raises(NotFound):
            await vehicles.create(f"{plain}/trailer", {"key": "t", "label": "z"})

    def _engine(self, vehicles: Client) -> str:
        (spare,) = vehicles.shape.fields["spare"].kind.leads_to()
        (name,) = spare.subclasses
        return name

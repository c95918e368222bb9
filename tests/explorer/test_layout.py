"""Columns, inputs and maps are laid out by the shape and the values alone."""

from __future__ import annotations

from typing import Any

import mongoengine as me
import pytest

import bzz
from bzz.explorer.addresses import Address
from bzz.explorer.plot import plot_of
from tests.conftest import Serve
from tests.explorer.conftest import ACCEPT, explored, seen


class LayoutBuoy(me.DynamicDocument):
    colour = me.StringField()


class Chart(me.Document):
    title = me.StringField()

    def to_dict(self) -> dict[str, Any]:
        return {"id": str(self.pk), "shouted": str(self.title).upper()}


def place(longitude: float, latitude: float) -> tuple[float, float, str, str, str]:
    return longitude, latitude, "", "", ""


@pytest.mark.parametrize("places", [[(0, 0)], [(-180, -90), (180, 90)], [(179.9, 10), (180, 10)], [(5, 89), (5, 90)]])
def test_every_place_is_within_the_map(places: list[tuple[float, float]]) -> None:
    plot = plot_of([place(*each) for each in places])
    assert plot is not None
    assert all(0 <= each.x <= plot.width and 0 <= each.y <= plot.height for each in plot.points)
    assert plot.meridians or plot.parallels


def test_what_lies_nowhere_on_earth_makes_no_map() -> None:
    assert plot_of([place(200, 0), place(0, 91)]) is None


def test_a_place_further_north_is_higher_and_further_east_more_to_the_right() -> None:
    plot = plot_of([place(10, 50), place(12, 52)])
    assert plot is not None
    south_west, north_east = plot.points
    assert (south_west.x < north_east.x, south_west.y > north_east.y) == (True, True)


def test_parameters_of_the_explorer_are_not_those_of_the_json_twin() -> None:
    address = Address("/user/", "age=3&_view=new&sort=name&_count=exact")
    assert (address.query, address.own) == ("age=3&sort=name", {"_view": "new", "_count": "exact"})


@pytest.mark.usefixtures("database_name")
async def test_values_that_the_model_does_not_declare_are_shown_too(serve: Serve) -> None:
    buoy = LayoutBuoy(colour="red", depth=7).save()
    client = serve(explored(bzz.ModelHive.routes_for("mongoengine", LayoutBuoy)))
    page = seen((await client.get(f"/layout_buoy/{buoy.pk}/", headers=ACCEPT)).text)
    assert page.texts("textarea", name_="_json:depth") == ["7"]


@pytest.mark.usefixtures("database_name")
async def test_what_to_dict_shows_is_shown(serve: Serve) -> None:
    chart = Chart(title="north").save()
    client = serve(explored(bzz.ModelHive.routes_for("mongoengine", Chart)))
    page = await client.get(f"/chart/{chart.pk}/", headers=ACCEPT)
    assert "NORTH" in page.text
    assert (await client.get("/chart/", headers=ACCEPT)).status_code == 200

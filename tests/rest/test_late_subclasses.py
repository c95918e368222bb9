"""Classes that are imported after the routes of their base were made, or even after its first request."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

import httpx
import mongoengine as me
import pytest

import bzz
from bzz.providers import hidden
from tests.conftest import Serve

LATE = pytest.mark.parametrize("late", [False, True])


class Grower(me.Document):
    name = me.StringField()


def _imported(base: Any, **attributes: Any) -> Any:
    """Return a class below ``base`` of a name that no other test has: MongoEngine never forgets one."""
    return type(base)(f"Late{uuid.uuid4().hex}", (base,), attributes)


@pytest.fixture
def spice() -> Any:
    return _imported(me.EmbeddedDocument, meta={"allow_inheritance": True}, name=me.StringField())


@pytest.fixture
def dish(spice: Any) -> Any:
    spices = me.ListField(me.EmbeddedDocumentField(spice))
    return _imported(me.Document, meta={"allow_inheritance": True}, name=me.StringField(), spices=spices)


def _routes(dish: Any, **options: Any) -> Sequence[Any]:
    return bzz.flatten([bzz.ModelHive.routes_for("mongoengine", dish, resource_name="dish", **options)])


async def _started(client: httpx.AsyncClient, *, late: bool) -> None:
    """Send the first requests, if classes are to come after them."""
    if late:
        assert (await client.post("/dish/", json={"name": "first"})).status_code == 201
        for query in ("kcal=1", "spices.heat=1", "recipe=x"):
            assert (await client.get(f"/dish/?{query}")).status_code == 400


@LATE
async def test_a_late_class_is_written_filtered_and_followed(
    serve: Serve, database_name: str, dish: Any, spice: Any, late: bool
) -> None:
    client = serve(_routes(dish))
    await _started(client, late=late)
    pudding = _imported(dish, kcal=me.IntField(), grower=me.ReferenceField(Grower))
    pepper = _imported(spice, heat=me.IntField())
    ann = Grower(name="Ann").save()
    spices = [{"@type": pepper.__name__, "heat": 9}, {"name": "salt"}]
    sent = {"@type": pudding._class_name, "kcal": 3, "grower": str(ann.pk), "spices": spices}
    created = await client.post("/dish/", json=sent)
    assert (created.status_code, type(dish.objects.get(kcal=3))) == (201, pudding)
    place = created.headers["Location"]
    for query in ("kcal=3", "spices.heat=9", "spices[].heat=9", f"grower={ann.pk}"):
        assert [each["kcal"] for each in (await client.get(f"/dish/?{query}")).json()] == [3]
    assert (await client.get(f"{place}grower/")).json()["name"] == "Ann"
    changed = await client.put(place, json={"kcal": 4})
    assert (changed.status_code, changed.json()["kcal"]) == (200, 4)
    assert pudding._class_name in (await client.post("/dish/", json={"@type": "none"})).text


@LATE
async def test_what_a_late_class_says_of_its_fields_holds(
    serve: Serve, database_name: str, dish: Any, late: bool
) -> None:
    client = serve(_routes(dish))
    await _started(client, late=late)
    meta = {"bzz": {"hidden": ["recipe", "name"], "read_only": ["stars"]}}
    sauce = _imported(dish, meta=meta, recipe=me.StringField(), stars=me.IntField())
    stored = sauce(name="secret", recipe="secret", stars=3).save()
    for where in ("/dish/", f"/dish/{stored.pk}/"):
        assert "secret" not in (await client.get(where)).text
    for query in ("recipe=secret", "name=secret", "sort=name"):  # its base cannot be asked for it either
        assert (await client.get(f"/dish/?{query}")).status_code == 400
    refused = await client.put(f"/dish/{stored.pk}/", json={"stars": 5})
    assert (refused.status_code, refused.json()["errors"]) == (400, {"stars": ["This field is read-only."]})
    assert hidden.hides(sauce, "recipe")


@LATE
async def test_a_late_class_that_cannot_be_served_is_told_in_the_log(
    serve: Serve, database_name: str, dish: Any, late: bool, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(_routes(dish))
    await _started(client, late=late)
    photo = _imported(dish, photo=me.FileField())
    await client.get("/dish/")
    assert f"{photo.__name__}.photo: FileField cannot be served" in caplog.text


async def test_routes_in_use_go_on_without_it_and_tell_it_once(
    serve: Serve, database_name: str, dish: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(_routes(dish))
    await _started(client, late=True)
    _imported(dish, photo=me.FileField())
    with caplog.at_level(logging.ERROR, "bzz.providers"):
        answers = [await client.get("/dish/"), await client.post("/dish/", json={"name": "second"})]
    told = [each for each in caplog.records if each.name.startswith("bzz.providers")]
    assert ([each.status_code for each in answers], len(told)) == ([200, 201], 1)


def test_a_field_of_a_class_that_is_not_there_yet_cannot_be_named(dish: Any) -> None:
    with pytest.raises(bzz.ConfigurationError, match=r"hidden: Late\w+ has no field 'later'"):
        _routes(dish, hidden=["later"])

"""Rights of fields belong to the model: what `meta` hides, or keeps from being written, on every mount and path."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine as me
import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.providers.hidden import hides
from bzz.providers.mongoengine.portable import take_apart
from tests.rest.conftest import Api


class Stamped:
    """A plain mixin."""

    stamp = me.StringField()
    meta: ClassVar[Any] = {"bzz": {"read_only": ["stamp"]}}


class Guarded(me.Document):
    secret = me.StringField()
    meta: ClassVar[Any] = {"abstract": True, "bzz": {"hidden": ["secret"]}}


class WaxSeal(me.EmbeddedDocument):
    wax = me.StringField()
    key = me.StringField()
    meta: ClassVar[Any] = {"bzz": {"hidden": ["key"]}}


class StrongRoom(Stamped, Guarded):
    name = me.StringField()
    pin = me.StringField()
    seals = me.EmbeddedDocumentListField(WaxSeal)
    meta: ClassVar[Any] = {"bzz": {"hidden": ["pin"]}, "allow_inheritance": True}


class Cellar(StrongRoom):
    depth = me.IntField()
    meta: ClassVar[Any] = {"bzz": {"hidden": ["name"]}}


class StrongRoomKeeper(me.Document):
    vault = me.ReferenceField(StrongRoom)
    seal = me.EmbeddedDocumentField(WaxSeal)


@pytest.fixture
def vault(database_name: str) -> Any:
    return StrongRoom(name="a", pin="1234", secret="x", stamp="s", seals=[WaxSeal(wax="red", key="k")]).save()


async def test_a_class_has_the_rights_of_all_its_bases(alone: Api, vault: Any) -> None:
    client = alone(StrongRoom)
    # A field that the class below hides cannot be asked for here, but is shown where it is not hidden.
    assert (await client.get(f"/strong_room/{vault.id}/")).json() == {
        "id": str(vault.id),
        "seals": [{"wax": "red"}],
        "stamp": "s",
    }
    for name in ("pin", "secret", "seals.key"):
        assert (await client.get(f"/strong_room/?{name}=x")).status_code == 400
        assert (await client.put(f"/strong_room/{vault.id}/", json={name.partition(".")[0]: "y"})).status_code == 400


async def test_they_hold_behind_references_and_in_embedded_documents(alone: Api, vault: Any) -> None:
    keeper, client = StrongRoomKeeper(vault=vault, seal=WaxSeal(wax="blue", key="k")).save(), alone(StrongRoomKeeper)
    shown = (await client.get(f"/strong_room_keeper/{keeper.id}/vault/")).json()
    assert shown == {"id": str(vault.id), "seals": [{"wax": "red"}], "stamp": "s"}
    assert (await client.get(f"/strong_room_keeper/{keeper.id}/")).json()["seal"] == {"wax": "blue"}
    refused = await client.put(f"/strong_room_keeper/{keeper.id}/vault/", json={"stamp": "forged"})
    assert (refused.status_code, refused.json()["errors"]) == (400, {"stamp": ["This field is read-only."]})
    assert (await client.put(f"/strong_room_keeper/{keeper.id}/vault/", json={"pin": "0"})).status_code == 400
    vault.reload()
    assert (vault.stamp, vault.pin) == ("s", "1234")


async def test_a_put_of_what_was_shown_keeps_what_is_hidden(alone: Api, vault: Any) -> None:
    client = alone(StrongRoom)
    shown = (await client.get(f"/strong_room/{vault.id}/")).json()
    assert (await client.put(f"/strong_room/{vault.id}/", json=shown)).status_code == 200
    vault.reload()
    assert (vault.secret, vault.pin, vault.seals[0].key, vault.name) == ("x", "1234", "k", "a")


class NeverMounted(me.Document):
    name = me.StringField()
    token = me.StringField()
    meta: ClassVar[Any] = {"bzz": {"hidden": ["token"]}}


def test_a_relay_keeps_them_at_home_though_no_routes_serve_the_model() -> None:
    told = take_apart(NeverMounted(name="a", token="t"), lambda model, name: False)
    assert told["values"] == {"name": "a"}
    assert hides(NeverMounted, "token")


WRONG: list[tuple[Any, str]] = [
    ({"hidden": ["nmae"]}, "has no field 'nmae'"),
    ({"hidden": "name"}, "a list of field names is expected, not 'name'"),
    ({"hiden": ["name"]}, "is a dict with hidden and read_only"),
    (["name"], "is a dict with hidden and read_only"),
]


@pytest.mark.parametrize(("rights", "told"), WRONG)
def test_a_mistake_is_told_when_routes_are_made(rights: Any, told: str) -> None:
    made = type(
        f"Misspelt{WRONG.index((rights, told))}", (me.Document,), {"name": me.StringField(), "meta": {"bzz": rights}}
    )
    with pytest.raises(ConfigurationError, match=told) as raised:
        bzz.ModelHive.routes_for("mongoengine", made)
    assert made.__name__ in str(raised.value)

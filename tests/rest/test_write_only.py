"""Write-only fields: taken from bodies, and never shown, asked for, told by a diff, or repeated by an error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import mongoengine as me
import pytest
from pymongo.errors import OperationFailure

import bzz
from bzz import signals
from bzz.change import storable
from bzz.errors import ConfigurationError
from bzz.events.model_events import Updated
from bzz.providers.base import Options
from bzz.providers.mongoengine.failures import failed_write
from bzz.providers.mongoengine.portable import take_apart
from bzz.providers.mongoengine.provider import MongoEngineProvider
from bzz.relay.documents import register_loaded
from bzz.relay.events import write_event
from bzz.shape.json_schema import shape_schema
from tests.rest.conftest import Api

SECRET, NEWER = "s3cret-value", "n3wer-value"
MASKED = {"from": "***", "to": "***"}


class _Enrolled(me.Document):
    name = me.StringField()
    password = me.StringField(required=True, min_length=4)
    meta: ClassVar[Any] = {"abstract": True, "bzz": {"write_only": ["password"]}}


class SafeCard(me.EmbeddedDocument):
    label = me.StringField()
    pin = me.IntField()
    meta: ClassVar[Any] = {"bzz": {"write_only": ["pin"]}}


class SafeKey(me.EmbeddedDocument):
    key = me.StringField(primary_key=True)
    text = me.StringField()
    code = me.StringField()
    meta: ClassVar[Any] = {"bzz": {"write_only": ["code"]}}


class SafeVault(me.EmbeddedDocument):
    place = me.StringField()
    owner = me.EmailField()


class _Vault(_Enrolled):
    recovery = me.EmailField(unique=True, sparse=True)
    card = me.EmbeddedDocumentField(SafeCard)
    cards = me.EmbeddedDocumentListField(SafeCard)
    keys = me.EmbeddedDocumentListField(SafeKey)
    anything = me.GenericEmbeddedDocumentField(choices=[SafeCard])
    vault = me.EmbeddedDocumentField(SafeVault)
    codes = me.ListField(me.IntField())
    meta: ClassVar[Any] = {
        "abstract": True,
        "ordering": ["password"],
        "bzz": {"write_only": ["recovery", "vault", "codes"]},
    }


class PlainVault(_Vault):
    pass


class CleanSafe(_Vault):
    def clean(self) -> None:
        """Make MongoEngine save the class."""


class SafeOwner(me.Document):
    safe = me.ReferenceField(PlainVault)
    safes = me.ListField(me.ReferenceField(PlainVault))


models = pytest.mark.parametrize("model", [PlainVault, CleanSafe])


def url(model: Any) -> str:
    return {PlainVault: "/plain_vault/", CleanSafe: "/clean_safe/"}[model]


async def made(client: Any, model: Any, **values: Any) -> str:
    answer = await client.post(url(model), json={"name": "a", "password": SECRET, **values})
    assert answer.status_code == 201, answer.text
    assert SECRET not in answer.text
    assert SECRET not in str(answer.headers)
    return f"{url(model)}{answer.json()['id']}/"


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """The diffs that receivers of updates get."""
    found: list[Any] = []

    async def note(sender: Any, instance: Any, updated_fields: Any, change: Any) -> None:
        found.append((instance, updated_fields, change))

    with signals.post_update_instance.connected_to(note):
        yield found


@models
async def test_a_password_is_set_and_shown_by_nothing(api: Api, model: Any) -> None:
    client = api(model)
    place = await made(client, model)
    answers = [await client.get(place), await client.get(url(model)), await client.patch(place, json={"name": "b"})]
    answers += [await client.put(place, json={"password": NEWER}), await client.put(place, data={"password": NEWER})]
    for answer in answers:
        assert answer.status_code == 200
        assert not {"password", "recovery", "vault", "codes"} & set(str(answer.json()).replace("'", " ").split())
        assert SECRET not in answer.text
        assert NEWER not in answer.text
    assert model.objects.get().password == NEWER


@models
async def test_it_can_be_required(api: Api, model: Any) -> None:
    client = api(model)
    answer = await client.post(url(model), json={"name": "a"})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"password": ["This field is required."]})
    place = await made(client, model)
    answer = await client.put(place, json={"password": None})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["password"])


@pytest.mark.parametrize(
    "asked",
    [
        "password=s3cret-value",
        "password__startswith=s",
        "password__exists=true",
        "sort=password",
        "sort=-password",
        "fields=password",
        "fields=name,card.pin",
        "card.pin=1",
        "card.pin__gt=1",
        "sort=card.pin",
        "cards.pin=1",
        "cards[].pin=1&cards[].label=a",
        "keys.code__contains=a",
        "vault.place=a",
        "codes__size=1",
        "recovery=a@b.de",
    ],
)
async def test_it_cannot_be_asked_for(api: Api, asked: str) -> None:
    client = api(PlainVault)
    place = await made(client, PlainVault)
    answer = await client.get(f"/plain_vault/?{asked}")
    assert (answer.status_code, "Unknown parameter or field" in answer.text) == (400, True)
    if asked.startswith("fields"):
        assert (await client.get(f"{place}?{asked}")).status_code == 400


async def test_no_path_leads_into_it(api: Api) -> None:
    client = api(PlainVault)
    place = await made(client, PlainVault, vault={"place": "cellar"})
    for method in ("GET", "PUT", "POST", "DELETE"):
        assert (await client.request(method, f"{place}vault/")).status_code == 404
    assert PlainVault.objects.get().vault.place == "cellar"


async def test_the_order_of_the_model_does_not_put_it_into_cursors(api: Api) -> None:
    client = api(PlainVault)
    for password in (SECRET, NEWER):
        await made(client, PlainVault, password=password)
    page = await client.get("/plain_vault/?per_page=1")
    cursor = page.links["next"]["url"].partition("after=")[2]
    assert len(cursor) < 50  # an id, and no password


@models
async def test_a_diff_names_it_and_masks_both_values(api: Api, model: Any, told: list[Any]) -> None:
    client = api(model)
    place = await made(client, model, card={"pin": 1}, vault={"place": "a"}, codes=[1])
    changes = {"password": NEWER, "card": {"pin": 2}, "vault": {"place": "b", "owner": "a@b.de"}, "codes": [2]}
    await client.put(place, json=changes)
    ((instance, updated, change),) = told
    assert updated == dict.fromkeys(("password", "card.pin", "vault", "codes"), MASKED)
    assert change.diff == updated
    assert (instance.password, instance.card.pin, instance.codes) == (NEWER, 2, [2])


@models
async def test_an_equal_value_is_no_change(api: Api, model: Any, told: list[Any]) -> None:
    client = api(model)
    place = await made(client, model, card={"pin": 1}, codes=[1])
    await client.put(place, json={"password": SECRET, "card": {"pin": 1}, "codes": [1]})
    assert [(updated, change.diff) for _, updated, change in told] == [({}, {})]


@models
async def test_it_is_masked_inside_lists_that_a_diff_tells_as_a_whole(api: Api, model: Any, told: list[Any]) -> None:
    client = api(model)
    place = await made(client, model, keys=[{"key": "a", "code": SECRET}], anything={"@type": "SafeCard", "pin": 77})
    more = {"keys": [{"key": "a"}, {"key": "b", "code": NEWER}], "anything": {"@type": "SafeCard", "pin": 78}}
    assert (await client.put(place, json=more)).status_code == 200
    ((instance, updated, change),) = told
    for diff in (updated, change.diff):
        assert [each.code for each in diff["keys"]["to"]] == ["***", "***"]
        assert [each.pin for each in diff["anything"].values()] == ["***", "***"]
        assert not any(each in str(storable(diff)) for each in (SECRET, NEWER, "77", "78"))
    assert [each.code for each in instance.keys] == [SECRET, NEWER]


@models
async def test_creating_and_deleting_name_it_too(api: Api, model: Any) -> None:
    client, changes = api(model), []

    async def note(sender: Any, change: Any) -> None:
        changes.append(change.diff)

    with signals.post_create_instance.connected_to(note), signals.post_delete_instance.connected_to(note):
        place = await made(client, model, card={"label": "x", "pin": 1})
        await client.delete(place)
    assert [(each["password"], each["card.pin"]) for each in changes] == [(MASKED, MASKED)] * 2
    assert "recovery" not in changes[0]


async def test_what_an_update_would_change_is_masked(api: Api) -> None:
    client, proposed = api(PlainVault), []

    async def look(sender: Any, handler: Any) -> None:
        proposed.append(await handler.proposed())

    place = await made(client, PlainVault)
    with signals.pre_update_instance.connected_to(look):
        await client.put(place, json={"password": NEWER})
    assert proposed == [{"password": MASKED}]


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"password": "x;z"}, "password"),
        ({"password": 17281}, "password"),
        ({"recovery": "no-address-at-all"}, "recovery"),
        ({"vault": {"owner": "no-address-at-all"}}, "vault.owner"),
        ({"codes": [17281, "no-number"]}, "codes.1"),
        ({"card": {"pin": "no-number"}}, "card.pin"),
    ],
)
@pytest.mark.parametrize("heard", [True, False])
async def test_an_error_names_it_and_does_not_repeat_the_value(
    api: Api, sent: dict[str, Any], where: str, heard: bool, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(PlainVault)
    caplog.set_level(logging.DEBUG, "bzz")
    place = await made(client, PlainVault, recovery="a@b.de", vault={"place": "a"})
    caplog.clear()
    with signals.pre_update_instance.connected_to(lambda sender: None) if heard else signals.pre_get_list.muted():
        for method, to in (("PUT", place), ("PATCH", place), ("POST", "/plain_vault/")):
            answer = await client.request(method, to, json={"password": SECRET, **sent})
            assert (answer.status_code, list(answer.json()["errors"])) == (400, [where])
            for text in ("x;z", "17281", "no-address", "no-number"):
                assert text not in answer.text
                assert not any(text in each.getMessage().partition(" [")[0] for each in caplog.records)


@models
async def test_a_unique_value_that_is_taken_is_named_and_not_repeated(
    api: Api, model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = api(model)
    caplog.set_level(logging.DEBUG, "bzz")
    model.ensure_indexes()
    await made(client, model, recovery="a@b.de")
    answer = await client.post(url(model), json={"password": SECRET, "recovery": "a@b.de"})
    assert (answer.status_code, list(answer.json()["errors"])) == (409, ["recovery"])
    assert "a@b.de" not in answer.text + caplog.text


@models
async def test_a_put_of_what_was_shown_keeps_it(api: Api, model: Any) -> None:
    client = api(model)
    more = {"card": {"pin": 1}, "cards": [{"pin": 2}], "keys": [{"key": "a", "code": "x"}], "codes": [3]}
    place = await made(client, model, **more)
    shown = await client.get(place)
    answer = await client.put(place, json=shown.json(), headers={"If-Match": shown.headers["ETag"]})
    assert answer.status_code == 200
    safe = model.objects.get()
    assert (safe.password, safe.card.pin, safe.cards[0].pin, safe.keys[0].code) == (SECRET, 1, 2, "x")
    changed = [{"key": "b", "code": "y"}, {"key": "a", "text": "new"}]
    assert (await client.put(place, json={"keys": changed})).status_code == 200
    assert [each.code for each in model.objects.get().keys] == ["y", "x"]


async def test_items_without_ids_do_not_tell_whether_a_guess_is_right(api: Api) -> None:
    client = api(PlainVault)
    place = await made(client, PlainVault, cards=[{"label": "a", "pin": 1234}])
    guesses = [await client.put(place, json={"cards": [{"label": "a", "pin": pin}]}) for pin in (1234, 4321)]
    assert [each.status_code for each in guesses] == [409, 409]
    assert (await client.put(f"{place}cards/0/", json={"pin": 9})).status_code == 200
    assert PlainVault.objects.get().cards[0].pin == 9


async def test_no_answer_to_a_write_tells_whether_a_guess_is_right(api: Api) -> None:
    client = api(PlainVault)
    place = await made(client, PlainVault, card={"pin": 1234}, keys=[{"key": "a", "code": "x"}], codes=[1])
    tag = (await client.get(place)).headers["ETag"]
    for right, wrong in (
        ({"password": SECRET}, {"password": NEWER}),
        ({"card": {"pin": 1234}}, {"card": {"pin": 1}}),
        ({"keys": [{"key": "a", "code": "x"}]}, {"keys": [{"key": "a", "code": "z"}]}),
        ({"codes": [1]}, {"codes": [2]}),
    ):
        first, second = [await client.put(place, json=each, headers={"If-Match": tag}) for each in (right, wrong)]
        assert (first.status_code, first.text, first.headers["ETag"]) == (second.status_code, second.text, tag)


class ShutSafe(_Enrolled):
    card = me.EmbeddedDocumentField(SafeCard)
    meta: ClassVar[Any] = {"bzz": {"read_only": ["password"]}}


async def test_what_may_be_neither_seen_nor_written_is_hidden(alone: Api) -> None:
    client = alone(ShutSafe)
    safe = ShutSafe(name="a", password=SECRET).save()
    answer = await client.put(f"/shut_safe/{safe.id}/", json={"password": SECRET})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"password": ["Unknown field."]})
    assert MongoEngineProvider(ShutSafe, Options()).shape.fields["password"].hidden


async def test_what_is_inside_a_read_only_value_cannot_be_guessed(alone: Api) -> None:
    client = alone(ShutSafe, read_only=["card"])
    safe = ShutSafe(name="a", password=SECRET, card=SafeCard(label="x", pin=1)).save()
    place = f"/shut_safe/{safe.id}/"
    assert (await client.put(place, json={"card": {"label": "x"}})).status_code == 200
    for pin in (1, 2):
        answer = await client.put(place, json={"card": {"label": "x", "pin": pin}})
        assert (answer.status_code, answer.json()["errors"]) == (400, {"card.pin": ["This field is read-only."]})


async def test_it_holds_behind_references(api: Api) -> None:
    client = api(PlainVault, SafeOwner)
    key = (await made(client, PlainVault, card={"pin": 1})).split("/")[-2]
    owner = (await client.post("/safe_owner/", json={"safe": key, "safes": [key]})).json()["id"]
    for step in ("safe/", f"safes/{key}/"):
        place = f"/safe_owner/{owner}/{step}"
        assert not {"password", "pin"} & set(str((await client.get(place)).json()).replace("'", " ").split())
        assert SECRET not in (await client.put(place, json={"password": SECRET})).text
    assert (await client.get(f"/safe_owner/{owner}/safes/?password={SECRET}")).status_code == 400


class BaseSafe(me.Document):
    name = me.StringField()
    token = me.StringField()
    meta: ClassVar[Any] = {"allow_inheritance": True}


class DerivedSafe(BaseSafe):
    pin = me.IntField()
    meta: ClassVar[Any] = {"bzz": {"write_only": ["pin", "token"]}}


class ClearSafe(BaseSafe):
    pin = me.IntField()


async def test_what_a_subclass_lists_is_not_asked_for_on_the_routes_of_its_base(alone: Api) -> None:
    client = alone(BaseSafe)
    answer = await client.post("/base_safe/", json={"@type": "BaseSafe.DerivedSafe", "pin": 1, "token": SECRET})
    assert (answer.status_code, SECRET in answer.text) == (201, False)
    place = f"/base_safe/{answer.json()['id']}/"
    assert (await client.put(place, data={"pin": "2"})).status_code == 200
    assert (DerivedSafe.objects.get().pin, "pin" in (await client.get(place)).json()) == (2, False)
    for asked in ("pin=2", "token=a", "sort=pin", "fields=pin"):
        assert (await client.get(f"/base_safe/?{asked}")).status_code == 400


class TalkingSafe(_Enrolled):
    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "password": self.password}


async def test_a_representation_of_the_model_does_not_show_it_by_its_name(alone: Api) -> None:
    client = alone(TalkingSafe)
    answer = await client.post("/talking_safe/", json={"name": "a", "password": SECRET})
    assert answer.json() == {"name": "a"}


async def test_an_event_for_the_field_is_masked_and_leaves_by_a_relay(alone: Api) -> None:
    client, heard = alone(PlainVault), []
    place = await made(client, PlainVault)

    @bzz.on("PlainVault.updated.password")
    @bzz.on("PlainVault.updated")
    async def hear(event: Any) -> None:
        heard.append(event)

    try:
        await client.put(place, json={"password": NEWER})
    finally:
        bzz.off(hear)
    whole, field = sorted(heard, key=lambda each: not isinstance(each, Updated))
    assert (field.field, field.old, field.new, dict(whole.diff)) == ("password", "***", "***", {"password": MASKED})
    assert (field.instance.password, NEWER in repr(heard)) == (NEWER, False)
    register_loaded()
    sent = [write_event(each, ()) for each in heard]
    assert None not in sent
    assert "'***'" in str(sent)
    assert not any(each in str(sent) for each in (SECRET, NEWER))


class UnmountedSafe(_Enrolled):
    pass


def test_a_relay_keeps_it_at_home_though_no_routes_serve_the_model() -> None:
    told = take_apart(UnmountedSafe(name="a", password=SECRET), lambda model, name: False)
    assert told["values"] == {"name": "a"}


def test_its_schema_says_so() -> None:
    schema = shape_schema(MongoEngineProvider(PlainVault, Options()).shape, lambda shape: {})
    assert schema["properties"]["password"]["writeOnly"] is True
    assert "writeOnly" not in schema["properties"]["name"]
    assert schema["required"] == ["password"]


def test_an_id_cannot_be_write_only() -> None:
    fields: dict[str, Any] = {"key": me.StringField(primary_key=True), "meta": {"bzz": {"write_only": ["key"]}}}
    with pytest.raises(ConfigurationError, match=r"UnseenKey\.key is an id"):
        bzz.ModelHive.routes_for("mongoengine", type("UnseenKey", (me.Document,), fields))


def test_a_name_that_is_none_is_told_when_routes_are_made() -> None:
    made = type("MisspeltSafe", (me.Document,), {"meta": {"bzz": {"write_only": ["pasword"]}}})
    with pytest.raises(ConfigurationError, match="MisspeltSafe has no field 'pasword'"):
        bzz.ModelHive.routes_for("mongoengine", made)


def test_the_log_of_a_failed_write_does_not_repeat_the_command(caplog: pytest.LogCaptureFixture) -> None:
    message = f'not authorized on db to execute command {{ update: "user", u: {{ $set: {{ password: "{SECRET}" }} }} }}'
    failed_write(OperationFailure(message, 13, {"errmsg": message, "codeName": "Unauthorized"}))
    assert "not authorized on db to execute command" in caplog.text
    assert SECRET not in caplog.text

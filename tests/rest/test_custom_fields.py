"""Field classes with conversions of their own are stored, shown, compared and filtered by these."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import mongoengine as me
import pytest
from mongoengine.base import BaseField

import bzz
import bzz.openapi
from bzz import signals
from bzz.errors import ConfigurationError
from tests.rest.conftest import Api

_salt = itertools.count()


def _seal(text: str) -> str:
    return f"{next(_salt)}:" + base64.b64encode(text.encode()).decode()


def _open(stored: Any) -> Any:
    salt, colon, sealed = stored.partition(":") if isinstance(stored, str) else ("", "", "")
    return base64.b64decode(sealed).decode() if salt.isdigit() and colon else stored


class SealedField(BaseField):
    """Stores one text in a new form each time, as encryption does."""

    def to_mongo(self, value: Any) -> Any:
        return _seal(value)

    def to_python(self, value: Any) -> Any:
        return _open(value)


class SealedTextField(me.StringField):
    """As :class:`SealedField`, below a class whose values are set without a look at what is stored."""

    def to_mongo(self, value: Any) -> Any:
        return _seal(value)

    def to_python(self, value: Any) -> Any:
        return _open(value)


class ReversedField(me.StringField):
    """Reads back the wrong way round what it has not written itself: no value may be converted twice."""

    def to_mongo(self, value: Any) -> Any:
        return value[::-1]

    def to_python(self, value: Any) -> Any:
        return value[::-1]


class LowerField(me.StringField):
    def to_mongo(self, value: Any) -> Any:
        return value.lower()


class CentsField(me.IntField):
    """Stores a hundred times its value."""

    def to_mongo(self, value: Any) -> Any:
        return value * 100

    def to_python(self, value: Any) -> Any:
        return value // 100


class JsonField(me.DictField):
    def to_mongo(self, value: Any, use_db_field: bool = True, fields: Any = None) -> Any:
        return json.dumps(value)

    def to_python(self, value: Any) -> Any:
        return json.loads(value)


class CommaField(me.StringField):
    """Holds a list, stores a text, and checks what it holds."""

    def to_mongo(self, value: Any) -> Any:
        return ",".join(value)

    def to_python(self, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value

    def validate(self, value: Any) -> None:
        if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            self.error("Give a list of words.")


class Vault(me.EmbeddedDocument):
    word = ReversedField()
    price = CentsField()
    seal = SealedField()


class _Safe(me.Document):
    a = ReversedField(max_length=6)
    b = SealedField()
    c = CentsField(max_value=50)
    d = JsonField()
    e = LowerField()
    f = CommaField()
    g = SealedTextField()
    notes = me.ListField(SealedTextField())
    words = me.ListField(ReversedField())
    vault = me.EmbeddedDocumentField(Vault)
    vaults = me.EmbeddedDocumentListField(Vault)
    by_name = me.MapField(me.EmbeddedDocumentField(Vault))
    any = me.ListField(me.GenericEmbeddedDocumentField(choices=[Vault]))

    meta = {"abstract": True}  # noqa: RUF012  # as MongoEngine wants it


class PlainSafe(_Safe):
    pass


class SavedSafe(_Safe):
    def clean(self) -> None:
        """Make MongoEngine save the class."""


both = pytest.mark.parametrize("model", [PlainSafe, SavedSafe])

VAULT = {"word": "list", "price": 4, "seal": "closed"}
WHOLE: dict[str, Any] = {
    "a": "abc",
    "b": "x",
    "c": 7,
    "d": {"k": [1]},
    "e": "low",
    "f": ["x", "y"],
    "g": "text",
    "notes": ["first", "second"],
    "words": ["one", "two"],
    "vault": {"word": "in", "price": 3, "seal": "shut"},
    "vaults": [VAULT],
    "by_name": {"x": VAULT},
    "any": [{**VAULT, "@type": "Vault"}],
}


def at(model: type) -> str:
    return "plain_safe" if model is PlainSafe else "saved_safe"


def held(model: Any) -> dict[str, Any]:
    """What MongoDB holds of the one document of a class."""
    found: dict[str, Any] = model._get_collection().find_one()
    return found


@pytest.fixture
def told(model: Any) -> Iterator[list[Any]]:
    """What receivers are told of each update."""
    found: list[Any] = []

    async def note(sender: Any, updated_fields: Any) -> None:
        found.append(updated_fields)

    with signals.post_update_instance.connected_to(note, model):
        yield found


async def created(client: Any, model: type) -> str:
    answer = await client.post(f"/{at(model)}/", json=WHOLE)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


@both
async def test_what_is_stored_is_what_to_mongo_returns(alone: Api, model: Any) -> None:
    await created(alone(model), model)
    stored = held(model)
    assert _open(stored["b"]) == "x"
    assert stored["b"] != "x"
    assert {name: stored[name] for name in ("a", "c", "d", "words")} == {
        "a": "cba",
        "c": 700,
        "d": '{"k": [1]}',
        "words": ["eno", "owt"],
    }


@both
async def test_embedded_documents_store_what_to_mongo_returns(alone: Api, model: Any) -> None:
    await created(alone(model), model)
    stored = held(model)
    inside = stored["vault"], stored["vaults"][0]
    assert [(each["word"], each["price"]) for each in inside] == [("ni", 300), ("tsil", 400)]
    assert [_open(each["seal"]) for each in inside] == ["shut", "closed"]


@both
async def test_clients_see_what_to_python_returns(alone: Api, model: Any) -> None:
    client = alone(model)
    shown = (await client.get(await created(client, model))).json()
    del shown["id"]
    assert shown == WHOLE


@both
async def test_a_list_shows_what_to_python_returns(alone: Api, model: Any) -> None:
    client = alone(model)
    await created(client, model)
    (shown,) = (await client.get(f"/{at(model)}/")).json()
    assert {name: shown[name] for name in WHOLE} == WHOLE


@both
async def test_a_put_of_what_was_got_changes_nothing(alone: Api, model: Any) -> None:
    client = alone(model)
    place = await created(client, model)
    before = held(model)
    answer = await client.put(place, json=(await client.get(place)).json())
    assert answer.status_code == 200, answer.text
    assert held(model) == before


@both
async def test_a_put_of_what_was_got_tells_no_change(alone: Api, model: Any, told: list[Any]) -> None:
    client = alone(model)
    place = await created(client, model)
    await client.put(place, json=(await client.get(place)).json())
    await client.put(place, json={"b": "x", "words": ["one", "two"]})
    assert told == [{}, {}]


@both
@pytest.mark.parametrize(
    "body", [{"b": "x"}, {"g": "text"}, {"notes": ["first", "second"]}, {"vault": {"seal": "shut"}}], ids=str
)
async def test_the_same_value_is_not_stored_anew(alone: Api, model: Any, body: dict[str, Any]) -> None:
    client = alone(model)
    place = await created(client, model)
    before = held(model)
    assert (await client.put(place, json=body)).status_code == 200
    assert held(model) == before


@both
async def test_a_put_of_what_was_got_leaves_the_tag(alone: Api, model: Any) -> None:
    client = alone(model)
    place = await created(client, model)
    got = await client.get(place)
    await client.put(place, json=got.json())
    assert (await client.get(place)).headers["ETag"] == got.headers["ETag"]


@both
async def test_a_change_of_another_field_tells_nothing_of_those_that_are_stored_anew(
    alone: Api, model: Any, told: list[Any]
) -> None:
    client = alone(model)
    place = await created(client, model)
    assert (await client.put(place, json={**WHOLE, "e": "lower"})).status_code == 200
    assert (await client.patch(place, json={"e": "lowest"})).status_code == 200
    assert [list(each) for each in told] == [["e"], ["e"]]


@both
async def test_what_changes_beside_a_field_that_is_stored_anew_is_told(alone: Api, model: Any, told: list[Any]) -> None:
    client = alone(model)
    place = await created(client, model)
    resealed = {**VAULT, "seal": "other"}
    bodies: list[Any] = [
        {"vaults": [{**VAULT, "price": 5}]},
        {"vaults": []},
        {"by_name": {"x": resealed}},
        {"by_name": {"y": resealed}},
        {"any": [{**resealed, "@type": "Vault"}]},
    ]
    for each in bodies:
        assert (await client.put(place, json=each)).status_code == 200
    assert [list(each) for each in told] == [["vaults"], ["vaults"], ["by_name"], ["by_name"], ["any"]]


@both
async def test_a_diff_tells_the_attributes(alone: Api, model: Any, told: list[Any]) -> None:
    client = alone(model)
    place = await created(client, model)
    answer = await client.put(place, json={"b": "y", "c": 8, "vault": {"word": "out"}})
    assert answer.status_code == 200, answer.text
    assert told == [
        {
            "b": {"from": "x", "to": "y"},
            "c": {"from": 7, "to": 8},
            "vault.word": {"from": "in", "to": "out"},
        }
    ]


@both
async def test_receivers_get_what_to_python_returns(alone: Api, model: Any) -> None:
    client = alone(model)
    place = await created(client, model)
    seen: list[Any] = []

    async def note(sender: Any, instance: Any) -> None:
        seen.append((instance.a, instance.b, instance.c, instance.d, instance.words[0], instance.vault.word))

    with signals.post_get_instance.connected_to(note, model):
        shown = (await client.get(place)).json()
    assert seen == [("abc", "x", 7, {"k": [1]}, "one", "in")]
    assert {name: shown[name] for name in WHOLE} == WHOLE


@pytest.mark.parametrize(
    "query", ["a=abc", "a__in=abc,zzz", "c=7", "c__gte=7", "e=LOW", "e__contains=LO", "vault.price=3", "words=two"]
)
@both
async def test_filters_compare_with_what_is_stored(alone: Api, model: Any, query: str) -> None:
    client = alone(model)
    await created(client, model)
    answer = await client.get(f"/{at(model)}/?{query}")
    assert len(answer.json()) == 1, answer.text


@both
async def test_the_value_that_is_sent_is_checked_as_mongoengine_does_before_it_stores(alone: Api, model: Any) -> None:
    client = alone(model)
    place = await created(client, model)
    answer = await client.put(place, json={"a": "too long", "c": 51})
    assert answer.json()["errors"].keys() == {"a", "c"}
    assert (await client.put(place, json={"a": "fits", "c": 50})).json()["c"] == 50


@both
async def test_a_class_with_its_own_check_takes_values_of_its_own_type(alone: Api, model: Any, told: list[Any]) -> None:
    client = alone(model)
    place = await created(client, model)
    answer = await client.put(place, json={"f": ["x", "z"]})
    assert answer.json()["f"] == ["x", "z"]
    assert held(model)["f"] == "x,z"
    assert told == [{"f": {"from": ["x", "y"], "to": ["x", "z"]}}]


@pytest.mark.parametrize("bad", ["x,y", 5, [5], {"x": "y"}])
@both
async def test_the_own_check_of_a_class_decides_and_speaks(alone: Api, model: Any, bad: Any) -> None:
    client = alone(model)
    answer = await client.put(await created(client, model), json={"f": bad})
    assert answer.json()["errors"] == {"f": ["Give a list of words."]}


async def test_what_no_document_can_hold_is_refused_whatever_the_own_check_says(alone: Api) -> None:
    client = alone(PlainSafe)
    answer = await client.put(await created(client, PlainSafe), json={"f": [{"$set": 1}]})
    assert answer.json()["errors"]["f.0.$set"] == ["This key is not allowed."]


async def test_a_class_without_its_own_check_takes_what_its_base_takes(alone: Api) -> None:
    client = alone(PlainSafe)
    answer = await client.put(await created(client, PlainSafe), json={"c": [7]})
    assert answer.json()["errors"] == {"c": ["Must be an integer within 64 bits."]}


def test_openapi_leaves_the_values_of_a_class_with_its_own_check_open() -> None:
    routes = bzz.ModelHive.routes_for("mongoengine", PlainSafe)
    schemas = bzz.openapi.document(routes, title="Safes", version="1")["components"]["schemas"]
    assert "type" not in schemas["PlainSafe"]["properties"]["f"]


@both
async def test_mongoengine_reads_what_was_stored(alone: Api, model: Any) -> None:
    await created(alone(model), model)
    found = model.objects.get()
    assert (found.a, found.b, found.c, found.d, found.words) == ("abc", "x", 7, {"k": [1]}, ["one", "two"])


async def test_what_a_class_cannot_read_is_shown_as_it_is_stored(alone: Api) -> None:
    client = alone(PlainSafe)
    place = await created(client, PlainSafe)
    PlainSafe._get_collection().update_one({}, {"$set": {"d": "not json"}})
    assert (await client.get(place)).json()["d"] == "not json"


class SealedVaultField(me.EmbeddedDocumentField):
    def to_mongo(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return {"word": _seal(value.word)}


class SealedVaultsField(me.ListField):
    def to_python(self, value: Any) -> Any:
        return value


class SealedSafe(me.Document):
    vault = SealedVaultField(Vault)


class SealedSafes(me.Document):
    by_name = me.MapField(SealedVaultField(Vault))


class SealedList(me.Document):
    vaults = SealedVaultsField(me.EmbeddedDocumentField(Vault))


@pytest.mark.parametrize(("model", "name"), [(SealedSafe, "vault"), (SealedSafes, "by_name"), (SealedList, "vaults")])
def test_a_class_that_would_convert_whole_documents_is_refused_unless_it_is_hidden(model: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{model.__name__}.{name}: SealedVault.* holds documents"):
        bzz.ModelHive.routes_for("mongoengine", model)
    bzz.ModelHive.routes_for("mongoengine", model, hidden=[name])


class EscapedField(me.DictField):
    def to_mongo(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return {key.replace("-", "_"): each for key, each in value.items()}


class NumbersField(me.MapField):
    def to_python(self, value: Any) -> Any:
        return super().to_python(value)


class EscapedMaps(me.Document):
    free = EscapedField()
    numbers = NumbersField(me.IntField())


async def test_a_map_with_conversions_of_its_own_is_filtered_by_what_is_in_it(api: Api) -> None:
    client = api(EscapedMaps)
    document = EscapedMaps(free={"a": 1, "b": {"c": "x"}}, numbers={"k": 2}).save()
    EscapedMaps(free={"a": 3}, numbers={"k": 4}).save()
    for query in ("free.a=1", "free.b.c=x", "free.a__exists=true&numbers.k=2", "numbers.k__lt=3"):
        found = (await client.get(f"/escaped_maps/?{query}")).json()
        assert (query, [each["id"] for each in found]) == (query, [str(document.pk)])


@both
async def test_generic_embedded_documents_have_no_path_and_no_filters(alone: Api, model: Any) -> None:
    client = alone(model)
    place = await created(client, model)
    assert (await client.get(f"{place}any/")).status_code == 404
    assert (await client.get(f"{place}any/0/")).status_code == 404
    assert (await client.get(f"/{at(model)}/?any.price=4")).status_code == 400

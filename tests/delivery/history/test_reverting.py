"""One change is undone as an ordinary write: conditional, validated, signalled, and recorded itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import mongoengine as me
import pytest
from tornado.web import HTTPError

import bzz
from bzz.signals import post_update_instance, pre_update_instance
from tests.conftest import Driver, Serve
from tests.delivery.conftest import listening
from tests.delivery.history.conftest import Reader, sign_in, with_history

pytestmark = pytest.mark.usefixtures("database_name")


class DeedSeal(me.EmbeddedDocument):
    color = me.StringField(required=True)
    note = me.StringField()


class DeedLine(me.EmbeddedDocument):
    text = me.StringField()
    count = me.IntField()
    price = me.DecimalField()


class DeedBox(me.EmbeddedDocument):
    size = me.IntField()
    meta: ClassVar = {"allow_inheritance": True}


class DeedCrate(DeedBox):
    boards = me.IntField()


class Deed(me.Document):
    title = me.StringField(max_length=20)
    number = me.IntField(min_value=0, unique=True, sparse=True)
    price = me.DecimalField()
    at = me.DateTimeField()
    seal = me.EmbeddedDocumentField(DeedSeal)
    lines = me.EmbeddedDocumentListField(DeedLine)
    tags = me.ListField(me.StringField())
    extra = me.DictField()
    box = me.EmbeddedDocumentField(DeedBox)
    secret = me.StringField()
    fixed = me.StringField()
    pin = me.StringField()
    flag = me.BooleanField(default=False)
    meta: ClassVar = {"bzz": {"write_only": ["pin"]}}


def deeds(**options: Any) -> Any:
    return bzz.ModelHive.routes_for("mongoengine", Deed, **options)


@pytest.fixture
def app(served: Any, driver: Driver) -> Any:
    bzz.history(Deed)
    return served(deeds(database=driver()))


@pytest.fixture
def plain(served: Any) -> Any:
    bzz.history(Deed)
    return served(deeds())


async def undone(deed: Reader, before: dict[str, Any], number: int) -> dict[str, Any]:
    """Undo the last of so many changes; the document is as it was before, and the undoing is a change as well."""
    last = (await deed.history(number))[0]
    answer = await deed.revert(last, "undoer")
    assert answer.status_code == 200, answer.text
    assert answer.json() == before == (await deed.client.get(deed.place)).json()
    newest: dict[str, Any] = (await deed.signed_by("undoer", number + 1))[0]
    assert newest["diff"] == {name: {"from": pair["to"], "to": pair["from"]} for name, pair in last["diff"].items()}
    return newest


async def test_a_change_is_undone(app: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await app.create("/deed/", title="a", number=1, seal={"color": "red"})
        before = (await deed.client.get(deed.place)).json()
        await deed.put(title="b", number=2, seal={"color": "blue", "note": "x"})
        await undone(deed, before, 2)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"seal": None}, {"seal": {"color": "red"}}),
        ({"seal": {"color": "red", "note": "x"}}, {"seal": None}),
        ({"tags": ["a", "b"]}, {"tags": ["b"]}),
        ({"tags": []}, {"tags": ["b"]}),
        ({"extra": {"a": {"b": 1}, "c": 2}}, {"extra": {"a": 5}}),
        ({"extra": {}}, {"extra": {"x": [1, {"y": 2}]}}),
        ({"price": "1.50"}, {"price": "2.75"}),
        ({"at": "2026-01-02T03:04:05Z"}, {"at": None}),
        ({"flag": True}, {"flag": None}),
        ({"lines": [{"text": "a", "count": 1}]}, {"lines": [{"text": "b", "count": 1}]}),
        ({"lines": [{"text": "a", "price": "1.00"}]}, {"lines": []}),
        ({"lines": []}, {"lines": [{"text": "a"}, {"text": "b"}]}),
        ({"box": {"@type": "DeedCrate", "size": 1, "boards": 2}}, {"box": {"@type": "DeedCrate", "boards": 3}}),
        ({"box": None}, {"box": {"@type": "DeedCrate", "size": 1, "boards": 2}}),
    ],
)
async def test_any_kind_of_value_comes_back(plain: Reader, first: Any, then: Any) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a", **first)
        before = (await deed.client.get(deed.place)).json()
        await deed.put(**then)
        await undone(deed, before, 2)


async def test_what_was_done_inside_a_list_is_undone(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", lines=[{"text": "a"}, {"text": "b", "price": "1.5"}])
        before = (await deed.client.get(deed.place)).json()
        answer = await deed.client.put(f"{deed.place}lines/1/", json={"text": "c", "count": 3})
        assert answer.status_code == 200
        last = await undone(deed, before, 2)
        assert list(last["diff"]) == ["lines.1.text", "lines.1.count"]
        assert (await deed.revert(last)).status_code == 200  # and the undoing is undone


async def test_a_change_that_was_changed_again_is_refused_by_the_names_of_its_fields(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a", number=1, lines=[{"text": "x"}])
        await deed.put(title="b", number=2)
        await deed.client.put(f"{deed.place}lines/0/", json={"text": "y"})
        await deed.client.put(f"{deed.place}lines/0/", json={"text": "z"})
        await deed.put(title="c")
        _, _, line, both, _ = await deed.history(5)
        answer, inside = await deed.revert(both), await deed.revert(line)
        assert (answer.status_code, list(answer.json()["errors"])) == (409, ["title"])
        assert (inside.status_code, list(inside.json()["errors"])) == (409, ["lines.0.text"])
        await deed.client.delete(f"{deed.place}lines/0/")
        assert (await deed.revert(line)).status_code == 409
        await deed.put(title="a")
        assert (await deed.revert(both)).status_code == 409  # one of its fields is as before already
        assert Deed.objects.get().number == 2


async def test_a_change_is_undone_once(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a")
        await deed.put(title="b")
        last, _ = await deed.history(2)
        answers = await asyncio.gather(*(deed.revert(last) for _ in range(8)))
    assert sorted(each.status_code for each in answers) == [200] + [409] * 7


async def test_only_updates_are_undone(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a")
        [created] = await deed.history(1)
        answer = await deed.revert(created)
    assert (answer.status_code, Deed.objects.count()) == (409, 1)
    assert "can be deleted" in answer.json()["detail"]


async def test_a_change_of_another_document_is_not_found(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        one, other = await plain.create("/deed/", title="a"), await plain.create("/deed/", title="a")
        await other.put(title="b")
        last, _ = await other.history(2)
        answers = [await one.revert(last), await one.revert({"change": "deed:1.2.3"})]
    assert [each.status_code for each in answers] == [404, 404]


async def test_what_clients_may_not_write_is_not_undone(served: Any) -> None:
    bzz.history(Deed)
    app: Reader = served(deeds(hidden=["secret"], read_only=["fixed"], prefix="some"))
    async with bzz.deliver():
        await listening()
        deed = Deed(title="a", secret="a", fixed="a", pin="a").save()
        for name in ("secret", "fixed", "pin"):
            setattr(deed, name, "b")
            deed.title += name
            deed.save()
        app.place = f"/some/deed/{deed.pk}/"
        pin, fixed, secret, _ = await app.history(4)
        answers = [await app.revert(each) for each in (secret, fixed, pin)]
    assert [each.status_code for each in answers] == [403, 403, 403]
    assert ["secret" in each.text for each in answers] == [False, False, False]
    assert ("fixed" in answers[1].text, "pin" in answers[2].text) == (True, True)
    assert Deed.objects.get().title == "asecretfixedpin"


async def test_a_list_whose_items_have_hidden_parts_is_not_written_anew(served: Any) -> None:
    bzz.history(Deed)
    app: Reader = served(deeds(hidden=["lines.price"], prefix="other"))
    async with bzz.deliver():
        await listening()
        deed = Deed(lines=[DeedLine(text="a", price=Decimal(1))]).save()
        app.place = f"/other/deed/{deed.pk}/"
        await app.client.put(f"{app.place}lines/0/", json={"text": "b"})
        inside, _ = await app.history(2)
        answer = await app.revert(inside)
    assert (answer.status_code, "price" in answer.text) == (409, False)
    assert (Deed.objects.get().lines[0].text, Deed.objects.get().lines[0].price) == ("b", Decimal("1.00"))


async def test_what_is_hidden_in_items_is_not_named_where_a_list_is_undone(served: Any) -> None:
    bzz.history(Deed)
    app: Reader = served(deeds(hidden=["lines.price"], prefix="third"))
    async with bzz.deliver():
        await listening()
        deed = Deed(lines=[DeedLine(text="a")]).save()
        app.place = f"/third/deed/{deed.pk}/"
        await app.client.post(f"{app.place}lines/", json={"text": "b"})
        added, _ = await app.history(2)
        answer = await app.revert(added)
    assert answer.status_code == 200, answer.text
    assert [each.text for each in Deed.objects.get().lines] == ["a"]


class DeedHolder(me.Document):
    name = me.StringField()
    meta: ClassVar = {"allow_inheritance": True}


class DeedNotary(DeedHolder):
    level = me.IntField()


async def test_a_change_of_class_is_told_and_not_undone(served: Any, driver: Driver) -> None:
    bzz.history(DeedHolder)
    app: Reader = served(bzz.ModelHive.routes_for("mongoengine", DeedHolder))
    async with bzz.deliver():
        await listening()
        holder = await app.create("/deed_holder/", name="ann")
        for update in ({"$set": {"_cls": "DeedHolder.DeedNotary", "level": 3}}, {"$set": {"_cls": "DeedHolder"}}):
            await driver()["deed_holder"].update_one({}, update)
        back, there, _ = await holder.history(3)
        answers = [await holder.revert(each) for each in (there, back)]
    types = {"from": "DeedHolder", "to": "DeedHolder.DeedNotary"}
    assert there["diff"] == {"@type": types, "level": {"from": None, "to": 3}}
    assert back["diff"]["@type"] == {"from": types["to"], "to": types["from"]}
    assert [each.status_code for each in answers] == [409, 409]


async def test_what_the_model_refuses_by_now_is_not_undone(plain: Reader, driver: Driver) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a", number=1)
        await driver()["deed"].update_one({}, {"$set": {"title": "much too long for this model"}})
        await deed.put(title="b")
        invalid, _, _ = await deed.history(3)
        answer = await deed.revert(invalid)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["title"])
        await deed.put(number=2)
        taken = (await deed.history(4))[0]
        await deed.create("/deed/", number=1)
        assert (await deed.revert(taken)).status_code == 409


async def test_receivers_are_told_once_and_may_refuse(plain: Reader) -> None:
    told: list[Any] = []

    def before(sender: Any, arguments: Any, handler: Any) -> None:
        told.append((handler.request.method, arguments, dict(handler.data)))

    def after(sender: Any, updated_fields: Any) -> None:
        told.append(updated_fields)

    def refuse(sender: Any) -> None:
        raise HTTPError(403)

    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a")
        await deed.put(title="b")
        last, _ = await deed.history(2)
        with pre_update_instance.connected_to(refuse, sender=Deed):
            assert (await deed.revert(last)).status_code == 403
        with (
            pre_update_instance.connected_to(before, sender=Deed),
            post_update_instance.connected_to(after, sender=Deed),
        ):
            assert (await deed.revert(last)).status_code == 200
    path = [deed.place.strip("/")]
    assert told == [("PUT", path, {"title": "a"}), {"title": {"from": "b", "to": "a"}}]


async def test_who_may_not_put_may_not_undo(serve: Serve) -> None:
    bzz.history(Deed)
    asked: list[tuple[Any, ...]] = []

    def authorize(method: str, model: type, instance_id: str | None, user: Any) -> bool:
        asked.append((method, instance_id, user))
        return method != "PUT" or user == "ann"

    client = serve(with_history(deeds(authorize=authorize)), sign_in)
    async with bzz.deliver():
        await listening()
        deed = await Reader(client).create("/deed/", title="a")
        await deed.put("ann", title="b")
        last, _ = await deed.history(2)
        asked.clear()
        assert (await deed.revert(last, "bob")).status_code == 403
        assert (await deed.revert(last, "ann")).status_code == 200
    assert asked == [("PUT", deed.place.split("/")[-2], who) for who in ("bob", "ann")]


async def test_preconditions_hold(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a")
        tag = (await deed.put(title="b")).headers["ETag"]
        last, _ = await deed.history(2)
        assert (await deed.revert(last, headers={"If-Match": '"x"'})).status_code == 412
        answer = await deed.revert(last, headers={"If-Match": tag})
        assert (answer.status_code, answer.headers["ETag"] != tag) == (200, True)


async def test_a_page_of_another_site_cannot_undo_anything(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a")
        await deed.put(title="b")
        last, _ = await deed.history(2)
        theirs = "https://evil.example.org"
        for headers in ({"Origin": theirs}, {"Origin": theirs, "Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert (await deed.revert(last, headers=headers)).status_code == 403
        own = str(deed.client.base_url).rstrip("/")
        assert (await deed.revert(last, headers={"Origin": own})).status_code == 200


async def test_a_body_is_refused_and_other_methods_too(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", title="a")
        await deed.put(title="b")
        last, _ = await deed.history(2)
        assert (await deed.revert(last, json={"title": "x"})).status_code == 400
        url = f"{deed.place}history/{last['change']}/revert"
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            answer = await deed.client.request(method, url)
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
        assert (await deed.client.options(url)).headers["Allow"] == "POST, OPTIONS"
        assert (await deed.revert(last, json={})).status_code == 200


async def test_what_was_done_to_an_item_is_not_undone_in_another(plain: Reader) -> None:
    async with bzz.deliver():
        await listening()
        deed = await plain.create("/deed/", lines=[{"text": "a"}, {"text": "b"}])
        await deed.client.put(f"{deed.place}lines/0/", json={"text": "b"})
        await deed.client.delete(f"{deed.place}lines/0/")  # and now another one is there, which has the same text
        _, inside, _ = await deed.history(3)
        answer = await deed.revert(inside)
    assert (answer.status_code, list(answer.json()["errors"])) == (409, ["lines.0.text"])
    assert [each.text for each in Deed.objects.get().lines] == ["b"]


async def test_typed_values_of_scripts_come_back(plain: Reader) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6000)
    async with bzz.deliver():
        await listening()
        deed = Deed(
            title="a", price=Decimal("1.50"), at=moment, lines=[DeedLine(text="x", price=Decimal("2.25"))]
        ).save()
        plain.place = f"/deed/{deed.pk}/"
        before = (await plain.client.get(plain.place)).json()
        deed.price, deed.at = Decimal("3.25"), moment + timedelta(days=1)
        deed.lines[0].price = Decimal("4.5")
        deed.save()
        await undone(plain, before, 2)
    assert Deed.objects.get().at.replace(tzinfo=UTC) == moment.replace(tzinfo=UTC)

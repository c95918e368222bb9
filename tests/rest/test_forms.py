"""Forms as browsers send them, by real requests."""

from __future__ import annotations

import mongoengine as me
from tornado.web import RequestHandler

import bzz
from tests.conftest import Serve
from tests.rest.conftest import Api


class Questionnaire(me.Document):
    name = me.StringField(primary_key=True)
    age = me.IntField()
    agrees = me.BooleanField()
    on = me.DateField()
    colors = me.ListField(me.StringField())
    remark = me.StringField()


class MailingForm(me.Document):
    email = me.EmailField()
    page = me.URLField()
    code = me.StringField(min_length=1)
    size = me.StringField(choices=["s", "l"])
    zip = me.StringField(regex=r"\d{5}$")
    tail = me.StringField(regex=r"\d*$")


class Token(RequestHandler):
    def get(self) -> None:
        self.write(self.xsrf_token)


FULL = {"name": "a", "age": 3, "agrees": True, "on": "2026-01-31", "colors": ["red"], "remark": "x"}


async def test_an_empty_form_unsets_all_but_strings(api: Api) -> None:
    client = api(Questionnaire)
    assert (await client.post("/questionnaire/", json=FULL)).status_code == 201
    empty = {"age": "", "agrees": "", "on": "", "colors[]": "", "remark": ""}
    answer = await client.put("/questionnaire/a/", data=empty)
    assert answer.json() == {"name": "a", "age": None, "agrees": None, "on": None, "colors": [], "remark": ""}


async def test_an_empty_form_unsets_strings_that_cannot_be_empty(api: Api) -> None:
    client = api(MailingForm)
    full = {"email": "a@b.io", "page": "http://a.io", "code": "x", "size": "s", "zip": "12345", "tail": "1"}
    place = (await client.post("/mailing_form/", json=full)).headers["Location"]
    answer = await client.put(place, data=dict.fromkeys(full, ""))
    assert answer.status_code == 200, answer.text
    assert {**answer.json(), "id": 0} == {"id": 0, **dict.fromkeys(full), "tail": ""}


async def test_a_form_in_parts_creates(api: Api) -> None:
    client = api(Questionnaire)
    given = {"name": (None, "b"), "agrees": (None, "on"), "colors[]": (None, "red")}
    answer = await client.post("/questionnaire/", files=given)  # without a file name these are texts
    assert (answer.status_code, answer.json()["agrees"], answer.json()["colors"]) == (201, True, ["red"])


async def test_a_file_is_a_415_and_nothing_is_stored(api: Api) -> None:
    client = api(Questionnaire)
    answer = await client.post("/questionnaire/", files={"name": (None, "c"), "remark": ("r.txt", b"x")})
    assert (answer.status_code, answer.json()["detail"]) == (415, "Files are not taken: 'remark' holds one.")
    assert (await client.get("/questionnaire/c/")).status_code == 404


async def test_a_form_names_the_xsrf_token_in_its_body(serve: Serve, database_name: str) -> None:
    routes = bzz.flatten([("/", Token), bzz.ModelHive.routes_for("mongoengine", Questionnaire)])
    client = serve(routes, xsrf_cookies=True)
    token = (await client.get("/")).text
    assert (await client.post("/questionnaire/", data={"name": "d"})).status_code == 403
    assert (await client.post("/questionnaire/", data={"name": "d", "_xsrf": "2|a|b|0"})).status_code == 403
    assert (await client.post("/questionnaire/", json={"name": "d", "_xsrf": token})).status_code == 403
    answer = await client.post("/questionnaire/", data={"name": "d", "_xsrf": token, "remark": "a+b"})
    assert (answer.status_code, answer.json()["remark"]) == (201, "a+b")
    answer = await client.put("/questionnaire/d/", data={"age": "4"}, headers={"X-XSRFToken": token})
    assert answer.json()["age"] == 4

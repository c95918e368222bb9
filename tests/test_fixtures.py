"""The shared fixtures do what they say, on both drivers and with warnings as errors."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import mongoengine
from tornado.web import RequestHandler

from tests.conftest import Driver, Serve

CLASS = re.compile(r"^( *)class (\w+)\(([^)]*)\)", re.MULTILINE)
DOCUMENT = re.compile(r"\.\w*Document\b")


class Memo(mongoengine.Document):
    text = mongoengine.StringField()


class Hello(RequestHandler):
    def get(self) -> None:
        self.write(str(self.settings["greeting"]))


async def test_both_drivers_see_what_mongoengine_wrote(driver: Driver) -> None:
    Memo(text="hello").save()
    found = await driver()["memo"].find_one()
    assert found["text"] == "hello"


async def test_every_test_starts_with_an_empty_database(driver: Driver) -> None:
    assert await driver().list_collection_names() == []


async def test_an_application_is_served_with_its_settings(serve: Serve) -> None:
    answer = await serve([("/", Hello)], greeting="good day").get("/")
    assert answer.text == "good day"


async def test_two_applications_are_served_at_once(serve: Serve) -> None:
    first, second = serve([("/", Hello)], greeting="one"), serve([("/", Hello)], greeting="two")
    assert [(await first.get("/")).text, (await second.get("/")).text] == ["one", "two"]


def test_no_two_models_of_the_tests_share_a_name() -> None:
    """MongoEngine knows one class per name, so a second one would break the tests of the first.

    Two that tests make for themselves may: each is forgotten with its test. Classes in the text of a program count.
    """
    modules: defaultdict[str, set[str]] = defaultdict(set)
    shared: set[str] = set()
    for path in Path(__file__).parent.rglob("*.py"):
        documents: set[str] = set()
        for indent, name, bases in CLASS.findall(path.read_text()):
            if not indent:
                shared.add(name)
            if DOCUMENT.search(bases) or not documents.isdisjoint(re.findall(r"\w+", bases)):
                documents.add(name)
                modules[name].add(path.name)
    assert "Memo" in shared & modules.keys()
    assert {name: each for name, each in modules.items() if len(each) > 1 and name in shared} == {}

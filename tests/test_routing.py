"""Lists of routes, joined and flattened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.routing import HostMatches
from tornado.web import Application, RequestHandler

from bzz.errors import ConfigurationError
from bzz.routing import RouteList, flatten, join
from tests.conftest import Serve


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


def test_nested_lists_become_one_in_the_same_order() -> None:
    assert flatten([("/a", Hello), RouteList([("/b", Hello), [("/c", Hello)]]), ("/d", Hello)]) == [
        ("/a", Hello),
        ("/b", Hello),
        ("/c", Hello),
        ("/d", Hello),
    ]


def test_nothing_flattens_to_an_empty_list() -> None:
    assert flatten([[], [[]]]) == []


def test_routes_may_come_from_a_generator() -> None:
    assert flatten(each for each in [("/a", Hello)]) == [("/a", Hello)]


def test_flattening_leaves_what_it_was_given_alone() -> None:
    routes = RouteList([("/a", Hello)])
    flatten([routes, ("/b", Hello)])
    assert routes == [("/a", Hello)]


async def test_tornado_takes_what_flatten_gives(serve: Serve) -> None:
    client = serve(flatten([[("/a", Hello)], (r"/b", Hello, {})]))
    assert [(await client.get(path)).status_code for path in ("/a", "/b", "/c")] == [200, 200, 404]


class Bye(Hello):
    def get(self) -> None:
        self.write("bye")


async def test_tornado_takes_the_routes_of_several_hives_as_they_are(serve: Serve) -> None:
    client = serve([RouteList([("/a", Hello)]), ("/b", Hello), RouteList([("/c", Hello), ("/d", Hello), ("/a", Bye)])])
    assert [(await client.get(path)).text for path in ("/a", "/b", "/c", "/d")] == ["hello"] * 4


async def test_tornado_takes_them_for_a_host_too_and_in_two_applications(serve: Serve) -> None:
    routes = RouteList([("/a", Hello)])
    for client in serve([(HostMatches("127.0.0.1"), [routes])]), serve([(HostMatches("127.0.0.1"), routes)]):
        assert (await client.get("/a")).text == "hello"


def test_a_handler_at_one_url_in_two_lists_is_a_mistake_that_is_told() -> None:
    with pytest.raises(ConfigurationError, match="/a leads to two routes of Hello"):
        Application([RouteList([("/a", Hello)]), RouteList([("/a", Hello)])])


async def test_a_rule_that_is_written_as_a_list_stays_one(serve: Serve) -> None:
    client = serve([["/a", Hello], RouteList([("/b", Hello)])])
    assert [(await client.get(path)).text for path in ("/a", "/b")] == ["hello"] * 2


def test_routes_of_a_host_are_no_handler_that_could_stand_twice() -> None:
    assert len(flatten([(HostMatches("a"), [("/", Hello)]), (HostMatches("b"), [("/", Hello)])])) == 2


@pytest.mark.parametrize("prefix", ["api", "/api", "api/", "/api/", "//api//"])
def test_slashes_around_a_prefix_do_not_matter(prefix: str) -> None:
    assert join(prefix, "user") == "/api/user"


def test_a_route_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="resource name"):
        join("/", "")


@given(st.lists(st.text(alphabet="ab", min_size=1), min_size=1))
def test_joining_loses_no_part(parts: list[str]) -> None:
    assert join("/".join(parts[:-1]), parts[-1]).split("/")[1:] == parts

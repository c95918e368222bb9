"""Lists of routes, joined and flattened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import RequestHandler

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


@pytest.mark.parametrize("prefix", ["api", "/api", "api/", "/api/", "//api//"])
def test_slashes_around_a_prefix_do_not_matter(prefix: str) -> None:
    assert join(prefix, "user") == "/api/user"


def test_a_route_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="resource name"):
        join("/", "")


@given(st.lists(st.text(alphabet="ab", min_size=1), min_size=1))
def test_joining_loses_no_part(parts: list[str]) -> None:
    assert join("/".join(parts[:-1]), parts[-1]).split("/")[1:] == parts

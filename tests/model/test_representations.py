"""A client gets the media type that it wants most, of those that there are."""

from __future__ import annotations

import pytest

from bzz.errors import NotAcceptable
from bzz.model.representations import EVENT_STREAM, chosen


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        "application/json",
        "text/html",
        "application/*",
        "text/event-stream;q=0.5, application/json",
        "text/event-stream;q=0, */*",
        "text/event-stream, application/json",
    ],
)
def test_json_is_shown_unless_something_else_is_wanted_more(accept: str | None) -> None:
    assert chosen(accept, (EVENT_STREAM,)) is None


@pytest.mark.parametrize(
    "accept",
    ["text/event-stream", "TEXT/Event-Stream", "text/event-stream, */*;q=0.1", "text/*", "text/event-stream;q=x"],
)
def test_a_feed_is_shown_where_it_is_wanted_most(accept: str) -> None:
    found = chosen(accept, (EVENT_STREAM,))
    assert found is not None
    assert found.media_type == EVENT_STREAM


def test_a_feed_that_is_not_there_is_not_acceptable() -> None:
    with pytest.raises(NotAcceptable, match="shown as application/json"):
        chosen("text/event-stream", ())


def test_json_is_shown_where_it_is_accepted_too() -> None:
    assert chosen("text/event-stream, */*;q=0.1", ()) is None

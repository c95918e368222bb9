"""Options of engines and limits that cannot be: told before anything is served, and not by the first request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import pytest

import bzz
from bzz.errors import ConfigurationError
from bzz.serving.options import check_options

APPLICATION = "tests.serving.application:make"


@pytest.mark.parametrize(
    ("engine", "options", "message"),
    [
        ("tornado", {"max_body_size": "abc"}, "max_body_size: 'abc' must be a whole number"),
        ("tornado", {"max_body_size": True}, "max_body_size: True must be a whole number"),
        ("tornado", {"idle_connection_timeout": "1"}, "idle_connection_timeout: '1' must be a number"),
        ("tornado", {"xheaders": "maybe"}, "xheaders: 'maybe' must be true or false"),
        ("tornado", {"trusted_downstream": "10.0.0.1"}, "trusted_downstream: '10.0.0.1' must be a list"),
        ("tornado", {"ssl_options": "abc"}, "ssl_options: 'abc' must be an object or SSLContext"),
        ("tornado", {"ssl_options": {}}, "ssl_options: there is no certfile"),
        ("tornado", {"ssl_options": {"cert": "x"}}, "ssl_options: it takes certfile, keyfile"),
        ("tornado", {"ssl_options": {"certfile": "/nowhere"}}, "ssl_options: certfile '/nowhere' cannot be used: "),
        ("granian", {"workers_lifetime": "abc"}, "workers_lifetime: 'abc' must be a whole number"),
        ("granian", {"backlog": 1.5}, "backlog: 1.5 must be a whole number"),
        ("granian", {"ssl_cert": "/nowhere"}, "ssl_cert: there is no file '/nowhere'"),
        ("granian", {"ssl_cert": __file__}, "ssl_cert and ssl_key: one is nothing without the other"),
        ("granian", {"ssl_cert": __file__, "ssl_key": __file__}, "ssl_cert and ssl_key cannot be used: "),
    ],
)
def test_a_value_that_an_engine_cannot_take_is_told(engine: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}"):
        bzz.serve(APPLICATION, port=0, server=engine, **options)


def engine(
    names: list[str],
    mode: Literal["a", "b"],
    seconds: float | None,
    paths: Sequence[Path],
    path: Path | None,
    other: Any,
) -> None:
    """Takes what the engines take, and what they may take one day."""


@pytest.mark.parametrize(
    ("options", "is_taken"),
    [
        ({"names": ["a"]}, True),
        ({"names": "a"}, False),
        ({"mode": 5}, True),  # which the engine judges
        ({"other": 5}, True),
        ({"seconds": None}, True),
        ({"seconds": 1}, True),
        ({"seconds": "1"}, False),
        ({"paths": [Path("a")]}, True),
        ({"paths": 5}, False),
        ({"path": "a"}, True),
        ({"path": 5}, False),
    ],
)
def test_values_are_judged_as_far_as_the_engine_declares_plain_types(options: dict[str, Any], is_taken: bool) -> None:
    with nullcontext() if is_taken else pytest.raises(ConfigurationError):
        check_options(options, engine, [])


@pytest.mark.parametrize("value", ["1", True, -1, float("nan"), None])
def test_a_limit_is_a_number_that_is_not_below_nothing(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^grace_seconds: {value!r} must be a number"):
        bzz.Limits(grace_seconds=value)


@pytest.mark.parametrize("engine", ["tornado", "granian"])
def test_a_file_that_is_no_socket_is_left_as_it_is(engine: Any, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(FileExistsError):
        bzz.serve(APPLICATION, unix_socket=file, server=engine)
    assert file.read_text() == "mine"

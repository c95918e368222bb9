"""The pages on relays are programs, and print what they say."""

from __future__ import annotations

import ast
import re

import pytest

from bzz.relay.envelope import MAX_BYTES
from bzz.relay.payload import MAX_DEPTH
from tests.events.test_docs import DOCS, blocks, module, run
from tests.relay.server import RedisServer

SOURCE = DOCS.parent / "bzz" / "relay"


@pytest.mark.parametrize("page", ["relay", "coming-from-state-signals"])
async def test_the_examples_of_a_page_run_and_print_what_it_says(page: str, redis: RedisServer) -> None:
    names = module()
    printed = ""
    for kind, text in blocks(page):
        if kind == "python":
            assert printed == ""
            printed = await run(text.replace("redis://localhost:6379", redis.url), names)
        elif kind == "text":
            assert printed == text
            printed = ""
        else:
            ast.parse(text)
    assert printed == ""


def test_every_reason_for_which_messages_are_dropped_is_on_the_page() -> None:
    source = "".join(path.read_text() for path in SOURCE.glob("*.py"))
    reasons = set(re.findall(r'(?:Unreadable|drop)\("(\w+)"', source)) | set(
        re.findall(r'"(\w+)" if .* else "(\w+)"', source)[0]
    )
    told = set(re.findall(r"`(\w+)`", (DOCS / "relay.md").read_text()))
    assert reasons - told == set()
    assert len(reasons) > 10


def test_the_limits_on_the_page_are_those_in_the_code() -> None:
    text = (DOCS / "relay.md").read_text()
    assert f"{MAX_BYTES // 1024} KB" in text
    assert f"nested {MAX_DEPTH} levels deep" in text

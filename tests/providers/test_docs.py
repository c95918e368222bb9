"""The page on providers: its program runs, and its tests end as it says."""

from __future__ import annotations

import doctest
import re
import shlex
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from bzz.dev import MongoServer
from bzz.testing.provider import CAPABILITIES
from tests.docs.page import blocks
from tests.providers.running import ROOT, run

PAGE = ROOT / "docs" / "providers.md"


@pytest.fixture
def database(mongo: MongoServer) -> Iterator[str]:
    """The name of a database, dropped afterwards."""
    name = f"bzz_page_{uuid.uuid4().hex}"
    yield name
    with MongoClient[dict[str, object]](mongo.uri) as client:
        client.drop_database(name)


@pytest.mark.slow
def test_the_tests_of_the_page_end_as_it_says(mongo: MongoServer, database: str, tmp_path: Path) -> None:
    program, source = tmp_path / "test_provider.py", [block.text for block in blocks(PAGE) if block.kind == "python"]
    program.write_text("\n\n".join(source).replace('me.connect("contract"', f'me.connect("{database}"'))
    (shown,) = (block.text for block in blocks(PAGE) if block.kind == "console")
    command, _, expected = shown.partition("\n")
    printed = run(mongo.uri, "--rootdir", str(tmp_path), *shlex.split(command)[2:], directory=tmp_path)
    assert doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS), printed
    assert "failed" not in printed


def test_the_page_names_every_capability() -> None:
    named = re.findall(
        r"^\| `(\w+)` \|.*\|.*\|$", PAGE.read_text().partition("## What a provider may lack")[2], re.MULTILINE
    )
    assert tuple(named) == CAPABILITIES

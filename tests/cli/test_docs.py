"""The page on the command line names every command and option, and its examples do as they say."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import typer

from bzz.cli import app
from bzz.dev import MongoServer
from tests.docs.page import ROOT, Program, blocks, check

PAGE = ROOT / "docs" / "cli.md"
ELSEWHERE = {"serve": ROOT / "docs" / "deployment.md", "mock": ROOT / "docs" / "mock.md"}


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        found |= {f"{name} {below}": each for below, each in getattr(command, "commands", {}).items()} or {
            name: command
        }
    return found


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_examples_of_the_page_do_as_they_say(mongo: MongoServer, tmp_path: Path) -> None:
    program, previous = Program(mongo.uri, f"bzz_page_{uuid.uuid4().hex}", tmp_path), ""
    try:
        for block in blocks(PAGE):
            check(program, block, previous)
            previous = block.kind
    finally:
        program.close()


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_has_its_place_on_a_page(name: str) -> None:
    text = ELSEWHERE.get(name, PAGE).read_text()
    assert f"`bzz {name}" in PAGE.read_text()
    if name not in ELSEWHERE:
        longest = [max(option.opts, key=len) for option in commands()[name].params if option.opts[0].startswith("-")]
        assert [option for option in longest if option not in ("--help",) and f"`{option}" not in text] == []


@pytest.mark.parametrize("name", commands())
def test_every_option_says_what_it_does(name: str) -> None:
    assert [each.name for each in commands()[name].params if not each.help] == []
    assert commands()[name].help

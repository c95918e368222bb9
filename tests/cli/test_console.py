"""Colours are for terminals, and NO_COLOR switches them off."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from tests.cli.running import COMMAND, environment


def on_a_terminal(*arguments: str, **env: str) -> tuple[int, str]:
    """Run a command on a terminal; return how it ended, and all that it wrote."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, timeout=50, check=False,
            env=environment(TERM="xterm-256color", **env),
        )  # fmt: skip
        return done.returncode, os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(("env", "is_red"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_an_error_is_red_on_a_terminal_unless_colours_are_off(env: dict[str, str], is_red: bool) -> None:
    code, text = on_a_terminal("routes", "nowhere:app", **env)
    assert (code, "there is no module 'nowhere'" in text, "\x1b[31m" in text) == (1, True, is_red)

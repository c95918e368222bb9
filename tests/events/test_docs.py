"""The pages on events are programs: each ``python`` block runs, and prints the ``text`` block that follows it."""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import inspect
import io
import re
import types
import unittest
from pathlib import Path
from typing import Any

import pytest
from tornado.web import HTTPError

import bzz
from bzz.events import Creating

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["events", "coming-from-perseus", "coming-from-django-event-system", "coming-from-canvas"]
BLOCK = re.compile(r"^```(python|python theirs|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    """The kind and the text of each block."""
    return BLOCK.findall((DOCS / f"{page}.md").read_text())


def module() -> dict[str, Any]:
    """The names that the first block of a page finds."""
    return {"__name__": "docs", "__builtins__": builtins}


async def run(program: str, names: dict[str, Any]) -> str:
    """What ``program`` prints; ``await`` works outside functions, as in ``python -m asyncio``."""
    code = compile(program, "docs", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        answer = types.FunctionType(code, names)()
        if inspect.isawaitable(answer):
            await answer
    return printed.getvalue()


@pytest.mark.parametrize("page", PAGES)
async def test_the_examples_of_a_page_run_and_print_what_it_says(page: str) -> None:
    names = module()
    printed = ""
    for kind, text in blocks(page):
        if kind == "python":
            assert printed == ""
            printed = await run(text, names)
        elif kind == "text":
            assert printed == text
            printed = ""
    assert printed == ""


@pytest.mark.parametrize("page", PAGES[1:])
def test_the_examples_of_others_are_python_too(page: str) -> None:
    theirs = [text for kind, text in blocks(page) if kind == "python theirs"]
    for text in theirs:
        ast.parse(text)
    assert theirs


async def test_the_unittest_example_passes() -> None:
    names = module()
    for kind, text in blocks("coming-from-django-event-system"):
        if kind == "python":
            await run(text, names)
    result = unittest.TestResult()
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(names["TestExample"])
    await asyncio.to_thread(suite.run, result)
    assert (result.testsRun, result.wasSuccessful()) == (1, True)


async def test_the_listener_that_refuses_robots_refuses_robots() -> None:
    names = module()
    kind, text = next(each for each in blocks("events") if "people only" in each[1])
    await run("import bzz\n" + text, names)
    handler = types.SimpleNamespace(data={"name": "ada"})
    await bzz.emit(Creating(model=names["User"], handler=handler))
    assert (kind, handler.data) == ("python", {"name": "Ada"})
    handler.data = {"name": "robot 7"}
    with pytest.raises(HTTPError, match="people only"):
        await bzz.emit(Creating(model=names["User"], handler=handler))

"""Every program and command in the README and on the pages does what the page says."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from bzz.dev import MongoServer
from tests.docs.page import ROOT, Program, blocks, check

EVENTS = (
    "events",
    "relay",
    *(f"coming-from-{each}" for each in ("perseus", "django-event-system", "canvas", "state-signals")),
)
TRIED_ELSEWHERE = (*EVENTS, "cli", "auth", "mock", "benchmarks", "providers")

SLOW = ("tutorial", "testing", "coming-from-pocketbase", "live")  # they run pytest, or follow feeds for seconds

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "recipes").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.fixture
def program(mongo: MongoServer, tmp_path: Path) -> Iterator[Program]:
    running = Program(mongo.uri, f"bzz_page_{uuid.uuid4().hex}", tmp_path)
    yield running
    running.close()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if page.stem in SLOW else [])
        for page in PAGES
        if not page.stem.startswith(TRIED_ELSEWHERE)
    ],
)
def test_the_blocks_of_a_page_do_as_they_say(page: Path, program: Program) -> None:
    previous = ""
    for block in blocks(page):
        try:
            check(program, block, previous)
        except AssertionError as error:
            pytest.fail(f"{page.relative_to(ROOT)}:{block.line}: {error}", pytrace=False)
        previous = block.kind


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def drawn(picture: str) -> list[Path]:
    """The paths in a picture of a tree, whose indentation shows what is in what."""
    above: list[tuple[int, Path]] = []
    found = []
    for line in picture.splitlines():
        depth = len(line) - len(line.lstrip())
        above = [(other, path) for other, path in above if other < depth]
        found.append((above[-1][1] if above else ROOT) / line.split()[0])
        above.append((depth, found[-1]))
    return found


def test_what_the_picture_of_the_house_shows_is_there() -> None:
    picture = next(block.text for block in blocks(ROOT / "docs" / "architecture.md") if block.text.startswith("bzz/"))
    assert [path for path in drawn(picture) if not path.exists()] == []

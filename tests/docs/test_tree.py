"""The pages that say where things are name every module of bzz, and nothing that is not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def modules() -> set[str]:
    """Every module of bzz, by its path; a package's ``__init__`` is the package's own affair."""
    found = {each.relative_to(ROOT).as_posix() for each in (ROOT / "bzz").rglob("*.py")}
    return {each for each in found if not each.endswith("/__init__.py")} | {"bzz/__init__.py"}


def drawn() -> Iterator[tuple[str, str]]:
    """Each path in the tree of the architecture, and what is said of it."""
    tree = ARCHITECTURE.partition("```text\n")[2].partition("```")[0]
    above: list[tuple[int, str]] = []
    for line in tree.splitlines():
        name, _, words = line.strip().partition(" ")
        depth = len(line) - len(line.lstrip())
        above = [each for each in above if each[0] < depth]
        path = "".join(each for _, each in above) + name
        if name.endswith("/"):
            above.append((depth, name))
        yield path, words.strip()


def tabled() -> Iterator[tuple[str, str]]:
    """Each place in the contributor's table, and what is said of it; a later name is beside the first of its row."""
    table = CONTRIBUTING.partition("| place | what is in it |\n|---|---|\n")[2].partition("\n\n")[0]
    for line in table.splitlines():
        places, words = (cell.strip() for cell in line.strip("|").split("|"))
        first, *others = re.findall("`([^`]+)`", places)
        yield first, words
        for each in others:
            yield each if "/" in each.rstrip("/") else f"{first.rpartition('/')[0]}/{each}", words


def test_every_module_is_in_the_tree_of_the_architecture() -> None:
    assert modules() - {path for path, _ in drawn()} == set()


def test_every_module_of_the_tree_is_there_and_stands_in_it_once() -> None:
    paths = Counter(path for path, _ in drawn() if path.endswith(".py"))
    assert paths - Counter(modules()) == Counter()


def test_every_folder_of_the_tree_is_there() -> None:
    assert [path for path, _ in drawn() if path.endswith("/") and not (ROOT / path).is_dir()] == []


def test_the_tree_says_something_of_every_module() -> None:
    assert [path for path, words in drawn() if path.endswith(".py") and not words] == []


def test_every_place_of_the_contributors_table_is_there() -> None:
    assert [place for place, _ in tabled() if not (ROOT / place).exists()] == []


def test_every_file_that_the_contributors_table_mentions_is_there() -> None:
    mentioned = [
        (place, name) for place, words in tabled() for name in re.findall(r"`([\w/]+(?:\.py|/))`", words)
    ]  # fmt: skip
    assert [(place, name) for place, name in mentioned if not (ROOT / place / name).exists()] == []


def test_everything_at_the_top_of_bzz_is_in_the_contributors_table() -> None:
    top = {each.split("/")[1] for each in modules()} - {"__init__.py", "__main__.py"}
    assert top - {place.split("/")[1] for place, _ in tabled() if place.startswith("bzz/")} == set()


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    lengths = {each: len((ROOT / each).read_text(encoding="utf-8").splitlines()) for each in modules()}
    assert {each: length for each, length in lengths.items() if length > 300} == {}

"""``bzz new``: an application to begin with. Its files are those of ``scaffold/``, with the names put in."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from bzz.cli.console import Failure, ending
from bzz.extras import needs

with needs("cli"):
    import typer

__all__ = ["new"]

TEMPLATES = Path(__file__).parent / "scaffold"
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_TAKEN = ("bzz", "tests", "mongoengine", "tornado", "pytest")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its directory, such as shop or task-list.")],
) -> None:
    """Make an application to begin with: model, receiver, tests, Makefile, Dockerfile, compose, nginx.

    `make run` and `make test` work in it at once.
    """
    with ending():
        directory = Path(name)
        _check(directory)
        for path, text in _files(directory.name):
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text, encoding="utf-8")
        typer.echo(f"{name}/ is made: cd {name} && make run")


def _check(directory: Path) -> None:
    package = _package(directory.name)
    if not _NAME.fullmatch(directory.name):
        raise Failure(
            f"{directory.name!r} cannot be the name of a package: small letters, digits, '-' and '_', such as shop"
        )
    if keyword.iskeyword(package) or package in _TAKEN or package in sys.stdlib_module_names:
        raise Failure(f"{directory.name!r} cannot be the name of a package: it is taken by Python or a package")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Failure(f"{directory} is there already, and not empty")


def _package(name: str) -> str:
    return name.replace("-", "_")


def _files(name: str) -> Iterator[tuple[Path, str]]:
    """Yield the path of each file in the new directory, and its text."""
    names = {"name": name, "package": _package(name), "title": name.replace("-", " ").replace("_", " ").capitalize()}
    for template in sorted(TEMPLATES.rglob("*.txt")):
        path = template.relative_to(TEMPLATES)
        target = path.with_name(_file_name(path.name))
        if target.parts[0] == "package":
            target = Path(names["package"], *target.parts[1:])
        text = template.read_text(encoding="utf-8")
        yield target, re.sub(r"\{\{(\w+)\}\}", lambda found: names[found[1]], text)


def _file_name(template: str) -> str:
    name = template.removesuffix(".txt")
    return ".gitignore" if name == "gitignore" else name

"""Functions whose source is generated once per class, as attrs and cattrs do it.

The source is plain Python. It is kept in :mod:`linecache`, so that tracebacks and debuggers show it.
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["FunctionSource"]

_numbers = itertools.count(1)


class FunctionSource:
    """The source of one function, while it is being written.

    :param name: the function's name, for tracebacks.
    :param argument: the name of its one argument.
    """

    def __init__(self, name: str, argument: str) -> None:
        self.names: dict[str, Any] = {}
        self._name = name if name.isidentifier() else "generated"
        self._lines = [f"def {self._name}({argument}):"]
        self._inside: list[object] = []
        self._variables = itertools.count(1)

    def bind(self, value: Any, hint: str) -> str:
        """Return the name by which the function knows an object."""
        known = next((name for name, each in self.names.items() if each is value), None)
        if known is None:
            known = f"{hint}_{len(self.names) + 1}"
            self.names[known] = value
        return known

    def variable(self) -> str:
        """Return the name of a new variable."""
        return f"v{next(self._variables)}"

    def call(self, function: Callable[[Any], Any], expression: str) -> str:
        """Return an expression for what a function makes of another expression's value; None stays None."""
        variable, name = self.variable(), self.bind(function, getattr(function, "__name__", "function"))
        return f"(None if ({variable} := {expression}) is None else {name}({variable}))"

    @contextmanager
    def inside(self, thing: object) -> Iterator[None]:
        """Remember that what is written meanwhile is inside ``thing``."""
        self._inside.append(thing)
        try:
            yield
        finally:
            self._inside.pop()

    def is_inside(self, thing: object) -> bool:
        """Whether what is written now is inside ``thing``: it would have no end to write it out again."""
        return any(each is thing for each in self._inside)

    def add(self, line: str) -> None:
        """Add a line to the body of the function."""
        self._lines.append(f"    {line}")

    def compile(self) -> Callable[[Any], Any]:
        """Return the function."""
        text = "\n".join(self._lines) + "\n"
        file = f"<bzz generated {self._name} {next(_numbers)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), self.names)  # of names that a model declares, quoted by repr()
        made: Callable[[Any], Any] = self.names[self._name]
        return made

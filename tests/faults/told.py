"""What a durable listener was told, by the file that it wrote: is all of it there, and in order?

The changes of a document have the numbers 0, 1, 2, ... Each has to be handled with success, after those before it. A
process goes from each to the next one. Only where it begins anew, or another one takes over, may some come again, and
then all that follow come again, too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bzz.delivery.session import WINDOW

__all__ = ["Handled", "Told"]


@dataclass(frozen=True)
class Handled:
    """A change that was handled with success.

    :param life: names the process, and how often it had begun anew.
    """

    life: str
    document: str
    step: int


class Told:
    """What a file says.

    :param margin: how many changes may come again in each life, beside those of a window: letters being tried.
    """

    def __init__(self, path: Path, margin: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.lives: list[str] = []
        self.odd: list[str] = []
        self._path = path
        self._margin = margin
        self._place = self._lines = 0
        self._began: dict[tuple[str, str], int] = {}
        self._ended: dict[tuple[str, str], int] = {}
        self._restarts: Counter[str] = Counter()
        self._handled: list[tuple[int, Handled]] = []
        self._known: set[tuple[str, int]] = set()

    def read(self) -> Told:
        """Read what was written since."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._place)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._place += len(whole)
            for line in whole.decode().splitlines():
                self._read(self._lines, *line.split())
                self._lines += 1
        return self

    @property
    def handled(self) -> list[Handled]:
        """What was handled, in the order in which that began."""
        return [each for _, each in sorted(self._handled, key=lambda pair: pair[0])]

    def _read(self, at: int, process: str, what: str, *rest: str) -> None:
        self.counts[what] += 1
        if what == "begin":
            self._began[process, rest[0]] = at
        elif what == "restart":
            self._restarts[process] += 1
        elif what == "refused":
            self.refused[rest[0]] += 1
        elif what in ("done", "failed"):
            number, document, step, _ = rest
            began = self._began[process, number]
            self._check_alone(process, document, began, at)
            if what == "done":
                self._handled.append((began, Handled(self._life(process), document, int(step))))
                self._known.add((document, int(step)))

    def _check_alone(self, process: str, document: str, began: int, ended: int) -> None:
        """Note it where one process has two calls for one document at a time."""
        if began < self._ended.get((process, document), -1):
            self.odd.append(f"{document}: process {process} began a call while another one was going on")
        self._ended[process, document] = ended

    def _life(self, process: str) -> str:
        life = f"{process}/{self._restarts[process]}"
        if life not in self.lives:
            self.lives.append(life)
        return life

    def has_handled(self, process: int) -> bool:
        """Whether a process has handled a change."""
        return any(each.startswith(f"{process}/") for each in self.lives)

    def distinct(self) -> int:
        """How many changes were handled at least once."""
        return len(self._known)

    @property
    def repeated(self) -> int:
        """How many came again."""
        return len(self._handled) - self.distinct()

    def wrong(self, steps: Mapping[str, int]) -> list[str]:
        """What is not as it must be, as sentences.

        :param steps: the number of the last change of each document.
        """
        by_document: dict[str, list[Handled]] = defaultdict(list)
        for each in self.handled:
            by_document[each.document].append(each)
        wrong = list(self.odd)
        for document, last in steps.items():
            wrong += self._judge(document, by_document.pop(document, []), last)
        wrong += [f"{document} was told, and nobody wrote it" for document in by_document]
        return wrong + self._too_often()

    @staticmethod
    def _judge(document: str, handled: list[Handled], last: int) -> list[str]:
        wrong, seen, before = [], -1, None
        for each in handled:
            if each.step > seen + 1:
                wrong.append(f"{document}: {each.step} came when {seen} was the last one ({each.life})")
            if before is not None and each.life == before.life and each.step != before.step + 1:
                wrong.append(f"{document}: {each.step} came behind {before.step} ({each.life})")
            if before is not None and each.step > before.step + 1:
                wrong.append(f"{document}: {each.step} came behind {before.step}, which came again ({each.life})")
            seen, before = max(seen, each.step), each
        if seen != last:
            wrong.append(f"{document}: {seen} was told, and {last} is the last one")
        elif before is not None and before.step != last:
            wrong.append(f"{document}: {before.step} was told last, and {last} is the last one")
        return wrong

    def most_repeated(self) -> int:
        """How many changes came again in one life, at most."""
        return max(self._repeats().values(), default=0)

    def _repeats(self) -> Counter[str]:
        repeats: Counter[str] = Counter()
        known: set[tuple[str, int]] = set()
        for each in self.handled:
            if (each.document, each.step) in known:
                repeats[each.life] += 1
            known.add((each.document, each.step))
        return repeats

    def _too_often(self) -> list[str]:
        most = WINDOW + self._margin
        return [f"{number} changes came again in {life}" for life, number in self._repeats().items() if number > most]

"""How far a load has come, kept beside the file that is loaded, so that it goes on after a kill.

Rows without an ``id`` are given one, an ObjectId made of the load and the row's number, where the model takes it. So a
row whose answer never came can be sent again: where it was stored, the server says that the id is taken.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bzz.cli.console import Failure
from bzz.cli.rows import Row

__all__ = ["Progress"]

_COUNTERS = 1 << 24


@dataclass
class Progress:
    """What is done of one load.

    :param url: where the rows go.
    :param file: where this is kept; None for a load that cannot be resumed.
    :param started: when it began, in seconds since 1970.
    :param key: ten hexadecimal digits that no other load has.
    :param takes_ids: whether the model takes the ids that it is given; None while that is not known.
    :param done: how many rows have been answered.
    :param sending: how many further rows were on their way when this was written.
    :param stored: how many of the done rows are stored; the others were refused.
    :param refused_bytes: how long the file of the refused rows was.
    :param digest: of all rows that are done.
    """

    url: str
    file: Path | None = None
    started: int = field(default_factory=lambda: int(time.time()))
    key: str = field(default_factory=lambda: secrets.token_hex(5))
    takes_ids: bool | None = None
    done: int = 0
    sending: int = 0
    stored: int = 0
    refused_bytes: int = 0
    digest: str = ""

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()
        self._doubtful_until = self.done + self.sending

    @classmethod
    def of(cls, url: str, file: Path) -> Progress:
        """Return how far the load that is kept in ``file`` has come; a new one if there is none.

        :raises Failure: if it went somewhere else, or the file is not what it was.
        """
        if not file.exists():
            return cls(url, file)
        try:
            found = cls(**{**json.loads(file.read_text()), "file": file})
        except (ValueError, TypeError):
            raise Failure(f"{file} is not what a load left: remove it to begin anew") from None
        if found.url != url and not found.done:
            return cls(url, file)  # nothing is there to go on with
        if found.url != url:
            raise Failure(f"{file} belongs to a load into {found.url}: remove it to begin anew")
        return found

    def skip(self, row: Row) -> None:
        """Pass over a row that an earlier run has done.

        :raises Failure: at the last of them, if they are not the rows that it did.
        """
        self._hash.update(row.text.encode())
        if row.number == self.done and self._hash.hexdigest() != self.digest:
            rows = f"the first {self.done:,} rows"
            raise Failure(f"{rows} are not those that were loaded: remove {self.file} to begin anew")

    def is_doubtful(self, row: Row) -> bool:
        """Return whether a row was on its way when an earlier run ended."""
        return row.number <= self._doubtful_until

    def id_of(self, row: Row) -> str:
        """Return the id of a row that has none: in the order of the file, as ObjectIds of one process are.

        >>> Progress("", started=0x65000000, key="ab" * 5).id_of(Row(258, {}, "", 0))
        '65000000ababababab000102'
        """
        return f"{self.started + row.number // _COUNTERS:08x}{self.key}{row.number % _COUNTERS:06x}"

    def sends(self, count: int) -> None:
        """Note that rows are about to be sent."""
        self.sending = max(self.sending, count)
        self._write()

    def has_done(self, rows: list[Row], stored: int, refused_bytes: int) -> None:
        """Note that rows were answered."""
        for row in rows:
            self._hash.update(row.text.encode())
        self.digest = self._hash.hexdigest()
        self.done += len(rows)
        self.sending = max(self.sending - len(rows), 0)
        self.stored += stored
        self.refused_bytes = refused_bytes
        self._write()

    def forget(self) -> None:
        """Remove the file: the load is complete."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    def _write(self) -> None:
        if self.file is None:
            return
        new = self.file.with_name(self.file.name + ".new")
        new.write_text(json.dumps({**asdict(self), "file": None}))
        new.replace(self.file)

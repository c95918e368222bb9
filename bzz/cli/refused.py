"""The file of the rows that a server refused, each with the reason and its data: NDJSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bzz.cli.console import Failure
from bzz.cli.sending import Outcome

__all__ = ["RefusedRows"]


class RefusedRows:
    """Writes refused rows. The file appears with the first of them, and replaces one that an earlier load left.

    :param size: how much of the file is of this load: what follows was written by a run that was killed, and its rows
        come again.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._size = size

    def write(self, refused: Sequence[Outcome]) -> int:
        """Add rows; return how long the file is now.

        :raises Failure: if it cannot be written.
        """
        if refused:
            lines = "".join(_line(each) for each in refused).encode()
            try:
                self.path.touch()
                with self.path.open("r+b") as file:
                    file.truncate(self._size)
                    file.seek(self._size)
                    file.write(lines)
            except OSError as error:
                raise Failure(f"{self.path} cannot be written: {error.strerror}") from None
            self._size += len(lines)
        return self._size


def _line(outcome: Outcome) -> str:
    reason = {name: value for name, value in (outcome.reason or {}).items() if name != "type"}
    data = outcome.row.data if outcome.row.data is not None else outcome.row.text
    return json.dumps({"row": outcome.row.number, **reason, "data": data}, ensure_ascii=False) + "\n"

"""What a provider says of its storage to those who look after an application: ``bzz check`` asks for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Diagnosed", "Diagnosis"]


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    :param unindexed: the dotted names, of those that were asked for, that no index begins with.
    :param documents: about how many instances of the model are stored.
    :param cannot: what the server cannot do, one sentence each, with the remedy.
    """

    unindexed: tuple[str, ...]
    documents: int
    cannot: tuple[str, ...]


class Diagnosed(ABC):
    """A provider that can look at its storage."""

    @abstractmethod
    async def diagnose(self, paths: Sequence[str]) -> Diagnosis:
        """Look at what is stored, and write nothing.

        :param paths: dotted names of fields, as filters name them.
        :raises bzz.errors.Unavailable: if the storage cannot be asked.
        :raises bzz.errors.ConfigurationError: if no connection leads there.
        """

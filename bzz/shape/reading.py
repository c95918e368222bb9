"""What a kind asks for while it reads the values of a body."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any

from bzz.shape.place import Place

__all__ = ["Reader", "Reading"]


class Reading(ABC):
    """One reading of a body: what a kind asks for while it reads the values in it."""

    @abstractmethod
    def note(self, place: Place, message: str) -> None:
        """Note a mistake."""

    @abstractmethod
    def fields(
        self, shape: Any, values: Mapping[str, Any], place: Place, *, besides: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return the values of a document, each read by the field of its name.

        :param shape: the :class:`~bzz.shape.Shape` of the document.
        :param besides: names that are read elsewhere, and left out.
        """


Reader = Callable[[Any, Place, Reading], Any]

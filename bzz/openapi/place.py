"""Where in an API an operation stands."""

from __future__ import annotations

from typing import NamedTuple

from bzz.model.resource import Resource
from bzz.openapi.components import SHOWN, Components
from bzz.openapi.parameters import Parameter
from bzz.providers.base import Path, Step
from bzz.shape.base import JsonSchema

__all__ = ["Place"]


class Place(NamedTuple):
    """The end of a path that operations are described for.

    :param ids: the parameters of the path.
    :param name: what operation ids are made of, such as ``user_addresses``.
    """

    resource: Resource
    path: Path
    ids: tuple[Parameter, ...]
    name: str
    components: Components

    @property
    def last(self) -> Step:
        """The end of the path."""
        return self.path.last

    @property
    def is_root(self) -> bool:
        """Whether it is the list of documents, or one of them."""
        return self.last.field is None

    def shown(self) -> JsonSchema:
        """Return the schema of what is shown there."""
        return self.components.refer(self.last.shape, SHOWN)

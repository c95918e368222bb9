"""Public ids: how references name documents to clients, if not by the primary key. A part of the seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bzz.shape import Shape

__all__ = ["NamesDocuments"]


class NamesDocuments:
    """The methods of a provider that are about public ids. A provider without any needs to override none."""

    def has_public_ids(self, shape: Shape) -> bool:
        """Return whether documents of a shape may refer to models that have a :attr:`~bzz.shape.Shape.public_id`.

        The two methods about public ids are called for such shapes only.
        """
        return False

    async def resolve_public_ids(self, shape: Shape, data: dict[str, Any], context: Any) -> None:
        """Replace, in a decoded body, the public ids of documents that are referred to by their primary keys.

        What is not a public id stays as it is, and may be a primary key.

        :param shape: of the document that the body describes.
        :param data: is changed in place; it is not validated yet.
        """
        raise NotImplementedError

    async def render_public_ids(self, items: Sequence[Any], shown: Sequence[Any], context: Any) -> None:
        """Replace the primary keys in references by public ids, in what ``render`` gave for ``items``.

        If there is no such document for this request, or it has no public id, the primary key stays.

        :param items: as for :meth:`bzz.providers.base.Provider.render`; a shape stands for values of its model.
        :param shown: is changed in place.
        """
        raise NotImplementedError

"""What the fields of a model say against values, each by itself, before anybody knows whether all of them are there.

A document that is to be stored is checked as a whole (:mod:`bzz.providers.mongoengine.codecs.forms`). Here a client's
values are checked as they came: what is missing, and what rests on it, is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from typing import Any

from bzz.providers.mongoengine.codecs.checks import Errors, Refusal, below
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.value_checks import Document, FindMissing, Stored, check_references

__all__ = ["check_references_of", "refusals", "refusals_of"]


def refusals(codec: DocumentCodec, values: Map[str, Any]) -> Errors:
    """Return the messages of every value that its field refuses, by dotted name."""
    errors: Errors = {}
    for where, message in refusals_of(codec, values):
        errors.setdefault(where, []).append(message)
    return errors


async def check_references_of(
    codec: DocumentCodec, values: Map[str, Any], find_missing: FindMissing, stored: Stored | None = None
) -> None:
    """Refuse values that refer to documents which do not exist, and tell what else is wrong with them.

    :param find_missing: and ``stored``: as for :func:`bzz.providers.value_checks.check_references`.
    """
    document = Document(codec.shape, values)
    await check_references(document, find_missing, refusals=lambda: refusals(codec, values), stored=stored)


def refusals_of(codec: DocumentCodec, values: Map[str, Any]) -> Iterator[Refusal]:
    """Return each refusal of a value of one (embedded) document."""
    for _, field, value in codec.value_parts(values):
        yield from below(field.name, field.refusals(value))

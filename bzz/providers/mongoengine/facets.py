"""Words that are searched for, and how often each value of a field occurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bzz.errors import BadRequest
from bzz.providers.base import Criterion
from bzz.providers.mongoengine import internals
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.collection import Collection
from bzz.providers.mongoengine.filters import filter_query, stored_path
from bzz.providers.mongoengine.raw import Raw
from bzz.shape.values import find_field

__all__ = ["count_values", "is_searched", "text_index", "text_query"]

MOST_VALUES = 50


def is_searched(codec: DocumentCodec) -> bool:
    """Return whether a class has a text index, and it covers nothing that clients may not see."""
    paths = text_index(codec.model)
    return bool(paths) and all(_is_visible(codec, path) for path in paths)


def text_query(codec: DocumentCodec, words: str) -> Raw:
    """Return the condition that a document holds words, by the model's text index.

    :raises bzz.errors.BadRequest: if the model has none, or one that covers what clients may not see.
    """
    if not is_searched(codec):
        raise BadRequest(
            f"The parameter 'q' needs a text index, which {codec.shape.name} does not have. Its model declares one"
            " by '$' before a field in the model's indexes; if it has subclasses, with \"cls\": False."
        )
    return {"$text": {"$search": words}}


def _is_visible(codec: DocumentCodec, path: str) -> bool:
    """Return whether clients may see all that a path of the text index covers."""
    field = codec.by_stored.get(path.partition(".")[0])
    if field is None or field.declared.hidden or field.declared.write_only:
        return False
    return find_field(codec.shape, path) is not None if "." in path else True


async def count_values(
    collection: Collection,
    codec: DocumentCodec,
    conditions: Sequence[Raw],
    filters: Sequence[Criterion],
    names: Sequence[str],
) -> dict[str, list[tuple[Any, int]]]:
    """Return how often each value of fields occurs in the documents that meet conditions and filters."""
    every = [*conditions, *filter_query(codec, filters)]
    fields = {name: stored_path(codec, name) for name in names}
    branches = {
        f"f{number}": _branch(path, field.item is not None) for number, (path, field) in enumerate(fields.values())
    }
    (counted,) = await collection.aggregate([{"$match": {"$and": every} if every else {}}, {"$facet": branches}])
    return {
        name: [((field.item or field).to_json(each["_id"]), each["count"]) for each in counted[f"f{number}"]]
        for number, (name, (_, field)) in enumerate(fields.items())
    }


def _branch(path: str, is_list: bool) -> list[Raw]:
    """Return the stages that count the values at a path; what is not there counts as null."""
    unwound: list[Raw] = [{"$unwind": {"path": f"${path}", "preserveNullAndEmptyArrays": True}}] if is_list else []
    return [
        *unwound,
        {"$group": {"_id": {"$ifNull": [f"${path}", None]}, "count": {"$sum": 1}}},
        {"$sort": {"count": -1, "_id": 1}},
        {"$limit": MOST_VALUES},
    ]


def text_index(model: Any) -> list[str]:
    """Return the stored paths that a class's text index covers (``"$title"`` among its ``indexes``); [] without one.

    One that begins with the class, as MongoEngine makes it unless it is told ``"cls": False``, answers for one class
    only: MongoDB refuses to search documents of several by it.
    """
    keys = [spec.get("fields", ()) for spec in internals.meta(model).get("index_specs") or ()]
    if len(internals.family(model)) > 1:
        keys = [each for each in keys if (internals.CLASS_KEY, 1) not in each]
    return [path for each in keys for path, direction in each if direction == "text"]

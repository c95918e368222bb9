"""Primary keys are sorted as MongoDB itself sorts them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any

import bson
import pymongo
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.codec_options import CodecOptions
from bson.datetime_ms import DatetimeMS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError

from bzz.dev import MongoServer
from bzz.providers.mongoengine.changes.key_order import sort_key

OPTIONS: CodecOptions[Any] = CodecOptions(uuid_representation=bson.binary.UuidRepresentation.STANDARD)

numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(Int64),
    st.integers(-5, 5),
    st.floats(allow_nan=True),
    st.sampled_from([0.5, -0.0, 2.0**53, 2.0**63, float("nan"), float("inf")]),
    st.sampled_from([2**53, 2**53 + 1, 2**63 - 1]).map(Int64),
    st.sampled_from(["0.5", "3", "-7E+10", "NaN", "Infinity", "-Infinity", "1E-30", "9007199254740993"]).map(
        Decimal128
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
scalars = st.one_of(
    numbers,
    texts,
    st.binary(max_size=4),
    st.builds(Binary, st.binary(max_size=4), st.sampled_from([0, 2, 5, 128])),
    st.uuids(),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.booleans(),
    st.none(),
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    st.integers(-(2**60), 2**60).map(DatetimeMS),
    st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.sampled_from([MinKey(), MaxKey(), Code("a"), Code("b")]),
)
names = st.text("ab", min_size=1, max_size=2)
inner = st.one_of(scalars, st.sampled_from([Regex("a"), Regex("b", "i"), Code("a", {"x": 1})]))
values = st.recursive(
    inner, lambda some: st.lists(some, max_size=3) | st.dictionaries(names, some, max_size=3), max_leaves=5
)
keys = st.one_of(scalars, st.dictionaries(names, values, max_size=3))


@pytest.fixture(scope="module")
def collection(mongo: MongoServer) -> Iterator[Any]:
    client: pymongo.MongoClient[Any]
    with pymongo.MongoClient(mongo.uri, uuidRepresentation="standard", datetime_conversion="DATETIME_AUTO") as client:
        name = f"bzz_test_{uuid.uuid4().hex}"
        yield client[name]["key"]
        client.drop_database(name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(keys, min_size=2, max_size=12))
def test_keys_are_sorted_as_mongodb_sorts_them(collection: Any, some: list[Any]) -> None:
    collection.delete_many({})
    for each in some:
        with suppress(DuplicateKeyError):
            collection.insert_one({"_id": each})
    raw = collection.with_options(codec_options=OPTIONS.with_options(document_class=bson.raw_bson.RawBSONDocument))
    lenient = OPTIONS.with_options(datetime_conversion=bson.codec_options.DatetimeConversion.DATETIME_AUTO)
    stored = [bson.decode(each.raw, lenient)["_id"] for each in raw.find(sort=[("_id", 1)])]
    places = [sort_key(each, lenient) for each in stored]
    for (one, here), (other, there) in pairwise(zip(stored, places, strict=True)):
        assert here < there, f"{one!r} and {other!r}"

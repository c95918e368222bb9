"""Events of change streams: taken apart in two ways, which nobody can tell from what is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import bson
import pytest
from bson import Decimal128
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.raw_bson import RawBSONDocument

from bzz.providers.mongoengine.changes.database_changes import changes_of
from bzz.providers.mongoengine.changes.stream_event import SMALL_BYTES, StreamEvent, event_class
from tests.conftest import Driver
from tests.providers.following import following

OPTIONS: CodecOptions[Any] = CodecOptions()


def event(document: dict[str, Any], options: CodecOptions[Any] = OPTIONS) -> StreamEvent:
    """An event with a document, from which the driver has taken the token."""
    found = event_class(options)(bson.encode({"_id": {"_data": "82"}, "fullDocument": document}))
    assert found["_id"]["_data"] == "82"
    return found


def test_a_small_event_is_decoded_as_a_whole() -> None:
    assert event({"name": "Ann"}).fields == {"_id": {"_data": "82"}, "fullDocument": {"name": "Ann"}}


def test_documents_of_a_large_event_stay_encoded() -> None:
    document = {"name": "x" * SMALL_BYTES}
    found = event(document).fields["fullDocument"]
    assert isinstance(found, RawBSONDocument)
    assert bson.decode(found.raw) == document


def test_documents_that_cannot_be_read_stay_encoded() -> None:
    far = bson.datetime_ms.DatetimeMS(10**15)
    assert isinstance(event({"at": far}).fields["fullDocument"], RawBSONDocument)


@pytest.mark.parametrize("size", [1, SMALL_BYTES])
def test_an_event_has_its_documents_as_the_server_sent_them(size: int) -> None:
    document = {"name": "x" * size, "at": datetime(2026, 1, 1) + timedelta(days=1)}
    found = event(document)
    encoded = found.encoded("fullDocument")
    assert encoded is not None
    assert bytes(encoded.raw) == bson.encode(document)
    assert found.encoded("fullDocumentBeforeChange") is None


class _Decimals(TypeDecoder):
    bson_type = Decimal128

    def transform_bson(self, value: Decimal128) -> Any:
        return value.to_decimal()


@pytest.mark.parametrize("size", [1, SMALL_BYTES])
async def test_documents_are_read_with_the_types_of_the_application(driver: Driver, size: int) -> None:
    options = driver().codec_options.with_options(type_registry=TypeRegistry([_Decimals()]))
    changes = changes_of(driver().client.get_database(driver().name, codec_options=options))
    await changes.prepare(["keel"])
    price, text = Decimal128("1.50"), "a" * size
    async with following(changes, "keel") as stream:
        await driver()["keel"].insert_one({"_id": "ann", "price": price, "text": text})
        (found,) = await stream.take(1)
    assert (found.kind, found.after) == ("created", {"_id": "ann", "price": price.to_decimal(), "text": text})

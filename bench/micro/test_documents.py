"""What happens to a document: shown, written as JSON, loaded, validated, compared."""

from __future__ import annotations

from typing import Any

import bson
from pytest_benchmark.fixture import BenchmarkFixture

from bench.data import body
from bzz.codec import dumps
from bzz.model.validation import ValidatedBody
from bzz.providers.mongoengine.codecs import forms
from bzz.providers.mongoengine.codecs.diff import diff
from bzz.providers.mongoengine.codecs.document import DocumentCodec
from bzz.providers.mongoengine.record import DocumentRecord


def test_rendering_one(benchmark: BenchmarkFixture, codec: DocumentCodec, raw: dict[str, Any]) -> None:
    assert raw["city"].encode() in benchmark(lambda: dumps(codec.to_json(raw)))


def test_rendering_a_page_of_twenty(benchmark: BenchmarkFixture, codec: DocumentCodec, raw: dict[str, Any]) -> None:
    assert benchmark(lambda: dumps([codec.to_json(each) for each in [raw] * 20]))


def test_the_entity_tag(benchmark: BenchmarkFixture, codec: DocumentCodec, raw: dict[str, Any]) -> None:
    assert benchmark(lambda: DocumentRecord(codec, raw).state)


def test_loading_an_instance(benchmark: BenchmarkFixture, codec: DocumentCodec, raw: dict[str, Any]) -> None:
    assert benchmark(codec.load, raw).age == raw["age"]


def test_a_page_for_a_receiver(benchmark: BenchmarkFixture, codec: DocumentCodec, raw: dict[str, Any]) -> None:
    def read() -> list[Any]:
        records = [DocumentRecord(codec, each) for each in [raw] * 20]
        assert {record.instance.city for record in records} == {raw["city"]}
        return [record.show() for record in records]

    assert len(benchmark(read)) == 20


def test_validating_a_new_document(benchmark: BenchmarkFixture, codec: DocumentCodec) -> None:
    values = ValidatedBody(codec.shape, {}).final_values(body(7))
    assert benchmark(forms.new, codec, values)["age"] == 25


def test_encoding_a_document(benchmark: BenchmarkFixture, raw: dict[str, Any]) -> None:
    assert benchmark(bson.encode, raw)


def test_comparing_before_and_after(benchmark: BenchmarkFixture, codec: DocumentCodec, raw: dict[str, Any]) -> None:
    after = {**raw, "age": raw["age"] + 1}
    assert list(benchmark(diff, codec, raw, after)) == ["age"]

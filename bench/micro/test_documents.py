"""What happens to a document: shown, written as JSON, loaded, validated, compared."""

from __future__ import annotations

from typing import Any

import bson
from pytest_benchmark.fixture import BenchmarkFixture

from bench.data import body
from bzz.codec import dumps
from bzz.model.sent import Sent
from bzz.providers.mongoengine.diff import diff
from bzz.providers.mongoengine.mapping import Mapping
from bzz.providers.mongoengine.record import StoredRecord


def test_rendering_one(benchmark: BenchmarkFixture, mapping: Mapping, raw: dict[str, Any]) -> None:
    assert raw["city"].encode() in benchmark(lambda: dumps(mapping.show(raw)))


def test_rendering_a_page_of_twenty(benchmark: BenchmarkFixture, mapping: Mapping, raw: dict[str, Any]) -> None:
    assert benchmark(lambda: dumps([mapping.show(each) for each in [raw] * 20]))


def test_the_entity_tag(benchmark: BenchmarkFixture, mapping: Mapping, raw: dict[str, Any]) -> None:
    assert benchmark(lambda: StoredRecord(mapping, raw).state)


def test_loading_an_instance(benchmark: BenchmarkFixture, mapping: Mapping, raw: dict[str, Any]) -> None:
    assert benchmark(mapping.load, raw).age == raw["age"]


def test_validating_a_new_document(benchmark: BenchmarkFixture, mapping: Mapping) -> None:
    values = Sent(mapping.shape, {}).left(body(7))
    assert benchmark(mapping.insert_form, values)["age"] == 25


def test_encoding_a_document(benchmark: BenchmarkFixture, raw: dict[str, Any]) -> None:
    assert benchmark(bson.encode, raw)


def test_comparing_before_and_after(benchmark: BenchmarkFixture, mapping: Mapping, raw: dict[str, Any]) -> None:
    after = {**raw, "age": raw["age"] + 1}
    assert list(benchmark(diff, mapping, raw, after)) == ["age"]

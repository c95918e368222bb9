"""Reading a request: its path, its query, its body."""

from __future__ import annotations

import json

from pytest_benchmark.fixture import BenchmarkFixture

from bench.data import body, seed_id
from bzz.model.body import decode
from bzz.model.path import read_path
from bzz.model.query import read_list_query
from bzz.model.validation import ValidatedBody, validate
from bzz.shape import Shape

JSON = json.dumps(body(7)).encode()
read_anew = read_list_query.__wrapped__  # without what it remembers
FORM = b"name=Maria+Jos%C3%A9&email=maria%40example.org&age=25&tags[]=reader&tags[]=writer&address.zip=50050"


def test_the_path_of_an_instance(benchmark: BenchmarkFixture, shape: Shape) -> None:
    assert not benchmark(read_path, shape, "user", f"/{seed_id(7)}").last.is_list


def test_the_path_of_an_embedded_document(benchmark: BenchmarkFixture, shape: Shape) -> None:
    assert len(benchmark(read_path, shape, "user", f"/{seed_id(7)}/address/").steps) == 2


def test_the_query_of_a_page(benchmark: BenchmarkFixture, shape: Shape) -> None:
    assert benchmark(read_anew, shape, "page=7", per_page=20, max_per_page=100).page == 7


def test_a_query_with_filters_and_order(benchmark: BenchmarkFixture, shape: Shape) -> None:
    query = "city=Recife&age__gte=30&address.country=Brazil&sort=-age,name&per_page=50"
    assert len(benchmark(read_anew, shape, query, per_page=20, max_per_page=100).filters) == 3


def test_a_body_of_json(benchmark: BenchmarkFixture, shape: Shape) -> None:
    assert benchmark(decode, shape, "application/json", JSON)["age"] == 25


def test_a_body_of_a_form(benchmark: BenchmarkFixture, shape: Shape) -> None:
    assert benchmark(decode, shape, "application/x-www-form-urlencoded", FORM)["age"] == 25


def test_a_body_that_a_client_sent(benchmark: BenchmarkFixture, shape: Shape) -> None:
    assert benchmark(validate, shape, body(7), lambda shape, values: {}).values["age"] == 25


def test_a_body_that_receivers_left(benchmark: BenchmarkFixture, shape: Shape) -> None:
    assert benchmark(ValidatedBody(shape, {}).final_values, body(7))["age"] == 25

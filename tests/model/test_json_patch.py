"""JSON Patch (RFC 6902) and the pointers in it (RFC 6901), applied to plain JSON."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bzz.errors import BadRequest, Conflict
from bzz.model.json_patch import MAX_CARRIED_BYTES, MAX_OPERATIONS, patched, read_operations
from bzz.model.patching import changed_fields, read_plainly
from bzz.shape import Field, Shape
from bzz.shape.containers import ListKind
from bzz.shape.documents import EmbeddedKind
from bzz.shape.scalars import IntegerKind, StringKind

DEPTH = 32


def apply(document: Any, *operations: Any) -> Any:
    return patched(document, read_operations(json.dumps(operations).encode(), DEPTH), DEPTH)


def op(name: str, path: str, *value: Any, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **({"value": value[0]} if value else {}), **more}


@pytest.mark.parametrize(
    ("document", "operations", "expected"),
    [
        ({"a": 1}, [op("add", "/b", 2)], {"a": 1, "b": 2}),
        ({"a": 1}, [op("add", "/a", 2)], {"a": 2}),
        ({"a": 1}, [op("add", "/a", None)], {"a": None}),
        ({"a": 1}, [op("add", "/", 2)], {"a": 1, "": 2}),
        ({"a": [1, 2]}, [op("add", "/a/0", 0)], {"a": [0, 1, 2]}),
        ({"a": [1, 2]}, [op("add", "/a/2", 3)], {"a": [1, 2, 3]}),
        ({"a": [1, 2]}, [op("add", "/a/-", [3])], {"a": [1, 2, [3]]}),
        ({"a": {}}, [op("add", "/a/-", 1)], {"a": {"-": 1}}),
        ({"a": {}}, [op("add", "/a/00", 1)], {"a": {"00": 1}}),
        ({"a": {"0": 1}}, [op("replace", "/a/0", 2)], {"a": {"0": 2}}),
        ({"a/b": 1, "m~n": 2, "~1": 3}, [op("remove", "/a~1b"), op("remove", "/m~0n"), op("remove", "/~01")], {}),
        ({"a": 1}, [op("replace", "", {"b": 2})], {"b": 2}),
        ({"a": 1}, [op("add", "", {"b": 2})], {"b": 2}),
        ({"a": {"b": 1}}, [op("copy", "", **{"from": "/a"})], {"b": 1}),
        ({"a": 1}, [op("move", "/b", **{"from": "/a"})], {"b": 1}),
        ({"a": 1}, [op("move", "/a", **{"from": "/a"})], {"a": 1}),
        ({"a": [1, 2, 3]}, [op("move", "/a/2", **{"from": "/a/0"})], {"a": [2, 3, 1]}),
        ({"a": [1, 2]}, [op("move", "/a/-", **{"from": "/a/0"})], {"a": [2, 1]}),
        ({"a": 1, "ab": 2}, [op("move", "/ab", **{"from": "/a"})], {"ab": 1}),
        ({"a": [1]}, [op("copy", "/b", **{"from": "/a"}), op("add", "/b/-", 2)], {"a": [1], "b": [1, 2]}),
        ({"a": {"b": [1, {"c": 2}]}}, [op("test", "/a", {"b": [1.0, {"c": 2}]})], {"a": {"b": [1, {"c": 2}]}}),
        ({"a": None}, [op("test", "/a", None)], {"a": None}),
        ({"a": {"x": 1, "y": 2}}, [op("test", "/a", {"y": 2, "x": 1})], {"a": {"x": 1, "y": 2}}),
        ({"a": 1}, [], {"a": 1}),
    ],
)
def test_operations_do_what_the_rfc_says(document: Any, operations: Any, expected: Any) -> None:
    assert apply(document, *operations) == expected


@pytest.mark.parametrize(
    ("document", "operation"),
    [
        ({"a": 1}, op("test", "/a", True)),
        ({"a": 0}, op("test", "/a", False)),
        ({"a": [1]}, op("test", "/a", [True])),
        ({"a": {"b": 0}}, op("test", "/a", {"b": False})),
        ({"a": "1"}, op("test", "/a", 1)),
        ({"a": [1, 2]}, op("test", "/a", [2, 1])),
        ({"a": [1]}, op("test", "/a", [1, 2])),
        ({"a": None}, op("test", "/b", None)),
        ({"a": "text"}, op("test", "/a/0", "t")),
        ({"a": [1]}, op("test", "/a/-", None)),
        ({"a": [1]}, op("test", "/a/01", 1)),
        ({"a": "text"}, op("add", "/a/0", "t")),
        ({"a": "text"}, op("replace", "/a/0", "t")),
        ({"a": "text"}, op("remove", "/a/0")),
        ({"a": "text"}, op("copy", "/b", **{"from": "/a/0"})),
        ({"a": [1]}, op("copy", "/b", **{"from": "/a/-"})),
        ({"a": [1]}, op("add", "/a/1e0", 1)),
        ({"a": [1]}, op("add", "/a/1 ", 1)),
        ({"a": [1]}, op("add", "/a/٣", 1)),
        ({"a": [1]}, op("move", "/a/1", **{"from": "/a/1"})),
        ({"a": 1}, op("add", "/b/c", 1)),
        ({"a": None}, op("add", "/a/b", 1)),
    ],
)
def test_what_does_not_fit_is_a_conflict_that_names_the_operation(document: Any, operation: Any) -> None:
    with pytest.raises(Conflict, match=f"Operation 0 \\({operation['op']} '/"):
        apply(document, operation)


def test_a_long_path_is_told_in_part() -> None:
    with pytest.raises(Conflict) as caught:
        apply({}, op("remove", "/" + "x" * 10_000))
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize("count", [MAX_OPERATIONS, MAX_OPERATIONS + 1])
def test_a_patch_has_a_hundred_operations_at_the_most(count: int) -> None:
    body = json.dumps([op("add", "/a", 1)] * count).encode()
    if count == MAX_OPERATIONS:
        assert len(read_operations(body, DEPTH)) == count
        return
    with pytest.raises(BadRequest, match="100 operations; this one has 101"):
        read_operations(body, DEPTH)


def test_what_is_copied_is_limited_in_all() -> None:
    text = "x" * (MAX_CARRIED_BYTES // 4 - 2)
    copies = [op("copy", f"/{number}", **{"from": "/a"}) for number in range(5)]
    assert len(apply({"a": text}, *copies[:4])) == 5
    with pytest.raises(BadRequest, match="Operation 4 "):
        apply({"a": text}, *copies)


def test_a_hundred_moves_of_much_are_refused_soon() -> None:
    much = {"a": list(range(500_000)), "b": {}}
    moves = [op("move", "/b/a", **{"from": "/a"}), op("move", "/a", **{"from": "/b/a"})] * 50
    began = time.process_time()
    with pytest.raises(BadRequest, match="Operation 0 "):
        apply(much, *moves)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("name", ["add", "copy", "move"])
def test_no_operation_makes_a_document_deeper_than_it_may_be(name: str) -> None:
    def nested(levels: int) -> Any:
        return {"x": nested(levels - 1)} if levels else {}

    document = {"deep": nested(20), "a": nested(11)}
    operation = op(name, "/deep" + "/x" * 20 + "/y", nested(10), **{"from": "/a"})
    with pytest.raises(BadRequest, match=r"Operation 0 .* deeper than 32 levels"):
        apply(document, operation)


def test_a_value_of_the_patch_is_not_shared_with_the_document() -> None:
    operations = read_operations(json.dumps([op("add", "/a", []), op("add", "/a/-", 1)]).encode(), DEPTH)
    assert [patched({}, operations, DEPTH) for _ in range(2)] == [{"a": [1]}] * 2


# -- the data of an update

HOME = Shape("Home", dict, {"city": Field("city", StringKind()), "zip": Field("zip", StringKind())}, embedded=True)
USER = Shape(
    "User",
    object,
    {
        "age": Field("age", IntegerKind()),
        "tags": Field("tags", ListKind(Field("", StringKind()))),
        "home": Field("home", EmbeddedKind(lambda: HOME)),
        "homes": Field("homes", ListKind(Field("", EmbeddedKind(lambda: HOME)))),
        "key": Field("key", StringKind(), hidden=True),
    },
)


@pytest.mark.parametrize(
    ("before", "after", "data"),
    [
        ({"age": 1}, {"age": 1}, {}),
        ({"age": 1}, {"age": 1.0}, {"age": 1.0}),
        ({"age": 1}, {"age": True}, {"age": True}),
        ({"age": 1}, {}, {"age": None}),
        ({"age": None}, {}, {}),
        ({}, {"age": None}, {"age": None}),
        ({"tags": ["a"]}, {"tags": ["a", "b"]}, {"tags": ["a", "b"]}),
        ({"home": {"city": "a", "zip": "b"}}, {"home": {"city": "c", "zip": "b"}}, {"home": {"city": "c"}}),
        ({"home": {"city": "a", "zip": "b"}}, {"home": {"city": "a"}}, {"home": {"zip": None}}),
        ({"home": {"city": "a", "zip": None}}, {"home": {"city": "a"}}, {}),
        ({"home": None}, {"home": {"city": "a"}}, {"home": {"city": "a"}}),
        ({"home": {"city": "a"}}, {"home": None}, {"home": None}),
        ({"home": {"city": "a"}}, {"home": 1}, {"home": 1}),
        ({"homes": [{"city": "a"}]}, {"homes": [{"city": "b"}]}, {"homes": [{"city": "b"}]}),
    ],
)
def test_the_data_of_an_update_is_what_differs(before: Any, after: Any, data: Any) -> None:
    found = changed_fields(USER, before, after)
    assert json.dumps(found) == json.dumps(data)


@pytest.mark.parametrize(
    ("operations", "data", "appended"),
    [
        ([], {}, []),
        ([op("replace", "/age", 1), op("remove", "/tags")], {"age": 1, "tags": None}, []),
        ([op("add", "/tags/-", "a"), op("add", "/age", 1), op("add", "/tags/-", "b")],
         {"tags": ["a", "b"], "age": 1}, ["tags"]),
        ([op("add", "/tags", ["a"])], {"tags": ["a"]}, []),
        ([op("remove", "/home")], {"home": None}, []),
    ],
)  # fmt: skip
def test_whole_fields_and_the_ends_of_lists_rest_on_nothing(operations: Any, data: Any, appended: Any) -> None:
    found = read_plainly(USER, read_operations(json.dumps(operations).encode(), DEPTH))
    assert found is not None
    assert (found.data, sorted(found.appended)) == (data, appended)


@pytest.mark.parametrize(
    "operations",
    [
        [op("test", "/age", 1), op("replace", "/age", 2)],
        [op("copy", "/age", **{"from": "/age"})],
        [op("replace", "/age", 1), op("replace", "/age", 2)],
        [op("remove", "/age"), op("remove", "/age")],
        [op("replace", "/tags", []), op("add", "/tags/-", "a")],
        [op("add", "/tags/-", "a"), op("remove", "/tags")],
        [op("add", "/tags/0", "a")],
        [op("replace", "/tags/-", "a")],
        [op("add", "/age/-", 1)],
        [op("replace", "/home", {"city": "a"})],
        [op("replace", "/home/city", "a")],
        [op("add", "/key", "a")],
        [op("add", "/nope", 1)],
        [op("replace", "", {})],
    ],
)
def test_every_other_patch_rests_on_what_is_stored(operations: Any) -> None:
    assert read_plainly(USER, read_operations(json.dumps(operations).encode(), DEPTH)) is None


# -- whatever else

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~0-", max_size=2), inner, max_size=3),
    max_leaves=8,
)
POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "00", "~0", "~1", "", "~"]), max_size=3).map(
    lambda parts: "".join(f"/{each}" for each in parts)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
    optional={"from": POINTERS, "value": JSON},
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(JSON, st.lists(OPERATIONS, max_size=4) | JSON)
def test_whatever_is_sent_is_applied_or_refused(document: Any, sent: Any) -> None:
    with suppress(BadRequest, Conflict):
        assert isinstance(patched(document, read_operations(json.dumps(sent).encode(), DEPTH), DEPTH), dict)

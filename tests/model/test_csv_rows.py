"""How the rows of CSV are read."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bzz.errors import BadRequest, Invalid
from bzz.model.body import MAX_FORM_FIELDS
from bzz.model.csv_rows import read_csv

from . import USER


def rows(body: bytes) -> list[Any]:
    return list(read_csv(USER, body))


def refusal(body: bytes) -> str:
    with pytest.raises(BadRequest) as caught:
        rows(body)
    assert caught.value.detail is not None
    return caught.value.detail


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"name,age\r\nAnn,3\r\n", [{"name": "Ann", "age": 3}]),
        (b"name\nAnn\nBob", [{"name": "Ann"}, {"name": "Bob"}]),
        (b"name\rAnn\r", [{"name": "Ann"}]),
        (b"\xef\xbb\xbfname\r\nAnn\r\n", [{"name": "Ann"}]),
        ("name\nJoão\n".encode(), [{"name": "João"}]),
        (b'name,age\n"Lee, ""Ann""\r\nMay",3', [{"name": 'Lee, "Ann"\r\nMay', "age": 3}]),
        (b'"name","age"\n"Ann","3"\n', [{"name": "Ann", "age": 3}]),
        (b"name\n5\" disk\n", [{"name": '5" disk'}]),
        (b"name\n =1+1 \n", [{"name": " =1+1 "}]),
        (b"name\nA\0B\n", [{"name": "A\0B"}]),
        (b"name,age\nAnn,\n,3\n", [{"name": "Ann"}, {"age": 3}]),
        (b"name,age\nAnn\n", [{"name": "Ann"}]),
        (b"name,age\nAnn,3\n\n\r\nBob,4\n\n", [{"name": "Ann", "age": 3}, {"name": "Bob", "age": 4}]),
        (b'name,age\n,\n""\n', [{}, {}]),
        (b"height,active,age\n1.5,true,x\n", [{"height": 1.5, "active": True, "age": "x"}]),
        (b"address.street,address.zip\nR,7\n,8\n", [{"address": {"street": "R", "zip": 7}}, {"address": {"zip": 8}}]),
        (b"tags[],age,tags[]\na,1,b\n,2,c\n", [{"tags": ["a", "b"], "age": 1}, {"tags": ["c"], "age": 2}]),
        (b"ranks,ranks\n1,2\n", [{"ranks": [1, 2]}]),
        (b"more[]\nx\n", [{"more": ["x"]}]),
        (b"colour,__proto__.x\nred,1\n", [{"colour": "red", "__proto__": {"x": "1"}}]),
        (b"name\n", []),
    ],
)  # fmt: skip
def test_rows_are_read_as_forms_of_their_cells(body: bytes, data: list[Any]) -> None:
    assert rows(body) == data


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "The first line must name the fields."),
        (b"\r\nname\r\n", "The first line must name the fields."),
        (b"name,,age\nAnn,,3\n", "The header names no field in column 2."),
        (b"name,age,\n", "The header names no field in column 3."),
        (b"name,age,name\n", "The header cannot be read: 'name' is named more than once; only lists are repeated."),
        (
            b"address,address.zip\n",
            "The header cannot be read: 'address.zip' is given both a value and names below it.",
        ),
        (b"address.zip,address\n", "The header cannot be read: 'address' is given both a value and names below it."),
        (b"a" + 40 * b".b", "The header cannot be read: A name is nested deeper than 32 levels."),
        (b"name\nAnn\nB\xffb\n", "The body is not valid UTF-8, from line 3 on."),
        (b'name,age\nAnn,3\n"Bob,4\nCid,5\n', "The body is not CSV, from line 3 on: unexpected end of data."),
        (b'name,age\n"A\nnn",3\n"Bob"x,4\n', "The body is not CSV, from line 4 on: ',' expected after '\"'."),
        (b'"name', "The body is not CSV, from line 1 on: unexpected end of data."),
    ],
)
def test_what_is_no_csv_is_refused_and_told_where(body: bytes, told: str) -> None:
    assert refusal(body) == told


def test_a_row_with_too_many_cells_is_an_error_in_its_place() -> None:
    first, second, third = rows(b"name,age\nAnn,3\nBob,4,5\nCid,6\n")
    assert (first, third) == ({"name": "Ann", "age": 3}, {"name": "Cid", "age": 6})
    assert isinstance(second, Invalid)
    assert second.errors == {"*": ["Must have no more cells than the header, which has 2."]}


def test_a_header_may_have_as_many_names_as_a_form() -> None:
    names = [b"c%d" % number for number in range(MAX_FORM_FIELDS)]
    assert len(rows(b",".join(names) + b"\n" + b",".join(names))[0]) == MAX_FORM_FIELDS
    assert refusal(b",".join([*names, b"more"])) == "The header has more than 1000 names."


@pytest.mark.parametrize("body", [10_000_000 * b'"', b"name\n" + 10_000_000 * b'"', b'name\n"' + 10_000_000 * b"x"])
def test_megabytes_of_one_cell_are_refused(body: bytes) -> None:
    assert "field larger than field limit" in refusal(body)


def test_a_header_of_one_long_name_is_a_name_like_any_other() -> None:
    name = 65_536 * "n"
    assert rows(f"{name}\n1\n".encode()) == [{name: "1"}]


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=4))
def test_whatever_a_writer_of_csv_writes_is_read_back(written: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("name", "more"), *written])
    expected = [{name: cell for name, cell in zip(("name", "more"), cells, strict=True) if cell} for cells in written]
    assert rows(text.getvalue().encode()) == expected


@given(st.binary(max_size=40) | st.text('nameg,"\r\n.[]\0', max_size=40).map(str.encode))
def test_any_bytes_are_rows_or_refused(body: bytes) -> None:
    try:
        found = rows(body)
    except BadRequest:
        return
    assert all(isinstance(each, dict | Invalid) for each in found)

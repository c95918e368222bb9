"""Files are read as JSON types: what their author wrote stays what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bzz.errors import ConfigurationError
from bzz.mock.document import read_document


def read(folder: Path, text: str) -> Any:
    file = folder / "file.yaml"
    file.write_text(text)
    return read_document(file)


@pytest.mark.parametrize(
    "text",
    ["NO", "no", "yes", "on", "Off", "y", "12:30", "12:30:45", "2026-01-31", "2026-01-31T12:00:00Z", "1_000", "0b11",
     "=", ".inf", "-.INF", ".nan", "1.2.3", "+", "0x", "nope", "nullable", "1e", "--1"],
)  # fmt: skip
def test_what_json_has_no_type_for_stays_a_text(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"value: {text}\nlist: [{text}]") == {"value": text, "list": [text]}


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("7", 7), ("-7", -7), ("017", 17),
     ("0o17", 15), ("0x1F", 31), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("'7'", "7"), ('"no"', "no"),
     ("!!str 7", "7")],
)  # fmt: skip
def test_the_types_of_json_are_read(tmp_path: Path, text: str, value: Any) -> None:
    found = read(tmp_path, f"value: {text}")["value"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("key", "said"), [("200", "200"), ("1.5", "1.5"), ("true", "true"), ("null", "null")])
def test_a_key_that_is_no_text_is_an_error_that_names_its_place(tmp_path: Path, key: str, said: str) -> None:
    message = rf"file\.yaml, line 2, column 3: the key {said} is no text; write it in quotes, '{said}'"
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path, f"responses:\n  {key}: x")


def test_a_key_that_is_a_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="line 1, column 3: the key is no text"):
        read(tmp_path, "? [a, b]\n: x")


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", '{"a": 1, "b": 2, "a": 3}'])
def test_a_key_that_is_there_twice_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="the key 'a' is there twice"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "text", ["!!timestamp 2026-01-31", "!!binary aGk=", "!!set {a}", "!!python/name:os.system x", "!x y"]
)
def test_a_tag_that_json_has_not_is_an_error_that_names_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"file\.yaml, line 1, column 8: could not determine a constructor"):
        read(tmp_path, f"value: {text}")


def test_a_syntax_error_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"is neither YAML nor JSON: line \d, column \d: [^\n]*$"):
        read(tmp_path, "a: [")


def test_json_may_be_indented_by_tabs_and_its_numeric_keys_are_texts(tmp_path: Path) -> None:
    assert read(tmp_path, '{\n\t"200": [\n\t\t"no"\n\t]\n}') == {"200": ["no"]}


def test_yaml_may_start_with_a_brace_and_be_merged(tmp_path: Path) -> None:
    assert read(tmp_path, "{a: no}") == {"a": "no"}
    assert read(tmp_path, "one: &one {a: 1, b: 2}\ntwo: {<<: *one, b: 3}")["two"] == {"a": 1, "b": 3}


def test_what_is_not_utf_8_and_nan_in_json_are_errors(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"a: \xe9")
    with pytest.raises(ConfigurationError, match="it is not UTF-8"):
        read_document(tmp_path / "latin")
    with pytest.raises(ConfigurationError, match="NaN is no number in JSON"):
        read(tmp_path, '{"a": NaN}')

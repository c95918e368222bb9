"""Nothing outside of its provider speaks MongoDB: neither its operators nor the methods of its drivers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bzz

ROOT = Path(bzz.__file__).parent
METHODS = {
    "aggregate", "count_documents", "create_index", "delete_one", "find_one", "find_one_and_update", "insert_one",
    "replace_one", "update_one", "upserted_id", "with_options",
}  # fmt: skip
WORDS = re.compile(r"(\$(?!ref\b)[a-z]+|_id)\b")  # "$ref" is a word of JSON Schema
STARTS_A_SERVER = {ROOT / "dev.py"}


OTHERS = [
    each for each in sorted(ROOT.rglob("*.py"))
    if (ROOT / "providers" / "mongoengine") not in each.parents and each not in STARTS_A_SERVER
]  # fmt: skip


def words(tree: ast.AST) -> Iterator[str]:
    """What of MongoDB is in ``tree``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            yield f"line {node.lineno}: .{node.attr}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORDS.match(node.value):
            yield f"line {node.lineno}: {node.value!r}"


@pytest.mark.parametrize("module", OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_speaks_no_mongodb(module: Path) -> None:
    assert list(words(ast.parse(module.read_text(encoding="utf-8")))) == []

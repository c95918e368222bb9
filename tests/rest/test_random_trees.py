"""Random trees of conditions over random documents select what the same trees select in Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import mongoengine as me

from tests.faults import SEED, SOAK
from tests.rest.conftest import Api

TREES = 120 * SOAK
DOCUMENTS = 60

Row = dict[str, Any]


class Pearl(me.EmbeddedDocument):
    size = me.IntField()
    hue = me.StringField()


class Oyster(me.Document):
    number = me.IntField(primary_key=True)
    age = me.IntField()
    name = me.StringField()
    tags = me.ListField(me.StringField())
    pearls = me.EmbeddedDocumentListField(Pearl)


COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, other: value == other,
    "gt": lambda value, other: value is not None and value > other,
    "gte": lambda value, other: value is not None and value >= other,
    "lt": lambda value, other: value is not None and value < other,
    "lte": lambda value, other: value is not None and value <= other,
    "in": lambda value, others: value in others,
    "contains": lambda value, other: value is not None and other in value,
    "istartswith": lambda value, other: value is not None and value.lower().startswith(other.lower()),
}
"""Each operator on one value. What is unset equals nothing, is neither more nor less, and contains nothing."""


def meets(row: Row, path: str, operator: str, operand: Any) -> bool:
    """Return whether a row meets one condition; of a list, whether an item does."""
    if operator in ("ne", "nin"):
        return not meets(row, path, {"ne": "eq", "nin": "in"}[operator], operand)
    first, _, rest = path.partition(".")
    value = row.get(first)
    if operator == "exists":
        return (value is not None) is operand
    if operator == "size":
        return value is not None and len(value) == operand
    if operator == "all":
        return value is not None and set(operand) <= set(value)
    if rest:
        return any(meets(each, rest, operator, operand) for each in value or [])
    return any(COMPARED[operator](each, operand) for each in (value or [] if isinstance(value, list) else [value]))


def holds(tree: Row, row: Row) -> bool:
    """Return whether a row meets a tree."""
    return all(_holds(name, value, row) for name, value in tree.items())


def _holds(name: str, value: Any, row: Row) -> bool:
    if name == "and":
        return all(holds(each, row) for each in value)
    if name == "or":
        return any(holds(each, row) for each in value)
    if name == "not":
        return not holds(value, row)
    if name == "pearls[]":
        return any(holds(value, each) for each in row.get("pearls") or [])
    if value is None:
        return row.get(name) is None
    if not isinstance(value, dict):
        return meets(row, name, "eq", value)
    return all(meets(row, name, operator, operand) for operator, operand in value.items())


def a_row(chance: random.Random, number: int) -> Row:
    row: Row = {"number": number}
    if chance.random() < 0.7:
        row["age"] = chance.choice([None, 1, 2, 3])
    if chance.random() < 0.7:
        row["name"] = chance.choice(["a", "ab", "B", ""])
    if chance.random() < 0.7:
        row["tags"] = chance.sample(["x", "y", "z"], chance.randrange(4))
    if chance.random() < 0.7:
        row["pearls"] = [
            {name: value for name, value in (("size", chance.choice([1, 2])), ("hue", chance.choice("ab")))
             if chance.random() < 0.8} for _ in range(chance.randrange(3))
        ]  # fmt: skip
    return row


def a_leaf(chance: random.Random, *, inside: bool) -> Row:
    number, text = chance.randrange(4), chance.choice(["a", "b", "A", ""])
    numbers: dict[str, Any] = chance.choice(
        [{"gt": number}, {"lte": number}, {"gte": 1, "lt": number}, {"ne": number}, {"in": [1, number]},
         {"nin": [number]}, {"exists": False}]
    )  # fmt: skip
    texts: Any = chance.choice([text, {"contains": text}, {"istartswith": text}, {"ne": text}])
    if inside:
        return chance.choice([{"size": number}, {"size": numbers}, {"hue": texts}, {"hue": None}])
    return chance.choice(
        [
            {"age": number},
            {"age": None},
            {"age": numbers},
            {"name": texts},
            {"age": numbers, "name": texts},
            {"tags": chance.choice(["x", {"all": ["x", "y"]}, {"size": 1}, {"ne": "y"}, {"in": ["x", "z"]}])},
            {"pearls.size": chance.choice([number, {"gt": 1}])},
            {"pearls[]": a_tree(chance, 1, inside=True)},
        ]
    )


def a_tree(chance: random.Random, depth: int, *, inside: bool = False) -> Row:
    kind = chance.choice(["leaf", "and", "or", "not"]) if depth else "leaf"
    if kind == "leaf":
        return a_leaf(chance, inside=inside)
    if kind == "not":
        return {"not": a_tree(chance, depth - 1, inside=inside)}
    return {kind: [a_tree(chance, depth - 1, inside=inside) for _ in range(chance.randrange(1, 4))]}


async def test_a_tree_selects_what_it_selects_in_python(alone: Api) -> None:
    chance = random.Random(SEED)
    rows = [a_row(chance, number) for number in range(DOCUMENTS)]
    client = alone(Oyster, max_per_page=DOCUMENTS)
    stored = [{{"number": "_id"}.get(name, name): value for name, value in row.items()} for row in rows]
    Oyster._get_collection().insert_many(stored)
    for _ in range(TREES):
        tree = a_tree(chance, 3)
        body = {"filter": tree, "sort": ["number"], "fields": ["number"], "per_page": DOCUMENTS}
        answer = await client.request("QUERY", "/oyster/", json=body)
        found = [each["number"] for each in answer.json()] if answer.status_code == 200 else answer.text
        assert found == [row["number"] for row in rows if holds(tree, row)], (SEED, tree)

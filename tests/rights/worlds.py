"""Random rules, users and documents: what is stored, and the same with other values where a user may not look."""

from __future__ import annotations

import random
from typing import Any

import mongoengine as me

import bzz
from bzz.providers import rules
from tests.rights.conftest import ADMIN, ANN, BOB, EDITOR

__all__ = ["FIELDS", "MODELS", "NUMBERS", "WORDS", "Agent", "Clause", "Deal", "Documents", "World", "fill"]


class Clause(me.EmbeddedDocument):
    label = me.StringField()
    fine = me.IntField()


class Agent(me.Document):
    key = me.StringField(primary_key=True)
    org = me.StringField()
    name = me.StringField()
    pay = me.IntField()


class Deal(me.Document):
    key = me.StringField(primary_key=True)
    org = me.StringField()
    title = me.StringField()
    pay = me.IntField()
    tags = me.ListField(me.StringField())
    bag = me.DictField()
    clauses = me.EmbeddedDocumentListField(Clause)
    main = me.EmbeddedDocumentField(Clause)
    agent = me.ReferenceField(Agent)
    agents = me.ListField(me.ReferenceField(Agent))


MODELS: tuple[Any, ...] = (Agent, Deal)
FIELDS = {
    Agent: ("name", "pay"),
    Deal: ("title", "pay", "tags", "bag", "clauses", "main", "agent", "agents"),
    Clause: ("label", "fine"),
}
USERS = (None, ANN, BOB, EDITOR, ADMIN)
WORDS, NUMBERS = ("x", "y", "z"), (1, 2, 3)


def own(user: Any) -> Any:
    return None if user is None else {} if user is ADMIN or "admin" in user.get("roles", ()) else {"org": user["org"]}


class World:
    """The rules of one run, who asks, and what that user may see: worked out here once more, by other code."""

    def __init__(self, choice: random.Random) -> None:
        self.choice = choice
        self.user: Any = choice.choice(USERS)
        self.actions = {model: self._actions() for model in MODELS}
        self.is_scoped = {model: choice.random() < 0.5 for model in MODELS}
        self.readers = {
            (model, name): self._who() for model, names in FIELDS.items() for name in names if choice.random() < 0.35
        }

    def _who(self) -> str:
        return self.choice.choice(("anyone", "authenticated", "editor", "admin"))

    def _actions(self) -> dict[str, str]:
        return {each: self.choice.choice(("anyone", "anyone", self._who())) for each in rules.ACTIONS}

    def declare(self) -> None:
        for model, names in FIELDS.items():
            fields = {name: {"read": self.readers[model, name]} for name in names if (model, name) in self.readers}
            if model is Clause:
                bzz.rules(model, fields=fields)
            else:
                scope = own if self.is_scoped[model] else None
                bzz.rules(model, scope=scope, fields=fields, **self.actions[model])

    def _includes(self, who: str) -> bool:
        user = self.user
        return who == "anyone" or (user is not None and (who == "authenticated" or who in user.get("roles", ())))

    def reads(self, model: Any) -> bool:
        """Whether the user may see anything of some documents; of the others, only that they are there."""
        return any(self._includes(self.actions[model][each]) for each in ("list", "get"))

    def has_in_scope(self, model: Any, org: str) -> bool:
        """Whether a document is there for the user."""
        found = own(self.user) if self.is_scoped[model] else {}
        return found is not None and found.get("org", org) == org

    def hides(self, model: Any, name: str) -> bool:
        return not self._includes(self.readers.get((model, name), "anyone"))


class Documents:
    """Documents as they are stored, and the same with other values where the user may not look."""

    def __init__(self, world: World) -> None:
        self.world, self.choice = world, world.choice
        agents = [self._agent(f"a{number}") for number in range(6)]
        deals = [self._deal(f"d{number}") for number in range(8)]
        self.first: dict[Any, Any] = {Agent: agents, Deal: deals}
        self.second: dict[Any, Any] = {
            model: [other for each in stored if (other := self._other(model, each)) is not None]
            for model, stored in self.first.items()
        }

    def _agent(self, key: str) -> dict[str, Any]:
        return {"_id": key, "org": self._org(), "name": self._word(), "pay": self._number()}

    def _deal(self, key: str) -> dict[str, Any]:
        return {
            "_id": key,
            "org": self._org(),
            "title": self._word(),
            "pay": self._number(),
            "tags": [self._word() for _ in range(self.choice.randrange(3))],
            "bag": {self._word(): self._number()},
            "clauses": [self._clause() for _ in range(self.choice.randrange(3))],
            "main": self._clause(),
            "agent": self._reference(),
            "agents": sorted({self._reference() for _ in range(3)}),
        }

    def _clause(self) -> dict[str, Any]:
        return {"label": self._word(), "fine": self._number()}

    def _org(self) -> str:
        return self.choice.choice(("red", "blue"))

    def _word(self) -> str:
        return self.choice.choice(WORDS)

    def _number(self) -> int:
        return self.choice.choice(NUMBERS)

    def _reference(self) -> str:
        return f"a{self.choice.randrange(6)}"

    def _other(self, model: Any, stored: dict[str, Any]) -> dict[str, Any] | None:
        fresh = self._agent(stored["_id"]) if model is Agent else self._deal(stored["_id"])
        if not self.world.has_in_scope(model, stored["org"]):
            return None if self.choice.random() < 0.3 else {**fresh, "org": stored["org"]}
        if not self.world.reads(model):
            return {**fresh, "org": stored["org"]}
        return self._with_other_parts(model, stored, fresh)

    def _with_other_parts(self, model: Any, stored: Any, fresh: Any) -> dict[str, Any]:
        other = dict(stored)
        for name in FIELDS[model]:
            if self.world.hides(model, name):
                other[name] = fresh[name]
        if model is Deal:
            if not self.world.hides(Deal, "main"):
                other["main"] = self._with_other_parts(Clause, stored["main"], self._clause())
            if not self.world.hides(Deal, "clauses"):
                other["clauses"] = [self._with_other_parts(Clause, each, self._clause()) for each in stored["clauses"]]
        return other


async def fill(database: Any, stored: dict[Any, Any]) -> None:
    """Store documents in place of those that are there."""
    for model, rows in stored.items():
        collection = database[model._get_collection_name()]
        await collection.delete_many({})
        if rows:
            await collection.insert_many(rows)

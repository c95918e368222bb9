"""Random requests to the models of :mod:`tests.rights.worlds`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import httpx

from tests.rights.worlds import MODELS, NUMBERS, WORDS, Agent, Deal, World

__all__ = ["Asking", "told"]


class Asking:
    """Makes requests."""

    def __init__(self, world: World) -> None:
        self.choice = world.choice
        self.number = 0
        self.tags: list[str] = []

    def request(self) -> tuple[str, str, Any, dict[str, str]]:
        """A method, a URL, a body, and headers."""
        kind = self.choice.choice(
            ("list", "list", "query", "one", "below", "write", "write", "patch", "selected", "link")
        )
        method, url, body, headers = getattr(self, f"_{kind}")()
        if self.tags and self.choice.random() < 0.2 and kind != "selected":
            headers[self.choice.choice(("If-Match", "If-None-Match"))] = self.choice.choice(self.tags)
        return method, url, body, headers

    def _model(self) -> Any:
        return self.choice.choice(MODELS)

    def _key(self, model: Any) -> str:
        return f"{'a' if model is Agent else 'd'}{self.choice.randrange(9)}"

    def _path(self, model: Any, key: str = "") -> str:
        return f"/{model.__name__.lower()}/" + (f"{key}/" if key else "")

    def _name(self, model: Any) -> str:
        names = {
            Agent: ("key", "org", "name", "pay"),
            Deal: ("org", "title", "pay", "tags", "bag.x", "clauses.fine", "main.fine", "main.label", "agent",
                   "agent.name", "agent.pay", "agent.org", "agents", "agents.pay"),
        }  # fmt: skip
        return self.choice.choice(names[model])

    def _value(self, name: str) -> Any:
        last = name.rpartition(".")[2]
        if last in ("pay", "fine", "x"):
            return self.choice.choice(NUMBERS)
        if last in ("agent", "agents"):
            return self._key(Agent)
        return self.choice.choice(("red", "blue")) if last == "org" else self.choice.choice(WORDS)

    def _filters(self, model: Any, filters: int) -> list[tuple[str, Any]]:
        names = [self._name(model) for _ in range(filters)]
        operator = self.choice.choice(("", "", "__ne", "__exists"))
        return [(name + operator, "true" if operator == "__exists" else self._value(name)) for name in names]

    def _list(self) -> Any:
        model = self._model()
        query = self._filters(model, self.choice.randrange(3))
        options: list[tuple[str, Any]] = [(name, self._name(model)) for name in ("sort", "fields", "facets")]
        options += [("expand", self.choice.choice(("agent", "agents", "agent,agents"))), ("per_page", 2)]
        query += [each for each in options if self.choice.random() < 0.25]
        return "GET", f"{self._path(model)}?{urlencode(query)}", None, {"Prefer": "count=exact"}

    def _query(self) -> Any:
        model = self._model()
        one, other = self._name(model), self._name(model)
        tree = {"or": [{one: self._value(one)}, {"not": {other: self._value(other)}}]}
        more = self.choice.choice(({}, {"sort": self._name(model)}, {"facets": [self._name(model)]}))
        return "QUERY", self._path(model), {"filter": tree, **more}, {"Prefer": "count=exact"}

    def _patch(self) -> Any:
        name = self.choice.choice(
            ("title", "pay", "tags/-", "tags/0", "main/fine", "clauses/0/fine", "clauses", "agents/0")
        )
        operation = {"op": self.choice.choice(("add", "replace", "remove", "test")), "path": f"/{name}"}
        if operation["op"] != "remove":
            operation["value"] = self._value(
                name.partition("/")[0] if name.startswith("agents") else name.split("/")[-1]
            )
        if self.choice.random() < 0.3:
            operation = {
                "op": "copy",
                "from": f"/{self.choice.choice(('pay', 'title', 'main/fine'))}",
                "path": "/bag/x",
            }
        headers = {"Content-Type": "application/json-patch+json"}
        return "PATCH", self._path(Deal, self._key(Deal)), [operation], headers

    def _one(self) -> Any:
        model = self._model()
        query = self.choice.choice(("", "", "?expand=agent,agents", f"?fields={self._name(model)}"))
        return self.choice.choice(("GET", "HEAD")), self._path(model, self._key(model)) + query, None, {}

    def _below(self) -> Any:
        field = self.choice.choice(("clauses", "main", "agent", "agents", "clauses/0", f"agents/{self._key(Agent)}"))
        return "GET", f"{self._path(Deal, self._key(Deal))}{field}/", None, {}

    def _write(self) -> Any:
        model = self._model()
        self.number += 1
        method = self.choice.choice(("POST", "PUT", "PUT", "PATCH", "DELETE"))
        body = {name: self._value(name) for name in (self._name(model) for _ in range(2)) if "." not in name}
        for name in ("tags", "agents"):
            body.update({name: [body[name]]} if name in body else {})
        if model is Deal and self.choice.random() < 0.4:
            body[self.choice.choice(("clauses", "main"))] = {"label": self._value("label")}
            body.update({"clauses": [body["clauses"]]} if "clauses" in body else {})
        body.pop("key", None)
        if method == "POST":
            return method, self._path(model), {**body, "key": f"n{self.number}"}, {}
        return method, self._path(model, self._key(model)), body if method != "DELETE" else None, {}

    def _selected(self) -> Any:
        model, method = self._model(), self.choice.choice(("PATCH", "DELETE"))
        url = f"{self._path(model)}?{urlencode(self._filters(model, 1))}"
        most = self.choice.choice((1, 9))
        return method, url, {"org": "red"} if method == "PATCH" else None, {"Prefer": f"max-affected={most}"}

    def _link(self) -> Any:
        url, key = self._path(Deal, self._key(Deal)), self._key(Agent)
        return self.choice.choice(
            [
                ("POST", f"{url}agents/", {"agents": [key]}, {}),
                ("POST", f"{url}agent/", {"agent": key}, {}),
                ("DELETE", f"{url}agents/{key}/", None, {}),
                ("DELETE", f"{url}agent/", None, {}),
                ("PUT", f"{url}agent/", {"name": "x"}, {}),
                ("POST", f"{url}clauses/", {"label": "x"}, {}),
                ("PUT", f"{url}clauses/0/", {"label": "y"}, {}),
                ("DELETE", f"{url}clauses/0/", None, {}),
            ]
        )


def told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """What an answer tells: all but what is new in each."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    return answer.status_code, headers, answer.text

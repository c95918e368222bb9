"""A random walk of requests against a dict: after every step the answer is what the dict says."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bzz.dev import MongoServer
from tests.faults import SEED, SOAK
from tests.faults.models import MODELS
from tests.faults.running import PATIENCE, running

STEPS = 300 * SOAK
LOOK_EVERY = 20
"""After so many steps everything is compared."""

pytestmark = pytest.mark.timeout(300 * SOAK)

Instance = dict[str, Any]


class Walk:
    """One walk through the routes of a model.

    :param seed: repeats it.
    :ivar there: every document that there is, as it must be shown, by its id.
    """

    def __init__(self, client: httpx.Client, model: str, seed: int) -> None:
        self.there: dict[str, Instance] = {}
        self._client = client
        self._root = f"/{model}/"
        self._run = uuid.uuid4().hex
        self._seed = seed
        self._random = random.Random(seed)
        self._done: list[str] = []

    def go(self, steps: int) -> None:
        """Take so many steps; raises AssertionError where an answer is not what it must be."""
        try:
            for number in range(steps):
                self._step()
                if number % LOOK_EVERY == 0:
                    self._look_at_all()
        except AssertionError as error:
            raise AssertionError(f"SEED={self._seed}, after {self._done[-5:]}: {error}") from error

    def _step(self) -> None:
        verbs: list[Callable[[str, Instance], None]] = [
            self._put, self._put, self._patch, self._patch, self._get, self._add_note, self._edit_note, self._drop_note,
            self._list_notes, self._link, self._unlink, self._stale_tag, self._good_tag, self._malformed, self._delete,
            self._link_one,
        ]  # fmt: skip
        if not self.there or self._random.random() < 0.15:
            self._post()
        elif self._random.random() < 0.15:
            self._list()
        else:
            key = self._random.choice(sorted(self.there))
            self._random.choice(verbs)(key, self.there[key])

    # -- values

    def _text(self) -> str:
        return self._random.choice(["", "a", "B", "ü", "a b", "%", "null", "0", "\u2028", "x" * 50, "$a", "a.b"])

    def _some(self) -> Instance:
        values: Instance = {
            "text": self._text(),
            "age": self._random.randrange(0, 50),
            "tags": [self._text() for _ in range(self._random.randrange(3))],
            "home": {"city": self._text(), "zip": self._random.choice(["1", "12345"])},
            "extra": {self._random.choice("abc"): self._random.choice([1, 2.5, "x", True, [1, {"d": 2}], {"e": 3}])},
        }
        chosen = self._random.sample(sorted(values), self._random.randrange(1, 4))
        return {name: values[name] for name in chosen}

    # -- requests

    def _ask(self, method: str, path: str, wanted: int, **sent: Any) -> Any:
        self._done.append(f"{method} {path} {sent}")
        answer = self._client.request(method, path, **sent)
        assert answer.status_code == wanted, f"{method} {path} {sent}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def _same(self, found: Any, wanted: Any) -> None:
        assert _without_empties(found) == _without_empties(wanted), (
            f"{self._done[-1]} gives {found}, and ought to give {wanted}"
        )

    def _post(self) -> None:
        token = uuid.UUID(int=self._random.getrandbits(128)).hex
        given = {"token": token, "run": self._run, **self._some()}
        shown = self._ask("POST", self._root, 201, json=given)
        empty: Instance = {"text": None, "age": None, "tags": [], "home": None, "notes": [], "extra": {}}
        wanted = {**empty, "friend": None, "friends": [], **given, "id": shown["id"]}
        self._same(shown, wanted)
        self.there[shown["id"]] = wanted
        self._ask("POST", self._root, 409, json=given)

    def _put(self, key: str, known: Instance) -> None:
        given = self._some()
        known.update({name: value for name, value in given.items() if name != "home"})
        if "home" in given:
            known["home"] = {**(known["home"] or {}), **given["home"]}
        self._same(self._ask("PUT", f"{self._root}{key}/", 200, json=given), known)

    def _patch(self, key: str, known: Instance) -> None:
        given = self._some()
        for name in ("text", "age"):
            if self._random.random() < 0.2:
                given[name] = None
        if "home" in given and self._random.random() < 0.3:
            given["home"]["zip"] = None
        for name, value in given.items():
            known[name] = self._merged(known[name], value) if name in ("home", "extra") else value
        if "home" in given and known["home"] is not None:
            known["home"] = {"city": None, "zip": None, **known["home"]}
        self._same(self._ask("PATCH", f"{self._root}{key}/", 200, json=given), known)

    def _merged(self, before: Any, given: Any) -> Any:
        """By RFC 7396."""
        if not isinstance(given, dict):
            return given
        merged = {**before} if isinstance(before, dict) else {}
        for name, value in given.items():
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = self._merged(merged.get(name), value)
        return merged

    def _get(self, key: str, known: Instance) -> None:
        self._same(self._ask("GET", f"{self._root}{key}/", 200), known)

    def _delete(self, key: str, known: Instance) -> None:
        if any(key == each["friend"] or key in each["friends"] for each in self.there.values()):
            return  # what then becomes of the links is another story
        self._ask("DELETE", f"{self._root}{key}/", 204)
        del self.there[key]
        for method in ("GET", "PUT", "DELETE"):
            self._ask(method, f"{self._root}{key}/", 404, **({"json": {"age": 1}} if method == "PUT" else {}))

    def _malformed(self, key: str, known: Instance) -> None:
        wrong = [{"age": "1"}, {"age": -1}, {"nothing": 1}, {"home": {"zip": "123456"}}, {"friend": "x"}, {"tags": [1]}]
        self._ask(self._random.choice(["PUT", "PATCH"]), f"{self._root}{key}/", 400, json=self._random.choice(wrong))
        self._get(key, known)

    def _tag(self, key: str) -> str:
        tag: str = self._client.get(f"{self._root}{key}/").headers["ETag"]
        return tag

    def _good_tag(self, key: str, known: Instance) -> None:
        known["age"] = self._random.randrange(50)
        tag = {"If-Match": self._tag(key)}
        self._same(self._ask("PUT", f"{self._root}{key}/", 200, json={"age": known["age"]}, headers=tag), known)

    def _stale_tag(self, key: str, known: Instance) -> None:
        tag = {"If-Match": self._tag(key)}
        known["age"] = 1 if known["age"] == 0 else 0
        self._ask("PUT", f"{self._root}{key}/", 200, json={"age": known["age"]})
        self._ask("PUT", f"{self._root}{key}/", 412, json={"age": 2}, headers=tag)
        self._get(key, known)

    # -- what is nested

    def _add_note(self, key: str, known: Instance) -> None:
        note = self._ask("POST", f"{self._root}{key}/notes/", 201, json={"text": self._text()})
        known["notes"].append(note)
        self._get(key, known)

    def _edit_note(self, key: str, known: Instance) -> None:
        if known["notes"]:
            note = self._random.choice(known["notes"])
            note["text"] = self._text()
            self._same(
                self._ask("PUT", f"{self._root}{key}/notes/{note['id']}/", 200, json={"text": note["text"]}), note
            )

    def _drop_note(self, key: str, known: Instance) -> None:
        if known["notes"]:
            note = known["notes"].pop(self._random.randrange(len(known["notes"])))
            self._ask("DELETE", f"{self._root}{key}/notes/{note['id']}/", 204)
            self._ask("DELETE", f"{self._root}{key}/notes/{note['id']}/", 404)

    def _list_notes(self, key: str, known: Instance) -> None:
        text = self._text()
        wanted = [each for each in known["notes"] if each["text"] == text]
        self._same(self._ask("GET", f"{self._root}{key}/notes/", 200, params={"text": text, "per_page": 100}), wanted)

    def _link(self, key: str, known: Instance) -> None:
        linked = self._random.sample(sorted(self.there), min(2, len(self.there)))
        self._ask("POST", f"{self._root}{key}/friends/", 200, json={"friends": linked})
        known["friends"] += [each for each in linked if each not in known["friends"]]
        self._get(key, known)

    def _unlink(self, key: str, known: Instance) -> None:
        if known["friends"]:
            gone = known["friends"].pop(self._random.randrange(len(known["friends"])))
            self._ask("DELETE", f"{self._root}{key}/friends/{gone}/", 204)
            assert gone in self.there
            self._get(gone, self.there[gone])

    def _link_one(self, key: str, known: Instance) -> None:
        other = self._random.choice(sorted(self.there))
        if known["friend"] not in (None, other):
            self._ask("POST", f"{self._root}{key}/friend/", 409, json={"friend": other})
            self._ask("DELETE", f"{self._root}{key}/friend/", 204)
        self._ask("POST", f"{self._root}{key}/friend/", 200, json={"friend": other})
        known["friend"] = other
        self._same(self._ask("GET", f"{self._root}{key}/friend/", 200), self.there[other])

    # -- lists

    def _list(self) -> None:
        age, text = self._random.randrange(50), self._text()
        filters: list[tuple[dict[str, Any], Callable[[Instance], bool]]] = [
            ({"age__gte": age}, lambda each: each["age"] is not None and each["age"] >= age),
            ({"age__lt": age}, lambda each: each["age"] is not None and each["age"] < age),
            ({"text": text}, lambda each: each["text"] == text),
            ({"tags": text}, lambda each: text in each["tags"]),
            ({"home.city": text}, lambda each: each["home"] is not None and each["home"]["city"] == text),
            ({"notes.text": text}, lambda each: any(note["text"] == text for note in each["notes"])),
        ]
        asked, holds = self._random.choice(filters)
        wanted = sorted(each for each, known in self.there.items() if holds(known))
        size = self._random.randrange(1, 5)
        query = {"run": self._run, "sort": "id", "per_page": size, **asked}
        found = self._ask("GET", self._root, 200, params=query)
        self._same([each["id"] for each in found], wanted[:size])
        second = self._ask("GET", self._root, 200, params={**query, "page": 2})
        self._same([each["id"] for each in second], wanted[size : 2 * size])

    def _look_at_all(self) -> None:
        """Follow the pages."""
        url, found = f"{self._root}?run={self._run}&per_page=7&sort=-age", []
        while url:
            answer = self._client.get(url)
            assert answer.status_code == 200, f"GET {url}: {answer.status_code} {answer.text}"
            found += answer.json()
            url = answer.links.get("next", {}).get("url", "")
        self._done.append(f"GET {self._root}, page by page")
        self._same({each["id"]: each for each in found}, self.there)
        assert len(found) == len(self.there)
        ages = [-1 if each["age"] is None else each["age"] for each in found]
        assert ages == sorted(ages, reverse=True)


def _without_empties(shown: Any) -> Any:
    """MongoEngine unsets a list or a map that it is to empty, so that it is shown as null afterwards."""
    if isinstance(shown, list):
        return [_without_empties(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    return {name: _without_empties(value) for name, value in shown.items() if value not in (None, [], {})}


def walk(mongo: MongoServer, database: str, model: str, provider: str = "mongoengine") -> None:
    with (
        running(mongo.uri, database, provider=provider) as application,
        httpx.Client(base_url=application.url, trust_env=False, timeout=PATIENCE) as client,
    ):
        Walk(client, model, SEED).go(STEPS)


@pytest.mark.parametrize("model", MODELS)
def test_every_answer_is_what_the_dict_says(model: str, mongo: MongoServer, database: str) -> None:
    walk(mongo, database, model)


@pytest.mark.parametrize("provider", ["LosesWrites", "ForgetsFields", "FindsNothing"])
def test_the_harness_sees(provider: str, mongo: MongoServer, database: str) -> None:
    with pytest.raises(AssertionError, match="SEED="):
        walk(mongo, database, "plain", provider)

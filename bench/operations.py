"""What is asked of the servers: for each operation, the requests that the load generator picks from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from bench.data import CITIES, COUNT, PER_PAGE, body, seed_id, spare_id

__all__ = ["DELETES_PER_SECOND", "MIXED", "OPERATIONS", "Dialect", "Request", "requests"]

OPERATIONS = {
    "get": "GET by id",
    "list": "GET list",
    "filter": "GET list, filtered",
    "post": "POST",
    "put": "PUT",
    "put-embedded": "PUT, embedded",
    "delete": "DELETE",
}
MIXED = ("get", "list", "filter", "post", "put")

DELETES_PER_SECOND = 12_000
"""For how many deletions documents are laid out; more than any server here gets done."""


class Request(NamedTuple):
    """One request; no body is the empty text."""

    method: str
    path: str
    body: str = ""


class Dialect(NamedTuple):
    """Where servers do not agree on how to ask for the same thing.

    :param update: the method that changes some fields and leaves the others.
    :param query: whether filters are a MongoDB query in ``where`` rather than parameters.
    """

    update: str = "PUT"
    query: bool = False


def requests(operation: str, dialect: Dialect, seconds: float) -> list[Request]:
    """The requests of one operation, in the order of documents: for DELETE each is good for once."""
    if operation == "mixed":
        return [each for part in MIXED for each in requests(part, dialect, seconds)[:50]]
    return list(_MAKERS[operation](dialect, seconds))


def _get(dialect: Dialect, seconds: float) -> Iterator[Request]:
    return (Request("GET", f"/user/{seed_id(number)}") for number in range(COUNT))


def _list(dialect: Dialect, seconds: float) -> Iterator[Request]:
    return (Request("GET", f"/user?page={page}") for page in range(1, COUNT // PER_PAGE + 1))


def _filter(dialect: Dialect, seconds: float) -> Iterator[Request]:
    for city in CITIES:
        for age in range(20, 70, 5):
            parameters = {"city": city, "age__gte": str(age)}
            if dialect.query:
                parameters = {"where": json.dumps({"city": city, "age": {"$gte": age}})}
            yield Request("GET", f"/user?{urlencode(parameters)}")


def _post(dialect: Dialect, seconds: float) -> Iterator[Request]:
    return (Request("POST", "/user", json.dumps(body(number))) for number in range(COUNT))


def _put(dialect: Dialect, seconds: float) -> Iterator[Request]:
    for number in range(COUNT):
        for score in (1.5, 2.5, 3.5):
            change = json.dumps({"name": f"Maria {score}", "score": score})
            yield Request(dialect.update, f"/user/{seed_id(number)}", change)


def _put_embedded(dialect: Dialect, seconds: float) -> Iterator[Request]:
    for number in range(COUNT):
        for street in ("Rua da Aurora 1", "Rua da Aurora 2", "Rua da Aurora 3"):
            address = {"street": street, "zip": "50050-000", "country": "Brazil"}
            change = json.dumps({"score": 4.5, "address": address})
            yield Request(dialect.update, f"/user/{seed_id(number)}", change)


def _delete(dialect: Dialect, seconds: float) -> Iterator[Request]:
    return (Request("DELETE", f"/user/{spare_id(number)}") for number in range(round(seconds * DELETES_PER_SECOND)))


_MAKERS = {
    "get": _get,
    "list": _list,
    "filter": _filter,
    "post": _post,
    "put": _put,
    "put-embedded": _put_embedded,
    "delete": _delete,
}

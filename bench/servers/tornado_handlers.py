"""Handlers as one writes them by hand for Tornado and an asynchronous MongoDB driver, no more than it takes.

The ETag of every GET is Tornado's own. JSON is written by orjson, as bzz does it; ``self.write(dict)`` would be slower.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ReturnDocument
from tornado.web import Application, HTTPError, RequestHandler

from bench.data import COLLECTION, PER_PAGE

_FIELDS = {"name", "email", "age", "city", "active", "score", "joined", "tags", "address"}


class Handler(RequestHandler):
    """What both handlers share."""

    def initialize(self, collection: Any) -> None:
        self.collection = collection

    def answer(self, document: Any) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps(document, default=str, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z))

    def values(self) -> dict[str, Any]:
        try:
            given = orjson.loads(self.request.body)
        except ValueError:
            raise HTTPError(400) from None
        if not isinstance(given, dict) or not given.keys() <= _FIELDS:
            raise HTTPError(400)
        if "joined" in given:
            given["joined"] = datetime.fromisoformat(given["joined"].removesuffix("Z"))
        return given


class UsersHandler(Handler):
    async def get(self) -> None:
        query: dict[str, Any] = {}
        city, age = self.get_argument("city", None), self.get_argument("age__gte", None)
        if city is not None:
            query["city"] = city
        if age is not None:
            query["age"] = {"$gte": int(age)}
        page = int(self.get_argument("page", "1"))
        cursor = self.collection.find(query).sort("_id", 1).skip((page - 1) * PER_PAGE).limit(PER_PAGE)
        self.answer([_shown(each) for each in await cursor.to_list(PER_PAGE)])

    async def post(self) -> None:
        document = self.values()
        await self.collection.insert_one(document)
        self.set_status(201)
        self.set_header("Location", f"/user/{document['_id']}")
        self.answer(_shown(document))


class UserHandler(Handler):
    async def get(self, text: str) -> None:
        self._found(await self.collection.find_one({"_id": _key(text)}))

    async def put(self, text: str) -> None:
        change = {"$set": self.values()}
        self._found(
            await self.collection.find_one_and_update({"_id": _key(text)}, change, return_document=ReturnDocument.AFTER)
        )

    async def delete(self, text: str) -> None:
        result = await self.collection.delete_one({"_id": _key(text)})
        if not result.deleted_count:
            raise HTTPError(404)
        self.set_status(204)
        self.finish()

    def _found(self, document: Any) -> None:
        if document is None:
            raise HTTPError(404)
        self.answer(_shown(document))


def _key(text: str) -> ObjectId:
    try:
        return ObjectId(text)
    except InvalidId:
        raise HTTPError(404) from None


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    document["id"] = str(document.pop("_id"))
    return document


def application(database: Any) -> Application:
    """The two routes, on a database object of either driver."""
    given = {"collection": database[COLLECTION]}
    return Application([(r"/user/?", UsersHandler, given), (r"/user/([^/]+)/?", UserHandler, given)])

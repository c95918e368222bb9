"""FastAPI with Beanie, as their tutorials have it, under uvicorn with uvloop and httptools, or
under granian by its own command line.

An update is one ``find_one(...).update(..., response_type=NEW_DOCUMENT)``, which Beanie documents and which is one
round trip less than its tutorial's get and set. Answers are typed, so that pydantic writes the JSON.
"""

# No postponed annotations here: FastAPI and Beanie read them while the module runs.

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

import uvicorn
from beanie import Document, PydanticObjectId, UpdateResponse, init_beanie
from beanie.operators import GTE
from fastapi import FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient

from bench.data import COLLECTION, PER_PAGE
from bench.servers.setting import DATABASE, PORT, URI


class Address(BaseModel):
    street: str | None = Field(None, max_length=200)
    zip: str | None = Field(None, max_length=20)
    country: str | None = Field(None, max_length=60)


class UserIn(BaseModel):
    name: str = Field(max_length=100)
    email: str = Field(max_length=200)
    age: int | None = Field(None, ge=0, le=150)
    city: str | None = Field(None, max_length=60)
    active: bool = True
    score: float | None = None
    joined: datetime | None = None
    tags: list[Annotated[str, Field(max_length=30)]] = []
    address: Address | None = None


class UserChange(UserIn):
    name: str | None = Field(None, max_length=100)  # type: ignore[assignment]  # every field may be left out
    email: str | None = Field(None, max_length=200)  # type: ignore[assignment]


class User(Document, UserIn):
    class Settings:
        name = COLLECTION


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Connect while the application starts."""
    client: AsyncMongoClient[Any] = AsyncMongoClient(URI)
    await init_beanie(database=client[DATABASE], document_models=[User])
    yield
    await client.close()


app = FastAPI(lifespan=lifespan)


@app.get("/user")
async def show_users(
    page: Annotated[int, Query(ge=1)] = 1, city: str | None = None, age__gte: int | None = None
) -> list[User]:
    conditions: list[Any] = []
    if city is not None:
        conditions.append(User.city == city)
    if age__gte is not None:
        conditions.append(GTE(User.age, age__gte))
    return await User.find(*conditions).sort("+_id").skip((page - 1) * PER_PAGE).limit(PER_PAGE).to_list()


@app.post("/user", status_code=201)
async def create_user(user: UserIn) -> User:
    return await User(**user.model_dump()).insert()


@app.get("/user/{user_id}")
async def show_user(user_id: PydanticObjectId) -> User:
    return _found(await User.get(user_id))


@app.put("/user/{user_id}")
async def update_user(user_id: PydanticObjectId, change: UserChange) -> User:
    values = change.model_dump(exclude_unset=True)
    return _found(
        await User.find_one(User.id == user_id).update({"$set": values}, response_type=UpdateResponse.NEW_DOCUMENT)
    )


@app.delete("/user/{user_id}", status_code=204)
async def delete_user(user_id: PydanticObjectId) -> Response:
    result = await User.find_one(User.id == user_id).delete()
    if result is None or not result.deleted_count:
        raise HTTPException(404)
    return Response(status_code=204)


def _found(user: Any) -> User:
    if user is None:
        raise HTTPException(404)
    found: User = user
    return found


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, loop="uvloop", http="httptools", log_level="warning")

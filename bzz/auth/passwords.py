"""Where the hashes of passwords lie: in a place of bzz's own, never in an application's documents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Account", "MemoryPasswords", "MongoPasswords", "PasswordStore"]


@dataclass(frozen=True)
class Account:
    """Somebody who has a password.

    :param login: what it is called by, in one form: ``ada@example.org``.
    :param user_id: what stands for its user in sessions and documents; it never changes.
    :param hash: of the password.
    """

    login: str
    user_id: str
    hash: str = field(repr=False)


class PasswordStore(ABC):
    """Keeps accounts by their login."""

    @abstractmethod
    async def add(self, account: Account) -> bool:
        """Keep a new ``account``, unless its login is taken; whether it was kept."""

    @abstractmethod
    async def find(self, login: str) -> Account | None:
        """The account called ``login``."""

    @abstractmethod
    async def change(self, account: Account, new_hash: str) -> bool:
        """Give ``account`` another hash if its hash is still the one that it has here; whether it was."""


class MemoryPasswords(PasswordStore):
    """A store in this process's memory: for development, and lost with the process."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    async def add(self, account: Account) -> bool:
        if account.login in self._accounts:
            return False
        self._accounts[account.login] = account
        return True

    async def find(self, login: str) -> Account | None:
        return self._accounts.get(login)

    async def change(self, account: Account, new_hash: str) -> bool:
        if self._accounts.get(account.login) != account:
            return False
        self._accounts[account.login] = replace(account, hash=new_hash)
        return True


class MongoPasswords(PasswordStore):
    """A store in a MongoDB collection that nothing else uses.

    :param collection: an asynchronous collection, of Motor or of PyMongo's ``AsyncMongoClient``.
    """

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    async def add(self, account: Account) -> bool:
        new = {"user_id": account.user_id, "hash": account.hash}
        added = await self._collection.update_one({"_id": account.login}, {"$setOnInsert": new}, upsert=True)
        return added.upserted_id is not None

    async def find(self, login: str) -> Account | None:
        found = await self._collection.find_one({"_id": login})
        return None if found is None else Account(login, found["user_id"], found["hash"])

    async def change(self, account: Account, new_hash: str) -> bool:
        where = {"_id": account.login, "hash": account.hash}
        changed = await self._collection.update_one(where, {"$set": {"hash": new_hash}})
        return bool(changed.matched_count)

"""The stores of password hashes, apart from the application's documents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

from bzz.auth.http import unavailable_on
from bzz.auth.mongodb import store_in
from bzz.errors import Unavailable
from bzz.providers.base import Entry

__all__ = ["Account", "MemoryPasswords", "MongoPasswords", "PasswordStore"]


@dataclass(frozen=True)
class Account:
    """An account with a password.

    :param login: the normalized login: ``ada@example.org``.
    :param user_id: the id of its user in sessions and documents; it never changes.
    :param hash: the hash of the password.
    """

    login: str
    user_id: str
    hash: str = field(repr=False)


class PasswordStore(ABC):
    """Keeps accounts by their login."""

    @abstractmethod
    async def add(self, account: Account) -> bool:
        """Add a new ``account``, unless its login is taken, and return whether it was added."""

    @abstractmethod
    async def find(self, login: str) -> Account | None:
        """Return the account with this login, or None."""

    @abstractmethod
    async def change(self, account: Account, new_hash: str) -> bool:
        """Replace the hash of ``account`` if the stored one is still its own, and return whether it was."""


class MemoryPasswords(PasswordStore):
    """A store in memory, for development. It is lost with the process."""

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
        self._store = store_in(collection)

    async def add(self, account: Account) -> bool:
        with unavailable_on("password", Unavailable):
            return await self._store.put(account.login, _value_of(account), None) is not None

    async def find(self, login: str) -> Account | None:
        with unavailable_on("password", Unavailable):
            found = (await self._store.get([login])).get(login)
        return None if found is None else _account_of(login, found)

    async def change(self, account: Account, new_hash: str) -> bool:
        with unavailable_on("password", Unavailable):
            found = (await self._store.get([account.login])).get(account.login)
            if found is None or _account_of(account.login, found) != account:
                return False
            return await self._store.put(account.login, {**found.value, "hash": new_hash}, found) is not None


def _value_of(account: Account) -> dict[str, str]:
    return {"user_id": account.user_id, "hash": account.hash}


def _account_of(login: str, entry: Entry) -> Account:
    return Account(login, entry.value["user_id"], entry.value["hash"])

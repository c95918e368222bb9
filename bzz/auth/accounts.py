"""Accounts with passwords: created, checked, changed and reset. This module knows no HTTP."""

from __future__ import annotations

import hashlib
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bzz.auth.hashing import dummy_hash, hash_password, needs_rehash, verify_password
from bzz.auth.http import unavailable_on_error
from bzz.auth.password_store import Account, PasswordStore
from bzz.auth.token import SessionTokens
from bzz.errors import BadRequest, Conflict, Invalid

__all__ = ["Accounts"]

SHORTEST, LONGEST = 8, 1024
"""The length of passwords in characters (NIST SP 800-63B, section 3.1.1.2); the maximum bounds the time of hashing."""

RESET_SECONDS = 3600
RESET = "password reset"


@dataclass(frozen=True)
class Accounts:
    """The accounts of one provider.

    :param provider: its name.
    :param login: the member of a body that names an account.
    """

    store: PasswordStore
    provider: str
    login: str

    async def check(self, data: Mapping[str, Any], password: str) -> dict[str, Any] | None:
        """Return the user that ``data`` names if ``password`` is theirs. An unknown account takes just as long.

        :raises bzz.errors.BadRequest: if there is no login, or the password is too long.
        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        if len(password) > LONGEST:
            raise BadRequest(f"A password has at most {LONGEST} characters.")
        account = await self._find(data)
        if not await verify_password(dummy_hash() if account is None else account.hash, password) or account is None:
            return None
        if needs_rehash(account.hash):
            await self._change(account, password)
        return self._user_of(account)

    async def sign_up(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return a new user with the login and the password in ``data``.

        :raises bzz.errors.Conflict: if the login is taken.
        :raises bzz.errors.Invalid: if the password is too short or too long.
        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        login, password = self.login_in(data), _checked(data.get("password"), "password")
        account = Account(login, uuid.uuid4().hex, await hash_password(password))
        with unavailable_on_error("password"):
            is_new = await self.store.add(account)
        if not is_new:
            raise Conflict(f"There is an account with this {self.login} already.")
        return self._user_of(account)

    async def change(self, data: Mapping[str, Any], password: Any, member: str = "password") -> dict[str, Any] | None:
        """Change the password of the account that ``data`` names; return None if another change came first.

        :param member: what the client calls ``password``.
        :raises bzz.errors.Invalid: if the password is too short or too long.
        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        checked = _checked(password, member)
        account = await self._find(data)
        return self._user_of(account) if account is not None and await self._change(account, checked) else None

    async def reset_token(self, data: Mapping[str, Any], tokens: SessionTokens) -> tuple[dict[str, Any], str] | None:
        """Return the user that ``data`` names and a token that resets the password once, or None for an unknown one.

        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        account = await self._find(data)
        if account is None:
            return None
        claims = {"sub": account.login, "provider": self.provider, "was": _fingerprint(account)}
        return self._user_of(account), tokens.sign(RESET, claims, RESET_SECONDS)

    async def reset(self, token: str, password: Any, tokens: SessionTokens) -> dict[str, Any] | None:
        """Set the password of the account of ``token``; return None if the token is invalid or expired.

        :raises bzz.errors.Invalid: if the password is too short or too long.
        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        claims, checked = tokens.signed(RESET, token), _checked(password, "password")
        if claims is None or claims.get("provider") != self.provider:
            return None
        account = await self._find({self.login: claims["sub"]})
        if account is None or claims.get("was") != _fingerprint(account):
            return None
        return self._user_of(account) if await self._change(account, checked) else None

    def _user_of(self, account: Account) -> dict[str, Any]:
        """Return the data of the user of ``account``."""
        return {"id": account.user_id, self.login: account.login}

    async def _find(self, data: Mapping[str, Any]) -> Account | None:
        """Return the account whose login is in ``data``.

        :raises bzz.errors.BadRequest: if there is no login.
        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        login = self.login_in(data)
        with unavailable_on_error("password"):
            return await self.store.find(login)

    async def _change(self, account: Account, password: str) -> bool:
        new_hash = await hash_password(password)
        with unavailable_on_error("password"):
            return await self.store.change(account, new_hash)

    def login_in(self, data: Mapping[str, Any]) -> str:
        """Return the normalized login in ``data``: of normal width, in lower case and NFC (RFC 8265, section 3.3).

        No more than that: two mail addresses would become one otherwise, as ``straße.de`` and ``strasse.de``.

        :raises bzz.errors.BadRequest: if there is none.
        """
        found = data.get(self.login)
        if not isinstance(found, str) or not found.strip() or len(found) > LONGEST:
            raise BadRequest(f"The body needs {self.login}, a text.")
        of_normal_width = "".join(map(_narrowed, found.strip()))
        return unicodedata.normalize("NFC", of_normal_width.lower())


def _narrowed(character: str) -> str:
    """Return a character in its normal width, where it has another one."""
    has_other = unicodedata.east_asian_width(character) in ("F", "H")
    return unicodedata.normalize("NFKC", character) if has_other else character


def _checked(password: Any, member: str) -> str:
    if not isinstance(password, str) or not SHORTEST <= len(password) <= LONGEST:
        raise Invalid({member: [f"A password has {SHORTEST} to {LONGEST} characters."]}, "The password is refused.")
    return password


def _fingerprint(account: Account) -> str:
    """Return a digest that changes with the password, so that a reset token works once. It does not reveal the hash."""
    return hashlib.sha256(account.hash.encode()).hexdigest()

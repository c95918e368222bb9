"""The handlers of :class:`bzz.auth.PasswordProvider`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bzz.addresses import network_of
from bzz.auth.accounts import Accounts
from bzz.auth.base import AuthProvider
from bzz.auth.body import is_true, required_text
from bzz.auth.handlers import SignInHandler
from bzz.auth.http import unavailable_on_error
from bzz.auth.operations import CHANGE_PASSWORD, FORGOTTEN_PASSWORD, RESET_PASSWORD, SIGN_UP
from bzz.auth.session import bearer_of
from bzz.calling import call
from bzz.errors import Conflict, Forbidden, RequestError, Unauthorized

__all__ = ["ChangeHandler", "ForgottenHandler", "ResetHandler", "SendReset", "SignUpHandler"]

logger = logging.getLogger("bzz.auth")

SendReset = Callable[[dict[str, Any], str], "Awaitable[None] | None"]

_sending: set[asyncio.Task[None]] = set()
"""The tasks that send tokens, kept because the event loop has weak references only."""


class AccountHandler(SignInHandler):
    """The base of the handlers of passwords."""

    def initialize(  # type: ignore[override]  # Tornado calls it with what the route of this class holds
        self, providers: Mapping[str, AuthProvider], accounts: Accounts, send_reset: SendReset | None = None
    ) -> None:
        """Set the accounts, and the function that sends a token to reset a password."""
        super().initialize(providers)
        self.accounts = accounts
        self.send_reset = send_reset

    @asynccontextmanager
    async def _counted(self, *accounts: str, success_counts: bool = False) -> AsyncIterator[None]:
        """Count the block as a failed sign-in for the client's address, and for ``accounts``, if it is refused.

        :param success_counts: whether to count it if it succeeds too.
        :raises bzz.errors.TooManyRequests: if too many sign-ins have failed, with ``Retry-After``.
        """
        limiter = self.auth.limiter
        with unavailable_on_error("sign-in limiter"):
            counted = [await limiter.begin("address", network_of(self.request.remote_ip or ""))]
            counted += [await limiter.begin("account", f"{self.accounts.provider}:{each}") for each in accounts]
        try:
            yield
        except (Conflict, Unauthorized):  # a stranger could learn something from these
            raise
        except RequestError:
            await self._forgive(counted)
            raise
        if not success_counts:
            await self._forgive(counted)

    async def _forgive(self, counted: list[str]) -> None:
        with unavailable_on_error("sign-in limiter"):
            await self.auth.limiter.forgive(counted)

    async def _end_sessions(self, user: Mapping[str, Any]) -> None:
        """End every session of ``user``, if there is a revocation store."""
        sessions = self.auth.sessions
        if sessions.revocation is not None:
            await sessions.end_all(self.accounts.provider, str(user["id"]))


class SignUpHandler(AccountHandler):
    """``POST /auth/password/signup/``."""

    openapi = SIGN_UP

    async def post(self) -> None:
        """Create an account and sign in to it: 201, or 409 if the login is taken."""
        data = {**self._members(), "provider": self.accounts.provider}
        is_true(data, "bearer")
        async with self._counted():
            await self.accounts.sign_up(data)
        self.set_status(201)
        await self._sign_in(data)


class ChangeHandler(AccountHandler):
    """``POST /auth/password/change/``."""

    openapi = CHANGE_PASSWORD

    async def post(self) -> None:
        """Change ``password`` into ``new_password``, end every other session, and begin a new one."""
        sent = self._members()
        user = (await self.auth.sessions.find(self)).user
        if user["provider"] != self.accounts.provider:
            raise Forbidden("You have signed in without a password.")
        login = {self.accounts.login: user[self.accounts.login], "provider": self.accounts.provider}
        data = {**login, "password": required_text(sent, "password")}
        await self._attempt(data).run()
        if await self.accounts.change(data, sent.get("new_password"), "new_password") is None:
            raise Conflict("The password was changed meanwhile; sign in again.")
        await self._end_sessions(user)
        await self._begin(user, user, with_token=bearer_of(self) is not None)


class ForgottenHandler(AccountHandler):
    """``POST /auth/password/forgotten/``."""

    openapi = FORGOTTEN_PASSWORD

    async def post(self) -> None:
        """Send a token to the user of the account, if there is one; answer 202 in either case."""
        data = self._members()
        login = self.accounts.login_in(data)
        async with self._counted(f"forgotten:{login}", success_counts=True):
            found = await self.accounts.reset_token(data, self.auth.sessions.tokens)
        self.set_status(202)
        self.write_json({"accepted": True})
        if found is not None:
            task = asyncio.create_task(self._send(*found))  # so that an existing account takes no longer
            _sending.add(task)
            task.add_done_callback(_sending.discard)

    async def _send(self, user: dict[str, Any], token: str) -> None:
        assert self.send_reset is not None  # the route exists only with it
        try:
            await call(self.send_reset, user, token)
        except Exception as error:  # its message may quote the token
            logger.error("send_reset failed with %s for user %s", type(error).__name__, user["id"])


class ResetHandler(AccountHandler):
    """``POST /auth/password/reset/``."""

    openapi = RESET_PASSWORD

    async def post(self) -> None:
        """Set ``password`` by a ``token`` that was sent, and end every session of its account."""
        data = self._members()
        token, tokens = required_text(data, "token"), self.auth.sessions.tokens
        async with self._counted():
            user = await self.accounts.reset(token, data.get("password"), tokens)
            if user is None:
                raise Unauthorized("The token is not valid, has expired, or was used; ask for another.")
        await self._end_sessions(user)
        self.write_json({"reset": True})

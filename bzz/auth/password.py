"""Sign-in with a login and a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tornado.web import RequestHandler

from bzz.auth.accounts import Accounts
from bzz.auth.base import AuthProvider
from bzz.auth.hashing import dummy_hash
from bzz.auth.password_handlers import ChangeHandler, ForgottenHandler, ResetHandler, SendReset, SignUpHandler
from bzz.auth.password_store import PasswordStore
from bzz.errors import ConfigurationError

__all__ = ["PasswordProvider"]

_TAKEN = ("", "id", "provider", "password", "new_password", "token", "bearer")


class PasswordProvider(AuthProvider):
    """Accepts passwords, whose hashes are in a store of their own, and lets users sign up, change and reset them.

    Its routes are below ``/auth/password/``. An unknown account and a wrong password get the same answer after the same
    time.

    :param store: for example :class:`bzz.auth.MongoPasswords`.
    :param login: the member of the body that names the account, without regard to case; by default ``email``.
    :param send_reset: called with the user (``id`` and the login) and a token, to mail it; plain or async, after the
        response. Without it, passwords cannot be reset.
    :raises bzz.errors.ConfigurationError: if an argument has the wrong type.
    """

    credential = "password"

    def __init__(self, store: PasswordStore, *, login: str = "email", send_reset: SendReset | None = None) -> None:
        given: tuple[Any, Any, Any] = (store, login, send_reset)
        if not isinstance(given[0], PasswordStore):
            raise ConfigurationError(f"store is a bzz.auth.PasswordStore, not {store!r}")
        if not isinstance(given[1], str) or login in _TAKEN:
            raise ConfigurationError(f"login is a name that bzz does not use itself, not {login!r}")
        if not (given[2] is None or callable(given[2])):
            raise ConfigurationError(f"send_reset is a function of a user and a token, not {send_reset!r}")
        dummy_hash()  # now, so that the first request does not wait for it
        self.kept = (login,)
        self._accounts = Accounts(store, self.name, login)
        self._send_reset = send_reset

    def account(self, post_data: Mapping[str, Any]) -> str:
        """Return the login in ``post_data``, by which failures are counted.

        :raises bzz.errors.BadRequest: if there is none.
        """
        return self._accounts.login_in(post_data)

    async def authenticate(
        self,
        access_token: str,
        proxy_info: Mapping[str, Any] | None = None,
        post_data: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Return the user whose password is ``access_token``, and whose login is in ``post_data``.

        :raises bzz.errors.BadRequest: if there is no login, or the password is too long.
        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        return await self._accounts.check(post_data or {}, access_token)

    def routes(self) -> dict[str, tuple[type[RequestHandler], dict[str, Any]]]:
        """Return the routes to sign up, to change a password and, with ``send_reset``, to reset one."""
        arguments = {"accounts": self._accounts}
        found: dict[str, tuple[type[RequestHandler], dict[str, Any]]] = {
            f"{self.name}/signup": (SignUpHandler, arguments),
            f"{self.name}/change": (ChangeHandler, arguments),
        }
        if self._send_reset is not None:
            found[f"{self.name}/forgotten"] = (ForgottenHandler, {**arguments, "send_reset": self._send_reset})
            found[f"{self.name}/reset"] = (ResetHandler, arguments)
        return found

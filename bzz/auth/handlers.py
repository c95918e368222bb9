"""The three resources of :class:`bzz.AuthHive`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bzz.auth.base import AuthProvider
from bzz.auth.limiter import Limiter
from bzz.auth.session import Sessions
from bzz.auth.signin import Attempt, read_body
from bzz.codec import dumps
from bzz.errors import ConfigurationError, Unauthorized
from bzz.receiving import ReceivingHandler
from bzz.signals import pre_get_user_details

__all__ = ["SETTING", "AuthSettings", "MeHandler", "SignInHandler", "SignOutHandler"]

SETTING = "bzz_auth"


@dataclass(frozen=True)
class AuthSettings:
    """What ``AuthHive.configure`` leaves for the handlers, in ``application.settings['bzz_auth']``."""

    sessions: Sessions
    limiter: Limiter
    proxy_info: Mapping[str, Any] | None


class AuthHandler(ReceivingHandler):
    """What the three have in common."""

    def initialize(self, providers: Mapping[str, AuthProvider]) -> None:
        """Take the providers, by name."""
        self.providers = providers

    def set_default_headers(self) -> None:
        """Keep answers about a person out of every cache."""
        self.set_header("Cache-Control", "no-store")

    @property
    def auth(self) -> AuthSettings:
        """What the application configured.

        :raises bzz.errors.ConfigurationError: nothing.
        """
        try:
            found: AuthSettings = self.settings[SETTING]
        except KeyError:
            raise ConfigurationError("call bzz.AuthHive.configure(application, secret_key)") from None
        return found

    def write_json(self, value: Mapping[str, Any]) -> None:
        """Finish with ``value`` as JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(dumps(value))


class SignInHandler(AuthHandler):
    """``POST /auth/signin/``."""

    async def post(self) -> None:
        """Sign in with ``{"access_token": ..., "provider": ...}``: the user's data, and a cookie."""
        auth = self.auth
        attempt = Attempt(self, read_body(self.body()), self.providers, auth.limiter, auth.proxy_info)
        user = await attempt.run()
        kept = ("id", "provider", *self.providers[attempt.provider_name].kept)
        auth.sessions.start(self, {name: user[name] for name in kept if name in user})
        self.write_json({**user, "authenticated": True})


class MeHandler(AuthHandler):
    """``GET /auth/me/``."""

    async def get(self) -> None:
        """Say whether somebody is signed in, and who."""
        try:
            session = await self.auth.sessions.find(self)
        except Unauthorized:
            self.write_json({"authenticated": False})
            return
        user, provider = dict(session.user), session.user["provider"]
        await pre_get_user_details.notify(provider, provider_name=provider, user_data=user, handler=self)
        self.write_json({"authenticated": True, "userData": user})

    head = get


class SignOutHandler(AuthHandler):
    """``POST /auth/signout/``."""

    async def post(self) -> None:
        """Remove the cookie and, where revocation is configured, end the session everywhere."""
        await self.auth.sessions.end(self)
        self.write_json({"loggedOut": True})

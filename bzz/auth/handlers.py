"""The handlers of :class:`bzz.AuthHive`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bzz.auth.base import AuthProvider
from bzz.auth.body import is_true, read_members, required_text
from bzz.auth.limiter import Limiter
from bzz.auth.operations import ME, RENEW, SIGN_IN, SIGN_OUT
from bzz.auth.session import Sessions, bearer_of
from bzz.auth.signin import Attempt
from bzz.codec import dumps
from bzz.errors import ConfigurationError, Unauthorized
from bzz.problem import RATE_LIMITS, BodyHandler
from bzz.signals import pre_get_user_details

__all__ = ["SETTING", "AuthSettings", "MeHandler", "RenewHandler", "SignInHandler", "SignOutHandler", "settings_of"]

SETTING = "bzz_auth"


@dataclass(frozen=True)
class AuthSettings:
    """The configuration that the handlers share, in ``application.settings['bzz_auth']``."""

    sessions: Sessions
    limiter: Limiter
    proxy_info: Mapping[str, Any] | None


def settings_of(settings: Mapping[str, Any]) -> AuthSettings:
    """Return the :class:`AuthSettings` in an application's ``settings``.

    :raises bzz.errors.ConfigurationError: if ``AuthHive.configure`` was not called.
    """
    try:
        found: AuthSettings = settings[SETTING]
    except KeyError:
        raise ConfigurationError("call bzz.AuthHive.configure(application, secret_key)") from None
    return found


class AuthHandler(BodyHandler):
    """The base of the handlers of authentication."""

    def initialize(self, providers: Mapping[str, AuthProvider]) -> None:
        """Set the providers, by name."""
        self.providers = providers

    async def check_request(self) -> None:
        """Ask the rate limits of the application, and not the guard: who comes here may not be signed in yet."""
        limits = self.settings.get(RATE_LIMITS)
        if limits is not None:
            await limits.admit(self, None, "")

    def set_default_headers(self) -> None:
        """Keep answers about users out of caches."""
        self.set_header("Cache-Control", "no-store")

    @property
    def auth(self) -> AuthSettings:
        """The configuration of the application.

        :raises bzz.errors.ConfigurationError: if ``AuthHive.configure`` was not called.
        """
        return settings_of(self.settings)

    def write_json(self, value: Mapping[str, Any]) -> None:
        """Finish with ``value`` as JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(dumps(value))


class SignInHandler(AuthHandler):
    """``POST /auth/signin/``."""

    openapi = SIGN_IN

    async def post(self) -> None:
        """Sign in with ``{"access_token": ..., "provider": ...}``: the user's data, and a cookie or a token."""
        await self._sign_in(self._members())

    def _members(self) -> dict[str, Any]:
        return read_members(self.request.headers.get("Content-Type", ""), self.body())

    async def _sign_in(self, data: dict[str, Any]) -> None:
        provider = self.providers.get(required_text(data, "provider"))
        required_text(data, AuthProvider.credential if provider is None else provider.credential)
        with_token = is_true(data, "bearer")
        user = await self._attempt(data).run()
        kept = ("id", "provider", *self.providers[data["provider"]].kept)
        await self._begin({name: user[name] for name in kept if name in user}, user, with_token=with_token)

    def _attempt(self, data: dict[str, Any]) -> Attempt:
        return Attempt(self, data, self.providers, self.auth.limiter, self.auth.proxy_info)

    async def _begin(self, kept: dict[str, Any], user: dict[str, Any], *, with_token: bool) -> None:
        """Begin a session with what is ``kept``, and finish with the data of ``user``."""
        sessions = self.auth.sessions
        session, answer = sessions.tokens.start(kept), {**user, "authenticated": True}
        if with_token:
            answer.update(sessions.token(session))
        else:
            sessions.set_cookie(self, session)
        await sessions.end_previous(self)
        self.write_json(answer)


class RenewHandler(AuthHandler):
    """``POST /auth/renew/``."""

    openapi = RENEW

    async def post(self) -> None:
        """Renew the session: a new token in the answer to a bearer token, else a new cookie."""
        sessions = self.auth.sessions
        session = sessions.tokens.renew(await sessions.find(self))
        answer = sessions.token(session)
        if bearer_of(self) is None:
            sessions.set_cookie(self, session)
            del answer["token"]
        self.write_json(answer)


class MeHandler(AuthHandler):
    """``GET /auth/me/``."""

    openapi = ME

    async def get(self) -> None:
        """Answer whether a user is signed in, and which one."""
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

    openapi = SIGN_OUT

    async def post(self) -> None:
        """Remove the cookie and, where revocation is configured, end the session everywhere."""
        await self.auth.sessions.end(self)
        self.write_json({"loggedOut": True})

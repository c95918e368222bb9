"""``bzz.AuthHive``: the routes of authentication, and the guard of an application."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tornado.web import Application, RequestHandler

from bzz.auth.base import AuthProvider
from bzz.auth.caching import SessionHeaders
from bzz.auth.cookie import SessionCookie
from bzz.auth.guard import Guard
from bzz.auth.handlers import SETTING, AuthSettings, MeHandler, RenewHandler, SignInHandler, SignOutHandler, settings_of
from bzz.auth.limiter import Limiter
from bzz.auth.options import check_types, checked_proxy, secret_keys
from bzz.auth.revocation import RevocationStore
from bzz.auth.session import LoadUser, Sessions
from bzz.auth.token import SessionTokens
from bzz.errors import ConfigurationError
from bzz.problem import GUARD
from bzz.routing import RouteList, join

__all__ = ["AuthHive"]

logger = logging.getLogger("bzz.auth")

_HANDLERS = {"me": MeHandler, "signin": SignInHandler, "signout": SignOutHandler, "renew": RenewHandler}


class AuthHive:
    """Signs people in, and guards an application."""

    @staticmethod
    def routes_for(providers: Iterable[AuthProvider | type[AuthProvider]], prefix: str = "") -> RouteList:
        """Return the routes ``/auth/me/``, ``/auth/signin/``, ``/auth/signout/``, ``/auth/renew/`` and the providers'.

        The slash at the end is optional.

        :param providers: the authentication providers, with different names: instances, or classes that need no
            arguments.
        :raises bzz.errors.ConfigurationError: if there is no provider, one has no name, two have the same name, or one
            is not a provider.
        """
        named = _by_name(providers)
        found: dict[str, tuple[type[RequestHandler], dict[str, Any]]] = {
            name: (handler, {}) for name, handler in _HANDLERS.items()
        }
        for provider in named.values():
            found.update(provider.routes())
        return RouteList(
            (f"{join(prefix, f'auth/{name}')}/?", handler, {"providers": named, **arguments})
            for name, (handler, arguments) in found.items()
        )

    @staticmethod
    def configure(
        app: Application,
        secret_key: str | bytes | Sequence[str | bytes],
        expiration: int = 1200,
        cookie_name: str = "AUTH_TOKEN",
        authenticated_get: bool = True,
        authenticated_create: bool = True,
        authenticated_update: bool = True,
        authenticated_delete: bool = True,
        *,
        lifetime: int = 86400,
        samesite: str = "Lax",
        domain: str | None = None,
        audience: str | None = None,
        development: bool = False,
        load_user: LoadUser | None = None,
        revocation: RevocationStore | None = None,
        limiter: Limiter | None = None,
        proxy_info: Mapping[str, Any] | None = None,
    ) -> None:
        """Guard every handler of bzz in ``app``, and keep its sessions.

        Tornado's ``cross_origin_protection`` is switched on, unless ``app`` has settled it.

        :param secret_key: at least 32 bytes; a list to change keys: the first one signs, all are accepted.
        :param expiration: seconds that a session lasts after the last guarded request that succeeded.
        :param cookie_name: the cookie with the session's token.
        :param authenticated_get: whether GET and HEAD require a signed-in user.
        :param authenticated_create: whether POST does.
        :param authenticated_update: whether PUT and PATCH do.
        :param authenticated_delete: whether DELETE does.
        :param lifetime: seconds after the sign-in at which a session ends, however much it is used.
        :param samesite: which requests from other sites carry the cookie: ``Lax``, ``Strict`` or ``None``.
        :param domain: the domain whose hosts all get the cookie; None for the host that set it alone.
        :param audience: the audience of tokens (``aud``), for applications that share a key but not sessions.
        :param development: send the cookie over plain HTTP as well.
        :param load_user: called for each request with a valid session, with its user (``id``, ``provider`` and the
            provider's ``kept`` data); may be a coroutine. It returns ``handler.current_user``, or None for a 401.
        :param revocation: the store of sessions that were signed out, so that copied tokens stop working.
        :param limiter: how many sign-ins may fail; by default a :class:`bzz.auth.Limiter` with its defaults.
        :param proxy_info: Tornado's ``proxy_host``, ``proxy_port`` and so on, for the providers' requests.
        :raises bzz.errors.ConfigurationError: if a key is too short, or another argument is invalid.
        """
        check_types(locals())
        tokens = SessionTokens(secret_keys(secret_key), expiration, lifetime, audience=audience)
        cookie = SessionCookie(cookie_name, not development, samesite, domain)
        sessions = Sessions(tokens, cookie, revocation, load_user)
        app.settings[SETTING] = AuthSettings(sessions, limiter or Limiter(), checked_proxy(proxy_info))
        app.settings[GUARD] = Guard(
            sessions,
            {
                "GET": authenticated_get,
                "HEAD": authenticated_get,
                "POST": authenticated_create,
                "PUT": authenticated_update,
                "PATCH": authenticated_update,
                "DELETE": authenticated_delete,
                "OPTIONS": False,  # a browser asks before it may send credentials
            },
        )
        if SessionHeaders not in app.transforms:
            app.add_transform(SessionHeaders)
        _refuse_other_sites(app)

    @staticmethod
    async def end_sessions(app: Application, provider: str, user_id: str) -> None:
        """End every session that a user of ``app`` has begun until now, wherever a copy of its token is.

        :param provider: the provider's name, and ``user_id`` what it gave as ``id``.
        :raises bzz.errors.ConfigurationError: if ``app`` was configured without ``revocation``, or not at all.
        :raises bzz.errors.Unavailable: if the store cannot be asked.
        """
        await settings_of(app.settings).sessions.end_all(provider, user_id)


def _by_name(providers: Iterable[AuthProvider | type[AuthProvider]]) -> dict[str, AuthProvider]:
    named: dict[str, AuthProvider] = {}
    for given in providers:
        provider = _made(given)
        if not provider.name or provider.name in named:
            raise ConfigurationError(f"{given!r} needs a name of its own, not {provider.name!r}")
        named[provider.name] = provider
    if not named:
        raise ConfigurationError("AuthHive.routes_for needs at least one provider")
    return named


def _made(given: Any) -> AuthProvider:
    """Return ``given``, or an instance of it if it is a class."""
    if isinstance(given, AuthProvider):
        return given
    if not (isinstance(given, type) and issubclass(given, AuthProvider)):
        raise ConfigurationError(f"{given!r} is no bzz.AuthProvider; give a class of one, or an instance")
    try:
        return given()
    except TypeError as error:  # it takes arguments, or a method is missing
        raise ConfigurationError(f"{given.__name__} cannot be made: {error}; give an instance of it") from None


def _refuse_other_sites(app: Application) -> None:
    app.settings.setdefault("cross_origin_protection", True)

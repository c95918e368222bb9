"""``bzz.AuthHive``: the routes of authentication, and the guard of an application."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tornado
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application

from bzz.auth.base import AuthProvider
from bzz.auth.guard import Guard
from bzz.auth.handlers import SETTING, AuthSettings, MeHandler, SignInHandler, SignOutHandler
from bzz.auth.limiter import Limiter
from bzz.auth.revocation import RevocationStore
from bzz.auth.session import Renewal, Sessions
from bzz.auth.token import SessionTokens
from bzz.errors import ConfigurationError
from bzz.problem import GUARD
from bzz.routing import RouteList, join

__all__ = ["AuthHive"]

logger = logging.getLogger("bzz.auth")

_PROXY = {"proxy_host", "proxy_port", "proxy_username", "proxy_password", "proxy_auth_mode"}


class AuthHive:
    """Signs people in, and guards an application."""

    @staticmethod
    def routes_for(providers: Iterable[AuthProvider | type[AuthProvider]], prefix: str = "") -> RouteList:
        """The routes ``/auth/me/``, ``/auth/signin/`` and ``/auth/signout/`` below ``prefix``.

        The slash at the end is optional.

        :param providers: who can vouch for a user, each with a name of its own: instances, or classes that need no
            arguments.
        :raises bzz.errors.ConfigurationError: no provider, one without a name, two of one name, or something else.
        """
        arguments = {"providers": _by_name(providers)}
        return RouteList(
            (f"{join(prefix, f'auth/{name}')}/?", handler, arguments)
            for name, handler in [("me", MeHandler), ("signin", SignInHandler), ("signout", SignOutHandler)]
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
        development: bool = False,
        revocation: RevocationStore | None = None,
        limiter: Limiter | None = None,
        proxy_info: Mapping[str, Any] | None = None,
    ) -> None:
        """Guard every handler of bzz in ``app``, and keep its sessions.

        Tornado's ``cross_origin_protection`` is switched on, unless ``app`` has settled it.

        :param secret_key: at least 32 bytes; a list to change keys: the first signs, all are accepted.
        :param expiration: seconds that a session lasts after the last guarded request that succeeded.
        :param cookie_name: the cookie with the session's token.
        :param authenticated_get: whether GET and HEAD ask for a signed-in user.
        :param authenticated_create: whether POST does.
        :param authenticated_update: whether PUT and PATCH do.
        :param authenticated_delete: whether DELETE does.
        :param lifetime: seconds after the sign-in at which a session ends, however much it is used.
        :param development: send the cookie over plain HTTP as well.
        :param revocation: where sessions are noted that were signed out, so that a copied token stops working.
        :param limiter: how many sign-ins may fail; :class:`bzz.auth.Limiter` with its defaults unless said otherwise.
        :param proxy_info: Tornado's ``proxy_host``, ``proxy_port`` and so on, for the providers' requests.
        :raises bzz.errors.ConfigurationError: a key that is too short, or another argument that cannot be.
        """
        tokens = SessionTokens(_keys(secret_key), expiration, lifetime)
        sessions = Sessions(tokens, cookie_name, not development, revocation)
        app.settings[SETTING] = AuthSettings(sessions, limiter or Limiter(), _proxy(proxy_info))
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
        if Renewal not in app.transforms:
            app.add_transform(Renewal)
        _refuse_other_sites(app)


def _keys(secret_key: str | bytes | Sequence[str | bytes]) -> list[bytes]:
    keys = [secret_key] if isinstance(secret_key, (str, bytes)) else secret_key
    if not isinstance(keys, (list, tuple)) or not all(isinstance(key, (str, bytes)) for key in keys):
        raise ConfigurationError("secret_key is a text, bytes, or a list of those")
    return [key.encode() if isinstance(key, str) else key for key in keys]


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
    """``given``, or an instance of it where it is a class."""
    if isinstance(given, AuthProvider):
        return given
    if not (isinstance(given, type) and issubclass(given, AuthProvider)):
        raise ConfigurationError(f"{given!r} is no bzz.AuthProvider; give a class of one, or an instance")
    try:
        return given()
    except TypeError as error:  # it takes arguments, or a method is missing
        raise ConfigurationError(f"{given.__name__} cannot be made: {error}; give an instance of it") from None


def _proxy(proxy_info: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if not proxy_info:
        return None
    unknown = sorted(set(proxy_info) - _PROXY)
    if unknown:
        raise ConfigurationError(f"proxy_info holds {', '.join(unknown)}; it takes {', '.join(sorted(_PROXY))}")
    _check_proxy(proxy_info)
    if issubclass(AsyncHTTPClient.configured_class(), SimpleAsyncHTTPClient):
        raise ConfigurationError(
            "proxy_info needs pycurl and AsyncHTTPClient.configure('tornado.curl_httpclient.CurlAsyncHTTPClient')"
        )
    return proxy_info


def _check_proxy(info: Mapping[str, Any]) -> None:
    """Refuse what Tornado's client passes over: without a port, say, it asks without the proxy."""
    host, port = info.get("proxy_host"), info.get("proxy_port")
    if not (isinstance(host, str) and host and isinstance(port, int) and port):
        raise ConfigurationError("proxy_info needs proxy_host, a text, and proxy_port, a number")
    if (info.get("proxy_username") is None) != (info.get("proxy_password") is None):
        raise ConfigurationError("proxy_info needs both proxy_username and proxy_password, or neither")
    if info.get("proxy_auth_mode") not in (None, "basic", "digest"):
        raise ConfigurationError("proxy_auth_mode is basic or digest")


def _refuse_other_sites(app: Application) -> None:
    app.settings.setdefault("cross_origin_protection", True)
    if tornado.version_info < (6, 6):
        logger.warning("Tornado %s has no cross_origin_protection; only SameSite=Lax guards cookies", tornado.version)

"""The base class of authentication providers. An application can write its own in ten lines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any

from tornado.web import RequestHandler

__all__ = ["AuthProvider"]


class _NameOfClass:
    """The default name of a provider: that of its class."""

    def __get__(self, provider: object, owner: type) -> str:
        return owner.__name__.removesuffix("Provider").lower()


class AuthProvider(ABC):
    """Identifies the holder of an access token.

    ::

        class TicketsProvider(bzz.AuthProvider):
            async def authenticate(self, access_token, proxy_info=None, post_data=None):
                person = await find_ticket(access_token)
                return None if person is None else {"id": person.number, "name": person.name}

    It may raise from :mod:`bzz.errors`; any other exception is a 502 for the client, without its text.
    """

    if TYPE_CHECKING:
        name: str
    else:
        name = _NameOfClass()
    """What clients send as ``provider``; by default the class's name without ``Provider``, in lower case."""

    credential: str = "access_token"
    """The member of the body that :meth:`authenticate` gets as ``access_token``."""

    kept: tuple[str, ...] = ("name", "email")
    """Which of the user's data, beside ``id``, the session holds. They are sent with each request: keep them few."""

    @abstractmethod
    def authenticate(
        self,
        access_token: str,
        proxy_info: Mapping[str, Any] | None = None,
        post_data: Mapping[str, Any] | None = None,
    ) -> Awaitable[dict[str, Any] | None] | dict[str, Any] | None:
        """Return the holder of ``access_token``. May be a coroutine.

        :param proxy_info: the argument of ``AuthHive.configure``: Tornado's ``proxy_host``, ``proxy_port``, and so on.
        :param post_data: the whole body that the client sent.
        :returns: the user's data with at least ``id``, or None if the token is not accepted.
        """

    def routes(self) -> dict[str, tuple[type[RequestHandler], dict[str, Any]]]:
        """Return further routes of the provider: by the path below ``/auth/``, a handler and its arguments."""
        return {}

    def account(self, post_data: Mapping[str, Any]) -> str | None:
        """Return the account that a sign-in names, by which failures are counted, or None."""
        for name in ("username", "email", "login"):
            if isinstance(post_data.get(name), str):
                return str(post_data[name]).casefold()
        return None

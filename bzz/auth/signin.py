"""One sign-in: read what was sent, ask the provider, let receivers add or refuse. No cookies here."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tornado.web import HTTPError, RequestHandler

from bzz.auth import outage
from bzz.auth.base import AuthProvider
from bzz.auth.limiter import Limiter, network_of
from bzz.codec import loads
from bzz.errors import BadGateway, BadRequest, RequestError, Unauthorized
from bzz.signals import authorized_user, unauthorized_user

__all__ = ["Attempt", "read_body"]

logger = logging.getLogger("bzz.auth")


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object that a client posts: ``access_token``, ``provider``, and what else the provider wants.

    :raises bzz.errors.BadRequest: it is none.

    >>> read_body(b'{"access_token": "t", "provider": "google"}')
    {'access_token': 't', 'provider': 'google'}
    """
    data = loads(body)
    if not isinstance(data, dict):
        raise BadRequest("The body is a JSON object with access_token and provider.")
    for name in ("access_token", "provider"):
        if not isinstance(data.get(name), str) or not data[name]:
            raise BadRequest(f"The body needs {name}, a text.")
    return data


@dataclass
class Attempt:
    """One try to sign in, counted by the limiter until it turns out well.

    :param data: what :func:`read_body` gave.
    """

    handler: RequestHandler
    data: dict[str, Any]
    providers: Mapping[str, AuthProvider]
    limiter: Limiter
    proxy_info: Mapping[str, Any] | None
    _counted: list[str] = field(default_factory=list)

    async def run(self) -> dict[str, Any]:
        """The user's data, with what receivers added.

        :raises bzz.errors.Unauthorized: the provider is unknown or does not accept the token.
        :raises bzz.errors.TooManyRequests: too many have failed.
        :raises bzz.errors.BadGateway: the provider failed.
        :raises bzz.errors.Unavailable: the provider cannot be reached, or a store cannot.
        """
        await self._count("address", network_of(self.handler.request.remote_ip or ""))
        provider = self.providers.get(self.provider_name)
        user = None if provider is None else await self._ask(provider)
        if user is None:
            await self._report()
            raise Unauthorized("The provider is not known here, or does not accept this token.", headers=_CHALLENGE)
        await self._authorize(user)
        await self._forgive()
        return user

    @property
    def provider_name(self) -> str:
        """The provider as the client named it."""
        return str(self.data["provider"])

    async def _ask(self, provider: AuthProvider) -> dict[str, Any] | None:
        claimed = provider.account(self.data)
        if claimed is not None:
            await self._count("account", f"{provider.name}:{claimed}")
        try:
            user = await _authenticate(provider, self.data, self.proxy_info)
        except RequestError as error:
            if error.status >= 500:  # no fault of the client
                await self._forgive()
            raise
        return None if user is None else {**user, "provider": provider.name}

    async def _authorize(self, user: dict[str, Any]) -> None:
        await self._count("account", f"{self.provider_name}:id:{user['id']}")
        try:
            await authorized_user.notify(
                self.provider_name, provider_name=self.provider_name, user_data=user, handler=self.handler
            )
        except (RequestError, HTTPError):
            await self._report()
            raise

    async def _report(self) -> None:
        await unauthorized_user.report(self.provider_name, provider_name=self.provider_name, handler=self.handler)

    async def _count(self, kind: str, name: str) -> None:
        with outage.store("sign-in limiter"):
            self._counted.append(await self.limiter.begin(kind, name))

    async def _forgive(self) -> None:
        with outage.store("sign-in limiter"):
            await self.limiter.forgive(self._counted)


_CHALLENGE = {"WWW-Authenticate": "Bearer"}


async def _authenticate(
    provider: AuthProvider, data: Mapping[str, Any], proxy_info: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    try:
        found = provider.authenticate(data["access_token"], proxy_info=proxy_info, post_data=data)
        user = await found if inspect.isawaitable(found) else found
        return None if user is None else {**user, "id": str(user["id"])}
    except (RequestError, HTTPError):
        raise
    except Exception as error:
        # The message of an exception may quote the token, so the log gets the place and the type only.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("provider %r failed with %s at\n%s", provider.name, type(error).__name__, where)
        raise BadGateway("The provider failed; try again later.") from None

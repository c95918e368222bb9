"""One sign-in: the provider is asked, and receivers may add data or refuse. This module knows no cookies."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tornado.web import Finish, HTTPError, RequestHandler

from bzz.addresses import network_of
from bzz.auth.base import AuthProvider
from bzz.auth.http import unavailable_on_error
from bzz.auth.limiter import Limiter
from bzz.calling import call
from bzz.codec import dumps
from bzz.errors import BadGateway, RequestError, TooManyRequests, Unauthorized
from bzz.signals import authorized_user, unauthorized_user

__all__ = ["Attempt"]

logger = logging.getLogger("bzz.auth")


@dataclass
class Attempt:
    """One attempt to sign in, which counts as failed until it succeeds.

    :param data: the members of the body.
    """

    handler: RequestHandler
    data: dict[str, Any]
    providers: Mapping[str, AuthProvider]
    limiter: Limiter
    proxy_info: Mapping[str, Any] | None
    _counted: list[str] = field(default_factory=list)

    async def run(self) -> dict[str, Any]:
        """Return the user's data, with what receivers added.

        A refusal is counted as a failure and reported to receivers; an error of the server is not.

        :raises bzz.errors.Unauthorized: if the provider is unknown or does not accept the token.
        :raises bzz.errors.TooManyRequests: if too many attempts have failed.
        :raises bzz.errors.BadGateway: if the provider failed.
        :raises bzz.errors.Unavailable: if the provider cannot be reached, or a store cannot.
        """
        try:
            user = await self._admitted()
        except BaseException as error:
            await self._settle(error)
            raise
        await self._forgive()
        return user

    @property
    def provider_name(self) -> str:
        """The provider as the client named it."""
        return str(self.data["provider"])

    async def _admitted(self) -> dict[str, Any]:
        await self._count("address", network_of(self.handler.request.remote_ip or ""))
        user = await self._ask(self._provider())
        await self._count("account", f"{self.provider_name}:id:{user['id']}")
        await authorized_user.notify(
            self.provider_name, provider_name=self.provider_name, user_data=user, handler=self.handler
        )
        return user

    def _provider(self) -> AuthProvider:
        try:
            return self.providers[self.provider_name]
        except KeyError:
            known = ", ".join(sorted(self.providers))
            logger.info("a sign-in was refused: no provider is called %.40r; there are %s", self.provider_name, known)
            raise _refusal() from None

    async def _ask(self, provider: AuthProvider) -> dict[str, Any]:
        claimed = provider.account(self.data)
        if claimed is not None:
            await self._count("account", f"{provider.name}:{claimed}")
        user = await _authenticate(provider, self.data, self.proxy_info)
        if user is None:
            logger.info("a sign-in was refused: provider %r does not accept the token", provider.name)
            raise _refusal()
        return {**user, "provider": provider.name}

    async def _settle(self, error: BaseException) -> None:
        """Report a refusal; if the error is the server's, take back the count."""
        if isinstance(error, TooManyRequests):
            return
        if self._status_of(error) < 500:
            await unauthorized_user.report(self.provider_name, provider_name=self.provider_name, handler=self.handler)
            return
        try:
            await self._forgive()
        except RequestError:  # the store fails: its window ends by itself
            logger.warning("a failure that was none stays counted for the length of a window")

    def _status_of(self, error: BaseException) -> int:
        """Return the status of the answer that ``error`` becomes."""
        if isinstance(error, RequestError):
            return error.status
        if isinstance(error, Finish):  # a receiver has answered itself
            return self.handler.get_status()
        return error.status_code if isinstance(error, HTTPError) else 500

    async def _count(self, kind: str, name: str) -> None:
        with unavailable_on_error("sign-in limiter"):
            self._counted.append(await self.limiter.begin(kind, name))

    async def _forgive(self) -> None:
        with unavailable_on_error("sign-in limiter"):
            await self.limiter.forgive(self._counted)


_CHALLENGE = {"WWW-Authenticate": "Bearer"}


def _refusal() -> Unauthorized:
    """Return the same answer for an unknown provider and for a refused token; the log distinguishes them."""
    return Unauthorized("The provider is not known here, or does not accept these credentials.", headers=_CHALLENGE)


async def _authenticate(
    provider: AuthProvider, data: Mapping[str, Any], proxy_info: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    try:
        user = await call(provider.authenticate, data[provider.credential], proxy_info=proxy_info, post_data=data)
        dumps(user)  # data without a JSON form are the provider's failure
        return None if user is None else {**user, "id": str(user["id"])}
    except (RequestError, HTTPError, Finish):
        raise
    except Exception as error:
        # The message of an exception may quote the token, so the log gets the place and the type only.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("provider %r failed with %s at\n%s", provider.name, type(error).__name__, where)
        raise BadGateway("The provider failed; try again later.") from None
